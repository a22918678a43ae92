import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import {
  ActorDiedError,
  type ActorHandle,
  BackPressureError,
  InvalidArgumentError,
  kill,
  pending,
  put,
  python,
  room,
  SessionClosedError,
} from '../src/index.ts'
import { later, square } from './fixtures/shapes.ts'
import { type Slow, SlowActor } from './fixtures/unsteady.ts'
import { fixtures } from './scratch.ts'
import { errorOf, withSession, wrong } from './session.ts'

type SlowApi = Pick<Slow, 'take' | 'ping' | 'after'>
const SlowInPython = python.actor<SlowApi>('unsteady:Slow')
const both: [language: string, typeof SlowInPython][] = [
  ['TypeScript', SlowActor],
  ['Python', SlowInPython],
]

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const mebibyte = 1024 * 1024
const producedMs = 5_000

/** Calls for a while, as fast as there is room; the actor takes 1 ms for each, making one takes a twentieth of that. */
async function produce(slow: ActorHandle<SlowApi>): Promise<{ made: number; growth: number }> {
  const payload = new Uint8Array(2_048)
  let made = 0
  let finished = 0
  let most = 0
  const begin = performance.now()
  const until = async (end: number): Promise<void> => {
    while (performance.now() < end) {
      await room(slow)
      const expected = made++
      slow.take(1, payload).then((found) => {
        if (found !== expected) throw new Error(`${found} came in place of ${expected}`)
        finished++
      })
      if (made % 1_000 === 0) most = Math.max(most, process.memoryUsage.rss())
    }
  }
  await until(begin + producedMs / 10)
  collect()
  const before = process.memoryUsage.rss()
  most = before
  await until(begin + producedMs)
  expect(pending(slow).throttledMs).toBeGreaterThan(0)
  expect(pending(slow).refused).toBe(0)
  expect(await slow.take(0, payload)).toBe(made)
  expect(finished).toBe(made)
  return { made, growth: most - before }
}

describe('what is pending', () => {
  withSession({ sysPath: [fixtures], logToDriver: false })

  it.each(both)(
    'stays within limits when a producer is faster than its actor (%s)',
    { timeout: 120_000 },
    async (_, actor) => {
      await using slow = await actor.options({ maxPendingBytes: 4 * mebibyte }).create()
      const { made, growth } = await produce(slow)
      expect(made).toBeGreaterThan(1_000)
      expect(growth).toBeLessThan(64 * mebibyte)
    },
  )

  it.each(both)('is refused where the call is made (%s)', async (_, actor) => {
    const flooded = await actor.options({ maxPendingBytes: 4 * mebibyte }).create()
    const pid = await flooded.ping()
    const payload = new Uint8Array(8_192)
    let made = 0
    const flood = (): void => {
      for (; made < 100_000; made++) flooded.take(60_000, payload)
    }
    expect(flood).toThrow(BackPressureError)
    expect(flood).toThrow(/pending there \(the limits are 100000 calls and 4194304 bytes\).*room/)
    expect(made).toBeGreaterThan(500)
    expect(made).toBeLessThan(520)
    expect(pending(flooded)).toMatchObject({ calls: made, refused: 2, maxBytes: 4 * mebibyte })
    await kill(flooded)
    expect(pid).not.toBe(process.pid)
    await using other = await actor.options({ maxPendingCalls: 10 }).create()
    const refs = Array.from({ length: 10 }, () => other.take(5, null))
    expect(() => other.take(0, null)).toThrow(BackPressureError)
    expect(await Promise.all(refs)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(await other.take(0, null)).toBe(10)
  })

  it.each(both)('keeps the thread waiting, in order and without a loss (%s)', async (_, actor) => {
    await using slow = await actor.options({ maxPendingCalls: 50, whenFull: 'wait' }).create()
    const refs = Array.from({ length: 1_000 }, () => slow.take(0.01, null))
    expect(await Promise.all(refs)).toEqual(refs.map((_ref, index) => index))
    const large = put(new Uint8Array(100_000))
    const named = Array.from({ length: 200 }, (_item, index) => slow.after(large, `${index}`))
    expect(await Promise.all(named)).toEqual(named.map((_ref, index) => `${index}`))
    expect(pending(slow).throttledMs).toBeGreaterThan(0)
  })

  it('keeps the thread waiting for bytes of refs as well', async () => {
    await using slow = await SlowActor.options({
      maxPendingBytes: mebibyte,
      whenFull: 'wait',
    }).create()
    const large = put(new Uint8Array(mebibyte / 4))
    const named = Array.from({ length: 100 }, (_item, index) => slow.after(large, `${index}`))
    expect(await Promise.all(named)).toEqual(named.map((_ref, index) => `${index}`))
  })

  it('leaves room for each of many who wait for it at once', async () => {
    await using slow = await SlowActor.options({ maxPendingCalls: 5 }).create()
    const callers = Array.from({ length: 200 }, async () => {
      await room(slow)
      return slow.take(0, null)
    })
    const order = await Promise.all(callers)
    expect(order).toEqual(order.map((_item, index) => index))
    expect(pending(slow)).toMatchObject({ calls: 0, bytes: 0, maxCalls: 5, refused: 0 })
  })

  it('is not held up by promises of room that nobody used', async () => {
    await using slow = await SlowActor.options({ maxPendingCalls: 2 }).create()
    await Promise.all(Array.from({ length: 20 }, () => room(slow)))
    expect(await slow.take(0, null)).toBe(0)
  })

  it('is limited for tasks as well', async () => {
    const limited = square.options({ maxPendingCalls: 10 })
    const sums: PromiseLike<number>[] = []
    for (let index = 0; index < 100; index++) {
      await room(limited)
      sums.push(limited(index))
      expect(pending(limited).calls).toBeLessThanOrEqual(10)
    }
    expect(await Promise.all(sums)).toEqual(sums.map((_ref, index) => index * index))
    const all = later.options({ maxPendingCalls: 3 })
    const refs = [1, 2, 3].map((ms) => all(ms, 'done'))
    expect(() => all(4, 'refused')).toThrow(BackPressureError)
    await Promise.all(refs)
    expect(pending(square)).toMatchObject({ maxCalls: 1_000_000, maxBytes: 256 * mebibyte })
  })

  it('ends with the actor: who waits for room learns why', async () => {
    const slow = await SlowActor.options({ maxPendingCalls: 1 }).create()
    const running = errorOf(slow.take(60_000, null))
    const waiting = errorOf(room(slow).then(() => slow.take(0, null)))
    await kill(slow)
    expect(await running).toBeInstanceOf(ActorDiedError)
    expect(await waiting).toBeInstanceOf(ActorDiedError)
  })

  it('is asked of actors and tasks only', () => {
    expect(() => pending(wrong({}))).toThrow(InvalidArgumentError)
    expect(() => room(wrong(() => 1))).toThrow(/^callee: must be an actor handle or a task/)
  })
})

describe('waiting for room', () => {
  const session = withSession()

  it('fails when the session ends', async () => {
    const slow = await SlowActor.options({ maxPendingCalls: 1 }).create()
    void slow.take(60_000, null)
    const waiting = errorOf(room(slow))
    await session.cluster.shutdown()
    expect(await waiting).toBeInstanceOf(SessionClosedError)
  })
})
