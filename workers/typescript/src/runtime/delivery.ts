import type { NativeEndpoint } from '../native/binding.ts'
import { Status } from '../native/binding.ts'
import * as layout from '../native/layout.ts'
import { event, eventKind, recordKind } from '../native/layout.ts'
import type { Outbox } from '../native/outbox.ts'
import { statusError, translated } from '../native/status-error.ts'
import { makeError, toErrorValue } from '../errors/index.ts'
import { IncomingCall, replyError, type ReplyHost } from './incoming-call.ts'
import type { HostedRef } from './ref-state.ts'
import { RefTable, type TableEntry } from './ref-table.ts'
import type { ValueReader } from './value-reader.ts'

/** A process or thread that is attached to the node. */
export interface PeerFields {
  readonly id: number
  readonly pid: number
  /** Role, language and token, separated by blanks. */
  readonly text: string
}

/** News for who serves an endpoint; set what is of interest. */
export interface EndpointEvents {
  call?: ((call: IncomingCall) => void) | undefined
  peerJoined?: ((peer: PeerFields) => void) | undefined
  peerLeft?: ((id: number, cause: string) => void) | undefined
  /** The session ends or the node is gone. */
  shutdown?: (() => void) | undefined
}

/** A ref or stream that an event is expected for. */
export interface Expecting extends TableEntry {
  becomeReady(read: (ref: HostedRef) => void): void
  fail(error: unknown): void
}

export interface DeliveryHost {
  readonly isOpen: boolean
  readonly native: NativeEndpoint
  readonly outbox: Outbox
  /** Reads the value of an event into a ref. */
  readInto(ref: HostedRef, index: number): void
  /** A target takes calls again. */
  onRoom(target: number): void
}

/** Takes the events of one delivery apart and finds who waits for each. */
export class Delivery implements ReplyHost {
  readonly expected = new RefTable<Expecting>()
  readonly events: EndpointEvents = {}
  readonly native: NativeEndpoint
  readonly outbox: Outbox
  readonly #incoming = new RefTable<IncomingCall>()
  readonly #host: DeliveryHost
  readonly #values: ValueReader
  readonly #names: (string | undefined)[] = []
  readonly #read: (ref: HostedRef) => void
  #index = 0

  constructor(host: DeliveryHost, values: ValueReader) {
    this.native = host.native
    this.outbox = host.outbox
    this.#host = host
    this.#values = values
    this.#read = (ref) => host.readInto(ref, this.#index)
  }

  get isOpen(): boolean {
    return this.#host.isOpen
  }

  /** Called by the addon with the number of events in the inbox. Does not throw. */
  deliver(count: number): void {
    const { words } = this.#values
    for (let index = 0; index < count && this.#host.isOpen; index++) {
      const kind = words[index * layout.eventWords + event.kind] as number
      if (kind === eventKind.ready) this.#onReady(index)
      else if (kind === eventKind.call) this.#onCall(index)
      else this.#onOther(kind, index)
    }
  }

  /** Fails everything that is expected. */
  failAll(error: Error): void {
    for (const each of this.expected.takeAll()) {
      each.nextOfSameId = undefined
      each.fail(error)
    }
  }

  forgetIncoming(call: IncomingCall): void {
    this.#incoming.take(call.id)
  }

  #onReady(index: number): void {
    const id = this.#values.floats[index * layout.eventFloats + event.refF] as number
    this.#index = index
    for (let each = this.#take(id); each !== undefined;) {
      const next = each.nextOfSameId as Expecting | undefined
      each.nextOfSameId = undefined
      each.becomeReady(this.#read)
      each = next
    }
  }

  /** Whoever expects an event of this ref, which is now no reason any more to keep the event loop going. */
  #take(id: number): Expecting | undefined {
    const first = this.expected.take(id)
    let each: TableEntry | undefined = first
    for (; each !== undefined; each = each.nextOfSameId) this.outbox.keepAlive(-1)
    return first
  }

  #onCall(index: number): void {
    const { words, floats } = this.#values
    const word = index * layout.eventWords
    const float = word >> 1
    const call = new IncomingCall(
      this,
      floats[float + event.callF] as number,
      this.#functionName(words[word + event.function] as number),
      words[word + event.instance] as number,
      words[word + event.caller] as number,
      (words[word + event.flags]! & layout.eventStreamCall) !== 0,
      floats[float + event.deadlineNsF] as number,
    )
    this.#incoming.add(call)
    try {
      call.args = this.#values.arguments(index)
      if (this.events.call === undefined) throw makeError('NOT_SUPPORTED', servesNothing)
      this.events.call(call)
    } catch (error) {
      call.fail(translated(error))
    }
  }

  #functionName(id: number): string {
    return (this.#names[id] ??= this.native.functionName(id))
  }

  #onOther(kind: number, index: number): void {
    const { words, floats } = this.#values
    const word = index * layout.eventWords
    const id = floats[(word >> 1) + event.callF] as number
    const caller = words[word + event.caller] as number
    switch (kind) {
      case eventKind.cancel:
        this.#withIncoming(id, (call) => {
          call.isCancelled = true
          call.onCancel?.()
        })
        break
      case eventKind.credit:
        this.#withIncoming(id, (call) => call.onCredit?.())
        break
      case eventKind.peerJoined: {
        const pid = words[word + event.function] as number
        this.events.peerJoined?.({ id: caller, pid, text: this.#values.text(index) })
        break
      }
      case eventKind.peerLeft:
        this.events.peerLeft?.(caller, this.#values.text(index))
        break
      case eventKind.shutdown:
        this.events.shutdown?.()
        break
      case eventKind.room:
        this.#host.onRoom(words[word + event.instance] as number)
        break
      case eventKind.refused:
        this.#onRefused(index)
        break
    }
  }

  #withIncoming(id: number, act: (call: IncomingCall) => void): void {
    const call = this.#incoming.take(id)
    if (call === undefined) return
    this.#incoming.add(call)
    act(call)
  }

  /** The core did not take a record: the call fails, or who made the call that was replied to is told. */
  #onRefused(index: number): void {
    const { words, floats } = this.#values
    const word = index * layout.eventWords
    const float = word >> 1
    const status = words[word + event.instance] as number
    const error = statusError(status, this.#values.text(index))
    if (words[word + event.function] === recordKind.call) {
      const id = floats[float + event.refF] as number
      for (let each = this.#take(id); each !== undefined;) {
        const next = each.nextOfSameId as Expecting | undefined
        each.fail(error)
        each = next
      }
    } else if (status === Status.storeFull || status === Status.noMemory) {
      replyError(this.outbox, floats[float + event.callF] as number, toErrorValue(error))
    }
  }
}

const servesNothing = { what: 'this call', reason: 'the endpoint serves nothing' }
