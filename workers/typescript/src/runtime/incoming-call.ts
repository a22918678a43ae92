import { type ErrorValue, toErrorValue, toThrownValue, withoutData } from '../errors/index.ts'
import type { NativeEndpoint } from '../native/binding.ts'
import { Status } from '../native/binding.ts'
import * as layout from '../native/layout.ts'
import type { Outbox } from '../native/outbox.ts'
import { translated } from '../native/status-error.ts'
import type { TableEntry } from './ref-table.ts'

/** What a call needs of the endpoint that received it. */
export interface ReplyHost {
  readonly isOpen: boolean
  readonly native: NativeEndpoint
  readonly outbox: Outbox
  forgetIncoming(call: IncomingCall): void
}

/** A call that somebody made to this endpoint. It is replied to exactly once; later replies do nothing. */
export class IncomingCall implements TableEntry {
  readonly id: number
  readonly function: string
  readonly instance: number
  /** The endpoint that called. */
  readonly caller: number
  readonly isStream: boolean
  /** When the caller gives up, in nanoseconds of the monotonic clock (process.hrtime); 0 never. */
  readonly deadlineNs: number
  /** Keywords stand behind the others, as one object. */
  args: unknown[] = []
  nextOfSameId: TableEntry | undefined = undefined
  isCancelled = false
  /** Set by who serves the call: the caller wants no result any more. The call has to be replied to all the same. */
  onCancel: (() => void) | null = null
  /** Set by who serves a stream: there is room for more items. */
  onCredit: (() => void) | null = null
  /** Set by who serves the call: it has been replied to. */
  onReplied: (() => void) | null = null
  /** What who serves the call keeps with it. */
  attachment: unknown = undefined
  #host: ReplyHost | undefined

  constructor(
    host: ReplyHost,
    id: number,
    name: string,
    instance: number,
    caller: number,
    isStream: boolean,
    deadlineNs: number,
  ) {
    this.#host = host
    this.id = id
    this.function = name
    this.instance = instance
    this.caller = caller
    this.isStream = isStream
    this.deadlineNs = deadlineNs
  }

  get isReplied(): boolean {
    return this.#host === undefined
  }

  /** Whether somebody wants the result, as far as the core knows at this moment. */
  get isWanted(): boolean {
    const host = this.#host
    if (host === undefined || !host.isOpen || this.isCancelled) return !this.isCancelled
    return host.native.callState(this.id) === Status.ok
  }

  /** The result. If it cannot be sent, the caller gets the reason as error. */
  reply(value?: unknown): void {
    const host = this.#finish()
    if (host === undefined) return
    try {
      host.outbox.encodeValue(value, 'return value')
      host.outbox.addReply(this.id, 0)
    } catch (error) {
      replyError(host.outbox, this.id, toErrorValue(translated(error)))
    }
  }

  /** What the called code threw: the caller gets a RemoteError with it as cause. */
  throw(thrown: unknown): void {
    const host = this.#finish()
    if (host !== undefined) replyError(host.outbox, this.id, toThrownValue(thrown))
  }

  /** An error of the engine or of its user: the caller gets one of the same class. */
  fail(error: unknown): void {
    const host = this.#finish()
    if (host !== undefined) replyError(host.outbox, this.id, toErrorValue(error))
  }

  /**
   * One item of a stream. False: there is no room for it now, give it again after `onCredit`. Throws what makes the value
   * unsendable; after the consumer has gone `isCancelled` is set and items lead nowhere.
   */
  item(value: unknown): boolean {
    const host = this.#host
    if (host === undefined || !host.isOpen || this.isCancelled) return true
    const { outbox, native } = host
    try {
      outbox.encodeValue(value, 'item')
      const { dataOffset, size, bufferToken, refsOffset, refCount } = outbox.takePayload()
      if (refCount > 0) outbox.flush()
      const status = native.reply(
        this.id,
        layout.replyItem,
        dataOffset,
        size,
        bufferToken,
        refsOffset,
        refCount,
        0,
      )
      if (status === Status.closed) this.isCancelled = true
      if (status === Status.wouldBlock && bufferToken !== 0) native.bufferDiscard(bufferToken)
      return status !== Status.wouldBlock
    } catch (error) {
      throw translated(error)
    }
  }

  #finish(): ReplyHost | undefined {
    const host = this.#host
    if (host === undefined) return undefined
    this.#host = undefined
    this.onReplied?.()
    if (!host.isOpen) return undefined
    host.forgetIncoming(this)
    return host
  }
}

export function replyError(outbox: Outbox, call: number, error: ErrorValue): void {
  try {
    outbox.encodeError(error)
  } catch {
    outbox.encodeError(withoutData(error))
  }
  outbox.addReply(call, layout.valueError)
}
