/** What is known of a function's results before it is called. */
export const ResultKind = {
  /** Nothing: a call waits for the end of the turn, because iterating its result makes it a stream. */
  unknown: 0,
  value: 1,
  stream: 2,
} as const

/** One function at one target. */
export interface Callable {
  readonly target: number
  readonly functionId: number
  /** For errors. */
  readonly name: string
  /** Learned from the first result. */
  kind: number
}

export interface CallOptions {
  /**
   * Time limit in milliseconds from submission to result. Afterwards the call is cancelled and fails with
   * DeadlineExceededError. By default there is none.
   */
  timeoutMs?: number
  /** Cancels the call: it fails with CancelledError, whose cause is the signal's reason. */
  signal?: AbortSignal
}
