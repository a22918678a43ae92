import { depthMax, extension, inlineBytesMax } from './format.ts'
import { memberSegment, Refusal } from './refusal.ts'
import { shortWriteMax, writeUtf8 } from './text.ts'

export type Grow = (bytes: Uint8Array, used: number, needed: number) => Uint8Array

/** Room that each value is given before its kind is known: enough for any scalar and any header. */
const scalarBytesMax = 16

/**
 * Writes one MessagePack value into a byte array. This is the path of every call, so it works by plain methods that take the
 * position where to write and return the one behind what they wrote: the position then lives in a register, and no object is
 * allocated for a value made of scalars, text, arrays and plain objects.
 */
export abstract class HeadWriter {
  bytes: Uint8Array
  refs: unknown[] = []
  /** For each ref, whether it stands directly among the arguments of a call and is therefore replaced by its value. */
  refIsArgument: boolean[] = []
  buffers: Uint8Array[] = []
  /** Depth at which the arguments of a call stand; -1 for other values. */
  argumentDepth = -1
  protected depth = 0
  /**
   * Whether somebody has put enumerable members on Object.prototype; unknown until the first object of a value. Asking each
   * object which of its members are its own would cost more than writing them.
   */
  protected objectsInherit: boolean | undefined = undefined
  #view: DataView
  #limit: number
  readonly #grow: Grow

  constructor(bytes: Uint8Array, grow: Grow) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#limit = bytes.length
    this.#grow = grow
  }

  /** Writes, or refuses, everything that is no scalar, text, array, plain object or Uint8Array. */
  protected abstract special(value: bigint | symbol | object, at: number): number

  setTarget(bytes: Uint8Array): void {
    if (bytes === this.bytes) return
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#limit = bytes.length
  }

  reserve(at: number, size: number): void {
    if (at + size > this.#limit) this.setTarget(this.#grow(this.bytes, at, at + size))
  }

  get isArgument(): boolean {
    return this.depth === this.argumentDepth
  }

  enter(): void {
    if (++this.depth > depthMax) throw Refusal.tooDeep()
  }

  leave(): void {
    this.depth--
  }

  value(value: unknown, at: number): number {
    if (at + scalarBytesMax > this.#limit) this.reserve(at, scalarBytesMax)
    if (typeof value === 'number') return this.number(value, at)
    if (typeof value === 'string') return this.text(value, at)
    if (typeof value === 'boolean') {
      this.bytes[at] = value ? 0xc3 : 0xc2
      return at + 1
    }
    if (typeof value === 'object' && value !== null) return this.object(value, at)
    // Functions may be actor handles, which write themselves.
    if (value !== undefined && value !== null) return this.special(value, at)
    this.bytes[at] = 0xc0
    return at + 1
  }

  object(value: object, at: number): number {
    const prototype = Object.getPrototypeOf(value) as object | null
    if (prototype === Object.prototype) return this.plainObject(value, at)
    if (prototype === Array.prototype && Array.isArray(value)) return this.list(value, at)
    if (prototype === Uint8Array.prototype) return this.binary(value as Uint8Array, at)
    return this.special(value, at)
  }

  number(value: number, at: number): number {
    if ((value | 0) === value) {
      if (value > 0 || (value === 0 && !Object.is(value, -0))) return this.unsigned(value, at)
      if (value < 0) return this.negative(value, at)
    } else if (Number.isSafeInteger(value)) {
      return value > 0 ? this.unsigned(value, at) : this.negative(value, at)
    }
    return this.float(value, at)
  }

  float(value: number, at: number): number {
    this.bytes[at] = 0xcb
    this.#view.setFloat64(at + 1, value)
    return at + 9
  }

  unsigned(value: number, at: number): number {
    if (value < 0x80) {
      this.bytes[at] = value
      return at + 1
    }
    if (value < 0x100) return this.head8(0xcc, value, at)
    if (value < 0x1_0000) return this.head16(0xcd, value, at)
    if (value < 0x1_0000_0000) return this.head32(0xce, value, at)
    return this.word64(0xcf, value, at)
  }

  negative(value: number, at: number): number {
    if (value >= -0x20) {
      this.bytes[at] = value & 0xff
      return at + 1
    }
    if (value >= -0x80) return this.head8(0xd0, value & 0xff, at)
    if (value >= -0x8000) return this.head16(0xd1, value & 0xffff, at)
    if (value >= -0x8000_0000) return this.head32(0xd2, value >>> 0, at)
    return this.word64(0xd3, value, at)
  }

  /** The signed or unsigned 64-bit form of a safe integer: the two's complement words are the same. */
  word64(lead: number, value: number, at: number): number {
    this.bytes[at] = lead
    this.#view.setUint32(at + 1, Math.floor(value / 0x1_0000_0000) >>> 0)
    this.#view.setUint32(at + 5, value >>> 0)
    return at + 9
  }

  bigWord64(lead: number, value: bigint, at: number): number {
    this.bytes[at] = lead
    this.#view.setBigUint64(at + 1, BigInt.asUintN(64, value))
    return at + 9
  }

  head8(lead: number, size: number, at: number): number {
    this.bytes[at] = lead
    this.bytes[at + 1] = size
    return at + 2
  }

  head16(lead: number, size: number, at: number): number {
    this.bytes[at] = lead
    this.#view.setUint16(at + 1, size)
    return at + 3
  }

  head32(lead: number, size: number, at: number): number {
    this.bytes[at] = lead
    this.#view.setUint32(at + 1, size)
    return at + 5
  }

  text(value: string, at: number): number {
    const length = value.length
    if (length > shortWriteMax) return this.longText(value, at)
    this.reserve(at, 1 + shortWriteMax)
    const bytes = this.bytes
    for (let index = 0; index < length; index++) {
      const unit = value.charCodeAt(index)
      if (unit > 127) return this.longText(value, at)
      bytes[at + 1 + index] = unit
    }
    bytes[at] = 0xa0 | length
    return at + 1 + length
  }

  longText(value: string, at: number): number {
    if (!value.isWellFormed()) throw new Refusal('the text holds half of a surrogate pair')
    const length = value.length
    const size = length > 0x1000 ? Buffer.byteLength(value) : length * 3
    this.reserve(at, 5 + size)
    // The size of the header depends on the size of the text in UTF-8: assume ASCII, move the text if it was not.
    const guess = textHeaderBytes(length)
    const written = writeUtf8(this.bytes, value, at + guess)
    const header = textHeaderBytes(written)
    if (header !== guess) {
      this.bytes.copyWithin(at + header, at + guess, at + guess + written)
    }
    if (header === 1) this.bytes[at] = 0xa0 | written
    else if (header === 2) this.head8(0xd9, written, at)
    else if (header === 3) this.head16(0xda, written, at)
    else this.head32(0xdb, written, at)
    return at + header + written
  }

  binary(value: Uint8Array, at: number): number {
    const size = value.length
    if (size > inlineBytesMax) {
      return this.indexExtension(extension.largeBytes, this.buffers.push(value) - 1, at)
    }
    return this.inlineBinary(value, at)
  }

  /** An extension whose body is one index of 32 bits. */
  indexExtension(code: number, index: number, at: number): number {
    this.bytes[at] = 0xd6
    this.bytes[at + 1] = code
    this.#view.setUint32(at + 2, index)
    return at + 6
  }

  inlineBinary(value: Uint8Array, at: number): number {
    const size = value.length
    this.reserve(at, 3 + size)
    const body = size < 0x100 ? this.head8(0xc4, size, at) : this.head16(0xc5, size, at)
    this.bytes.set(value, body)
    return body + size
  }

  list(items: readonly unknown[], at: number): number {
    const length = items.length
    this.enter()
    at = this.listHeader(length, at)
    let index = 0
    try {
      for (; index < length; index++) at = this.value(items[index], at)
    } catch (error) {
      if (error instanceof Refusal) error.leave(items, `[${index}]`)
      throw error
    }
    this.depth--
    return at
  }

  plainObject(value: object, at: number): number {
    this.enter()
    const start = at
    let count = 0
    let key = ''
    const inherits = (this.objectsInherit ??= hasEnumerableMembers(Object.prototype))
    at++
    try {
      for (key in value) {
        const member = (value as Record<string, unknown>)[key]
        if (member === undefined || (inherits && !Object.hasOwn(value, key))) continue
        at = this.value(member, this.text(key, at))
        count++
      }
    } catch (error) {
      if (error instanceof Refusal) error.leave(value, memberSegment(key))
      throw error
    }
    this.depth--
    if (count < 16) {
      this.bytes[start] = 0x80 | count
      return at
    }
    const header = count < 0x1_0000 ? 3 : 5
    this.reserve(at, header)
    this.bytes.copyWithin(start + header, start + 1, at)
    this.mapHeader(count, start)
    return at + header - 1
  }

  listHeader(count: number, at: number): number {
    if (count < 16) {
      this.bytes[at] = 0x90 | count
      return at + 1
    }
    return count < 0x1_0000 ? this.head16(0xdc, count, at) : this.head32(0xdd, count, at)
  }

  mapHeader(count: number, at: number): number {
    if (count < 16) {
      this.bytes[at] = 0x80 | count
      return at + 1
    }
    return count < 0x1_0000 ? this.head16(0xde, count, at) : this.head32(0xdf, count, at)
  }
}

function hasEnumerableMembers(object: object): boolean {
  for (const key in object) return key !== undefined
  return false
}

function textHeaderBytes(size: number): number {
  return size < 32 ? 1 : size < 0x100 ? 2 : size < 0x1_0000 ? 3 : 5
}
