import type { IncomingCall } from '../runtime/incoming-call.ts'
import { cancelledError } from './execute.ts'

type Start = (call: IncomingCall) => void

/** Lets so many calls run at the same time and keeps the others, in order, until there is room. */
export class Limiter {
  readonly #max: number
  readonly #queue: { call: IncomingCall; start: Start }[] = []
  #running = 0
  /** Running calls that only wait, and leave their place to others. */
  #waiting = 0

  constructor(max: number) {
    this.#max = max
  }

  get running(): number {
    return this.#running
  }

  /** Starts the call now or later. It counts until it is replied to. */
  add(call: IncomingCall, start: Start): void {
    if (this.#running - this.#waiting < this.#max && this.#queue.length === 0) {
      this.#start(call, start)
      return
    }
    this.#queue.push({ call, start })
    call.onCancel = () => {
      const at = this.#queue.findIndex((each) => each.call === call)
      if (at < 0) return
      this.#queue.splice(at, 1)
      call.fail(cancelledError(call))
    }
  }

  /** The running calls wait for others: one more may start. */
  giveWay(): void {
    this.#waiting++
    this.#startNext()
  }

  resume(): void {
    this.#waiting--
  }

  #start(call: IncomingCall, start: Start): void {
    this.#running++
    call.onCancel = null
    call.onReplied = () => {
      this.#running--
      // Not within the reply: the next call may run for long, and what was replied has to leave first.
      if (this.#queue.length > 0) queueMicrotask(() => this.#startNext())
    }
    start(call)
  }

  #startNext(): void {
    while (this.#queue.length > 0 && this.#running - this.#waiting < this.#max) {
      const { call, start } = this.#queue.shift()!
      this.#start(call, start)
    }
  }
}
