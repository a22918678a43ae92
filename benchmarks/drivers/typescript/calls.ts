import { setTimeout as sleep } from 'node:timers/promises'
import { type ActorHandle, type AnyApi, get, kill, type ObjectRef } from 'thornback'
import type { Bench } from './bench.ts'
import { type Answer, batchRate, check, echoRate, type Request, spread, sum } from './measure.ts'
import type { Action } from './protocol.ts'

type Call = (value: number) => ObjectRef<number>

async function methodOf(bench: Bench, request: Request): Promise<Call> {
  const { actor, method } = request.parameters
  const handle = await bench.actor(request, String(actor))
  return handle[String(method)] as unknown as Call
}

/** `window` calls, then all their results. */
export function burst(calls: readonly Call[], window: number): (round: number) => Promise<number> {
  return async (round) => {
    const refs = new Array<ObjectRef<number>>(window)
    for (let n = 0; n < window; n++) refs[n] = calls[n % calls.length]!(round + n)
    const results = await get(refs)
    check(sum(results) === window * round + (window * (window - 1)) / 2, 'a wrong sum')
    return window
  }
}

async function sparse(call: Call, seconds: number, pauseMs: number): Promise<Answer> {
  const times: number[] = []
  const end = performance.now() + seconds * 1000
  for (let n = 0; performance.now() < end || n === 0; n++) {
    await sleep(pauseMs)
    const start = performance.now()
    check((await call(n)) === n, 'a wrong echo')
    times.push(performance.now() - start)
  }
  const { p50, p99 } = spread(times)
  return { value: p50, p50, p99, checked: times.length }
}

async function manyActors(bench: Bench, request: Request): Promise<Answer> {
  const { actors, inFlightEach } = request.parameters
  const calls: Call[] = []
  for (let number = 0; number < Number(actors); number++) {
    const actor = await bench.actor(request, 'Plain', number)
    calls.push(actor['echo'] as unknown as Call)
  }
  return batchRate(request.seconds, burst(calls, calls.length * Number(inFlightEach)))
}

/** The clients of each case, kept over the rounds. */
const fans = new Map<string, ActorHandle<AnyApi>[]>()

async function makeFan(bench: Bench, request: Request): Promise<ActorHandle<AnyApi>[]> {
  const servers: ActorHandle<AnyApi>[] = []
  for (let number = 0; number < Number(request.parameters['servers']); number++) {
    servers.push(await bench.actor(request, 'Plain', number))
  }
  const clients: ActorHandle<AnyApi>[] = []
  for (let number = 0; number < Number(request.parameters['clients']); number++) {
    clients.push(await bench.createHere('Client', servers))
  }
  fans.set(request.case, clients)
  return clients
}

async function fan(bench: Bench, request: Request): Promise<Answer> {
  const clients = fans.get(request.case) ?? (await makeFan(bench, request))
  const { servers, hasArgument } = request.parameters
  const batch = Number(request.parameters['batch'])
  const method = hasArgument ? 'batchWithArgument' : 'batch'
  const calls = Number(servers) * batch
  const expected = (calls * (batch - 1)) / 2 + (hasArgument ? calls : 0)
  return batchRate(request.seconds, async () => {
    const sums = await get(clients.map((client) => client[method]!(batch) as ObjectRef<number>))
    check(
      sums.every((each) => each === expected),
      'a wrong sum',
    )
    return calls * clients.length
  })
}

async function deathNotice(bench: Bench, request: Request): Promise<Answer> {
  const times: number[] = []
  for (let death = 0; death < Number(request.parameters['deaths']); death++) {
    const actor = await bench.create('Plain')
    await actor['hold']!(Number(request.parameters['bytes']))
    const pid = (await actor['pid']!()) as number
    const pending = (actor['sleep']!(60) as ObjectRef).get()
    const failed = pending.then(
      () => 'no failure',
      (error: Error) => error.name,
    )
    await sleep(20)
    const start = performance.now()
    process.kill(pid, 'SIGKILL')
    const name = await failed
    times.push((performance.now() - start) * 1000)
    check(/Died|Unavailable/.test(name), `the call ended with ${name}`)
    await kill(actor).catch(() => undefined)
  }
  const { p50 } = spread(times.map((time) => time / 1000))
  return { value: p50, times, checked: times.length }
}

export function callActions(bench: Bench): Record<string, Action> {
  return {
    'one-at-a-time': async (request) => {
      const call = await methodOf(bench, request)
      const { pauseMs } = request.parameters
      if (pauseMs !== undefined) return sparse(call, request.seconds, Number(pauseMs))
      return bench.withWakes(() => echoRate(request.seconds, call))
    },
    'in-flight': async (request) => {
      const call = await methodOf(bench, request)
      const window = Number(request.parameters['window'])
      return bench.withWakes(() => batchRate(request.seconds, burst([call], window)))
    },
    'many-actors': (request) => manyActors(bench, request),
    fan: (request) => fan(bench, request),
    'death-notice': (request) => deathNotice(bench, request),
  }
}
