import { describe, expect, it } from 'vitest'
import {
  cancel,
  CancelledError,
  NotSupportedError,
  type ObjectRef,
  type ObjectStream,
  RemoteError,
  SerializationError,
  typescript,
} from '../src/index.ts'
import { Values } from './fixtures/shapes.ts'
import { errorOf, withSession } from './session.ts'

const path = new URL('./fixtures/shapes.ts', import.meta.url).href

/** The same class, of which nothing is known before it is called. */
interface UntypedValues {
  items(count: number): Generator<number>
  slowItems(count: number, ms: number): AsyncGenerator<{ index: number }>
  list(): number[]
  timesClosed(): number
}
const Untyped = typescript.actor<UntypedValues>(`${path}:Values`)

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of stream) items.push(item)
  return items
}

describe('streams', () => {
  withSession()

  it('give the items of generators, sync and async', async () => {
    await using values = await Values.create()
    expect(await collect(values.items(3))).toEqual([0, 1, 2])
    expect(await collect(values.slowItems(2, 1))).toEqual([{ index: 0 }, { index: 1 }])
    expect(await collect(values.items(0))).toEqual([])
  })

  it('are longer than what is sent ahead', async () => {
    await using values = await Values.create()
    const items = await collect(values.items(1_000))
    expect(items).toHaveLength(1_000)
    expect(items.at(-1)).toBe(999)
  })

  it('need not be known before', async () => {
    await using values = await Untyped.create()
    expect(await collect(values.items(3))).toEqual([0, 1, 2])
    expect(await collect(values.items(2))).toEqual([0, 1])
  })

  it('may be iterated long after the call', async () => {
    await using values = await Untyped.create()
    const stream = values.items(3)
    await values.list()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await collect(stream)).toEqual([0, 1, 2])
  })

  it('are asked for explicitly', async () => {
    await using values = await Untyped.create()
    const stream: ObjectStream<number> = values.items.stream(2)
    await values.list()
    expect(await collect(stream)).toEqual([0, 1])
  })

  it('of values that are no streams say so', async () => {
    await using values = await Untyped.create()
    const list = values.list() as unknown as AsyncIterable<number>
    expect(await collect(list)).toEqual([1, 2, 3])
    const number = values.timesClosed() as unknown as AsyncIterable<number>
    expect(await errorOf(collect(number))).toBeInstanceOf(NotSupportedError)
  })

  it('are lists when they are awaited', async () => {
    await using values = await Untyped.create()
    expect(await (values.items(3) as unknown as PromiseLike<unknown>)).toEqual([0, 1, 2])
    const slow = values.slowItems(2, 1) as unknown as PromiseLike<unknown>
    expect(await slow).toEqual([{ index: 0 }, { index: 1 }])
    expect(await collect(values.items(2))).toEqual([0, 1])
  })

  it('that never end can be cancelled even when they are awaited', async () => {
    await using values = await Untyped.create()
    const endless = values.items(Infinity) as unknown as ObjectRef
    await values.list()
    cancel(endless)
    expect(await errorOf(endless)).toBeInstanceOf(CancelledError)
  })

  it('end their generator when the consumer leaves', async () => {
    await using values = await Values.create()
    for await (const item of values.slowItems(1_000, 1)) if (item.index === 2) break
    for await (const item of values.items(1_000_000)) if (item === 100) break
    await expect.poll(() => values.timesClosed(), { timeout: 10_000, interval: 20 }).toBe(2)
  })

  it('stop ahead of a consumer that is slow', async () => {
    await using values = await Values.create()
    await using stream = values.items(1_000_000)
    expect((await stream.next()).value).toBe(0)
    expect(await values.timesClosed()).toBe(0)
  })

  it('throw what the generator throws, after the items before', async () => {
    await using values = await Values.create()
    const items: number[] = []
    const error = await errorOf(
      (async () => {
        for await (const item of values.failing()) items.push(item)
      })(),
    )
    expect(items).toEqual([1])
    expect(error).toBeInstanceOf(RemoteError)
    expect(error.message).toBe('RangeError: no second item')
  })

  it('end with the reason when an item cannot be sent', async () => {
    await using values = await Values.create()
    const error = await errorOf(collect(values.badItem()))
    expect(error).toBeInstanceOf(SerializationError)
  })

  it('end with their signal', async () => {
    await using values = await Values.create()
    const abort = new AbortController()
    const stream = values.slowItems.with({ signal: abort.signal })(1_000, 5)
    expect((await stream.next()).value).toEqual({ index: 0 })
    abort.abort()
    expect((await errorOf(collect(stream))).name).toBe('CancelledError')
  })
})
