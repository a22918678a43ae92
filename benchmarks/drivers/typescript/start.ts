import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ObjectRef } from 'thornback'
import type { Bench } from './bench.ts'
import { type Answer, check, type Request } from './measure.ts'
import type { Action } from './protocol.ts'

const secondsIdle = 2

async function initOnce(bench: Bench): Promise<Answer> {
  const start = performance.now()
  await bench.open()
  const value = performance.now() - start
  const echo = bench.task<(n: number) => number>('echo') as unknown as (n: number) => ObjectRef
  check((await echo(7)) === 7, 'a wrong echo')
  const details = { first_result_ms: performance.now() - start }
  return { value, times: [value], checked: 1, details }
}

/** From creating an actor to its first result. */
async function firstResult(bench: Bench): Promise<number> {
  const start = performance.now()
  const actor = await bench.create('Plain')
  check((await actor['echo']!(7)) === 7, 'a wrong echo')
  return performance.now() - start
}

async function coldWorker(bench: Bench): Promise<Answer> {
  await bench.open()
  const value = await firstResult(bench)
  const details = { second_ms: await firstResult(bench) }
  return { value, times: [value], checked: 2, details }
}

async function warmWorker(bench: Bench, { parameters }: Request): Promise<Answer> {
  await bench.open()
  const times: number[] = []
  for (let round = 0; round < 3; round++) {
    await sleep(Number(parameters['restMs']))
    times.push(await firstResult(bench))
  }
  const value = times.toSorted((a, b) => a - b)[1]!
  return { value, times, checked: times.length }
}

async function idleWorker(bench: Bench): Promise<Answer> {
  const actor = await bench.create('Plain')
  const pid = (await actor['pid']!()) as number
  await sleep(1000)
  const wakeupsBefore = wakeups(pid)
  await sleep(secondsIdle * 1000)
  const wakeupsPerSecond = (wakeups(pid) - wakeupsBefore) / secondsIdle
  const memory = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const megabytes = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(memory)?.[1]) * 1024) / 1e6
  const details = {
    pss_mb: megabytes('Pss'),
    rss_mb: megabytes('Rss'),
    threads: readdirSync(`/proc/${pid}/task`).length,
    wakeups_per_s: wakeupsPerSecond,
  }
  return { value: megabytes('Private_Clean') + megabytes('Private_Dirty'), checked: 1, details }
}

/** How often the threads of a process have gone to sleep. */
function wakeups(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((thread) => readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8'))
    .reduce((all, text) => all + Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(text)?.[1]), 0)
}

export function startActions(bench: Bench): Record<string, Action> {
  return {
    init: () => initOnce(bench),
    'cold-worker': () => coldWorker(bench),
    'warm-worker': (request) => warmWorker(bench, request),
    'idle-worker': () => idleWorker(bench),
  }
}
