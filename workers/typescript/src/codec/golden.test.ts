import { describe, expect, test } from 'vitest'

import { ProtocolError, SerializationError } from '../errors/index.ts'
import { CallArguments, decode } from './decoder.ts'
import { Encoder } from './encoder.ts'
import { kw } from './keywords.ts'
import { describeValue } from './testing/describe-value.ts'
import { expandHex, type GoldenCase, goldenContext, readGolden, toHex } from './testing/golden.ts'
import { build, normalize } from './testing/tagged.ts'

const encoder = new Encoder(new Uint8Array(64))

function encode(value: unknown): string {
  if (value instanceof CallArguments) {
    encoder.encodeArguments([...value.positional, kw(value.keywords)])
  } else {
    encoder.encode(value)
  }
  // The target holds garbage before, as memory of the store does.
  const blob = new Uint8Array(encoder.blobSize).fill(0xa5)
  encoder.writeBlob(blob)
  return toHex(blob)
}

function read(golden: GoldenCase, zeroCopy: boolean): unknown {
  // The blob begins inside a larger array, at a multiple of 64 and at an odd place.
  const blob = expandHex(golden.hex)
  const start = zeroCopy ? 64 : 3
  const bytes = new Uint8Array(start + blob.length + 8).fill(0xc1)
  bytes.set(blob, start)
  return decode(bytes, start, start + blob.length, goldenContext(golden.refs ?? 0, zeroCopy))
}

const files = ['scalars', 'text-and-bytes', 'containers', 'times', 'arrays', 'references', 'errors']

describe.each(files)('golden vectors of %s', (file) => {
  for (const golden of readGolden(file)) {
    const rules = golden.typescript ?? {}
    if (rules.read === 'refused') {
      test(`${golden.name} is refused`, () => {
        expect(() => read(golden, true)).toThrow(SerializationError)
      })
      continue
    }
    test.each([true, false])(`${golden.name} is read (zero-copy %s)`, (zeroCopy) => {
      expect(describeValue(read(golden, zeroCopy))).toEqual(normalize(rules.as ?? golden.value))
    })
    test(`${golden.name} is sent back`, () => {
      expect(encode(read(golden, true))).toBe(toHex(expandHex(rules.echo ?? golden.hex)))
    })
    if (rules.write !== 'no') {
      test(`${golden.name} is written`, () => {
        expect(encode(build(golden.value))).toBe(toHex(expandHex(golden.hex)))
      })
    }
  }
})

describe('unusual but valid forms', () => {
  test.each(readGolden('accepted'))('$name', (golden) => {
    expect(describeValue(read(golden, true))).toEqual(normalize(golden.value))
    expect(describeValue(read(golden, false))).toEqual(normalize(golden.value))
  })
})

describe('malformed blobs', () => {
  test.each(readGolden('malformed'))('$name', (golden) => {
    expect(() => read(golden, true)).toThrow(ProtocolError)
    expect(() => read(golden, false)).toThrow(ProtocolError)
  })
})
