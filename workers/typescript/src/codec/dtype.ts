import { inlineArrayBytesMax } from './format.ts'

/** The item types of arrays, spelled as numpy spells them: byte order, kind, bytes per item. */
export type Dtype =
  | '|b1'
  | '|i1'
  | '|u1'
  | '<i2'
  | '<i4'
  | '<i8'
  | '<u2'
  | '<u4'
  | '<u8'
  | '<f2'
  | '<f4'
  | '<f8'
  | '<c8'
  | '<c16'

export type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array

interface TypedArrayConstructor {
  readonly BYTES_PER_ELEMENT: number
  new (length: number): TypedArray
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArray
}

export interface DtypeInfo {
  readonly dtype: Dtype
  readonly itemBytes: number
  /** Elements of the TypedArray per item: 2 for complex numbers, otherwise 1. */
  readonly elementsPerItem: number
  readonly construct: TypedArrayConstructor
  /** A vector of this dtype arrives as a bare TypedArray, because that TypedArray is sent as this dtype. */
  readonly bare: boolean
  /** All of the scratch bytes below, as items of this type. */
  readonly scratch: TypedArray
}

/** Where a small array is put together; a slice of it is the cheapest way to make one that owns its memory. */
export const scratchBytes = new Uint8Array(inlineArrayBytesMax)

// Float16Array exists from V8 13.6 (Node 24) on; before, the bits of half floats are shown as Uint16Array.
const halfFloats =
  (globalThis as unknown as { Float16Array?: TypedArrayConstructor }).Float16Array ?? Uint16Array

function info(
  dtype: Dtype,
  construct: TypedArrayConstructor,
  bare: boolean,
  elementsPerItem = 1,
): [Dtype, DtypeInfo] {
  const itemBytes = construct.BYTES_PER_ELEMENT * elementsPerItem
  const elements = inlineArrayBytesMax / construct.BYTES_PER_ELEMENT
  const scratch = new construct(scratchBytes.buffer, 0, elements)
  return [dtype, { dtype, itemBytes, elementsPerItem, construct, bare, scratch }]
}

export const dtypes: ReadonlyMap<string, DtypeInfo> = new Map([
  info('|b1', Uint8Array, false),
  info('|i1', Int8Array, true),
  info('|u1', Uint8Array, false),
  info('<i2', Int16Array, true),
  info('<i4', Int32Array, true),
  info('<i8', BigInt64Array, true),
  info('<u2', Uint16Array, true),
  info('<u4', Uint32Array, true),
  info('<u8', BigUint64Array, true),
  info('<f2', halfFloats, false),
  info('<f4', Float32Array, true),
  info('<f8', Float64Array, true),
  info('<c8', Float32Array, false, 2),
  info('<c16', Float64Array, false, 2),
])

const dtypeOfTag: Readonly<Record<string, Dtype>> = {
  Int8Array: '|i1',
  Uint8Array: '|u1',
  Uint8ClampedArray: '|u1',
  Int16Array: '<i2',
  Uint16Array: '<u2',
  Int32Array: '<i4',
  Uint32Array: '<u4',
  BigInt64Array: '<i8',
  BigUint64Array: '<u8',
  Float16Array: '<f2',
  Float32Array: '<f4',
  Float64Array: '<f8',
}

/** The dtype that a TypedArray stands for by itself; undefined for what is none (a DataView). */
export function dtypeOf(array: ArrayBufferView): Dtype | undefined {
  return dtypeOfTag[(array as unknown as { [Symbol.toStringTag]: string })[Symbol.toStringTag]]
}

/** The bytes of a view, without a copy. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

/** The value of a half float given as its bits. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
