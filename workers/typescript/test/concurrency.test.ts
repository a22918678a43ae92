import { describe, expect, it } from 'vitest'
import {
  ActorCreationError,
  type ActorHandle,
  cancel,
  InvalidArgumentError,
  type ObjectRef,
  python,
} from '../src/index.ts'
import { type Slow, SlowActor } from './fixtures/unsteady.ts'
import { fixtures } from './scratch.ts'
import { errorOf, withSession } from './session.ts'

const groups = { health: { limit: 2, methods: ['ping'] } }

/** The time that 99 of 100 calls take at most, in milliseconds. */
async function p99OfPings(slow: ActorHandle<Pick<Slow, 'ping'>>): Promise<number> {
  const times: number[] = []
  for (let index = 0; index < 200; index++) {
    const begin = performance.now()
    await slow.ping()
    times.push(performance.now() - begin)
  }
  return times.sort((a, b) => a - b)[Math.floor(0.99 * times.length)]!
}

describe('concurrency groups', () => {
  withSession({ sysPath: [fixtures] })

  it.each([
    ['fill the default group', 1],
    ['run in the default group', 100],
  ])('answer while a hundred slow calls %s', async (_, maxConcurrency) => {
    await using slow = await SlowActor.options({
      maxConcurrency,
      concurrencyGroups: groups,
    }).create()
    const refs: ObjectRef<number>[] = Array.from({ length: 100 }, () => slow.wait(2_000))
    expect(await p99OfPings(slow)).toBeLessThan(20)
    expect(refs.some((ref) => ref.isReady)).toBe(false)
    for (const ref of refs) cancel(ref)
  })

  it.each([1, 100])('answer in Python while it executes %d slow calls', async (maxConcurrency) => {
    const SlowInPython = python.actor<Pick<Slow, 'ping' | 'take'>>('unsteady:Slow')
    const options = { maxConcurrency, concurrencyGroups: groups }
    await using slow = await SlowInPython.options(options).create()
    const refs: ObjectRef<number>[] = Array.from({ length: 100 }, () => slow.take(2_000, null))
    expect(await p99OfPings(slow)).toBeLessThan(20)
    expect(refs.some((ref) => ref.isReady)).toBe(false)
    for (const ref of refs) cancel(ref)
  })

  it('limit what runs at once', async () => {
    await using slow = await SlowActor.options({
      concurrencyGroups: { few: { limit: 2, methods: ['wait'] } },
    }).create()
    const started = performance.now()
    await Promise.all(Array.from({ length: 6 }, () => slow.wait(30)))
    expect(performance.now() - started).toBeGreaterThan(85)
    await Promise.all(Array.from({ length: 20 }, () => slow.ping()))
  })

  it('are chosen by the call, too', async () => {
    await using slow = await SlowActor.options({
      maxConcurrency: 1,
      concurrencyGroups: groups,
    }).create()
    const first = slow.wait(60_000)
    expect(await slow.wait.with({ group: 'health' })(1)).toBe(0)
    expect(first.isReady).toBe(false)
    first.dispose()
    const error = await errorOf(slow.ping.with({ group: 'helth' })())
    expect(error).toBeInstanceOf(InvalidArgumentError)
    expect(error.message).toMatch(/options\.group: .*helth; there is health/)
  })

  it('that name methods which do not exist fail with those that do', async () => {
    const wrongGroups = { health: { limit: 1, methods: ['pingg'] } }
    const error = await errorOf(SlowActor.options({ concurrencyGroups: wrongGroups }).create())
    expect(error).toBeInstanceOf(ActorCreationError)
    expect(error.message).toMatch(/concurrencyGroups\.health\.methods: .* pingg; there is ping, /)
  })

  it('are forgotten with the actor, also in a shared process', async () => {
    const shared = SlowActor.options({ share: true })
    await using first = await shared.options({ maxConcurrency: 1 }).create()
    await using second = await shared.create()
    expect(await second.ping()).toBe(await first.ping())
    const blocked = first.wait(60_000)
    expect(await second.wait(1)).toBe(0)
    const error = await errorOf(second.ping.with({ group: 'health' })())
    expect(error.message).toContain('there is none')
    blocked.dispose()
  })
})
