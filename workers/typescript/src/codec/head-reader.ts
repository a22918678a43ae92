import type { ErrorValue } from '../errors/error-value.ts'
import { ProtocolError } from '../errors/generated.ts'
import { type DecodeContext, plainContext } from './decode-context.ts'
import { depthMax } from './format.ts'
import { NdArray } from './nd-array.ts'
import { readShortAscii, readShortKey, readUtf8, shortReadMax } from './text.ts'

const nothing = new Uint8Array(0)
const words = new Uint32Array(2)
const double = new Float64Array(words.buffer)
const single = new Float32Array(words.buffer)

/** Arrays are made this long at most before their items are seen: a count may lie, and lies can be nested. */
const trustedCountMax = 1024

/**
 * Reads one MessagePack value. The bytes may come from a faulty peer: every length is checked against what is there before
 * it is used, and everything wrong is a ProtocolError.
 */
export abstract class HeadReader {
  bytes: Uint8Array = nothing
  at = 0
  end = 0
  /** Start and size of each out-of-band buffer in turn. */
  buffers: readonly number[] = []
  context: DecodeContext = plainContext
  /** The copies of out-of-band buffers, by their entry in `buffers`. */
  copies = new Map<number, ArrayBufferLike>()
  protected depth = 0

  fail(reason: string): never {
    throw new ProtocolError(`malformed value: ${reason} at byte ${this.at}`)
  }

  enter(): void {
    if (++this.depth > depthMax) this.fail(`more than ${depthMax} levels of nesting`)
  }

  leave(): void {
    this.depth--
  }

  /** Moves over `size` bytes and returns where they start. */
  take(size: number): number {
    const start = this.at
    if (size > this.end - start) this.fail('it is cut off')
    this.at = start + size
    return start
  }

  value(): unknown {
    const lead = this.bytes[this.take(1)] as number
    if (lead < 0x80) return lead
    if (lead >= 0xe0) return lead - 0x100
    if (lead >= 0xa0 && lead < 0xc0) return this.text(lead & 0x1f)
    if (lead < 0x90) return this.map(lead & 0x0f)
    if (lead < 0xa0) return this.list(lead & 0x0f)
    switch (lead) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xca:
        return this.float32()
      case 0xcb:
        return this.float64()
      case 0xcc:
        return this.uint8()
      case 0xcd:
        return this.uint16()
      case 0xce:
        return this.uint32()
      default:
        return this.#rare(lead)
    }
  }

  #rare(lead: number): unknown {
    switch (lead) {
      case 0xcf:
        return this.word64(false)
      case 0xd0:
        return (this.uint8() << 24) >> 24
      case 0xd1:
        return (this.uint16() << 16) >> 16
      case 0xd2:
        return this.uint32() | 0
      case 0xd3:
        return this.word64(true)
      case 0xd9:
        return this.text(this.uint8())
      case 0xda:
        return this.text(this.uint16())
      case 0xdb:
        return this.text(this.uint32())
      case 0xdc:
        return this.list(this.uint16())
      case 0xdd:
        return this.list(this.uint32())
      case 0xde:
        return this.map(this.uint16())
      case 0xdf:
        return this.map(this.uint32())
      case 0xc4:
        return this.binary(this.uint8())
      case 0xc5:
        return this.binary(this.uint16())
      case 0xc6:
        return this.binary(this.uint32())
      case 0xc1:
        return this.fail('the byte C1')
      default:
        return this.extension(lead)
    }
  }

  /** Reads the extension whose first byte was `lead`. */
  protected abstract extension(lead: number): unknown

  /** Reads an extension that has to be an error, as its raw map. */
  abstract errorBody(): ErrorValue

  uint8(): number {
    return this.bytes[this.take(1)] as number
  }

  uint16(): number {
    const start = this.take(2)
    const bytes = this.bytes
    return ((bytes[start] as number) << 8) | (bytes[start + 1] as number)
  }

  uint32(): number {
    const start = this.take(4)
    const bytes = this.bytes
    const word =
      ((bytes[start] as number) << 24) |
      ((bytes[start + 1] as number) << 16) |
      ((bytes[start + 2] as number) << 8) |
      (bytes[start + 3] as number)
    return word >>> 0
  }

  float32(): number {
    words[0] = this.uint32()
    return single[0] as number
  }

  float64(): number {
    words[1] = this.uint32()
    words[0] = this.uint32()
    return double[0] as number
  }

  /** A number where that is exact, otherwise a bigint. */
  word64(signed: boolean): number | bigint {
    const high = this.uint32()
    const low = this.uint32()
    const number = (signed ? high | 0 : high) * 0x1_0000_0000 + low
    if (Number.isSafeInteger(number)) return number
    const word = (BigInt(high) << 32n) | BigInt(low)
    return signed ? BigInt.asIntN(64, word) : word
  }

  text(size: number): string {
    const start = this.take(size)
    if (size === 0) return ''
    if (size <= shortReadMax) {
      const text = readShortAscii(this.bytes, start, this.at)
      if (text !== undefined) return text
    }
    return this.#longText(start)
  }

  #longText(start: number): string {
    try {
      return readUtf8(this.bytes, start, this.at)
    } catch (error) {
      if (error instanceof TypeError) this.fail('text that is not UTF-8')
      return this.fail('text that is too long for this runtime')
    }
  }

  /** A copy: what is inline lies in memory that is used again. */
  binary(size: number): Uint8Array {
    const start = this.take(size)
    const copy = new Uint8Array(size)
    copy.set(this.bytes.subarray(start, this.at))
    return copy
  }

  list(count: number, items: unknown[] = new Array(Math.min(count, trustedCountMax))): unknown[] {
    if (count > this.end - this.at) this.fail('a list is cut off')
    this.enter()
    for (let index = 0; index < count; index++) items[index] = this.value()
    this.depth--
    return items
  }

  /** A plain object if all keys are text, otherwise a Map. */
  map(count: number): unknown {
    if (2 * count > this.end - this.at) this.fail('a map is cut off')
    this.enter()
    const result: Record<string, unknown> = {}
    for (let index = 0; index < count; index++) {
      const key = this.key()
      if (typeof key !== 'string') return this.#otherMap(result, key, count - index)
      const value = this.value()
      if (key === '__proto__') setOwn(result, key, value)
      else result[key] = value
    }
    this.depth--
    return result
  }

  #otherMap(begun: object, firstKey: unknown, count: number): Map<unknown, unknown> {
    const result = new Map<unknown, unknown>(Object.entries(begun))
    result.set(firstKey, this.value())
    for (let index = 1; index < count; index++) {
      const key = this.key()
      result.set(key, this.value())
    }
    this.depth--
    return result
  }

  /** A map key or a member of a set. */
  key(): unknown {
    const start = this.at
    const lead = start < this.end ? (this.bytes[start] as number) : 0
    if (lead >= 0xa0 && lead <= 0xa0 + shortReadMax) {
      const end = start + 1 + (lead & 0x1f)
      const text = end <= this.end ? readShortKey(this.bytes, start + 1, end) : undefined
      if (text !== undefined) {
        this.at = end
        return text
      }
    } else if ((lead >= 0x80 && lead < 0xa0) || (lead >= 0xdc && lead < 0xe0)) {
      this.fail('a list or map as key or member of a set')
    }
    const key = this.value()
    if (!isHashable(key)) this.fail('an array or error as key or member of a set')
    return key
  }
}

/** `__proto__` by assignment would change the prototype. */
function setOwn(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  })
}

function isHashable(key: unknown): boolean {
  if (typeof key !== 'object' || key === null) return true
  if (key instanceof Uint8Array) return true
  return !ArrayBuffer.isView(key) && !(key instanceof NdArray) && !(key instanceof Error)
}
