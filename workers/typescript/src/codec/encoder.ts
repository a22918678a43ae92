import { type ErrorValue, withoutData } from '../errors/error-value.ts'
import type { Dtype } from './dtype.ts'
import {
  type ActorHandleFields,
  encodeAs,
  isEncodable,
  type TimeKind,
  type ValueWriter,
} from './encode-as.ts'
import {
  reasonAgainstKind,
  writeArray,
  writeBigInt,
  writeError,
  writeObject,
} from './encode-special.ts'
import { extensionBody, finishExtension } from './extension-writer.ts'
import { actorIdBytes, actorIsRestartable, extension } from './format.ts'
import { framedSize, writeFrame } from './frame.ts'
import { type Grow, HeadWriter } from './head-writer.ts'
import { Keywords } from './keywords.ts'
import { Refusal } from './refusal.ts'

function growByCopy(bytes: Uint8Array, used: number, needed: number): Uint8Array {
  const larger = new Uint8Array(Math.max(needed, bytes.length * 2))
  larger.set(bytes.subarray(0, used))
  return larger
}

/** What an object with `encodeAs` sees of the encoder: it may write once. */
class OwnWriter implements ValueWriter {
  at = 0
  open = false
  readonly #writer: HeadWriter

  constructor(writer: HeadWriter) {
    this.#writer = writer
  }

  #begin(): HeadWriter {
    if (!this.open) throw new TypeError('[encodeAs] has to write exactly one value')
    this.open = false
    return this.#writer
  }

  ref(ref: unknown): void {
    const writer = this.#begin()
    writer.refIsArgument.push(writer.isArgument)
    this.at = writer.indexExtension(extension.ref, writer.refs.push(ref) - 1, this.at)
  }

  actor(handle: ActorHandleFields): void {
    const writer = this.#begin()
    const start = this.at
    if (handle.id.length !== actorIdBytes) throw new TypeError('an actor id has 16 bytes')
    const { id, language, classKey, methods, isRestartable = false } = handle
    const count = isRestartable ? 5 : 4
    let end = writer.inlineBinary(id, writer.listHeader(count, extensionBody(writer, start)))
    end = writer.text(classKey, writer.text(language, end))
    writer.reserve(end, 5)
    if (methods === null) end = writer.value(null, end)
    else
      end = methods.reduce(
        (at, name) => writer.text(name, at),
        writer.listHeader(methods.length, end),
      )
    if (isRestartable) end = writer.value(actorIsRestartable, end)
    this.at = finishExtension(writer, extension.actor, start, end)
  }

  float(value: number): void {
    this.at = this.#begin().float(value, this.at)
  }

  array(dtype: Dtype, shape: readonly number[], data: Uint8Array): void {
    this.at = writeArray(this.#begin(), dtype, shape, data, this.at)
  }

  tuple(items: readonly unknown[]): void {
    const writer = this.#begin()
    const start = this.at
    const end = writer.list(items, extensionBody(writer, start))
    this.at = finishExtension(writer, extension.tuple, start, end)
  }

  time(kind: TimeKind, text: string): void {
    const writer = this.#begin()
    const start = this.at
    let end = writer.listHeader(2, extensionBody(writer, start))
    end = writer.value(text, writer.text(kind, end))
    this.at = finishExtension(writer, extension.time, start, end)
  }

  refuse(reason: string): never {
    throw new Refusal(reason)
  }
}

/**
 * Turns values into blobs, one at a time, in two steps so that large data is copied once, to its final place:
 *
 *     const end = encoder.encodeArguments(args, target, offset)
 *     if (encoder.buffers.length === 0) use(encoder.bytes, offset, end)     // the blob is the plain head
 *     else encoder.writeBlob(storeMemory(encoder.blobSize))                 // head and buffers, framed
 *
 * The head is written to `target` from `offset` on. If it does not fit, `grow` supplies a larger array that holds the first
 * `used` bytes (by default a copy); afterwards `bytes` is not `target` any more. `refs` and `refIsArgument` are the ref table.
 * Call `clear` when the data may be collected before the next value comes.
 */
export class Encoder extends HeadWriter {
  start = 0
  end = 0
  #busy = false
  readonly #own = new OwnWriter(this)

  constructor(bytes: Uint8Array = new Uint8Array(1024), grow: Grow = growByCopy) {
    super(bytes, grow)
  }

  /**
   * Encodes one value and returns the end of its head. `root` names the value in errors. Throws SerializationError for what
   * cannot be sent.
   */
  encode(value: unknown, target = this.bytes, offset = 0, root = 'value'): number {
    this.#begin(target, offset)
    try {
      return this.#finish(this.value(value, offset))
    } catch (error) {
      throw this.#fail(error, root)
    }
  }

  /** Encodes the arguments of a call; the last one may be `kw(...)`. */
  encodeArguments(args: readonly unknown[], target = this.bytes, offset = 0): number {
    this.#begin(target, offset)
    this.argumentDepth = 1
    try {
      const last = args[args.length - 1]
      if (last instanceof Keywords) {
        return this.#finish(this.#withKeywords(args.slice(0, -1), last.values as object, offset))
      }
      this.reserve(offset, 8)
      return this.#finish(this.list(args, offset))
    } catch (error) {
      throw this.#fail(error, 'args')
    }
  }

  /**
   * Encodes the error value of a failed call (see `toErrorValue` and `toThrownValue`). Never refuses: what cannot be sent of
   * the error's data is left out.
   */
  encodeError(error: ErrorValue, target = this.bytes, offset = 0): number {
    try {
      return this.#encodeError(error, target, offset)
    } catch {
      return this.#encodeError(withoutData(error), target, offset)
    }
  }

  #encodeError(error: ErrorValue, target: Uint8Array, offset: number): number {
    this.#begin(target, offset)
    try {
      this.reserve(offset, 8)
      return this.#finish(writeError(this, error, offset))
    } catch (failure) {
      throw this.#fail(failure, 'error')
    }
  }

  /** Size of the whole blob of the last value. */
  get blobSize(): number {
    const head = this.end - this.start
    return this.buffers.length === 0 ? head : framedSize(head, this.buffers)
  }

  /** Writes the blob of the last value to the start of `target`, which has at least `blobSize` bytes. */
  writeBlob(target: Uint8Array): void {
    const head = this.bytes.subarray(this.start, this.end)
    if (this.buffers.length === 0) target.set(head)
    else writeFrame(target, head, this.buffers)
  }

  /** Lets go of the last value's refs and buffers. */
  clear(): void {
    if (this.refs.length > 0) {
      this.refs = []
      this.refIsArgument = []
    }
    if (this.buffers.length > 0) this.buffers = []
  }

  protected override special(value: bigint | symbol | object, at: number): number {
    if (typeof value === 'bigint') return writeBigInt(this, value, at)
    if (typeof value === 'symbol') throw new Refusal(reasonAgainstKind(value))
    if (isEncodable(value)) {
      const own = this.#own
      own.at = at
      own.open = true
      value[encodeAs](own)
      if (own.open) throw new TypeError('[encodeAs] has to write exactly one value')
      return own.at
    }
    if (typeof value === 'function') throw new Refusal(reasonAgainstKind(value))
    return writeObject(this, value, at)
  }

  #withKeywords(args: readonly unknown[], keywords: object, at: number): number {
    this.argumentDepth = 2
    this.enter()
    let end = this.listHeader(2, extensionBody(this, at))
    end = this.list(args, end)
    this.reserve(end, 8)
    end = this.plainObject(keywords, end)
    this.leave()
    return finishExtension(this, extension.callArguments, at, end)
  }

  #begin(target: Uint8Array, offset: number): void {
    if (this.#busy) throw new Error('a value was encoded while a getter of another one ran')
    this.#busy = true
    this.clear()
    this.setTarget(target)
    this.depth = 0
    this.argumentDepth = -1
    this.objectsInherit = undefined
    this.start = offset
  }

  #finish(end: number): number {
    this.#busy = false
    this.end = end
    return end
  }

  #fail(error: unknown, root: string): unknown {
    this.#busy = false
    this.clear()
    this.end = this.start
    return error instanceof Refusal ? error.toError(root) : error
  }
}
