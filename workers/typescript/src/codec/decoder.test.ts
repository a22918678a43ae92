import { describe, expect, test } from 'vitest'

import { ProtocolError, SerializationError } from '../errors/index.ts'
import { decode } from './decoder.ts'
import { Encoder } from './encoder.ts'
import type { NdArray } from './nd-array.ts'
import { expandHex, goldenContext, readGolden } from './testing/golden.ts'

const encoder = new Encoder()

function blobAt(offset: number, value: unknown): Uint8Array {
  encoder.encode(value)
  const memory = new Uint8Array(offset + encoder.blobSize)
  encoder.writeBlob(memory.subarray(offset))
  return memory
}

const large = {
  x: Float64Array.from({ length: 100 }, (_, i) => i),
  y: new Uint8Array(5000).fill(1),
}

describe('zero-copy views', () => {
  test('share the memory of the blob, and keepAlive hears of each', () => {
    const memory = blobAt(64, large)
    const kept: ArrayBufferView[] = []
    const context = { ...goldenContext(0, true), keepAlive: (v: ArrayBufferView) => kept.push(v) }
    const value = decode(memory, 64, memory.length, context) as typeof large
    expect(value).toEqual(large)
    expect(value.x.buffer).toBe(memory.buffer)
    expect(kept).toEqual([value.x, value.y])
    expect(kept[0]).toBe(value.x)
  })

  test('become copies where the memory is not aligned', () => {
    const memory = blobAt(3, large)
    const value = decode(memory, 3, memory.length, goldenContext(0, true)) as typeof large
    expect(value).toEqual(large)
    expect(value.x.buffer).not.toBe(memory.buffer)
    expect(value.y.buffer).toBe(memory.buffer)
  })

  test('small arrays are copied always', () => {
    const small = { a: new Float32Array([1, 2]), b: new Uint8Array([1]) }
    const memory = blobAt(0, small)
    const value = decode(memory, 0, memory.length, goldenContext(0, true)) as typeof small
    memory.fill(0)
    expect(value).toEqual(small)
  })
})

describe('copies', () => {
  test('survive the reuse of the memory', () => {
    const memory = blobAt(64, large)
    const value = decode(memory, 64, memory.length, goldenContext(0, false))
    memory.fill(0xff)
    expect(value).toEqual(large)
  })

  test('a buffer that is named a thousand times is copied once', () => {
    const size = 1 << 20
    const names = Array.from({ length: 1000 }, () => 'd60900000000').join('')
    const head = Buffer.from(`dc03e8${names}`, 'hex')
    const blob = new Uint8Array(8192 + size)
    blob.set(Buffer.from('c1544201', 'hex'))
    const view = new DataView(blob.buffer)
    view.setUint32(4, 1, true)
    view.setUint32(8, head.length, true)
    view.setBigUint64(16, 8192n, true)
    view.setBigUint64(24, BigInt(size), true)
    blob.set(head, 32)
    const items = decode(blob) as Uint8Array[]
    expect(new Set(items.map((item) => item.buffer)).size).toBe(1)
    expect(items[0]?.buffer).not.toBe(blob.buffer)
  })
})

describe('hostile bytes', () => {
  test('counts that lie, nested as deep as allowed, allocate little', () => {
    // 499 lists that each claim as many items as bytes follow: taken at their word, 499 x 32 MB.
    const bytes = new Uint8Array(4 << 20).fill(0x91)
    for (let level = 0; level < 499; level++) bytes.set([0xdd, 0x00, 0x3f, 0, 0], level * 5)
    const before = process.memoryUsage().heapUsed
    expect(() => decode(bytes)).toThrow(ProtocolError)
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 << 20)
  })

  test('a shape of 2^52 x 0 items is an empty array', () => {
    const value = decode(expandHex('c71202 93a37c6931 92cf001000000000000000 c400')) as NdArray
    expect(value.shape).toEqual([2 ** 52, 0])
  })

  test('a decoder that failed works on, also inside itself', () => {
    const context = {
      ...goldenContext(1, false),
      ref: () => {
        expect(() => decode(new Uint8Array([0xc1]))).toThrow(ProtocolError)
        return decode(new Uint8Array([0x92, 1, 2]))
      },
    }
    expect(decode(expandHex('93d60500000000a1610a'), 0, 10, context)).toEqual([[1, 2], 'a', 10])
  })
})

test('an instant beyond the range of Date is refused, not wrong', () => {
  const blob = expandHex('c70cff000000007fffffffffffffff')
  expect(() => decode(blob)).toThrow(SerializationError)
})

test('plain decoding has no refs, and takes actor handles as their fields', () => {
  expect(() => decode(expandHex('d60500000000'))).toThrow(/no ref 0/)
  const actor = readGolden('references').find(({ name }) => name === 'actor')
  expect(decode(expandHex(actor?.hex ?? ''))).toMatchObject({ classKey: 'counters:Counter' })
})
