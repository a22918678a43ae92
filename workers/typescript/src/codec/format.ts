// The constants of proto/value-format.md.

export const extension = {
  instant: -1,
  wideInteger: 1,
  array: 2,
  set: 3,
  tuple: 4,
  ref: 5,
  actor: 6,
  pythonObject: 7,
  error: 8,
  largeBytes: 9,
  time: 10,
  callArguments: 11,
} as const

export const inlineArrayBytesMax = 512
export const inlineBytesMax = 4096
export const depthMax = 500
export const arrayDimensionsMax = 32
export const wideIntegerBytesMax = 65_535
export const bufferAlignment = 64
export const frameHeaderBytes = 16
export const frameEntryBytes = 16
/** C1 'T' 'B' 01, read as a big-endian word. */
export const frameMagic = 0xc1544201

export const actorIdBytes = 16
/** A flag of an actor handle. */
export const actorIsRestartable = 1

export function alignUp(offset: number): number {
  return Math.ceil(offset / bufferAlignment) * bufferAlignment
}
