import {
  type ActorHandleFields,
  decode,
  decodeArguments,
  type DecodeContext,
} from '../codec/index.ts'
import { makeError } from '../errors/index.ts'
import type { NativeEndpoint } from '../native/binding.ts'
import * as layout from '../native/layout.ts'
import { event, place } from '../native/layout.ts'
import { MappedValues } from './mapped-values.ts'
import type { Hold } from './ref-state.ts'

/** Makes objects for what values hold beside data. */
export interface ValueAdopter {
  /** An object for a ref whose count is borrowed; `hold` shares the duty to give the count back. */
  adoptRef(id: number, hold: Hold | undefined): unknown
  /** A hold for the refs of one value. */
  shareHold(): Hold
  /** The value of a ref that stands for its value; reads the spare event. */
  readResolved(id: number): unknown
  adoptActor(fields: ActorHandleFields): unknown
}

const noError = { reason: 'an error that is none' }

type Decode<T> = (bytes: Uint8Array, start: number, end: number, context: DecodeContext) => T

/** With more refs in one value than this, one finalizer stands for all of them. */
const separateHoldsMax = 4
const entryWords = 4

/** The refs of one blob. */
class RefContext implements DecodeContext {
  readonly refCount: number
  readonly zeroCopy: boolean
  readonly #entries: Uint32Array
  readonly #adopter: ValueAdopter
  readonly #hold: Hold | undefined
  #made: unknown[] | undefined

  constructor(adopter: ValueAdopter, entries: Uint32Array, zeroCopy: boolean) {
    this.refCount = entries.length / entryWords
    this.zeroCopy = zeroCopy
    this.#entries = entries
    this.#adopter = adopter
    this.#hold = this.refCount > separateHoldsMax ? adopter.shareHold() : undefined
  }

  ref(index: number): unknown {
    this.#made ??= new Array(this.refCount).fill(undefined)
    return (this.#made[index] ??= this.#make(index * entryWords))
  }

  actor(fields: ActorHandleFields): unknown {
    return this.#adopter.adoptActor(fields)
  }

  #make(word: number): unknown {
    const entries = this.#entries
    const id = (entries[word] as number) + (entries[word + 1] as number) * 0x1_0000_0000
    const stands = ((entries[word + 2] as number) & layout.refResolve) !== 0
    return stands ? this.#adopter.readResolved(id) : this.#adopter.adoptRef(id, this.#hold)
  }
}

/** Reads values from where the addon put or found them. */
export class ValueReader {
  readonly words: Uint32Array
  readonly floats: Float64Array
  readonly #bytes: Uint8Array
  readonly #inbox: ArrayBuffer
  readonly #native: NativeEndpoint
  readonly #adopter: ValueAdopter
  readonly #copying: DecodeContext
  readonly #viewing: DecodeContext
  readonly mappings: MappedValues
  /** The mapping that the value read last lies in; 0 if in none. */
  mapped = 0

  constructor(native: NativeEndpoint, adopter: ValueAdopter) {
    const inbox = native.inbox
    this.#inbox = inbox
    this.words = new Uint32Array(inbox, 0, layout.inbox.bytes / 4)
    this.floats = new Float64Array(inbox, 0, layout.inbox.bytes / 8)
    this.#bytes = new Uint8Array(inbox, layout.inbox.bytes)
    this.#native = native
    this.#adopter = adopter
    this.mappings = new MappedValues(native, native.endpointInfo().storeBytesMax)
    const plain = {
      refCount: 0,
      ref: () => undefined,
      actor: (fields: ActorHandleFields) => adopter.adoptActor(fields),
    }
    this.#copying = { ...plain, zeroCopy: false }
    this.#viewing = { ...plain, zeroCopy: true }
  }

  /** The value of event number `index`; `layout.eventsMax` is the spare. */
  value(index: number): unknown {
    return this.#read(index, decode)
  }

  /** The value of an event as an error, without frames: it was made elsewhere, and where it is read tells nobody anything. */
  error(index: number): Error {
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    try {
      const value = this.value(index)
      return value instanceof Error ? value : makeError('PROTOCOL_ERROR', noError)
    } finally {
      Error.stackTraceLimit = limit
    }
  }

  arguments(index: number): unknown[] {
    return this.#read(index, decodeArguments) ?? []
  }

  isError(index: number): boolean {
    const flags = this.words[index * layout.eventWords + event.valueFlags] as number
    return (flags & layout.valueError) !== 0
  }

  /** The text that an event carries instead of a value. */
  text(index: number): string {
    const bytes = this.#plainBytes(index)
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
  }

  #read<T>(index: number, read: Decode<T>): T | null {
    this.mapped = 0
    const word = index * layout.eventWords
    const { words, floats } = this
    const where = words[word + event.place] as number
    const hasRefs = words[word + event.refCount] !== 0
    if (where === place.inbox && !hasRefs) {
      const start = floats[(word >> 1) + event.positionF] as number
      const end = start + (floats[(word >> 1) + event.sizeF] as number)
      return read(this.#bytes, start, end, this.#copying)
    }
    if (where === place.none) return null
    // Before the bytes: reading what a ref stands for uses the spare event again.
    const entries = hasRefs ? this.#entries(word, index === layout.eventsMax) : undefined
    const isSpare = hasRefs && index === layout.eventsMax
    const bytes =
      isSpare && where === place.inbox ? this.#plainBytes(index).slice() : this.#plainBytes(index)
    const lasts = where !== place.inbox || isSpare
    if (entries === undefined)
      return read(bytes, 0, bytes.length, lasts ? this.#viewing : this.#copying)
    const mapped = this.mapped
    const context = new RefContext(this.#adopter, entries, lasts)
    try {
      return read(bytes, 0, bytes.length, context)
    } finally {
      this.mapped = mapped
    }
  }

  #plainBytes(index: number): Uint8Array {
    const word = index * layout.eventWords
    const float = word >> 1
    const position = this.floats[float + event.positionF] as number
    const size = this.floats[float + event.sizeF] as number
    switch (this.words[word + event.place] as number) {
      case place.inbox:
        return this.#bytes.subarray(position, position + size)
      case place.pointer:
        return new Uint8Array(this.#native.copyOut(position, size))
      case place.stored: {
        const hold = this.floats[float + event.holdF] as number
        this.mapped = hold
        return this.mappings.map(hold)
      }
      default:
        return new Uint8Array(0)
    }
  }

  #entries(word: number, isSpare: boolean): Uint32Array {
    const count = this.words[word + event.refCount] as number
    const position = this.floats[(word >> 1) + event.refsPositionF] as number
    if (this.words[word + event.refsPlace] === place.pointer) {
      return new Uint32Array(this.#native.copyOut(position, count * entryWords * 4))
    }
    const start = layout.inbox.bytes + position
    const entries = new Uint32Array(this.#inbox, start, count * entryWords)
    return isSpare ? entries.slice() : entries
  }
}
