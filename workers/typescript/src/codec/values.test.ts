// The TypeScript columns of proto/values.md: what each value becomes on the wire (described by a reader that keeps floats and
// integers apart), and what it is when it comes back.

import vm from 'node:vm'

import { describe, expect, test } from 'vitest'

import { decode } from './decoder.ts'
import type { TypedArray } from './dtype.ts'
import { Encoder } from './encoder.ts'
import { float } from './float.ts'
import { NdArray } from './nd-array.ts'
import { Duration, PlainDate, PlainDateTime } from './plain-time.ts'
import { toHex } from './testing/golden.ts'
import { Tuple, tuple } from './tuple.ts'

const encoder = new Encoder()

function wire(value: unknown): string {
  const end = encoder.encode(value)
  return toHex(encoder.bytes.subarray(0, end))
}

function roundTrip(value: unknown): unknown {
  encoder.encode(value)
  const blob = new Uint8Array(encoder.blobSize)
  encoder.writeBlob(blob)
  return decode(blob)
}

describe('numbers', () => {
  test.each([
    [0, '00'],
    [-0, 'cb8000000000000000'],
    [7, '07'],
    [-1, 'ff'],
    [2 ** 53 - 1, 'cf001fffffffffffff'],
    [-(2 ** 53) + 1, 'd3ffe0000000000001'],
    [2 ** 53, 'cb4340000000000000'],
    [0.5, 'cb3fe0000000000000'],
    [NaN, 'cb7ff8000000000000'],
  ])('%s is written as %s and comes back', (value, hex) => {
    expect(wire(value)).toBe(hex)
    expect(roundTrip(value)).toBe(value)
  })

  test('a bigint is an integer, and comes back as a number where that is exact', () => {
    expect(wire(7n)).toBe('07')
    expect(roundTrip(7n)).toBe(7)
    expect(roundTrip(2n ** 53n - 1n)).toBe(2 ** 53 - 1)
    expect(roundTrip(2n ** 53n)).toBe(2n ** 53n)
    expect(roundTrip(-(2n ** 200n))).toBe(-(2n ** 200n))
  })

  test('float() writes a whole number as a float', () => {
    expect(wire(float(1))).toBe('cb3ff0000000000000')
    expect(roundTrip(float(1))).toBe(1)
  })
})

describe('nothing', () => {
  test('undefined is null, in lists too', () => {
    expect(roundTrip(undefined)).toBe(null)
    expect(roundTrip([1, undefined, null])).toEqual([1, null, null])
    // eslint-disable-next-line no-sparse-arrays
    expect(roundTrip([1, , 3])).toEqual([1, null, 3])
    expect(roundTrip(new Map([[1, undefined]]))).toEqual(new Map([[1, null]]))
  })

  test('a property that is undefined is left out', () => {
    expect(roundTrip({ a: undefined, b: 1, c: undefined })).toEqual({ b: 1 })
    const wide = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`k${i}`, i % 2 || undefined]),
    )
    expect(Object.keys(roundTrip(wide) as object)).toHaveLength(20)
  })
})

describe('containers', () => {
  test('a plain object, also without a prototype or of another realm', () => {
    const bare = Object.assign(Object.create(null) as object, { a: 1 })
    for (const value of [{ a: 1 }, bare, vm.runInNewContext('({ a: 1 })')]) {
      expect(wire(value)).toBe('81a16101')
    }
  })

  test('members that are inherited, symbols or not enumerable are not sent', () => {
    const value = { a: 1, [Symbol('s')]: 2 }
    Object.defineProperty(value, 'hidden', { value: 3, enumerable: false })
    expect(wire(value)).toBe('81a16101')
    Object.defineProperty(Object.prototype, 'polluted', {
      value: 1,
      enumerable: true,
      configurable: true,
      writable: true,
    })
    try {
      expect(wire(value)).toBe('81a16101')
    } finally {
      delete (Object.prototype as Record<string, unknown>)['polluted']
    }
  })

  test('a received __proto__ is a member like any other', () => {
    const value = decode(new Uint8Array(Buffer.from('81a95f5f70726f746f5f5f81a17801', 'hex'))) as {
      x?: number
    }
    expect(Object.keys(value)).toEqual(['__proto__'])
    expect(value.x).toBeUndefined()
  })

  test('an object with 16, 70,000 members', () => {
    for (const count of [16, 66_000]) {
      const value = Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, [i]]))
      const back = roundTrip(value) as typeof value
      expect(Object.keys(back)).toHaveLength(count)
      expect(back[`k${count - 1}`]).toEqual([count - 1])
    }
  })

  test('a Map whose keys are all text comes back as an object, any other as a Map', () => {
    expect(roundTrip(new Map([['a', 1]]))).toEqual({ a: 1 })
    expect(roundTrip(new Map())).toEqual({})
    const mixed = new Map<unknown, unknown>([
      ['a', 1],
      [1, 'a'],
      [null, 2n ** 70n],
    ])
    expect(roundTrip(mixed)).toEqual(mixed)
  })

  test('a Set is a Set', () => {
    expect(roundTrip(new Set([1, 'a', null]))).toEqual(new Set([1, 'a', null]))
  })

  test('a Tuple is a Tuple, an array otherwise in every way', () => {
    const value = roundTrip({ pair: tuple(1, tuple('a')) }) as { pair: [number, [string]] }
    expect(value.pair).toBeInstanceOf(Tuple)
    expect(value.pair[1]).toBeInstanceOf(Tuple)
    const [number, [text]] = value.pair
    expect([number, text]).toEqual([1, 'a'])
    expect(Array.isArray(value.pair)).toBe(true)
    expect(value.pair.map((x) => x).constructor).toBe(Array)
  })

  test('a tuple may be a key', () => {
    const [key] = [...(roundTrip(new Map([[tuple(1, 2), 'x']])) as Map<number[], string>).keys()]
    expect(key).toEqual([1, 2])
  })
})

describe('bytes', () => {
  test('Uint8Array, Buffer, DataView, ArrayBuffer arrive as Uint8Array', () => {
    const { buffer } = new Uint8Array([9, 1, 2, 3, 9])
    const same = [
      new Uint8Array(buffer, 1, 3),
      Buffer.from(buffer, 1, 3),
      new DataView(buffer, 1, 3),
      buffer.slice(1, 4),
    ]
    for (const value of same) {
      const back = roundTrip(value)
      expect(back).toEqual(new Uint8Array([1, 2, 3]))
      expect((back as object).constructor).toBe(Uint8Array)
    }
  })
})

describe('arrays', () => {
  const typed = [
    Int8Array,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
  ]
  test.each(typed.map((type) => [type.name, type] as const))('%s comes back', (_, type) => {
    for (const count of [0, 1, 3, 1000]) {
      const value = type.from(Array.from({ length: count }, (_, index) => index))
      const back = roundTrip(value)
      expect(back).toBeInstanceOf(type)
      expect(back).toEqual(value)
      expect(roundTrip(value.subarray(count >> 1))).toEqual(value.slice(count >> 1))
    }
  })

  test.each([BigInt64Array, BigUint64Array])('64-bit integers', (type) => {
    const value = type.from([1n, 2n ** 63n - 1n])
    expect(roundTrip(value)).toEqual(value)
  })

  test('Uint8ClampedArray is an array of u1, which arrives as NdArray, because Uint8Array is bytes', () => {
    const back = roundTrip(new Uint8ClampedArray([1, 2])) as NdArray
    expect([back.dtype, back.shape, back.data]).toEqual(['|u1', [2], new Uint8Array([1, 2])])
  })

  test('NdArray keeps dtype and shape; vectors of the types above arrive bare', () => {
    const matrix = roundTrip(new NdArray(new Float32Array(6).fill(2), [2, 3])) as NdArray
    expect([matrix.dtype, matrix.shape]).toEqual(['<f4', [2, 3]])
    expect(roundTrip(NdArray.fromTyped(new Int16Array([5])))).toEqual(new Int16Array([5]))
    const flags = roundTrip(new NdArray(new Uint8Array([1, 0]), [2], { dtype: '|b1' })) as NdArray
    expect(flags.toNested()).toEqual([true, false])
  })

  test('a strided array is sent in C order', () => {
    const data = Int32Array.from({ length: 6 }, (_, i) => i)
    const transposed = new NdArray(data, [3, 2], { strides: [1, 3] })
    const back = roundTrip(transposed) as NdArray
    expect(back.toNested()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ])
    expect([...(back.data as Int32Array)]).toEqual([0, 3, 1, 4, 2, 5])
  })

  test('Float16Array, where the runtime has it, is an array of f2', () => {
    const type = (globalThis as unknown as { Float16Array?: typeof Float32Array }).Float16Array
    const data = (type?.from([1.5, -2]) ?? new Uint16Array([0x3e00, 0xc000])) as TypedArray
    const back = roundTrip(new NdArray(data, [2], { dtype: '<f2' })) as NdArray
    expect([back.dtype, back.toNested()]).toEqual(['<f2', [1.5, -2]])
  })
})

describe('times', () => {
  test('a Date is an instant with milliseconds', () => {
    for (const value of [0, -1, 1, 1_700_000_000_123, -62_135_596_800_000, 8.64e15, -8.64e15]) {
      expect(roundTrip(new Date(value))).toEqual(new Date(value))
    }
  })

  test('dates and times without zone keep their class and text', () => {
    for (const value of [
      new PlainDate('2024-02-29'),
      new PlainDateTime('2024-02-29T12:00:00.5'),
      Duration.fromMilliseconds(-1500),
    ]) {
      const back = roundTrip(value)
      expect(back).toBeInstanceOf(value.constructor)
      expect(String(back)).toBe(String(value))
    }
  })
})
