export { CallArguments, decode, decodeArguments } from './decoder.ts'
export { type DecodeContext, plainContext } from './decode-context.ts'
export type { Dtype, TypedArray } from './dtype.ts'
export {
  type ActorHandleFields,
  type Encodable,
  encodeAs,
  type TimeKind,
  type ValueWriter,
} from './encode-as.ts'
export { Encoder } from './encoder.ts'
export { Float, float } from './float.ts'
export { Keywords, kw } from './keywords.ts'
export { type Complex, NdArray, type NdArrayOptions, type NdItem, type Nested } from './nd-array.ts'
export { Duration, PlainClockTime, PlainDate, PlainDateTime, PlainTime } from './plain-time.ts'
export { Tuple, tuple } from './tuple.ts'
