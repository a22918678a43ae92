import { cancelRecursive } from '../native/layout.ts'
import { type Callable, ResultKind } from './callable.ts'
import { iteratorOf } from './generators.ts'
import { LocalRef } from './local-ref.ts'
import { isAStream, noStream, type ObjectStream } from './object-stream.ts'
import { type HostedRef, type RefHost, RefState } from './ref-state.ts'

export interface CallHost extends RefHost {
  /** Turns a call that was not handed over yet into a stream; undefined if it is too late. */
  makeStream(ref: CallRef): ObjectStream | undefined
  cancel(ref: LocalRef, flags: number): void
}

/**
 * The result of a call. Whether the function is a generator is not known here, so the result can be awaited and iterated:
 * iterated within the turn of the event loop that made the call, the call is sent as one for a stream. Otherwise what a
 * generator yields arrives as one list, and that is iterated.
 */
export class CallRef<T = unknown> extends LocalRef<T> implements AsyncIterable<T> {
  declare readonly endpoint: CallHost
  readonly callable: Callable
  /** Where the call stands in the outbox. */
  readonly position: number

  constructor(endpoint: CallHost, id: number, callable: Callable, position: number) {
    super(endpoint, id, RefState.pending, true)
    this.callable = callable
    this.position = position
  }

  override becomeReady(read: (ref: HostedRef) => void): void {
    super.becomeReady(read)
    // A list may be what a generator has yielded.
    if (this.state === RefState.value && !Array.isArray(this.value)) {
      this.callable.kind = ResultKind.value
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    const stream = this.state === RefState.pending ? this.endpoint.makeStream(this) : undefined
    if (stream === undefined) return this.#items()
    this.callable.kind = ResultKind.stream
    return stream as ObjectStream<T>
  }

  async *#items(): AsyncGenerator<T, undefined> {
    const value: unknown = await this.get()
    const items = iteratorOf(value)
    if (items === undefined) throw noStream(this.callable.name)
    this.callable.kind = ResultKind.stream
    yield* value as Iterable<T>
    return undefined
  }

  abort(error: unknown): void {
    this.endpoint.cancel(this, cancelRecursive)
    this.fail(error)
  }

  whenOver(done: () => void): void {
    this.addWaiter({ wantsValue: false, settle: done })
  }

  /** The call is a stream now: this ref has no value any more. */
  becomeStream(): void {
    this.id = 0
    this.isWatched = false
    this.fail(isAStream(this.callable.name))
  }
}
