// Streams, and many queued tasks.
import { type ActorHandle, type AnyApi, get, kill, type ObjectRef } from 'thornback'
import type { Bench } from './bench.ts'
import { residentMib } from './flow.ts'
import { type Answer, batchRate, check, type Request, sum } from './measure.ts'
import type { Action } from './protocol.ts'

const mebibyte = 2 ** 20
const part = 10_000

/** The actor of each case, kept over the rounds. */
const actors = new Map<string, ActorHandle<AnyApi>>()

async function streamsOf(bench: Bench, request: Request): Promise<ActorHandle<AnyApi>> {
  const actor = actors.get(request.case) ?? (await (await bench.classOf('Streams')).create())
  actors.set(request.case, actor)
  return actor
}

async function items(bench: Bench, request: Request): Promise<Answer> {
  const actor = await streamsOf(bench, request)
  const count = Number(request.parameters['items'])
  return batchRate(request.seconds, async () => {
    let total = 0
    let seen = 0
    for await (const item of actor['numbers']!.stream(count) as AsyncIterable<number>) {
      total += item
      seen++
    }
    check(seen === count && total === (count * (count - 1)) / 2, 'wrong items')
    return seen
  })
}

async function arrays(bench: Bench, request: Request): Promise<Answer> {
  const actor = await streamsOf(bench, request)
  const count = Number(request.parameters['items'])
  const bytes = Number(request.parameters['bytes'])
  let seen = 0
  let storeBytes = 0
  const start = performance.now()
  for await (const array of actor['arrays']!.stream(count, bytes) as AsyncIterable<Float64Array>) {
    check(array.length === bytes / 8 && array[1] === 7, 'a wrong array')
    check(array[0] === seen && array.at(-1) === seen, 'a wrong array')
    seen++
    storeBytes = Math.max(storeBytes, bench.cluster.stats.storeBytesNode)
  }
  const seconds = (performance.now() - start) / 1000
  check(seen === count, `${seen} items came instead of ${count}`)
  const details = { store_peak_mib: storeBytes / mebibyte }
  return { value: (count * bytes) / seconds / 1e9, checked: count, details }
}

async function queuedTasks(bench: Bench, request: Request): Promise<Answer> {
  await bench.open()
  const count = Number(request.parameters['tasks'])
  const echo = bench.task<(n: number) => number>('echo') as unknown as (
    n: number,
  ) => ObjectRef<number>
  await get(Array.from({ length: 1000 }, (_, n) => echo(n)))
  const { cpus } = (await bench.cluster.nodeInfo()) as { cpus: number }
  // It takes all CPUs, so no task starts.
  const holderClass = await bench.classOf('Work')
  const holder = await holderClass.options({ resources: { cpu: cpus } }).create()
  await holder['pid']!()
  const before = residentMib(process.pid)
  const start = performance.now()
  const refs = Array.from({ length: count }, (_, n) => echo(n))
  const queueing = performance.now() - start
  // What is made in one turn of the event loop leaves at its end.
  await new Promise((resolve) => setImmediate(resolve))
  const size = ((residentMib(process.pid) - before) * mebibyte) / count
  await kill(holder)
  const freed = performance.now()
  let total = 0
  for (let first = 0; first < count; first += part) {
    total += sum(await get(refs.slice(first, first + part)))
  }
  check(total === (count * (count - 1)) / 2, 'a wrong sum')
  const details = {
    queued_per_s: (count * 1000) / queueing,
    done_per_s: (count * 1000) / (performance.now() - freed),
  }
  return { value: size, checked: count, details }
}

export function streamActions(bench: Bench): Record<string, Action> {
  return {
    'stream-items': (request) => items(bench, request),
    'stream-arrays': (request) => arrays(bench, request),
    'queued-tasks': (request) => queuedTasks(bench, request),
  }
}
