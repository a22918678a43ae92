import { describe, expect, it } from 'vitest'
import { NdArray, put } from '../src/index.ts'
import { Values } from './fixtures/shapes.ts'
import { withSession } from './session.ts'

const million = 1 << 20

describe('arrays', () => {
  const session = withSession()

  it('arrive as what they were', async () => {
    await using values = await Values.create()
    const arrays = [
      new Float64Array([1, 2, 3]),
      new Float32Array(1_000).fill(0.5),
      new Int8Array([-1]),
      new BigInt64Array([1n, -(2n ** 62n)]),
      new Uint8Array(100_000).fill(7),
      new Float64Array(0),
    ]
    for (const array of arrays) expect(await values.echo(array)).toEqual(array)
    expect(await values.echo(arrays)).toEqual(arrays)
    const grid = new NdArray(
      new Float32Array(6).map((_, index) => index),
      [2, 3],
    )
    const back = (await values.echo(grid)) as NdArray
    expect(back.shape).toEqual([2, 3])
    expect(back.toNested()).toEqual(grid.toNested())
  })

  it('of any size are passed on without a copy', async () => {
    await using values = await Values.create()
    const ref = put(new Float64Array(million).fill(1))
    const before = session.cluster.stats.bytesShared
    expect(await values.sum(ref)).toBe(million)
    expect(await values.sum(ref)).toBe(million)
    expect(session.cluster.stats.bytesShared - before).toBeGreaterThanOrEqual(2 * 8 * million)
  })

  it('are mapped once: who gets them twice has one memory', async () => {
    await using values = await Values.create()
    const ref = put(new Float64Array(million).fill(1))
    await values.keep(ref)
    expect(await values.firstOfTwo(ref)).toBe(true)
  })

  it('belong to who received them: writing changes nothing elsewhere', async () => {
    await using values = await Values.create()
    const ref = put(new Float64Array(million).fill(1))
    expect(await values.scribble(ref)).toBe(-1)
    const here = await ref
    expect(here[0]).toBe(1)
    here[0] = 5
    await using other = await Values.create()
    expect(await other.sum(ref)).toBe(million)
    expect(here[0]).toBe(5)
    expect(here[1]).toBe(1)
  })

  it('of new values never show what others wrote before', async () => {
    await using values = await Values.create()
    for (let round = 0; round < 20; round++) {
      using ref = values.zeros(50_000)
      const zeros = await ref
      expect(zeros.every((item) => item === 0)).toBe(true)
      zeros.fill(round + 1)
    }
  })

  it('are empty after their ref was disposed', async () => {
    await using values = await Values.create()
    const ref = values.zeros(million)
    const zeros = await ref
    expect(zeros.length).toBe(million)
    ref.dispose()
    expect(zeros.length).toBe(0)
  })

  it('stay when only a copy was sent', async () => {
    await using values = await Values.create()
    const array = new Float64Array(million).fill(2)
    expect(await values.sum(array)).toBe(2 * million)
    array[0] = 7
    expect(array.byteLength).toBe(8 * million)
  })

  it('of more bytes than the outbox go straight into the store', async () => {
    await using values = await Values.create()
    const text = 'ä'.repeat(700_000)
    expect(await values.echo(text)).toBe(text)
    const many = Array.from({ length: 40 }, () => new Float32Array(1_000).fill(3))
    expect(await values.echo(many)).toEqual(many)
  })
})
