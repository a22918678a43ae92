import { describe, expect, it } from 'vitest'
import {
  BackPressureError,
  CancelledError,
  DeadlineExceededError,
  cancel,
  get,
  NotFoundError,
  type ObjectRef,
  put,
  StoreFullError,
  WaitTimeoutError,
} from '../src/index.ts'
import { Counter, later, square, Values } from './fixtures/shapes.ts'
import { errorOf, withSession, wrong } from './session.ts'

describe('refs', () => {
  const session = withSession()

  it('of put values give them back', async () => {
    const value = { a: [1, 'two', null, new Date(0), 2n ** 70n], set: new Set([1]) }
    const ref = put(value)
    expect(ref.isReady).toBe(true)
    expect(await ref).toEqual(value)
    expect(await put('x')).toBe('x')
    expect(await put(undefined)).toBeNull()
  })

  it('are settled in turn, and again', async () => {
    const ref = square(4)
    const order: string[] = []
    const chained = ref.then((value) => order.push(`first ${value}`))
    void ref.then((value) => order.push(`second ${value}`))
    await chained
    expect(order).toEqual(['first 16', 'second 16'])
    expect(await ref).toBe(16)
    expect(await ref.get()).toBe(16)
    expect(await ref.then((n) => n + 1).then((n) => n + 1)).toBe(18)
  })

  it('that fail reject who waits, and raise nothing for those who do not', async () => {
    const failed = square(wrong(null)).then(
      () => 'no',
      () => 'yes',
    )
    expect(await failed).toBe('no')
    await using values = await Values.create()
    void values.sum(wrong(null))
    expect(await values.list()).toEqual([1, 2, 3])
  })

  it('travel inside values, as refs', async () => {
    await using values = await Values.create()
    expect(await values.sumOfRefs([put(1), square(3), put(32)])).toBe(42)
    expect(await values.isRef({ ref: put(1) })).toBe(true)
    const [inner] = (await values.echo([put('inner')])) as [ObjectRef<string>]
    expect(await inner).toBe('inner')
  })

  it('passed directly stand for their values', async () => {
    await using values = await Values.create()
    expect(await values.echo(put({ deep: [1] }) as unknown)).toEqual({ deep: [1] })
    const pending = later(20, 'in time')
    expect(await values.echo(pending as unknown)).toBe('in time')
  })

  it('of settled primitives can be passed on', async () => {
    await using values = await Values.create()
    const nine = square(3)
    await nine
    expect(await square(nine)).toBe(81)
    expect(await values.sumOfRefs([nine, nine])).toBe(18)
    const failed = later(wrong('no number'), wrong(5))
    await failed.then(
      () => undefined,
      () => undefined,
    )
    expect(await values.echo(failed as unknown)).toBe(5)
  })

  it('are kept by who got them', async () => {
    await using values = await Values.create()
    {
      using ref = put({ kept: 'alive' })
      await values.keep([ref])
    }
    const [ref] = (await values.kept()) as [ObjectRef<{ kept: string }>]
    expect(await ref).toEqual({ kept: 'alive' })
  })

  it('end with dispose', async () => {
    const ref = put(1)
    ref.dispose()
    ref.dispose()
    expect(await errorOf(ref)).toBeInstanceOf(NotFoundError)
    expect(() => square(ref)).toThrow(/the ref was disposed/)
    const pending = later(60_000, 'x')
    const waiting = errorOf(pending)
    pending.dispose()
    expect(await waiting).toBeInstanceOf(NotFoundError)
  })

  it('are let go of when nobody has them', async () => {
    const before = session.cluster.stats.objectsLive
    {
      using _ref = put(new Uint8Array(100_000))
      expect(session.cluster.stats.objectsLive).toBe(before + 1)
    }
    await square(1)
    expect(session.cluster.stats.objectsLive).toBe(before)
  })

  it('are waited for with a limit', async () => {
    const ref = later(60_000, 'late')
    expect(await errorOf(ref.get({ timeoutMs: 10 }))).toBeInstanceOf(WaitTimeoutError)
    const abort = new AbortController()
    const waiting = ref.get({ signal: abort.signal })
    abort.abort(new Error('enough'))
    expect((await errorOf(waiting)).message).toBe('enough')
    expect(ref.isReady).toBe(false)
    ref.dispose()
  })

  it('of calls are cancelled, by signal or by function', async () => {
    await using values = await Values.create()
    const abort = new AbortController()
    const running = values.untilCancelled.with({ signal: abort.signal })()
    await values.list()
    abort.abort(new Error('no more need'))
    const error = await errorOf(running)
    expect(error).toBeInstanceOf(CancelledError)
    expect((error.cause as Error).message).toBe('no more need')
    const told = values.untilCancelled()
    await values.list()
    cancel(told)
    expect(await told).toBe('cancelled')
    expect(await errorOf(values.list.with({ signal: AbortSignal.abort() })())).toBeInstanceOf(
      CancelledError,
    )
  })

  it('of calls with a deadline fail when it has passed', async () => {
    await using values = await Values.create()
    await values.list()
    const late = values.untilCancelled.with({ timeoutMs: 30 })()
    expect(await errorOf(late)).toBeInstanceOf(DeadlineExceededError)
    expect(await values.list.with({ timeoutMs: 30_000 })()).toEqual([1, 2, 3])
  })

  it('of calls that wait in a queue are cancelled before they begin', async () => {
    await using counter = await Counter.options({ maxConcurrency: 1 }).create()
    const slow = counter.addLater(1, 50)
    const queued = counter.add(100)
    await new Promise((resolve) => setTimeout(resolve, 5))
    cancel(queued)
    expect(await errorOf(queued)).toBeInstanceOf(CancelledError)
    expect(await slow).toBe(1)
    expect(await counter.get()).toBe(1)
  })

  it('are many', async () => {
    await using values = await Values.create()
    const refs = Array.from({ length: 10_000 }, (_, index) => put(index))
    const back = (await values.echo({ refs })) as { refs: ObjectRef<number>[] }
    expect(back.refs).toHaveLength(10_000)
    expect(await get([back.refs[0]!, back.refs[9_999]!])).toEqual([0, 9_999])
  })

  it('of values that the store cannot hold are refused', () => {
    const error = (() => {
      try {
        put(new Uint8Array(300 * 1024 * 1024))
      } catch (thrown) {
        return thrown
      }
      return undefined
    })()
    expect(error).toBeInstanceOf(StoreFullError)
  })
})

describe('a limit of pending calls', () => {
  withSession({ pendingCallsMax: 10 })

  it('refuses more at the call site, and accepts them again later', async () => {
    await using values = await Values.create()
    const pending = Array.from({ length: 10 }, () => values.untilCancelled())
    expect(() => values.list()).toThrow(BackPressureError)
    for (const ref of pending) cancel(ref)
    await Promise.allSettled(pending)
    expect(await values.list()).toEqual([1, 2, 3])
  })
})
