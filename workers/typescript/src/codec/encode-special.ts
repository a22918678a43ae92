// The values that are not on the fast path of the encoder, and the reasons to refuse one.

import { types } from 'node:util'

import { type ErrorValue, toErrorValue } from '../errors/error-value.ts'
import { bytesOf, type Dtype, dtypeOf } from './dtype.ts'
import { extensionBody, extensionHeader, finishExtension } from './extension-writer.ts'
import { extension, inlineArrayBytesMax, wideIntegerBytesMax } from './format.ts'
import type { HeadWriter } from './head-writer.ts'
import { Keywords } from './keywords.ts'
import { Refusal } from './refusal.ts'
import { Tuple } from './tuple.ts'

export function writeObject(writer: HeadWriter, value: object, at: number): number {
  if (Array.isArray(value)) return writer.list(value, at)
  if (ArrayBuffer.isView(value)) return writeView(writer, value, at)
  if (types.isAnyArrayBuffer(value)) return writer.binary(new Uint8Array(value), at)
  if (types.isDate(value)) return writeInstant(writer, value, at)
  if (types.isMap(value)) return writeMap(writer, value, at)
  if (types.isSet(value)) return writeSet(writer, value, at)
  if (types.isNativeError(value) || value instanceof Error) {
    return writeError(writer, toErrorValue(value), at)
  }
  if (isPlain(value)) return writer.plainObject(value, at)
  throw new Refusal(reasonAgainst(value))
}

/** Objects without a prototype, and plain objects of another realm (a `vm` context). */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null
  if (prototype === null) return true
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf')
}

function reasonAgainst(value: object): string {
  if (types.isPromise(value) || typeof (value as PromiseLike<unknown>).then === 'function') {
    return 'it is a Promise: await it first'
  }
  if (value instanceof Keywords) return 'kw() has to be the last argument of a call'
  const name = (value.constructor as { name?: string } | undefined)?.name
  return (
    `it is an instance of the class ${name || '(anonymous)'}: send its data as a plain object, ` +
    'or keep the instance in an actor and send the handle'
  )
}

export function reasonAgainstKind(value: symbol | object): string {
  return typeof value === 'symbol'
    ? 'it is a symbol: send a string'
    : 'it is a function: export it as a task (defineTask) and send the name or the result'
}

export function writeBigInt(writer: HeadWriter, value: bigint, at: number): number {
  if (value >= -0x8000_0000_0000_0000n && value <= 0xffff_ffff_ffff_ffffn) {
    const number = Number(value)
    if (Number.isSafeInteger(number)) return writer.number(number, at)
    return writer.bigWord64(value > 0n ? 0xcf : 0xd3, value, at)
  }
  // A negative number of n bytes lies at or above -2^(8n-1), which is where its complement has 8n-1 bits.
  const magnitude = value < 0n ? -value - 1n : value
  const bits = magnitude.toString(16).length * 4
  let size = Math.ceil((bits + 1) / 8)
  if (size > 1 && magnitude >> BigInt(8 * size - 9) === 0n) size--
  if (size > wideIntegerBytesMax) throw new Refusal('it is an integer of more than 65,535 bytes')
  writer.reserve(at, 6 + size)
  const body = extensionHeader(writer, extension.wideInteger, size, at)
  const hex = BigInt.asUintN(8 * size, value)
    .toString(16)
    .padStart(2 * size, '0')
  writer.bytes.set(Buffer.from(hex, 'hex'), body)
  return body + size
}

function writeView(writer: HeadWriter, value: ArrayBufferView, at: number): number {
  if (types.isUint8Array(value)) return writer.binary(value, at)
  const dtype = dtypeOf(value)
  const bytes = bytesOf(value)
  if (dtype === undefined) return writer.binary(bytes, at)
  return writeArray(writer, dtype, [(value as Int8Array).length], bytes, at)
}

export function writeArray(
  writer: HeadWriter,
  dtype: Dtype,
  shape: readonly number[],
  data: Uint8Array,
  at: number,
): number {
  let end = extensionBody(writer, at)
  end = writer.text(dtype, writer.listHeader(3, end))
  end = writer.listHeader(shape.length, end)
  for (const length of shape) {
    writer.reserve(end, 9)
    end = writer.unsigned(length, end)
  }
  writer.reserve(end, 9)
  end =
    data.length > inlineArrayBytesMax
      ? writer.unsigned(writer.buffers.push(data) - 1, end)
      : writer.inlineBinary(data, end)
  return finishExtension(writer, extension.array, at, end)
}

function writeInstant(writer: HeadWriter, value: Date, at: number): number {
  const milliseconds = value.getTime()
  if (Number.isNaN(milliseconds)) throw new Refusal('it is an invalid Date')
  const seconds = Math.floor(milliseconds / 1000)
  const nanoseconds = (milliseconds - seconds * 1000) * 1_000_000
  if (nanoseconds === 0 && seconds >= 0 && seconds < 2 ** 32) {
    return writer.indexExtension(extension.instant, seconds, at)
  }
  const view = new DataView(new ArrayBuffer(12))
  if (seconds >= 0 && seconds < 2 ** 34) {
    view.setBigUint64(0, (BigInt(nanoseconds) << 34n) | BigInt(seconds))
    return writeBody(writer, extension.instant, new Uint8Array(view.buffer, 0, 8), at)
  }
  view.setUint32(0, nanoseconds)
  view.setBigInt64(4, BigInt(seconds))
  return writeBody(writer, extension.instant, new Uint8Array(view.buffer), at)
}

function writeBody(writer: HeadWriter, code: number, body: Uint8Array, at: number): number {
  writer.reserve(at, 6 + body.length)
  const start = extensionHeader(writer, code, body.length, at)
  writer.bytes.set(body, start)
  return start + body.length
}

/** What Python cannot hash cannot be a key of its dict or a member of its set. */
function refuseUnhashable(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  if (value instanceof Tuple) {
    value.forEach(refuseUnhashable)
  } else if (Array.isArray(value)) {
    throw new Refusal('an array cannot be a key or a member of a set in Python: use tuple()')
  } else if (isPlain(value) || types.isMap(value) || types.isNativeError(value)) {
    throw new Refusal('an object like this cannot be a key or a member of a set in Python')
  } else if (ArrayBuffer.isView(value) && !types.isUint8Array(value) && dtypeOf(value)) {
    throw new Refusal('a numeric array cannot be a key or a member of a set in Python')
  }
}

function writeMap(writer: HeadWriter, map: ReadonlyMap<unknown, unknown>, at: number): number {
  writer.enter()
  let end = writer.mapHeader(map.size, at)
  let index = 0
  for (const [key, value] of map) {
    try {
      refuseUnhashable(key)
      end = writer.value(key, end)
    } catch (error) {
      if (error instanceof Refusal) error.leave(map, `.keys()[${index}]`)
      throw error
    }
    try {
      end = writer.value(value, end)
    } catch (error) {
      const name = typeof key === 'string' ? JSON.stringify(key) : String(key)
      if (error instanceof Refusal) error.leave(map, `.get(${name})`)
      throw error
    }
    index++
  }
  writer.leave()
  return end
}

function writeSet(writer: HeadWriter, set: ReadonlySet<unknown>, at: number): number {
  writer.enter()
  let end = writer.listHeader(set.size, extensionBody(writer, at))
  let index = 0
  for (const member of set) {
    try {
      refuseUnhashable(member)
      end = writer.value(member, end)
    } catch (error) {
      if (error instanceof Refusal) error.leave(set, `.values()[${index}]`)
      throw error
    }
    index++
  }
  writer.leave()
  return finishExtension(writer, extension.set, at, end)
}

export function writeError(writer: HeadWriter, error: ErrorValue, at: number): number {
  writer.enter()
  const body = extensionBody(writer, at)
  let end = writer.mapHeader(0, body)
  let count = 0
  for (const key of ['code', 'name', 'message', 'stack', 'language'] as const) {
    const text = error[key]
    if (text === undefined) continue
    end = writer.value(text, writer.text(key, end))
    count++
  }
  if (error.cause !== undefined) {
    end = writeError(writer, error.cause, writer.text('cause', end))
    count++
  }
  for (const key of ['data', 'pickle'] as const) {
    if (error[key] === undefined) continue
    end = writer.value(error[key], writer.text(key, end))
    count++
  }
  writer.mapHeader(count, body)
  writer.leave()
  return finishExtension(writer, extension.error, at, end)
}
