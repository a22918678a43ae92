import type { Dispatcher } from './dispatcher.ts'
import { invalidArgument, type ThornbackError } from './errors.ts'
import type { WorkerEnvironment } from './environment.ts'
import type { Slot } from './pool.ts'
import type { Amounts } from './resource-amounts.ts'

/** What kind of worker the tasks of a lease need. */
export interface Shape {
  readonly language: string
  readonly environment: WorkerEnvironment
  readonly resources: Amounts
  readonly priority: number
}

export interface LeaseWish {
  readonly shape: Shape
  readonly holder: number
  readonly job: number
  granted(endpoint: number, gpus: readonly number[]): void
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
        wish.granted(slot.endpoint, this.#dispatcher.budget.gpusOf(slot.token))
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
      throw invalidArgument('endpoint', reason)
    }
    this.#holders.delete(slot.token)
    this.#dispatcher.release(slot)
  }

  /** Ends a worker at once, whatever it executes: only one that is leased for the job of who asks. */
  end(endpoint: number, job: number): Slot {
    const slot = this.#dispatcher.pool.at(endpoint)
    if (!slot || this.#holders.get(slot.token)?.job !== job) {
      const reason = `endpoint ${endpoint} is no task worker leased for this job; give one that is`
      throw invalidArgument('end_worker.endpoint', reason)
    }
    this.#holders.delete(slot.token)
    this.#dispatcher.kill(slot)
    return slot
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
