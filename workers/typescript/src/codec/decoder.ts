import type { ErrorValue } from '../errors/error-value.ts'
import { ProtocolError } from '../errors/generated.ts'
import { type DecodeContext, plainContext } from './decode-context.ts'
import { listCount, readErrorValue, readExtension } from './decode-extension.ts'
import { extension } from './format.ts'
import { readFrame } from './frame.ts'
import { HeadReader } from './head-reader.ts'

/** The arguments of a call that has keywords. */
export class CallArguments {
  readonly positional: unknown[]
  readonly keywords: Record<string, unknown>

  constructor(positional: unknown[], keywords: Record<string, unknown>) {
    this.positional = positional
    this.keywords = keywords
  }
}

const nothing = new Uint8Array(0)
const noBuffers: readonly number[] = []
const noCopies = new Map<number, ArrayBufferLike>()

function isExtension(lead: number): boolean {
  return (lead >= 0xc7 && lead <= 0xc9) || (lead >= 0xd4 && lead <= 0xd8)
}

class Decoder extends HeadReader {
  busy = false

  blob(bytes: Uint8Array, start: number, end: number, context: DecodeContext): unknown {
    this.busy = true
    this.bytes = bytes
    this.context = context
    this.depth = 0
    this.at = start
    this.end = end
    try {
      if (bytes[start] === 0xc1) {
        const frame = readFrame(bytes, start, end)
        this.buffers = frame.buffers
        this.copies = new Map()
        this.at = frame.headStart
        this.end = frame.headEnd
      }
      const value = this.#top()
      if (this.at !== this.end) this.fail('bytes after the value')
      return value
    } finally {
      // Memory of the store must not stay mapped because a decoder remembers it.
      this.bytes = nothing
      this.buffers = noBuffers
      this.copies = noCopies
      this.context = plainContext
      this.busy = false
    }
  }

  /** Call arguments stand at the top only. */
  #top(): unknown {
    const lead = this.at < this.end ? (this.bytes[this.at] as number) : 0
    if (!isExtension(lead)) return this.value()
    this.at++
    return this.#extension(lead, true)
  }

  protected override extension(lead: number): unknown {
    return this.#extension(lead, false)
  }

  #extension(lead: number, top: boolean): unknown {
    const size = this.#extensionSize(lead)
    const code = (this.uint8() << 24) >> 24
    const end = this.take(size) + size
    const outerEnd = this.end
    this.at = end - size
    this.end = end
    const value =
      code === extension.callArguments && top
        ? this.#callArguments()
        : readExtension(this, code, size)
    if (value === undefined && code !== extension.ref && code !== extension.actor) {
      this.fail(`an extension of type ${code}`)
    }
    if (this.at !== end) this.fail('bytes after the body of an extension')
    this.end = outerEnd
    return value
  }

  #extensionSize(lead: number): number {
    switch (lead) {
      case 0xc7:
        return this.uint8()
      case 0xc8:
        return this.uint16()
      case 0xc9:
        return this.uint32()
      default:
        // D4 to D8 have 1, 2, 4, 8 and 16 bytes.
        return 1 << (lead - 0xd4)
    }
  }

  override errorBody(): ErrorValue {
    const lead = this.uint8()
    if (!isExtension(lead)) this.fail('a cause that is no error')
    const size = this.#extensionSize(lead)
    if (this.uint8() !== extension.error) this.fail('a cause that is no error')
    const end = this.take(size) + size
    const outerEnd = this.end
    this.at = end - size
    this.end = end
    const value = readErrorValue(this)
    if (this.at !== end) this.fail('bytes after the body of an extension')
    this.end = outerEnd
    return value
  }

  #callArguments(): CallArguments {
    if (listCount(this) !== 2) this.fail('call arguments that have not 2 members')
    this.enter()
    const positional = this.list(listCount(this))
    const keywords = this.value()
    this.leave()
    const named = typeof keywords === 'object' && keywords !== null
    if (!named || Object.getPrototypeOf(keywords) !== Object.prototype) {
      this.fail('keywords that are no map of names')
    }
    return new CallArguments(positional, keywords as Record<string, unknown>)
  }
}

const shared = new Decoder()

/**
 * Reads the blob `bytes[start, end)`. Call arguments with keywords arrive as CallArguments. Throws ProtocolError for bytes that
 * no correct peer writes, SerializationError for a value that only another language understands.
 */
export function decode(
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
  context: DecodeContext = plainContext,
): unknown {
  // A context may decode something else while it makes an object for a ref.
  const decoder = shared.busy ? new Decoder() : shared
  return decoder.blob(bytes, start, end, context)
}

/** The arguments for a TypeScript function: keywords arrive as one object behind the others. */
export function decodeArguments(
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
  context: DecodeContext = plainContext,
): unknown[] {
  const value = decode(bytes, start, end, context)
  if (Array.isArray(value)) return value
  if (value instanceof CallArguments) return [...value.positional, value.keywords]
  throw new ProtocolError('malformed value: arguments that are no list')
}
