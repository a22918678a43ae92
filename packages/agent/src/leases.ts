import type { Dispatcher } from './dispatcher.ts'
import { makeError, type ThornbackError } from './errors.ts'
import type { WorkerEnvironment } from './environment.ts'
import type { Slot } from './pool.ts'

/** What kind of worker the tasks of a lease need. */
export interface Shape {
  readonly language: string
  readonly environment: WorkerEnvironment
  readonly cpu: number
}

export interface LeaseWish {
  readonly shape: Shape
  readonly holder: number
  readonly job: number
  granted(endpoint: number): void
  failed(error: ThornbackError): void
}

/** Who may push tasks to which worker. */
export class Leases {
  readonly #dispatcher: Dispatcher
  /** By the token of the worker. */
  readonly #holders = new Map<string, { holder: number; job: number; slot: Slot }>()

  constructor(dispatcher: Dispatcher) {
    this.#dispatcher = dispatcher
  }

  get count(): number {
    return this.#holders.size
  }

  /** The number withdraws the wish while it waits. */
  request(wish: LeaseWish): number {
    const { shape, holder, job } = wish
    return this.#dispatcher.request({
      use: 'leased',
      ...shape,
      job,
      holder,
      granted: (slot) => {
        this.#holders.set(slot.token, { holder, job, slot })
        wish.granted(slot.endpoint)
      },
      failed: (error) => wish.failed(error),
    })
  }

  /** Gives up a wish that still waits. */
  withdraw(request: number): void {
    this.#dispatcher.withdraw(request)
  }

  release(endpoint: number, caller: number): void {
    const slot = this.#dispatcher.pool.at(endpoint)
    // The worker may have died on the way.
    if (!slot) return
    if (this.#holders.get(slot.token)?.holder !== caller) {
      const reason = `endpoint ${caller} has no lease of worker ${endpoint}`
      throw makeError('INVALID_ARGUMENT', { option: 'endpoint', reason })
    }
    this.#holders.delete(slot.token)
    this.#dispatcher.release(slot)
  }

  /** The worker is gone, and its lease with it. */
  lost(token: string): void {
    this.#holders.delete(token)
  }

  /** Ends what a dead endpoint held: its workers compute for nobody, so they are killed. */
  holderLeft(endpoint: number): void {
    this.#endWhere((lease) => lease.holder === endpoint)
  }

  jobEnded(job: number): void {
    this.#endWhere((lease) => lease.job === job)
  }

  #endWhere(matches: (lease: { holder: number; job: number }) => boolean): void {
    const ended = [...this.#holders.values()].filter(matches)
    for (const { slot } of ended) this.#holders.delete(slot.token)
    for (const { slot } of ended) this.#dispatcher.kill(slot)
  }
}
