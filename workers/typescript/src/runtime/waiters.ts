import { makeError } from '../errors/index.ts'
import type { GetOptions } from './object-ref.ts'
import { type RefOutcome, RefState, type Waiter } from './ref-state.ts'

/** Settles a promise with the value of a ref, or ends the wait before. */
export class PromiseWaiter<T> implements Waiter {
  readonly wantsValue = true
  readonly #resolve: (value: T) => void
  readonly #reject: (reason: unknown) => void
  #stop: (() => void) | undefined

  constructor(resolve: (value: T) => void, reject: (reason: unknown) => void) {
    this.#resolve = resolve
    this.#reject = reject
  }

  settle(ref: RefOutcome): void {
    this.#stop?.()
    if (ref.state === RefState.value) this.#resolve(ref.value as T)
    else this.#reject(ref.value)
  }

  /** Ends the wait when the options say so. */
  limit(ref: { removeWaiter(waiter: Waiter): void }, { timeoutMs, signal }: GetOptions): void {
    const giveUp = (reason: unknown): void => {
      this.#stop?.()
      ref.removeWaiter(this)
      this.#reject(reason)
    }
    const onAbort = (): void => giveUp(signal?.reason)
    const onTimeout = (): void => {
      giveUp(makeError('TIMEOUT', { what: 'the value', timeout_ms: timeoutMs }))
    }
    const timer = timeoutMs === undefined ? undefined : setTimeout(onTimeout, timeoutMs)
    this.#stop = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      this.#stop = undefined
    }
    signal?.addEventListener('abort', onAbort)
    if (signal?.aborted) onAbort()
  }
}
