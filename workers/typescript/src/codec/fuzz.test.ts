// Properties over random values, and over damaged golden vectors. A failure prints the seed and the smallest failing case.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { ProtocolError, SerializationError } from '../errors/index.ts'
import { decode } from './decoder.ts'
import { Encoder } from './encoder.ts'
import { describeValue } from './testing/describe-value.ts'
import { expandHex, goldenContext, readGolden } from './testing/golden.ts'
import { Tuple } from './tuple.ts'

const encoder = new Encoder(new Uint8Array(16))

function blobOf(value: unknown): Uint8Array {
  encoder.encode(value)
  const blob = new Uint8Array(encoder.blobSize).fill(0x5a)
  encoder.writeBlob(blob)
  return blob
}

const text = fc.string({ unit: 'binary', maxLength: 400 })
const scalar = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  text,
  fc.bigInt().filter((value) => !Number.isSafeInteger(Number(value))),
)
const leaf = fc.oneof(
  { weight: 5, arbitrary: scalar },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 6000 }) },
  { weight: 1, arbitrary: fc.float64Array({ maxLength: 200 }) },
  { weight: 1, arbitrary: fc.bigInt64Array({ maxLength: 200 }) },
  { weight: 1, arbitrary: fc.date({ noInvalidDate: true }) },
)
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(text, tie('value'), { maxKeys: 20 }),
    fc.array(tie('value'), { maxLength: 5 }).map((items) => Tuple.from(items)),
    fc
      .array(fc.tuple(fc.integer(), tie('value')), { minLength: 1, maxLength: 20 })
      .map((pairs) => new Map(pairs)),
    fc.array(scalar, { maxLength: 20 }).map((items) => new Set(items)),
  ),
}))

/** Values compare by their description, which tells -0 from 0 and a Tuple from an array. Order of text keys may differ. */
function comparable(value: unknown): unknown {
  return JSON.parse(JSON.stringify(describeValue(value)), (_, item: unknown) => {
    const map = (item as { map?: [unknown, unknown][] } | null)?.map
    if (!Array.isArray(map)) return item
    return { map: map.map((pair) => JSON.stringify(pair)).sort() }
  })
}

describe('random values', () => {
  test('come back as they were, copied or not, wherever the blob lies', () => {
    fc.assert(
      fc.property(anyValue, fc.nat(130), fc.boolean(), (value, offset, zeroCopy) => {
        const blob = blobOf(value)
        const memory = new Uint8Array(offset + blob.length + 1).fill(0xc1)
        memory.set(blob, offset)
        const back = decode(memory, offset, offset + blob.length, goldenContext(0, zeroCopy))
        expect(comparable(back)).toEqual(comparable(value))
      }),
      { numRuns: 600 },
    )
  })

  test('cut anywhere they are refused', () => {
    fc.assert(
      fc.property(anyValue, fc.double({ min: 0, max: 1, maxExcluded: true }), (value, part) => {
        const blob = blobOf(value)
        const end = Math.floor(blob.length * part)
        expect(() => decode(blob, 0, end, goldenContext(0, false))).toThrow(ProtocolError)
      }),
      { numRuns: 300 },
    )
  })
})

/** Decoding damaged bytes gives some value or one of the two errors; nothing else, and not much memory. */
function survives(blob: Uint8Array, refs: number): void {
  for (const zeroCopy of [true, false]) {
    try {
      decode(blob, 0, blob.length, goldenContext(refs, zeroCopy))
    } catch (error) {
      const typed = error instanceof ProtocolError || error instanceof SerializationError
      if (!typed) throw error
    }
  }
}

describe('damaged golden vectors', () => {
  const files = [
    'scalars',
    'text-and-bytes',
    'containers',
    'times',
    'arrays',
    'references',
    'errors',
    'accepted',
    'malformed',
  ]
  const seeds = files
    .flatMap((file) => readGolden(file))
    .map(({ hex, refs }) => ({ bytes: expandHex(hex), refs: refs ?? 0 }))
    .filter(({ bytes }) => bytes.length > 0 && bytes.length < 10_000)

  const damage = fc.record({
    seed: fc.constantFrom(...seeds),
    edits: fc.array(fc.tuple(fc.double({ min: 0, max: 1, maxExcluded: true }), fc.nat(255)), {
      minLength: 1,
      maxLength: 6,
    }),
    cut: fc.option(fc.double({ min: 0, max: 1 })),
    tail: fc.option(fc.constantFrom(...seeds)),
  })

  test('never crash the decoder', () => {
    fc.assert(
      fc.property(damage, ({ seed, edits, cut, tail }) => {
        const head = seed.bytes.slice(0, Math.ceil(seed.bytes.length * (cut ?? 1)))
        const blob = tail === null ? head : new Uint8Array([...head, ...tail.bytes])
        for (const [place, byte] of edits) {
          // Most of the meaning lies in the first bytes.
          const reach = place < 0.7 ? Math.min(blob.length, 48) : blob.length
          if (reach > 0) blob[Math.floor(((place * 10) % 1) * reach)] = byte
        }
        survives(blob, seed.refs)
      }),
      { numRuns: 20_000 },
    )
  })

  test('each single byte of each small vector, changed to telling values', () => {
    for (const { bytes, refs } of seeds) {
      const blob = bytes.slice()
      for (let at = 0; at < Math.min(blob.length, 40); at++) {
        for (const byte of [0x00, 0x7f, 0x80, 0x90, 0xc1, 0xc7, 0xc9, 0xd8, 0xdd, 0xdf, 0xff]) {
          blob[at] = byte
          survives(blob, refs)
        }
        blob[at] = bytes[at] ?? 0
      }
    }
  })
})
