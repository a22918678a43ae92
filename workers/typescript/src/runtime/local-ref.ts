import { type Encodable, encodeAs, type ValueWriter } from '../codec/index.ts'
import { makeError } from '../errors/index.ts'
import type { TableRef } from '../native/outbox.ts'
import { Continuation } from './continuation.ts'
import { type GetOptions, ObjectRef } from './object-ref.ts'
import type { TableEntry } from './ref-table.ts'
import { type Hold, type HostedRef, type RefHost, RefState, type Waiter } from './ref-state.ts'
import { PromiseWaiter } from './waiters.ts'

/**
 * A ref as this endpoint knows it: the core's handle with one count, as long as there is any use for it, then the value alone.
 */
export class LocalRef<T = unknown>
  extends ObjectRef<T>
  implements TableRef, TableEntry, HostedRef, Encodable
{
  readonly endpoint: RefHost
  /** The core's handle; 0 when its count has been given back. */
  id: number
  state: number
  /** The value or error, when the state says so. */
  value: unknown = undefined
  nextOfSameId: TableEntry | undefined = undefined
  /** Whether an event is expected that tells when it is ready. */
  isWatched: boolean
  waiter: Waiter | undefined = undefined
  moreWaiters: Waiter[] | undefined = undefined
  /** What gives the count back if this object is forgotten, and where in it. */
  hold: Hold | undefined = undefined
  holdIndex = 0
  /** The ref of the bytes that views of the value show, if they are mapped; 0 if not. */
  mapped = 0

  constructor(endpoint: RefHost, id: number, state: number, isWatched: boolean) {
    super()
    this.endpoint = endpoint
    this.id = id
    this.state = state
    this.isWatched = isWatched
  }

  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): PromiseLike<A | B> {
    // A promise carries the async context of who waits, which the context of a running call is part of.
    if (this.endpoint.carriesContext) return this.get().then(onFulfilled, onRejected)
    const continuation = new Continuation<T, A, B>(onFulfilled, onRejected)
    this.addWaiter(continuation)
    return continuation
  }

  override get(options?: GetOptions): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiter = new PromiseWaiter<T>(resolve, reject)
      this.addWaiter(waiter)
      if (options !== undefined) waiter.limit(this, options)
    })
  }

  override get isReady(): boolean {
    return this.state !== RefState.pending
  }

  override dispose(): void {
    if (this.state === RefState.disposed) return
    if (this.isWatched) this.endpoint.stopExpecting(this)
    this.letGo()
    if (this.mapped !== 0) this.endpoint.unmap(this.mapped)
    this.value = this.waiter === undefined ? undefined : disposedError()
    this.state = RefState.disposed
    this.#settleWaiters()
  }

  addWaiter(waiter: Waiter): void {
    if (this.state === RefState.pending) {
      if (this.waiter !== undefined) {
        ;(this.moreWaiters ??= []).push(waiter)
        return
      }
      this.waiter = waiter
      if (!this.isWatched) this.endpoint.expect(this)
      this.endpoint.waiting?.begin()
      return
    }
    queueMicrotask(() => {
      if (waiter.wantsValue) this.#makeValue()
      waiter.settle(this)
    })
  }

  removeWaiter(waiter: Waiter): void {
    if (this.waiter === undefined) return
    const rest = this.moreWaiters?.filter((each) => each !== waiter) ?? []
    if (this.waiter === waiter) this.waiter = rest.shift()
    this.moreWaiters = rest.length === 0 ? undefined : rest
    if (this.waiter === undefined) this.endpoint.waiting?.end()
  }

  /** The core has a value; `read` decodes it from where it is now, if somebody wants it. */
  becomeReady(read: (ref: HostedRef) => void): void {
    this.isWatched = false
    this.state = RefState.ready
    if (this.waiter !== undefined && this.#isValueWanted()) read(this)
    if (this.state === RefState.ready) this.endpoint.holdUntilCollected(this)
    this.#settleWaiters()
  }

  /** The call ends here with this error, whatever the core still does with it. */
  fail(error: unknown): void {
    if (this.state > RefState.ready) return
    if (this.isWatched) this.endpoint.stopExpecting(this)
    this.setError(error)
    this.#settleWaiters()
  }

  setValue(value: unknown): void {
    this.value = value
    this.state = RefState.value
    const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function'
    // A value that cannot change needs no count: passed on again, it is sent again.
    if (!isObject) this.letGo()
    else if (this.hold === undefined) this.endpoint.holdUntilCollected(this)
  }

  setError(error: unknown): void {
    this.value = error
    this.state = RefState.error
    this.letGo()
  }

  /** Gives the count of the core's handle back. */
  letGo(): void {
    if (this.id === 0) return
    if (this.hold !== undefined) {
      this.hold.refs[this.holdIndex] = 0
      this.endpoint.dropHold(this.hold)
      this.hold = undefined
    }
    this.endpoint.outbox.release(this.id)
    this.id = 0
  }

  coreHandle(): number {
    if (this.state === RefState.disposed) throw disposedError()
    if (this.id === 0) this.endpoint.putAgain(this)
    return this.id
  }

  [encodeAs](writer: ValueWriter): void {
    if (this.state === RefState.disposed) writer.refuse('the ref was disposed')
    if (!this.endpoint.isOpen) writer.refuse('the ref belongs to a session that has ended')
    writer.ref(this)
  }

  #isValueWanted(): boolean {
    return this.waiter!.wantsValue || (this.moreWaiters?.some((each) => each.wantsValue) ?? false)
  }

  #makeValue(): void {
    if (this.state === RefState.ready) this.endpoint.readNow(this)
    if (this.state === RefState.disposed) this.value = disposedError()
  }

  #settleWaiters(): void {
    const { waiter, moreWaiters } = this
    if (waiter === undefined) return
    this.waiter = undefined
    this.moreWaiters = undefined
    this.endpoint.waiting?.end()
    waiter.settle(this)
    if (moreWaiters !== undefined) for (const each of moreWaiters) each.settle(this)
  }
}

function disposedError(): Error {
  const fields = { kind: 'value', name: 'of this ref', available: 'none: it was disposed' }
  return makeError('NOT_FOUND', fields)
}
