export interface GetOptions {
  /** How long to wait in milliseconds. Afterwards a WaitTimeoutError is thrown; the call itself goes on. */
  timeoutMs?: number
  /** Ends the wait (not the call) with the signal's reason. */
  signal?: AbortSignal
}

/**
 * A handle to a value that exists or will exist, anywhere in the session.
 *
 * Await it for the value. Passed un-awaited as an argument of a call it stands for its value, which then goes straight from
 * the process that has it to the one that needs it; inside another value (`[ref]`, `{ ref }`) it travels as a ref.
 * A failed call whose ref nobody awaits raises nothing.
 *
 * The value stays in the store for as long as a ref to it exists somewhere. A ref that is collected by the garbage collector
 * lets go of it; `using` does so at once. Arrays inside a received value are views of shared memory: disposing the last ref
 * to the value empties them.
 */
export abstract class ObjectRef<T = unknown> implements PromiseLike<T>, Disposable {
  declare readonly [Symbol.toStringTag]: string
  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'ObjectRef' })
  }

  abstract then<Fulfilled = T, Rejected = never>(
    onFulfilled?: ((value: T) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): PromiseLike<Fulfilled | Rejected>

  /** The value as a Promise. Rejects with the error of the call, or with WaitTimeoutError. */
  abstract get(options?: GetOptions): Promise<T>

  /** Whether a value or an error is known to be there: it never becomes false again. */
  abstract get isReady(): boolean

  /** Lets go of the value. Waiting for a disposed ref fails with NotFoundError. */
  abstract dispose(): void

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** Printing a ref shows whether its value is there, not the value. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.isReady ? 'ObjectRef { ready }' : 'ObjectRef { pending }'
  }
}
