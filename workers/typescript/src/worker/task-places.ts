import type { Endpoint } from '../runtime/endpoint.ts'
import type { IncomingCall } from '../runtime/incoming-call.ts'

const unlimited = 2 ** 31
/** Calls of the agent's, which wait for no task. */
const control = [
  'worker::create_actor',
  'worker::destroy_actor',
  'worker::exit',
  'worker::is_unused',
]

/**
 * How many tasks run here at once: one, and one more while those that run only wait. The core gives out no more; the others
 * stay with it, where they can be called back and go to another worker.
 */
export class TaskPlaces {
  readonly #endpoint: Endpoint
  readonly #methods: Uint32Array
  #running = 0
  #waiting = 0

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint
    this.#methods = Uint32Array.from(control.flatMap((name) => [endpoint.functionId(name), 1]))
    this.#setLimit()
  }

  get running(): number {
    return this.#running
  }

  /** A task begins; it is over when it is replied to. */
  take(call: IncomingCall): void {
    this.#running++
    call.onReplied = () => {
      this.#running--
    }
  }

  /** The running tasks wait for others: one more may start. */
  giveWay(): void {
    this.#waiting++
    this.#setLimit()
  }

  resume(): void {
    this.#waiting--
    if (this.#endpoint.isOpen) this.#setLimit()
  }

  #setLimit(): void {
    const limits = Uint32Array.of(1 + this.#waiting, unlimited)
    this.#endpoint.native.instanceGroups(0, '\ncontrol', limits, this.#methods)
  }
}
