import type { CallTarget } from './call-target.ts'

/** What is known of a function's results before it is called. */
export const ResultKind = {
  /** Nothing: a call waits for the end of the turn, because iterating its result makes it a stream. */
  unknown: 0,
  value: 1,
  stream: 2,
} as const

/** One function at one target. */
export interface Callable {
  readonly target: CallTarget
  readonly functionId: number
  /** For errors. */
  readonly name: string
  /** The core's number of the options that its calls have by default; 0 for none. */
  readonly options: number
  /** Learned from the first result. */
  kind: number
}

export interface CallOptions {
  /**
   * Time limit in milliseconds from submission to result. Afterwards the call is cancelled, with the calls that it has made,
   * and fails with DeadlineExceededError. By default there is none; a call made inside another has at most the time of that.
   */
  timeoutMs?: number
  /** Cancels the call and those that it has made: it fails with CancelledError, whose cause is the signal's reason. */
  signal?: AbortSignal
}

/** What a call may differ in from others of its function. */
export interface BoundOptions extends CallOptions {
  /** The core's number of its other options, in place of the function's. */
  number?: number
}
