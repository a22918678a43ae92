import { describe, expect, it } from 'vitest'
import {
  ActorCreationError,
  type ActorHandle,
  ActorNotFoundError,
  getActor,
  kw,
  NameTakenError,
  NotFoundError,
  put,
  RemoteError,
  SerializationError,
  typescript,
} from '../src/index.ts'
import { Counter, type CounterClass, Values } from './fixtures/shapes.ts'
import { errorOf, withSession, wrong } from './session.ts'

describe('actors', () => {
  withSession()

  it('keep state between calls, in order', async () => {
    await using counter = await Counter.create(5)
    const results = [counter.add(1), counter.add(2), counter.add(3)]
    expect(await Promise.all(results)).toEqual([6, 8, 11])
    expect(await counter.peek()).toBe(11)
  })

  it('take refs and keywords in their constructor', async () => {
    await using counter = await Counter.create(put(40), kw({ by: 2 }))
    expect(await counter.get()).toBe(42)
  })

  it('interleave async methods, which start in order', async () => {
    await using counter = await Counter.create()
    const slow = counter.addLater(1, 80)
    const fast = counter.addLater(10, 5)
    expect(await fast).toBe(10)
    expect(await slow).toBe(11)
  })

  it('run one call at a time with maxConcurrency 1', async () => {
    await using counter = await Counter.options({ maxConcurrency: 1 }).create()
    const slow = counter.addLater(1, 40)
    const fast = counter.addLater(10, 1)
    expect(await fast).toBe(11)
    expect(slow.isReady).toBe(true)
  })

  it('throw what their methods throw, with stack and cause', async () => {
    const error = (await errorOf(Counter.create(-1))) as ActorCreationError
    expect(error).toBeInstanceOf(ActorCreationError)
    expect(error.message).toContain('a counter starts at 0')
    expect((error.cause as Error).name).toBe('RangeError')
    expect((error.cause as Error).stack).toContain('shapes.ts')
  })

  it('are found by name', async () => {
    await using counter = await Counter.options({ name: 'hits' }).create(1)
    const found = await getActor<CounterClass>('hits')
    expect(await found.add(1)).toBe(2)
    expect(await counter.get()).toBe(2)
    expect(await errorOf(Counter.options({ name: 'hits' }).create())).toBeInstanceOf(NameTakenError)
    await using same = await Counter.options({ name: 'hits', getIfExists: true }).create(100)
    expect(await same.get()).toBe(2)
  })

  it('are missed by name with the names that exist', async () => {
    await using _other = await Counter.options({ name: 'known' }).create()
    const error = await errorOf(getActor('unknown'))
    expect(error).toBeInstanceOf(ActorNotFoundError)
    expect(error.message).toContain('known')
  })

  it('travel as handles inside values', async () => {
    await using counter = await Counter.create(1)
    await using values = await Values.create()
    await values.keep({ deep: [counter] })
    const back = (await values.kept()) as { deep: [ActorHandle<CounterClass>] }
    expect(await back.deep[0].add(1)).toBe(2)
  })

  it('answer a method that does not exist with those that do', async () => {
    await using counter = await Counter.create()
    const error = await errorOf((counter as unknown as ActorHandle).addd!(1))
    expect(error).toBeInstanceOf(NotFoundError)
    expect(error.message).toBe('no method Counter.addd; there is add, get, peek, addLater')
    expect(await counter.get()).toBe(0)
  })

  it('refuse what cannot be sent at the call site, with its path', async () => {
    await using values = await Values.create()
    expect(() => values.keep({ a: [1, { b: () => 1 }] })).toThrow(SerializationError)
    expect(() => values.keep({ a: [1, { b: () => 1 }] })).toThrow(/^args\[0\]\.a\[1\]\.b /)
  })

  it('reply with an error when the result cannot be sent, and live on', async () => {
    await using values = await Values.create()
    const error = await errorOf(values.unsendable())
    expect(error).toBeInstanceOf(SerializationError)
    expect(error.message).toMatch(/^return value\.inner\[1\] /)
    expect(await values.list()).toEqual([1, 2, 3])
  })

  it('know where they are', async () => {
    await using values = await Values.options({ name: 'me' }).create()
    expect(await values.describe()).toMatchObject({
      role: 'worker',
      name: 'method::describe',
      restartCount: 0,
      wasRestarted: false,
      hasDeadline: false,
      actor: { class: expect.stringMatching(/shapes\.ts:Values$/) as string },
    })
    expect(await values.describe.with({ timeoutMs: 10_000 })()).toMatchObject({ hasDeadline: true })
  })

  it('are created of exported classes by name', async () => {
    const path = new URL('./fixtures/shapes.ts', import.meta.url).href
    await using counter = await typescript.actor<CounterClass>(`${path}:CounterClass`).create(3)
    expect(await counter.add(1)).toBe(4)
    const error = await errorOf(typescript.actor(`${path}:Countr`).create())
    expect((error.cause as Error).name).toBe('NotFoundError')
    expect(error.message).toContain('Counter')
  })

  it('are no thenables and print as what they are', async () => {
    await using counter = await Counter.create()
    expect((counter as unknown as { then: unknown }).then).toBeUndefined()
    expect(JSON.stringify({ counter })).toBe('{"counter":{}}')
    const { inspect } = await import('node:util')
    expect(inspect(counter)).toMatch(/^ActorHandle \{ typescript .*:Counter \}$/)
  })

  it('raise errors of user code as RemoteError', async () => {
    await using values = await Values.create()
    const error = (await errorOf(values.sum(wrong(null)))) as RemoteError
    expect(error).toBeInstanceOf(RemoteError)
    expect((error.cause as Error).name).toBe('TypeError')
    expect(error.remoteStack).toContain('shapes.ts')
  })
})
