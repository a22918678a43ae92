// The tagged value for one of TypeScript, in the form that `normalize` gives: how tests compare values exactly.

import { type ErrorValue, toErrorValue } from '../../errors/index.ts'
import { CallArguments } from '../decoder.ts'
import { bytesOf, type Dtype, dtypeOf, type TypedArray } from '../dtype.ts'
import { NdArray } from '../nd-array.ts'
import { PlainTime } from '../plain-time.ts'
import { Tuple } from '../tuple.ts'
import { GoldenActor, GoldenRef, toHex } from './golden.ts'
import { floatText, type Tagged, type TaggedError, withoutUndefined } from './tagged.ts'

export function describeValue(value: unknown): Tagged {
  if (value === null) return { null: null }
  if (typeof value === 'boolean') return { bool: value }
  if (typeof value === 'bigint') return { int: String(value) }
  if (typeof value === 'string') return { str: value }
  if (typeof value === 'object') return describeObject(value)
  if (typeof value !== 'number') throw new TypeError(`${typeof value} is no received value`)
  const whole = Number.isSafeInteger(value) && !Object.is(value, -0)
  return whole ? { int: String(value) } : { float: floatText(value) }
}

function describeObject(value: object): Tagged {
  if (value instanceof Tuple) return { tuple: value.map(describeValue) }
  if (Array.isArray(value)) return { list: (value as unknown[]).map(describeValue) }
  if (value instanceof Uint8Array) return { bytes: toHex(value) }
  if (value instanceof NdArray)
    return describeArray(value.dtype, value.shape, value.data as TypedArray)
  if (ArrayBuffer.isView(value)) {
    return describeArray(dtypeOf(value) ?? '|u1', [(value as Int8Array).length], value)
  }
  if (value instanceof Set) return { set: [...value].map(describeValue) }
  if (value instanceof Map) return { map: describePairs([...value]) }
  if (value instanceof Date) {
    const seconds = Math.floor(value.getTime() / 1000)
    const nanoseconds = (value.getTime() - seconds * 1000) * 1_000_000
    return { instant: { seconds: String(seconds), nanoseconds } }
  }
  if (value instanceof PlainTime) return { [value.kind]: value.toString() }
  if (value instanceof GoldenRef) return { ref: value.index }
  if (value instanceof GoldenActor) {
    const { id, language, classKey, methods } = value.handle
    return { actor: { id: toHex(id), language, class: classKey, methods } }
  }
  if (value instanceof Error) return { error: describeError(toErrorValue(value)) }
  if (value instanceof CallArguments) {
    const keywords = Object.entries(value.keywords)
    return {
      arguments: {
        positional: value.positional.map(describeValue),
        keywords: keywords.map(([name, item]) => [name, describeValue(item)]),
      },
    }
  }
  return { map: describePairs(Object.entries(value)) }
}

function describePairs(pairs: [unknown, unknown][]): [Tagged, Tagged][] {
  return pairs.map(([key, item]) => [describeValue(key), describeValue(item)])
}

function describeArray(dtype: Dtype, shape: readonly number[], data: ArrayBufferView): Tagged {
  return { ndarray: { dtype, shape: [...shape], hex: toHex(bytesOf(data)) } }
}

function describeError({ cause, data, pickle: _, ...fields }: ErrorValue): TaggedError {
  return withoutUndefined({
    ...fields,
    cause: cause && { error: describeError(cause) },
    data: data && describeValue(data),
  })
}
