import { type RefOutcome, RefState, type Waiter } from './ref-state.ts'

type Fulfilled<T, R> = ((value: T) => R | PromiseLike<R>) | null | undefined
type Rejected<R> = ((reason: unknown) => R | PromiseLike<R>) | null | undefined

/**
 * What `then` of a ref returns. `await` ignores it, so the promise that it stands for is only made when somebody chains.
 */
export class Continuation<T, A, B> implements PromiseLike<A | B>, Waiter {
  readonly wantsValue = true
  private readonly onFulfilled: Fulfilled<T, A>
  private readonly onRejected: Rejected<B>
  private promise: Promise<A | B> | undefined = undefined
  private resolve: ((value: A | B | PromiseLike<A | B>) => void) | undefined = undefined
  private reject: ((reason: unknown) => void) | undefined = undefined
  private isSettled = false
  private result: A | B | PromiseLike<A | B> | undefined = undefined

  constructor(onFulfilled: Fulfilled<T, A>, onRejected: Rejected<B>) {
    this.onFulfilled = onFulfilled
    this.onRejected = onRejected
  }

  settle(ref: RefOutcome): void {
    const failed = ref.state !== RefState.value
    const handler = failed ? this.onRejected : this.onFulfilled
    try {
      if (typeof handler === 'function') this.#finish(handler(ref.value as T))
      else if (failed) this.#fail(ref.value)
      else this.#finish(ref.value as A)
    } catch (error) {
      this.#fail(error)
    }
  }

  then<C = A | B, D = never>(
    onFulfilled?: Fulfilled<A | B, C>,
    onRejected?: Rejected<D>,
  ): Promise<C | D> {
    return this.#asPromise().then(onFulfilled, onRejected)
  }

  #finish(result: A | B | PromiseLike<A | B>): void {
    this.isSettled = true
    if (this.resolve !== undefined) this.resolve(result)
    else this.result = result
  }

  #fail(error: unknown): void {
    this.isSettled = true
    // A rejected promise that nobody handles is reported by the runtime, as it should be.
    if (this.reject !== undefined) this.reject(error)
    else this.promise = Promise.reject(asError(error))
  }

  #asPromise(): Promise<A | B> {
    if (this.promise === undefined) {
      this.promise = this.isSettled
        ? Promise.resolve(this.result as A | B)
        : new Promise((resolve, reject) => {
            this.resolve = resolve
            this.reject = reject
          })
    }
    return this.promise
  }
}

/** What is rejected is passed on as it is, error or not. */
function asError(reason: unknown): Error {
  return reason as Error
}
