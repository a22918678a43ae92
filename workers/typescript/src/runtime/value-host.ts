import { type ActorHandleFields, Encoder } from '../codec/index.ts'
import { makeError, toErrorValue } from '../errors/index.ts'
import { type NativeEndpoint, Status } from '../native/binding.ts'
import * as layout from '../native/layout.ts'
import { Outbox } from '../native/outbox.ts'
import { translated } from '../native/status-error.ts'
import { Delivery } from './delivery.ts'
import { Flow } from './flow.ts'
import { Holds } from './holds.ts'
import { LocalRef } from './local-ref.ts'
import type { ItemResult, LocalStream, StreamHost } from './object-stream.ts'
import { type Hold, type HostedRef, type RefHost, RefState } from './ref-state.ts'
import { type ValueAdopter, ValueReader } from './value-reader.ts'

const noItem: ItemResult = { status: Status.wouldBlock, isError: false, value: undefined }
const endOfItems: ItemResult = { status: Status.end, isError: false, value: undefined }

/** An attached endpoint as its refs, streams and values see it. */
export abstract class ValueHost implements RefHost, StreamHost, ValueAdopter {
  readonly native: NativeEndpoint
  readonly outbox: Outbox
  readonly values: ValueReader
  readonly delivery: Delivery
  readonly flow: Flow
  /** Whether calls can be made. */
  isOpen = true
  /** Whether the core's endpoint exists. */
  isAttached = true
  carriesContext = false
  waiting: RefHost['waiting'] = undefined
  /** Makes actor handles of those in values; until it is set they are their bare fields. */
  makeActor: (fields: ActorHandleFields) => unknown = (fields) => fields
  protected readonly held: Holds

  constructor(connect: (deliver: (count: number) => void) => NativeEndpoint) {
    try {
      this.native = connect((count) => this.delivery.deliver(count))
    } catch (error) {
      throw translated(error)
    }
    this.outbox = new Outbox(this.native)
    this.values = new ValueReader(this.native, this)
    this.delivery = new Delivery(this, this.values)
    this.held = new Holds(this.outbox)
    this.flow = new Flow(this.native, this.outbox)
  }

  /** How often an object was made whose collection lets go of something elsewhere. */
  get holds(): number {
    return this.held.made + this.values.mappings.made
  }

  checkOpen(): void {
    if (!this.isOpen) throw makeError('SESSION_CLOSED', {})
  }

  // ---- what refs ask for ----

  expect(ref: LocalRef): void {
    ref.isWatched = true
    this.delivery.expected.add(ref)
    this.outbox.watch(ref.id)
    this.outbox.keepAlive(1)
  }

  stopExpecting(ref: LocalRef): void {
    ref.isWatched = false
    if (this.delivery.expected.remove(ref)) this.outbox.keepAlive(-1)
  }

  holdUntilCollected(ref: HostedRef): void {
    ref.hold = this.held.hold(ref, ref.id)
    ref.holdIndex = 0
  }

  shareHold(): Hold {
    return this.held.share()
  }

  dropHold(hold: Hold): void {
    this.held.drop(hold)
  }

  readNow(ref: HostedRef): void {
    try {
      this.checkOpen()
      if (this.native.refRead(ref.id) !== Status.ok) throw makeError('INTERNAL', noValue)
      this.readInto(ref, layout.eventsMax)
    } catch (error) {
      ref.setError(translated(error))
    }
  }

  /** Reads the value of an event into the ref. Does not throw: what is wrong becomes the ref's error. */
  readInto(ref: HostedRef, index: number): void {
    try {
      if (this.values.isError(index)) {
        ref.setError(this.values.error(index))
        return
      }
      const value = this.values.value(index)
      ref.mapped = this.values.mapped
      ref.setValue(value)
    } catch (error) {
      ref.setError(translated(error))
    }
  }

  putAgain(ref: HostedRef): void {
    const encoder = new Encoder()
    const failed = ref.state === RefState.error
    if (failed) encoder.encodeError(toErrorValue(ref.value))
    else encoder.encode(ref.value)
    const bytes = encoder.bytes.subarray(encoder.start, encoder.end)
    const token = this.native.bufferCreate(bytes.length)
    this.native.bufferWrite(token, 0, bytes)
    this.native.bufferFinish(token)
    ref.id = this.native.put(0, bytes.length, token, 0, 0, failed ? layout.valueError : 0)
    this.holdUntilCollected(ref)
  }

  unmap(mapped: number): void {
    this.values.mappings.unmap(mapped)
  }

  // ---- what streams ask for ----

  takeItem(stream: number): ItemResult {
    if (!this.isAttached) return endOfItems
    this.outbox.flush()
    const status = this.native.streamNext(stream)
    if (status !== Status.ok) return status === Status.end ? endOfItems : noItem
    const item = this.values.floats[
      layout.eventsMax * layout.eventFloats + layout.event.refF
    ] as number
    try {
      const isError = this.values.isError(layout.eventsMax)
      const { values } = this
      const value = isError ? values.error(layout.eventsMax) : values.value(layout.eventsMax)
      return { status, isError, value }
    } catch (error) {
      return { status, isError: true, value: translated(error) }
    } finally {
      this.outbox.release(item)
    }
  }

  expectItem(stream: LocalStream): void {
    stream.isWatched = true
    this.delivery.expected.add(stream)
    this.outbox.watch(stream.id)
    this.outbox.keepAlive(1)
  }

  stopExpectingItem(stream: LocalStream): void {
    stream.isWatched = false
    if (this.delivery.expected.remove(stream)) this.outbox.keepAlive(-1)
  }

  onRoom(target: number): void {
    this.flow.onRoom(target)
  }

  endStream(stream: number, finished: boolean, recursive: boolean): void {
    if (!finished) this.native.cancel(stream, recursive ? layout.cancelRecursive : 0)
    this.outbox.release(stream)
  }

  // ---- what values hold ----

  adoptRef(id: number, hold: Hold | undefined): LocalRef {
    this.outbox.retain(id)
    const ref = new LocalRef(this, id, RefState.pending, false)
    if (hold === undefined) {
      this.holdUntilCollected(ref)
    } else {
      ref.hold = hold
      ref.holdIndex = hold.refs.push(id) - 1
    }
    return ref
  }

  readResolved(id: number): unknown {
    if (this.native.refRead(id) !== Status.ok) return this.adoptRef(id, undefined)
    if (this.values.isError(layout.eventsMax)) throw this.values.error(layout.eventsMax)
    return this.values.value(layout.eventsMax)
  }

  adoptActor(fields: ActorHandleFields): unknown {
    return this.makeActor(fields)
  }
}

const noValue = { reason: 'a ref that is ready has no value' }
