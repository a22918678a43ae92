import { describe, expect, it } from 'vitest'
import { decode, Encoder } from '../codec/index.ts'
import { framePieces } from './frame-pieces.ts'

describe('framePieces', () => {
  it('is the blob that the encoder writes, cut where memory need not be touched twice', () => {
    const values = [
      'plain',
      [new Uint8Array(5_000).fill(1), new Float64Array(129).fill(0.5), 'between'],
      { a: new Uint8Array(4_097), b: new Float32Array(2_048), c: new Uint8Array(4_099) },
    ]
    for (const value of values) {
      const encoder = new Encoder()
      encoder.encode(value)
      const expected = new Uint8Array(encoder.blobSize)
      encoder.writeBlob(expected)
      const found = new Uint8Array(encoder.blobSize).fill(0xee)
      const head = encoder.bytes.subarray(encoder.start, encoder.end)
      let end = 0
      for (const { offset, bytes } of framePieces(head, encoder.buffers)) {
        expect(offset).toBe(end)
        found.set(bytes, offset)
        end = offset + bytes.length
      }
      expect(end).toBe(found.length)
      expect(found).toEqual(expected)
      expect(decode(found)).toEqual(value)
    }
  })
})
