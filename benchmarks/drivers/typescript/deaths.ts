// Work that goes on while processes are killed.
import { get, kill, type ObjectRef } from 'thornback'
import type { Bench } from './bench.ts'
import { type Answer, check, percentile, type Request } from './measure.ts'
import type { Action } from './protocol.ts'

const retriesMax = 1_000_000

/** Which process was which life of an actor: they count up by one, and none is there twice. */
class Lives {
  #pid = 0
  #current = 0
  readonly #pids = new Set<number>()

  get pid(): number {
    return this.#pid
  }

  /** Whether this was the first answer of a new life. */
  saw(pid: number, incarnation: number): boolean {
    if (incarnation === this.#current) {
      check(pid === this.#pid, `life ${incarnation} is in two processes`)
      return false
    }
    check(incarnation === this.#current + 1, `after life ${this.#current} came ${incarnation}`)
    check(!this.#pids.has(pid), `process ${pid} has two lives`)
    this.#pids.add(pid)
    this.#current = incarnation
    this.#pid = pid
    return true
  }
}

async function failover(bench: Bench, { parameters }: Request): Promise<Answer> {
  const { kills, window, livesMs } = parameters
  const options = { maxRestarts: -1, retries: retriesMax }
  const actor = await (await bench.classOf('Lives')).options(options).create()
  const call = actor['echo'] as unknown as (n: number) => ObjectRef<[number, number, number]>
  const refs = Array.from({ length: Number(window) }, (_, n) => call(n))
  const lives = new Lives()
  const times: number[] = []
  let done = 0
  let killedAt = 0
  let killAt = Infinity
  while (times.length < Number(kills)) {
    const slot = done % refs.length
    const [value, pid, incarnation] = await refs[slot]!.get({ timeoutMs: 60_000 })
    const now = performance.now()
    check(value === done, `call ${done} was answered with ${value}`)
    done++
    if (lives.saw(pid, incarnation)) {
      if (killedAt > 0) times.push(now - killedAt)
      killAt = now + Number(livesMs)
    }
    if (now >= killAt) {
      process.kill(lives.pid, 'SIGKILL')
      killedAt = performance.now()
      killAt = Infinity
    }
    refs[slot] = call(done + refs.length - 1)
  }
  for (let left = 0; left < refs.length; left++, done++) {
    const [value] = await refs[done % refs.length]!
    check(value === done, 'a wrong result')
  }
  await kill(actor)
  const value = percentile(
    times.toSorted((a, b) => a - b),
    0.95,
  )
  return { value, times, checked: done, details: { first_ms: times[0]! } }
}

type Echo = (n: number) => ObjectRef<number>

/** Kills one of those that execute tasks. */
async function killWorker(bench: Bench, echo: Echo, killed: Set<number>): Promise<void> {
  for (;;) {
    const { workers } = (await bench.cluster.nodeInfo()) as {
      workers: { state: string; pid: number }[]
    }
    const found = workers.find(
      ({ state, pid }) => state === 'leased' && pid > 0 && !killed.has(pid),
    )
    if (found !== undefined) {
      killed.add(found.pid)
      process.kill(found.pid, 'SIGKILL')
      return
    }
    // There is one when there is something to do.
    await echo(0)
  }
}

async function taskKills(bench: Bench, { parameters }: Request): Promise<Answer> {
  await bench.open()
  const tasks = Number(parameters['tasks'])
  const kills = Number(parameters['kills'])
  const echo = bench.task<(n: number) => number>('echo') as unknown as Echo
  await get(Array.from({ length: 1000 }, (_, n) => echo(n)))
  const killed = new Set<number>()
  const refs: ObjectRef<number>[] = []
  const start = performance.now()
  for (let part = 1; part <= kills + 1; part++) {
    while (refs.length < Math.floor((tasks * part) / (kills + 1))) refs.push(echo(refs.length))
    if (part <= kills) await killWorker(bench, echo, killed)
  }
  const values = await get(refs)
  check(values.length === tasks && values.every((value, n) => value === n), 'a wrong result')
  const value = (tasks * 1000) / (performance.now() - start)
  return { value, checked: tasks, details: { kills: killed.size } }
}

export function deathActions(bench: Bench): Record<string, Action> {
  return {
    failover: (request) => failover(bench, request),
    'task-kills': (request) => taskKills(bench, request),
  }
}
