/** Somebody who waits for room. */
export interface RoomWaiter {
  resolve(): void
  reject(error: unknown): void
}

/**
 * Where calls go, as this thread knows it. The core counts what is pending; so that it need not be asked for each call, this
 * many more are known to be within its limits.
 */
export class CallTarget {
  /** The core's. */
  readonly number: number
  callsLeft = 0
  bytesLeft = 0
  /** Whether a call beyond the limits blocks the thread instead of being refused. */
  waits = false
  /** Whether calls made inside a call belong to it; those to the agent do not. */
  inherits = true
  /** How many were told in this turn of the event loop that there is room, and have not made their call. */
  promised = 0
  readonly waiting: RoomWaiter[] = []

  constructor(number: number) {
    this.number = number
  }
}
