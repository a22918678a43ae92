import { describe, expect, test } from 'vitest'

import { decode, decodeArguments } from './decoder.ts'
import { Encoder } from './encoder.ts'
import { kw } from './keywords.ts'
import { GoldenRef, goldenContext } from './testing/golden.ts'

describe('where the head goes', () => {
  test('to the target, from the offset on, leaving the rest alone', () => {
    const encoder = new Encoder()
    const target = new Uint8Array(100).fill(0xee)
    const end = encoder.encode(['abc', 1.5], target, 10)
    expect(encoder.bytes).toBe(target)
    expect(decode(target, 10, end)).toEqual(['abc', 1.5])
    expect(target.subarray(0, 10).every((byte) => byte === 0xee)).toBe(true)
  })

  test.each([0, 1, 16, 17, 40])('a target of %i bytes grows through the callback', (size) => {
    const asked: number[] = []
    const encoder = new Encoder(new Uint8Array(0), (bytes, used, needed) => {
      asked.push(needed)
      expect(needed).toBeGreaterThan(bytes.length)
      const larger = new Uint8Array(needed)
      larger.set(bytes.subarray(0, used))
      return larger
    })
    const value = {
      text: 'é'.repeat(300),
      list: Array.from({ length: 100 }, (_, i) => i * 1000),
      bytes: new Uint8Array(300),
      set: new Set(['a', new Date(1.5e12), 2n ** 90n]),
      map: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`key number ${i}`, 0.5])),
    }
    const end = encoder.encode(value, new Uint8Array(size))
    expect(decode(encoder.bytes, 0, end)).toEqual(value)
    expect(asked.length).toBeGreaterThan(0)
  })

  test('a value may not be encoded while another one is', () => {
    const encoder = new Encoder()
    const value = {
      get a() {
        return encoder.encode(1)
      },
    }
    expect(() => encoder.encode(value)).toThrow(/while a getter/)
  })
})

describe('the second step', () => {
  test('writes head and buffers, aligned, into memory that held something else', () => {
    const encoder = new Encoder()
    const value = { a: new Float64Array(100).fill(1.5), b: new Uint8Array(5000).fill(3), c: 1 }
    encoder.encode(value)
    expect(encoder.buffers.length).toBe(2)
    const blob = new Uint8Array(encoder.blobSize).fill(0xff)
    encoder.writeBlob(blob)
    expect(decode(blob)).toEqual(value)
  })

  test('writes a plain head when there are no buffers', () => {
    const encoder = new Encoder()
    const end = encoder.encode('abc', new Uint8Array(20), 3)
    expect(encoder.blobSize).toBe(end - 3)
    const blob = new Uint8Array(encoder.blobSize)
    encoder.writeBlob(blob)
    expect(decode(blob)).toBe('abc')
  })

  test('clear lets go of refs and buffers', () => {
    const encoder = new Encoder()
    encoder.encode([new GoldenRef(0), new Float64Array(100)])
    const { refs } = encoder
    encoder.clear()
    expect([encoder.refs, encoder.refIsArgument, encoder.buffers]).toEqual([[], [], []])
    expect(refs).toHaveLength(1)
  })
})

describe('refs', () => {
  const a = new GoldenRef(0)
  const b = new GoldenRef(1)

  test('each occurrence has an entry; those that stand as arguments are marked', () => {
    const encoder = new Encoder()
    encoder.encodeArguments([a, [a], b])
    expect(encoder.refs).toEqual([a, a, b])
    expect(encoder.refIsArgument).toEqual([true, false, true])
    encoder.encodeArguments([[a], a, kw({ x: b, y: { b } })])
    expect(encoder.refIsArgument).toEqual([false, true, true, false])
    encoder.encode([a])
    expect(encoder.refIsArgument).toEqual([false])
  })
})

describe('arguments', () => {
  const encoder = new Encoder()

  test('without keywords are a list', () => {
    const end = encoder.encodeArguments([1, 'a'])
    expect(decodeArguments(encoder.bytes, 0, end)).toEqual([1, 'a'])
    expect(decodeArguments(encoder.bytes, 0, encoder.encodeArguments([]))).toEqual([])
  })

  test('with keywords arrive in TypeScript as one more object', () => {
    const end = encoder.encodeArguments([1, kw({ warm: true, cold: undefined })])
    expect(decodeArguments(encoder.bytes, 0, end)).toEqual([1, { warm: true }])
  })

  test('are a list or keywords, nothing else', () => {
    const end = encoder.encode({ a: 1 })
    expect(() => decodeArguments(encoder.bytes, 0, end)).toThrow(/arguments that are no list/)
  })

  test('with large data and refs go the same ways', () => {
    encoder.encodeArguments([new GoldenRef(0), kw({ x: new Float32Array(500) })])
    const blob = new Uint8Array(encoder.blobSize)
    encoder.writeBlob(blob)
    const back = decodeArguments(blob, 0, blob.length, goldenContext(1, false))
    expect(back).toEqual([new GoldenRef(0), { x: new Float32Array(500) }])
  })
})
