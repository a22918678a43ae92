import type { Outbox } from '../native/outbox.ts'

export const RefState = {
  /** The core has no value yet, as far as is known here. */
  pending: 0,
  /** The core has a value or an error; nobody has asked for it. */
  ready: 1,
  value: 2,
  error: 3,
  disposed: 4,
} as const

export interface RefOutcome {
  readonly state: number
  /** The value in state `value`, the error in states `error` and `disposed`. */
  readonly value: unknown
}

/** Somebody who wants to know when a ref is ready. */
export interface Waiter {
  /** Whether the value is needed, or only the fact that there is one. */
  readonly wantsValue: boolean
  /** Called once; does not throw. If the value is wanted, the ref has one, or an error. */
  settle(ref: RefOutcome): void
}

/** Counts of refs that are given back when the object that stands for them is collected; 0 where that is done. */
export interface Hold {
  readonly refs: number[]
  readonly slot: number
}

/** A ref as its host sees it. */
export interface HostedRef {
  id: number
  state: number
  value: unknown
  isWatched: boolean
  hold: Hold | undefined
  holdIndex: number
  mapped: number
  setValue(value: unknown): void
  setError(error: unknown): void
}

/** What a ref needs of the endpoint that it belongs to. */
export interface RefHost {
  readonly isOpen: boolean
  /** Whether code waits within an async context that it must get back: inside a worker, where `context()` is one. */
  readonly carriesContext: boolean
  readonly outbox: Outbox
  /** Told when somebody begins and ends to wait for a ref, if set. */
  readonly waiting: { begin(): void; end(): void } | undefined
  /** Asks for an event when the ref is ready. */
  expect(ref: HostedRef): void
  stopExpecting(ref: HostedRef): void
  holdUntilCollected(ref: HostedRef): void
  /** The hold's only count has been given back. */
  dropHold(hold: Hold): void
  /** Reads the value of a ref that is ready. */
  readNow(ref: HostedRef): void
  /** Gives a handle of the core to a ref that has only its value or error left. */
  putAgain(ref: HostedRef): void
  /** Ends the views of a mapped value, unless others show it. */
  unmap(mapped: number): void
}
