// Callers that are faster than what they call, and those beside them.
import { readFileSync } from 'node:fs'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import {
  type ActorHandle,
  type AnyApi,
  get,
  kill,
  type ObjectRef,
  pending,
  room,
  wait,
} from 'thornback'
import type { Bench } from './bench.ts'
import { type Answer, check, percentile, type Request } from './measure.ts'
import type { Action } from './protocol.ts'

const pageBytes = 4096
const mebibyte = 2 ** 20
const windowSize = 1000
const lookMs = 20
const unlimited = { maxPendingCalls: 2 ** 40, maxPendingBytes: 2 ** 50 }

type Actor = ActorHandle<AnyApi>
type Work = (
  caller: number,
  n: number,
  microseconds: number,
  payload?: Uint8Array,
) => ObjectRef<number>

export function residentMib(pid: number): number {
  const pages = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]
  return (Number(pages) * pageBytes) / mebibyte
}

/** How much the memory of some processes has grown at most since this was made. */
class Growth {
  readonly mib: number[]
  readonly #pids: readonly number[]
  readonly #first: readonly number[]

  constructor(pids: readonly number[]) {
    this.#pids = pids
    this.#first = pids.map(residentMib)
    this.mib = pids.map(() => 0)
  }

  look(): void {
    this.#pids.forEach((pid, n) => {
      this.mib[n] = Math.max(this.mib[n]!, residentMib(pid) - this.#first[n]!)
    })
  }
}

interface Flood {
  /** Calls finished per second. */
  readonly rate: number
  /** How many calls per second were made at first. */
  readonly pace: number
}

/** Calls one actor, each call with the next number. */
class Producer {
  made = 0
  readonly #actor: Actor
  readonly #work: Work
  readonly #microseconds: number
  readonly #payload: Uint8Array
  readonly #completed: () => number

  constructor(actor: Actor, bench: Bench, { parameters }: Request) {
    this.#actor = actor
    this.#work = actor['work'] as unknown as Work
    this.#microseconds = Number(parameters['microseconds'])
    this.#payload = new Uint8Array(Number(parameters['bytes']))
    this.#completed = () => bench.cluster.stats.callsCompleted
  }

  call(): ObjectRef<number> {
    return this.#work(0, this.made++, this.#microseconds, this.#payload)
  }

  /** Calls per second while `windowSize` are in flight. */
  async rateWithWindow(seconds: number): Promise<number> {
    const add = (): { first: number; refs: ObjectRef<number>[] } => {
      const first = this.made
      return { first, refs: Array.from({ length: windowSize / 2 }, () => this.call()) }
    }
    const take = async ({ first, refs }: ReturnType<typeof add>): Promise<void> => {
      const values = await get(refs)
      check(
        values.every((value, n) => value === first + n),
        'a wrong result',
      )
    }
    let oldest = add()
    let done = 0
    const start = performance.now()
    let now = start
    while (now < start + seconds * 1000) {
      const next = add()
      await take(oldest)
      done += oldest.refs.length
      oldest = next
      now = performance.now()
    }
    await take(oldest)
    return (done * 1000) / (now - start)
  }

  /** Awaits room before each call; without limits, where there always is, gives way to results now and then. */
  async flood(seconds: number, callsMax: number, growth: Growth): Promise<Flood> {
    const completed = this.#completed()
    const first = this.made
    let pace = 0
    const start = performance.now()
    let now = start
    let nextLook = start
    while (now < start + seconds * 1000 && this.made - first < callsMax) {
      for (let n = 0; n < 100; n++) {
        await room(this.#actor)
        this.call()
      }
      now = performance.now()
      if (this.made - first === windowSize) pace = (windowSize * 1000) / (now - start)
      if (now < nextLook) continue
      growth.look()
      nextLook = now + lookMs
      if (callsMax < Infinity) await setImmediate()
    }
    growth.look()
    // What has been finished is counted when the event loop has looked for it: in its next turn, not in what is left of this one.
    for (let turn = 0; turn < 2; turn++) await setImmediate()
    now = performance.now()
    return { rate: ((this.#completed() - completed) * 1000) / (now - start), pace }
  }
}

async function flood(bench: Bench, request: Request): Promise<Answer> {
  const { isLimited, callsMax } = request.parameters
  const work = await bench.classOf('Work')
  const actor = await (isLimited ? work : work.options(unlimited)).create()
  const pids = [process.pid, (await actor['pid']!()) as number]
  const producer = new Producer(actor, bench, request)
  await producer.rateWithWindow(request.seconds * 0.3)
  const unthrottled = await producer.rateWithWindow(request.seconds)
  const growth = new Growth(pids)
  const most = isLimited ? Infinity : Number(callsMax)
  const { rate, pace } = await producer.flood(request.seconds, most, growth)
  const { calls, throttledMs } = pending(actor)
  // It is executed behind all others.
  await room(actor)
  const [executed, wrong] = (await actor['report']!(0)) as number[]
  check(
    executed === producer.made && wrong === 0,
    `${producer.made} calls were made, executed: ${executed}, out of order: ${wrong}`,
  )
  await kill(actor)
  const [producerMib, actorMib] = growth.mib as [number, number]
  const details = {
    producer_growth_mib: producerMib,
    actor_growth_mib: actorMib,
    pending_calls: calls,
    throttled_s: throttledMs / 1000,
    times_faster: pace / unthrottled,
  }
  // No growth at all is no figure: a page is the least.
  const grown = Math.max(producerMib + actorMib, pageBytes / mebibyte)
  return { value: isLimited ? rate / unthrottled : grown, checked: producer.made, details }
}

/** Milliseconds of single calls, sorted, while another process calls the same actor. */
async function beside(bench: Bench, request: Request, method: string): Promise<number[]> {
  const microseconds = Number(request.parameters['microseconds'])
  const actor = await (await bench.classOf('Work')).create()
  const neighbour = await (await bench.classOf('Neighbour')).create(actor)
  await neighbour['ready']!()
  const busy = neighbour[method]!(1, microseconds) as ObjectRef<number>
  while (((await actor['report']!(1)) as number[])[0]! < 100) {
    const { ready } = await wait([busy], { timeoutMs: 0 })
    check(ready.length === 0, 'the other caller has ended')
  }
  const times: number[] = []
  const work = actor['work'] as unknown as Work
  const warmUntil = performance.now() + request.seconds * 300
  const end = warmUntil + request.seconds * 1000
  let now = performance.now()
  for (let n = 0; now < end || times.length === 0; n++) {
    const before = now
    check((await work(0, n, microseconds)) === n, 'a wrong result')
    now = performance.now()
    if (before >= warmUntil) times.push(now - before)
  }
  const [done, wrong] = (await actor['report']!(1)) as [number, number]
  await kill(actor)
  check(wrong === 0, `${wrong} calls were executed out of order`)
  check(done > 0 && done <= (await busy), 'more calls were executed than made')
  await kill(neighbour)
  return times.sort((a, b) => a - b)
}

async function fairness(bench: Bench, request: Request): Promise<Answer> {
  const one = await beside(bench, request, 'one_by_one')
  const many = await beside(bench, request, 'flood')
  const microseconds = (times: number[], share: number): number => percentile(times, share) * 1000
  return {
    value: percentile(many, 0.99) / percentile(one, 0.99),
    checked: one.length + many.length,
    details: {
      one_p50_us: microseconds(one, 0.5),
      flood_p50_us: microseconds(many, 0.5),
      one_p99_us: microseconds(one, 0.99),
      flood_p99_us: microseconds(many, 0.99),
    },
  }
}

async function health(bench: Bench, { seconds, parameters }: Request): Promise<Answer> {
  const count = Number(parameters['calls'])
  const slowSeconds = Number(parameters['slowMs']) / 1000
  const groups = { health: { limit: 1, methods: ['health'] } }
  const slowClass = await bench.classOf(String(parameters['actor']))
  const options = { maxConcurrency: count, concurrencyGroups: groups }
  const actor = await slowClass.options(options).create()
  check((await actor['health']!(0)) === 0, 'a wrong result')
  const times: number[] = []
  const end = performance.now() + seconds * 1000
  while (performance.now() < end || times.length === 0) {
    const refs = Array.from(
      { length: count },
      (_, n) => actor['slow']!(slowSeconds, n) as ObjectRef,
    )
    let isOver = false
    const slow = get(refs).finally(() => (isOver = true))
    while (!isOver) {
      const start = performance.now()
      check((await actor['health']!(times.length)) === times.length, 'a wrong result')
      times.push(performance.now() - start)
      await sleep(1)
    }
    check(
      (await slow).every((value, n) => value === n),
      'a wrong result',
    )
  }
  await kill(actor)
  times.sort((a, b) => a - b)
  const details = { p50_ms: percentile(times, 0.5), longest_ms: times.at(-1)! }
  return { value: percentile(times, 0.99), checked: times.length, details }
}

export function flowActions(bench: Bench): Record<string, Action> {
  return {
    flood: (request) => flood(bench, request),
    fairness: (request) => fairness(bench, request),
    health: (request) => health(bench, request),
  }
}
