import { describe, expect, test } from 'vitest'

import { NdArray } from './nd-array.ts'

const matrix = NdArray.fromTyped(
  Int32Array.from({ length: 6 }, (_, i) => i),
  [2, 3],
)

describe('reading items', () => {
  test('at takes one index per dimension, negative ones from the end', () => {
    expect(matrix.at(0, 2)).toBe(2)
    expect(matrix.at(-1, -3)).toBe(3)
    expect(() => matrix.at(1)).toThrow('2 indices are needed, 1 were given')
    expect(() => matrix.at(2, 0)).toThrow('index 2 is out of range for axis 0 of size 2')
    expect(() => matrix.at(0.5, 0)).toThrow(RangeError)
  })

  test('toNested gives nested arrays, an item for a 0-dimensional array', () => {
    expect(matrix.toNested()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ])
    expect(new NdArray(new Float64Array([2.5]), []).toNested()).toBe(2.5)
    expect(new NdArray(new Float64Array(0), [2, 0]).toNested()).toEqual([[], []])
  })

  test('complex numbers, flags, half floats, 64-bit integers', () => {
    const complex = new NdArray(new Float32Array([1, 2, 3, 4]), [2], { dtype: '<c8' })
    expect(complex.size).toBe(2)
    expect(complex.at(1)).toEqual({ re: 3, im: 4 })
    expect(new NdArray(new Uint8Array([0, 2]), [2], { dtype: '|b1' }).toNested()).toEqual([
      false,
      true,
    ])
    const halves = new Uint16Array([0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x7c00, 0xfc00, 0x7e00])
    expect(new NdArray(halves, [8], { dtype: '<f2' }).toNested()).toEqual([
      1,
      -2,
      65504,
      2 ** -24,
      -0,
      Infinity,
      -Infinity,
      NaN,
    ])
    expect(new NdArray(new BigInt64Array([5n]), [1]).at(0)).toBe(5n)
  })

  test('strides step over the items', () => {
    const transposed = new NdArray(matrix.data, [3, 2], { strides: [1, 3] })
    expect(transposed.at(2, 1)).toBe(5)
    expect(transposed.toContiguous().data).toEqual(new Int32Array([0, 3, 1, 4, 2, 5]))
    expect(matrix.toContiguous()).toBe(matrix)
    const repeated = new NdArray(new Int8Array([7]), [2, 2], { strides: [0, 0] })
    expect(repeated.toNested()).toEqual([
      [7, 7],
      [7, 7],
    ])
  })
})

describe('what does not fit is refused', () => {
  const data = new Float32Array(6)

  test.each<[string, () => unknown]>([
    ['too many items', () => new NdArray(data, [7])],
    ['too few items', () => new NdArray(data, [5])],
    ['a negative size', () => new NdArray(data, [-1, -6])],
    ['a fraction', () => new NdArray(data, [1.5, 4])],
    ['an odd number of complex parts', () => new NdArray(data.subarray(1), [2], { dtype: '<c8' })],
    ['a stride past the end', () => new NdArray(data, [2, 3], { strides: [4, 1] })],
    ['a stride before the start', () => new NdArray(data, [6], { strides: [-1] })],
    ['strides of another rank', () => new NdArray(data, [6], { strides: [1, 1] })],
    ['33 dimensions', () => new NdArray(new Int8Array(1), new Array<number>(33).fill(1))],
  ])('%s', (_, make) => {
    expect(make).toThrow(RangeError)
  })

  test('a dtype of other items', () => {
    expect(() => new NdArray(data, [6], { dtype: '<i4' })).toThrow(TypeError)
    expect(() => new NdArray(data, [6], { dtype: '>f4' as never })).toThrow(TypeError)
  })
})
