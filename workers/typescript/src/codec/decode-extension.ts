// The extension types, given a reader that stands at the body and whose end is the body's end.

import { type ErrorValue, fromErrorValue } from '../errors/error-value.ts'
import { SerializationError } from '../errors/generated.ts'
import { type DtypeInfo, dtypes, scratchBytes, type TypedArray } from './dtype.ts'
import {
  actorIdBytes,
  actorIsRestartable,
  arrayDimensionsMax,
  extension,
  wideIntegerBytesMax,
} from './format.ts'
import type { HeadReader } from './head-reader.ts'
import { NdArray } from './nd-array.ts'
import { plainTimeFrom } from './plain-time.ts'
import { Tuple } from './tuple.ts'

const nil = 0xc0

/** Reads the body of an extension; `size` is its length. Undefined for an unknown code. */
export function readExtension(reader: HeadReader, code: number, size: number): unknown {
  switch (code) {
    case extension.tuple: {
      const count = listCount(reader)
      return reader.list(count, new Tuple(Math.min(count, 1024)))
    }
    case extension.array:
      return readArray(reader)
    case extension.ref:
      return readRef(reader, size)
    case extension.largeBytes:
      return readLargeBytes(reader, size)
    case extension.set:
      return readSet(reader)
    case extension.instant:
      return readInstant(reader, size)
    case extension.wideInteger:
      return readWideInteger(reader, size)
    case extension.actor:
      return readActor(reader)
    case extension.error:
      return fromErrorValue(readErrorValue(reader))
    case extension.time:
      return readTime(reader)
    case extension.pythonObject:
      throw new SerializationError(
        'the value holds an object that only Python understands: return its data as a dict, or keep it in an actor',
      )
    default:
      return undefined
  }
}

/** Reads the header of a list and returns its length. */
export function listCount(reader: HeadReader): number {
  const lead = reader.uint8()
  if (lead >= 0x90 && lead < 0xa0) return lead & 0x0f
  if (lead === 0xdc) return reader.uint16()
  if (lead === 0xdd) return reader.uint32()
  return reader.fail('something else than a list')
}

function mapCount(reader: HeadReader): number {
  const lead = reader.uint8()
  if (lead >= 0x80 && lead < 0x90) return lead & 0x0f
  if (lead === 0xde) return reader.uint16()
  if (lead === 0xdf) return reader.uint32()
  return reader.fail('something else than a map')
}

function readIndex(reader: HeadReader, size: number): number {
  return size === 4 ? reader.uint32() : reader.fail('an index that has not 4 bytes')
}

function readRef(reader: HeadReader, size: number): unknown {
  const index = readIndex(reader, size)
  if (index >= reader.context.refCount) reader.fail(`no ref ${index}`)
  return reader.context.ref(index)
}

/** Start of an out-of-band buffer; its size follows in `reader.buffers`. */
function bufferEntry(reader: HeadReader, index: unknown): number {
  const known = typeof index === 'number' && index >= 0 && 2 * index < reader.buffers.length
  return known ? 2 * index : reader.fail(`no buffer ${String(index)}`)
}

function readLargeBytes(reader: HeadReader, size: number): Uint8Array {
  const entry = bufferEntry(reader, readIndex(reader, size))
  const length = reader.buffers[entry + 1] as number
  return bufferItems(reader, Uint8Array, entry, length) as Uint8Array
}

/** The items of an out-of-band buffer: a view of it if its memory lasts, otherwise a copy, made once for each buffer. */
function bufferItems(
  reader: HeadReader,
  construct: DtypeInfo['construct'],
  entry: number,
  count: number,
): TypedArray {
  const { bytes, context, copies } = reader
  const start = reader.buffers[entry] as number
  const byteOffset = bytes.byteOffset + start
  if (context.zeroCopy && byteOffset % construct.BYTES_PER_ELEMENT === 0) {
    const view = new construct(bytes.buffer, byteOffset, count)
    context.keepAlive?.(view)
    return view
  }
  let copy = copies.get(entry)
  if (copy === undefined) {
    copy = bytes.buffer.slice(byteOffset, byteOffset + (reader.buffers[entry + 1] as number))
    copies.set(entry, copy)
  }
  return new construct(copy, 0, count)
}

/** The `count` items of an inline array that begins at `start`, in memory of their own. */
function inlineItems(bytes: Uint8Array, info: DtypeInfo, start: number, count: number): TypedArray {
  const size = count * info.construct.BYTES_PER_ELEMENT
  if (size > scratchBytes.length) {
    const from = bytes.byteOffset + start
    return new info.construct(bytes.buffer.slice(from, from + size), 0, count)
  }
  scratchBytes.set(bytes.subarray(start, start + size))
  return info.scratch.slice(0, count)
}

function readArray(reader: HeadReader): unknown {
  if (listCount(reader) !== 3) reader.fail('an array that has not 3 members')
  // Read as a key, because keys are remembered and a remembered text is found faster in a Map.
  const info = dtypes.get(reader.key() as string)
  if (info === undefined) return reader.fail('an array of an unknown dtype')
  const shape = readShape(reader)
  const [items, bytes] = itemCount(reader, shape, info)
  const elements = items * info.elementsPerItem
  const data = readItems(reader, info, elements, bytes)
  if (info.bare && shape.length === 1) return data
  return new NdArray(data, shape, { dtype: info.dtype })
}

function readShape(reader: HeadReader): number[] {
  const count = listCount(reader)
  if (count > arrayDimensionsMax) reader.fail(`an array of ${count} dimensions`)
  const shape: number[] = []
  for (let axis = 0; axis < count; axis++) {
    const length = reader.value()
    if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 0) {
      return reader.fail('an array with a size that is none')
    }
    shape.push(length)
  }
  return shape
}

function itemCount(reader: HeadReader, shape: number[], info: DtypeInfo): [number, number] {
  let items = 1
  let nonZeroBytes = info.itemBytes
  for (const length of shape) {
    items *= length
    if (length > 0) nonZeroBytes *= length
  }
  if (nonZeroBytes > Number.MAX_SAFE_INTEGER) reader.fail('an array of more than 2^53 bytes')
  return [items, items * info.itemBytes]
}

function readItems(
  reader: HeadReader,
  info: DtypeInfo,
  elements: number,
  byteCount: number,
): TypedArray {
  const lead = reader.uint8()
  const inline = lead >= 0xc4 && lead <= 0xc6
  if (!inline) reader.at--
  if (inline) {
    const size = lead === 0xc4 ? reader.uint8() : lead === 0xc5 ? reader.uint16() : reader.uint32()
    if (size !== byteCount) reader.fail('an array whose data does not fit its shape')
    return inlineItems(reader.bytes, info, reader.take(size), elements)
  }
  const entry = bufferEntry(reader, reader.value())
  if (reader.buffers[entry + 1] !== byteCount) {
    reader.fail('an array whose data does not fit its shape')
  }
  return bufferItems(reader, info.construct, entry, elements)
}

function readSet(reader: HeadReader): Set<unknown> {
  const count = listCount(reader)
  if (count > reader.end - reader.at) reader.fail('a set is cut off')
  reader.enter()
  const result = new Set<unknown>()
  for (let index = 0; index < count; index++) result.add(reader.key())
  reader.leave()
  return result
}

function readInstant(reader: HeadReader, size: number): Date {
  let seconds = 0
  let nanoseconds = 0
  if (size === 4) {
    seconds = reader.uint32()
  } else if (size === 8) {
    const high = reader.uint32()
    nanoseconds = high >>> 2
    seconds = (high & 3) * 0x1_0000_0000 + reader.uint32()
  } else if (size === 12) {
    nanoseconds = reader.uint32()
    seconds = Number(reader.word64(true))
  } else {
    reader.fail(`an instant of ${size} bytes`)
  }
  if (nanoseconds > 999_999_999) reader.fail('an instant with more than a second of nanoseconds')
  const date = new Date(seconds * 1000 + Math.floor(nanoseconds / 1_000_000))
  if (Number.isNaN(date.getTime())) {
    throw new SerializationError('the value holds an instant beyond the range of Date')
  }
  return date
}

function readWideInteger(reader: HeadReader, size: number): number | bigint {
  if (size === 0 || size > wideIntegerBytesMax) reader.fail(`an integer of ${size} bytes`)
  const start = reader.take(size)
  const hex = Buffer.from(reader.bytes.subarray(start, start + size)).toString('hex')
  const value = BigInt.asIntN(8 * size, BigInt(`0x${hex}`))
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function readActor(reader: HeadReader): unknown {
  const count = listCount(reader)
  if (count !== 4 && count !== 5) reader.fail('an actor handle that has not 4 or 5 members')
  const id = reader.value()
  const language = reader.value()
  const classKey = reader.value()
  const methods = readMethods(reader)
  const flags = count === 5 ? reader.value() : 0
  if (
    !(id instanceof Uint8Array && id.length === actorIdBytes) ||
    typeof language !== 'string' ||
    typeof classKey !== 'string' ||
    !(typeof flags === 'number' && Number.isInteger(flags) && flags >= 0)
  ) {
    return reader.fail('an actor handle with members of other types')
  }
  const fields = { id, language, classKey, methods }
  const isRestartable = flags % 2 === actorIsRestartable
  return reader.context.actor(isRestartable ? { ...fields, isRestartable } : fields)
}

function readMethods(reader: HeadReader): string[] | null {
  if (reader.bytes[reader.at] === nil && reader.at < reader.end) {
    reader.at++
    return null
  }
  const methods: string[] = []
  for (let left = listCount(reader); left > 0; left--) {
    const name = reader.value()
    if (typeof name !== 'string') return reader.fail('a method name that is no text')
    methods.push(name)
  }
  return methods
}

function readTime(reader: HeadReader): unknown {
  if (listCount(reader) !== 2) reader.fail('a time that has not 2 members')
  const kind = reader.value()
  const text = reader.value()
  const known = typeof kind === 'string' && typeof text === 'string'
  return (known && plainTimeFrom(kind, text)) || reader.fail('a date or time that is none')
}

const textKeys = new Set(['code', 'name', 'message', 'stack', 'language'])

/** The raw map of an error: its causes stay error values, so that the whole can be sent on as it came. */
export function readErrorValue(reader: HeadReader): ErrorValue {
  const count = mapCount(reader)
  reader.enter()
  const fields: Record<string, unknown> = {}
  for (let index = 0; index < count; index++) {
    const key = reader.value()
    if (key === 'cause') {
      fields['cause'] = reader.errorBody()
      continue
    }
    const value = reader.value()
    if (textKeys.has(key as string)) {
      if (typeof value !== 'string') reader.fail(`an error whose ${String(key)} is no text`)
      fields[key as string] = value
    } else if (key === 'data') {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        reader.fail('an error whose data is no map')
      }
      fields['data'] = value
    } else if (key === 'pickle' && value instanceof Uint8Array) {
      fields['pickle'] = value
    }
  }
  reader.leave()
  for (const key of ['code', 'name', 'message']) {
    if (fields[key] === undefined) reader.fail(`an error without ${key}`)
  }
  return fields as unknown as ErrorValue
}
