import type { Session } from '../sdk/session.ts'
import type { TaskPlaces } from './task-places.ts'

const graceMs = 2

/**
 * Tells the agent when a task waits for the results of others: its CPU may then be used by another worker, and the next task
 * of this one may begin. Without it, tasks that wait for tasks could occupy all CPUs and wait for ever.
 */
export class BlockedTasks {
  readonly #session: Session
  readonly #tasks: TaskPlaces
  #waits = 0
  #isBlocked = false
  #timer: NodeJS.Timeout | undefined

  constructor(session: Session, tasks: TaskPlaces) {
    this.#session = session
    this.#tasks = tasks
  }

  begin(): void {
    if (++this.#waits > 1 || this.#tasks.running === 0) return
    // Most waits are over before that.
    this.#timer ??= setTimeout(() => this.#block(), graceMs)
  }

  end(): void {
    if (--this.#waits > 0) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (!this.#isBlocked) return
    this.#isBlocked = false
    this.#tasks.resume()
    this.#tell('unblocked')
  }

  #block(): void {
    this.#timer = undefined
    if (this.#waits === 0 || this.#tasks.running === 0) return
    this.#isBlocked = true
    this.#tell('blocked')
    this.#tasks.giveWay()
  }

  #tell(what: string): void {
    if (this.#session.endpoint.isOpen) this.#session.callAgent(what, [])
  }
}
