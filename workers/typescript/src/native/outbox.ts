import { Encoder } from '../codec/index.ts'
import { type ErrorValue, makeError } from '../errors/error-value.ts'
import type { NativeEndpoint } from './binding.ts'
import { framePieces } from './frame-pieces.ts'
import * as layout from './layout.ts'
import { control, record, recordKind } from './layout.ts'

/** Where a payload that has just been encoded lies: the arguments that describe it to the addon. */
export interface Payload {
  dataOffset: number
  size: number
  bufferToken: number
  refsOffset: number
  refCount: number
}

/** What stands in a ref table: the encoder hands these over, in the order of their indices. */
export interface TableRef {
  /** The core's handle of the ref, made now if there is none. */
  coreHandle(): number
}

const roomForArguments = 32 * 1024
const entryBytes = 16
/** Records after which the batch is worth handing over, so that the other side works while this one goes on. */
const batchRecords = 64
const batchBytes = 32 * 1024
/** Framed blobs up to this size are written into the outbox, larger ones straight into the store. */
const framedInOutboxMax = 8 * 1024

function align8(offset: number): number {
  return (offset + 7) & ~7
}

/**
 * Calls, replies and counts on their way to the core, in memory shared with the addon. They are handed over in batches: when
 * enough have gathered, when the event loop turns, or by `flush`. The order of calls and replies is kept.
 */
export class Outbox {
  readonly native: NativeEndpoint
  readonly words: Uint32Array
  readonly #floats: Float64Array
  readonly #bytes: Uint8Array
  readonly #entries: Uint32Array
  readonly #releases: Float64Array
  readonly #retains: Float64Array
  readonly #watches: Float64Array
  readonly #reserved: Float64Array
  readonly #encoder: Encoder
  #reservedLeft = 0
  #closed = false

  // The payload encoded last. Members instead of an object: this is written for every call.
  #dataOffset = 0
  #size = 0
  #bufferToken = 0
  #refsOffset = 0
  #refCount = 0
  #end = 0

  constructor(native: NativeEndpoint) {
    const buffer = native.outbox
    this.native = native
    this.words = new Uint32Array(
      buffer,
      0,
      (layout.outbox.records + layout.recordsMax * layout.recordBytes) / 4,
    )
    this.#floats = new Float64Array(buffer, 0, this.words.length / 2)
    this.#bytes = new Uint8Array(buffer, layout.outbox.bytes, layout.outboxBytes)
    this.#entries = new Uint32Array(buffer, layout.outbox.bytes, layout.outboxBytes / 4)
    this.#releases = new Float64Array(buffer, layout.outbox.releases, layout.listMax)
    this.#retains = new Float64Array(buffer, layout.outbox.retains, layout.listMax)
    this.#watches = new Float64Array(buffer, layout.outbox.watches, layout.listMax)
    this.#reserved = new Float64Array(buffer, layout.outbox.reservedRefs, layout.listMax)
    this.#encoder = new Encoder(this.#bytes, (bytes, used, needed) =>
      this.#grow(bytes, used, needed),
    )
  }

  /** Hands everything over now. */
  flush(): void {
    if (!this.#closed) this.native.submit()
  }

  close(): void {
    this.#closed = true
  }

  /** A ref for the result of a call; its count belongs to the caller. */
  reserveRef(): number {
    if (this.#reservedLeft === 0) this.#reservedLeft = this.native.refReserve(layout.listMax)
    return this.#reserved[--this.#reservedLeft] as number
  }

  /** Gives back the refs that were reserved in advance. */
  releaseReserved(): void {
    while (this.#reservedLeft > 0) this.release(this.#reserved[--this.#reservedLeft] as number)
  }

  release(ref: number): void {
    if (this.#closed) return
    const words = this.words
    if (words[control.releaseCount] === layout.listMax) this.flush()
    this.#releases[words[control.releaseCount]!++] = ref
  }

  /** Counts a borrowed ref of an event; takes effect before anything else that is handed over. */
  retain(ref: number): void {
    const words = this.words
    if (words[control.retainCount] === layout.listMax) this.flush()
    this.#retains[words[control.retainCount]!++] = ref
  }

  watch(ref: number): void {
    const words = this.words
    if (words[control.watchCount] === layout.listMax) this.flush()
    this.#watches[words[control.watchCount]!++] = ref
  }

  /** Number of unfinished things because of which the event loop must not end. */
  keepAlive(change: 1 | -1): void {
    const words = this.words
    words[control.keepAlive]! += change
    // Letting go of the loop can wait until it turns; holding it cannot: it might not turn again.
    if (change === 1 && words[control.referenced] === 0 && !this.#closed) this.native.holdLoop()
  }

  encodeArguments(args: readonly unknown[]): void {
    const start = this.#makeRoom()
    this.#place(start, this.#encoder.encodeArguments(args, this.#bytes, start))
  }

  encodeValue(value: unknown, root: string): void {
    const start = this.#makeRoom()
    this.#place(start, this.#encoder.encode(value, this.#bytes, start, root))
  }

  encodeError(error: ErrorValue): void {
    const start = this.#makeRoom()
    this.#place(start, this.#encoder.encodeError(error, this.#bytes, start))
  }

  encodeNothing(): void {
    this.#dataOffset = this.#makeRoom()
    this.#size = 0
    this.#bufferToken = 0
    this.#refCount = 0
    this.#end = this.#dataOffset
  }

  /** The payload encoded last, for functions of the addon that take one directly; its room is used again by the next. */
  takePayload(): Payload {
    return {
      dataOffset: this.#dataOffset,
      size: this.#size,
      bufferToken: this.#bufferToken,
      refsOffset: this.#refsOffset,
      refCount: this.#refCount,
    }
  }

  /** Bytes and refs of the payload encoded last. */
  get payloadSize(): number {
    return this.#size
  }

  get payloadRefs(): number {
    return this.#refCount
  }

  /**
   * Adds a call with the payload encoded last; returns its position, for `markStream`. `options` is a number of the core's,
   * `parent` the incoming call inside which this one is made; 0 for none.
   */
  addCall(
    result: number,
    target: number,
    functionId: number,
    flags: number,
    timeoutNs: number,
    options: number,
    parent: number,
  ): number {
    const position = this.words[control.recordCount] as number
    const word = this.#beginRecord(position, recordKind.call, flags, result, 0)
    this.words[word + record.target] = target
    this.words[word + record.function] = functionId
    this.words[word + record.options] = options
    this.#floats[(word >> 1) + record.timeoutNsF] = timeoutNs
    this.#floats[(word >> 1) + record.parentF] = parent
    return position
  }

  /** Adds the final reply to a call with the payload encoded last. */
  addReply(call: number, payloadFlags: number): void {
    this.#beginRecord(
      this.words[control.recordCount] as number,
      recordKind.reply,
      0,
      call,
      payloadFlags,
    )
    if (this.isBatchFull) this.flush()
  }

  /** Whether enough has gathered to hand it over at once. */
  get isBatchFull(): boolean {
    const words = this.words
    return words[control.recordCount]! >= batchRecords || words[control.bytesUsed]! >= batchBytes
  }

  /** Calls to a target that were not handed over yet, and the bytes of their arguments. */
  waitingFor(target: number): { calls: number; bytes: number } {
    const found = { calls: 0, bytes: 0 }
    for (let position = 0; position < this.words[control.recordCount]!; position++) {
      const word = layout.outbox.records / 4 + position * layout.recordWords
      const isCall = this.words[word + record.kind] === recordKind.call
      if (!isCall || this.words[word + record.target] !== target) continue
      found.calls++
      found.bytes += this.#floats[(word >> 1) + record.dataSizeF] as number
    }
    return found
  }

  /** Makes a call a stream. False if it has been handed over already. */
  markStream(position: number, result: number): boolean {
    const word = layout.outbox.records / 4 + position * layout.recordWords
    const waiting = position < (this.words[control.recordCount] as number)
    if (!waiting || this.#floats[(word >> 1) + record.idF] !== result) return false
    this.words[word + record.flags]! |= layout.callStream
    return true
  }

  #beginRecord(
    position: number,
    kind: number,
    flags: number,
    id: number,
    payloadFlags: number,
  ): number {
    const words = this.words
    const word = layout.outbox.records / 4 + position * layout.recordWords
    const float = word >> 1
    words[word + record.kind] = kind
    words[word + record.flags] = flags
    this.#floats[float + record.idF] = id
    words[word + record.dataOffset] = this.#dataOffset
    words[word + record.payloadFlags] = payloadFlags
    this.#floats[float + record.dataSizeF] = this.#size
    this.#floats[float + record.bufferTokenF] = this.#bufferToken
    words[word + record.refsOffset] = this.#refsOffset
    words[word + record.refCount] = this.#refCount
    words[control.recordCount] = position + 1
    words[control.bytesUsed] = this.#end
    return word
  }

  /** Flushes if the next record might not fit; returns where its bytes begin. */
  #makeRoom(): number {
    const words = this.words
    const full = words[control.recordCount] === layout.recordsMax
    if (full || words[control.bytesUsed]! > layout.outboxBytes - roomForArguments) this.flush()
    return align8(words[control.bytesUsed] as number)
  }

  #grow(bytes: Uint8Array, used: number, needed: number): Uint8Array {
    // Positions stay what they are, so the room before the value is lost: it is at most the outbox.
    const larger = new Uint8Array(Math.max(needed, 2 * bytes.length))
    const start = this.#encoder.start
    larger.set(bytes.subarray(start, used), start)
    return larger
  }

  #place(start: number, end: number): void {
    const encoder = this.#encoder
    this.#refCount = 0
    this.#dataOffset = start
    this.#bufferToken = 0
    this.#size = end - start
    this.#end = end
    if (encoder.bytes === this.#bytes && encoder.buffers.length + encoder.refs.length === 0) return
    if (encoder.bytes !== this.#bytes) this.#end = start
    if (encoder.refs.length > 0) this.#placeRefs()
    if (encoder.bytes !== this.#bytes || encoder.buffers.length > 0) this.#placeLarge()
    encoder.clear()
  }

  #placeLarge(): void {
    const encoder = this.#encoder
    const size = encoder.blobSize
    const at = align8(this.#end)
    const inOutbox = encoder.bytes === this.#bytes && size <= framedInOutboxMax
    if (inOutbox && at + size <= layout.outboxBytes) {
      encoder.writeBlob(this.#bytes.subarray(at, at + size))
      this.#dataOffset = at
      this.#end = at + size
    } else {
      const head = encoder.bytes.subarray(encoder.start, encoder.end)
      this.#bufferToken = this.#writeToStore(head, size)
    }
    this.#size = size
  }

  /** Copies head and arrays straight to their final place. */
  #writeToStore(head: Uint8Array, size: number): number {
    const { native } = this
    const token = this.#createBuffer(size)
    for (const piece of framePieces(head, this.#encoder.buffers)) {
      native.bufferWrite(token, piece.offset, piece.bytes)
    }
    native.bufferFinish(token)
    return token
  }

  #createBuffer(size: number): number {
    try {
      return this.native.bufferCreate(size)
    } catch (error) {
      // What this turn has let go of may be just what is missing.
      if (this.words[control.releaseCount] === 0) throw error
      this.flush()
      return this.native.bufferCreate(size)
    }
  }

  #placeRefs(): void {
    const { refs, refIsArgument } = this.#encoder
    // Taking a handle may put another value, with an encoder of its own, but never into this outbox.
    const handles = (refs as TableRef[]).map((ref) => ref.coreHandle())
    let at = align8(this.#end)
    if (at + handles.length * entryBytes > layout.outboxBytes - framedInOutboxMax) {
      const reason = `it holds ${handles.length} refs, too many for one value`
      throw makeError('SERIALIZATION_ERROR', { path: 'value', reason })
    }
    this.#refsOffset = at
    this.#refCount = handles.length
    for (const [index, handle] of handles.entries()) {
      const word = at >> 2
      this.#entries[word] = handle % 0x1_0000_0000
      this.#entries[word + 1] = handle / 0x1_0000_0000
      this.#entries[word + 2] = refIsArgument[index] === true ? layout.refResolve : 0
      this.#entries[word + 3] = 0
      at += entryBytes
    }
    this.#end = at
  }
}
