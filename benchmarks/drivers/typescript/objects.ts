import { get, type ObjectRef, put } from 'thornback'
import type { Bench } from './bench.ts'
import { burst } from './calls.ts'
import { type Answer, batchRate, check, repeat, type Request, spread, sum } from './measure.ts'
import type { Action } from './protocol.ts'

const batch = 100
const gigabyte = 1e9

async function putSmall(bench: Bench, request: Request): Promise<Answer> {
  const actor = await bench.actor(request)
  const answer = await batchRate(request.seconds, (round) => {
    for (let n = 0; n < batch; n++) put(round + n).dispose()
    return Promise.resolve(batch)
  })
  // What was put must be there for another process.
  const refs = Array.from({ length: batch }, (_, n) => put(n))
  const echoes = await get(refs.map((ref) => actor['echo']!(ref) as ObjectRef<number>))
  check(sum(echoes) === (batch * (batch - 1)) / 2, 'a wrong sum')
  return { ...answer, checked: batch }
}

async function getSmall(bench: Bench, request: Request): Promise<Answer> {
  await bench.open()
  using ref = put(request.seconds)
  return await batchRate(request.seconds, async () => {
    for (let n = 0; n < batch; n++) check((await ref) === request.seconds, 'a wrong value')
    return batch
  })
}

async function putLarge(bench: Bench, request: Request): Promise<Answer> {
  const actor = await bench.actor(request)
  const { bytes, isKept } = request.parameters
  const source = new Float64Array(Number(bytes) / 8).fill(3)
  const kept: ObjectRef[] = []
  const putOne = (round: number): number => {
    source[0] = round
    const start = performance.now()
    const ref = put(source)
    const time = performance.now() - start
    kept.push(ref)
    if (!isKept && kept.length > 1) kept.shift()!.dispose()
    return time
  }
  put(0).dispose()
  const times = isKept
    ? Array.from({ length: 5 }, (_, round) => putOne(round))
    : await repeat(request.seconds, async (round) => {
        // What was disposed goes back to the store when the event loop turns.
        await new Promise((resolve) => setImmediate(resolve))
        return putOne(round)
      })
  const probe = (await actor['probe']!(kept.at(-1))) as number[]
  const wanted = [source.length, source[0], 3, 3]
  check(JSON.stringify(probe) === JSON.stringify(wanted), `the actor saw ${probe.join(' ')}`)
  for (const ref of kept) ref.dispose()
  return { value: (Number(bytes) * times.length * 1000) / sum(times) / gigabyte, checked: 1 }
}

/** Gets what another process holds, each time through a ref that has just arrived. */
async function getLarge(bench: Bench, request: Request): Promise<Answer> {
  const actor = await bench.actor(request)
  const bytes = Number(request.parameters['bytes'])
  let faults = 0
  const times = await repeat(request.seconds, async () => {
    const [ref] = (await actor['large']!(bytes)) as ObjectRef<Float64Array>[]
    const faultsBefore = process.resourceUsage().minorPageFault
    const start = performance.now()
    const array = await ref!
    const time = performance.now() - start
    faults += process.resourceUsage().minorPageFault - faultsBefore
    check(array.length === bytes / 8 && array[0] === 7 && array.at(-1) === 7, 'a wrong array')
    ref!.dispose()
    return time
  })
  const { p50, p99 } = spread(times)
  const details = { faults_per_get: faults / times.length }
  return { value: p50, p50, p99, checked: times.length, details }
}

async function getRefs(bench: Bench, request: Request): Promise<Answer> {
  const actor = await bench.actor(request)
  const count = Number(request.parameters['refs'])
  const times = await repeat(request.seconds, async () => {
    const [list] = (await actor['refs']!(count)) as ObjectRef<ObjectRef<number>[]>[]
    const start = performance.now()
    const refs = await list!
    const time = performance.now() - start
    check(refs.length === count && (await refs.at(-1)) === count - 1, 'a wrong list')
    for (const ref of refs) ref.dispose()
    list!.dispose()
    return time
  })
  return { value: (times.length * 1000) / sum(times), checked: times.length }
}

async function echoBytes(bench: Bench, request: Request): Promise<Answer> {
  const actor = await bench.actor(request)
  const source = new Uint8Array(Number(request.parameters['bytes'])).fill(5)
  const times = await repeat(request.seconds, async (round) => {
    source[0] = round
    const start = performance.now()
    const ref = actor['echo']!(source) as ObjectRef<Uint8Array>
    const echo = await ref
    const time = performance.now() - start
    check(echo.length === source.length && echo[0] === source[0], 'a wrong echo')
    if (round % 16 === 0) check(Buffer.compare(echo, source) === 0, 'a wrong echo')
    ref.dispose()
    return time
  })
  const { p50, p99 } = spread(times)
  return { value: p50, p50, p99, checked: times.length }
}

async function liveRefs(bench: Bench, request: Request): Promise<Answer> {
  const actor = await bench.actor(request)
  const { refs, window } = request.parameters
  const alive = Array.from({ length: Number(refs) }, (_, n) => put(n))
  const call = actor['echo'] as unknown as (value: number) => ObjectRef<number>
  const answer = await batchRate(request.seconds, burst([call], Number(window)))
  check((await alive.at(-1)) === alive.length - 1, 'a wrong value')
  for (const ref of alive) ref.dispose()
  return answer
}

export function objectActions(bench: Bench): Record<string, Action> {
  return {
    put: (request) => putSmall(bench, request),
    get: (request) => getSmall(bench, request),
    'put-large': (request) => putLarge(bench, request),
    'get-large': (request) => getLarge(bench, request),
    'get-refs': (request) => getRefs(bench, request),
    'echo-bytes': (request) => echoBytes(bench, request),
    'live-refs': (request) => liveRefs(bench, request),
  }
}
