import { collectGarbage } from '../runtime/collect-garbage.ts'

/** What the collector has to know of an endpoint. */
export interface Holder {
  /** How often, since it attached, an object was made whose collection lets go of something elsewhere. */
  readonly holds: number
}

const idleMs = 500
/** With fewer objects than this it is not worth the collection until some time has passed. */
const fewHolds = 32
const patienceTurns = 10

/**
 * Runs the garbage collector when a worker has become idle. Refs and mapped arrays that calls have left behind keep memory of
 * other processes occupied, which the runtime's own collector knows nothing of: in an idle worker it might not run for hours.
 * A worker that stays idle, or got nothing of that kind, is not woken.
 */
export class IdleCollector {
  readonly #holder: Holder
  readonly #run: () => void
  #collected = 0
  #wasActive = false
  #turns = 0
  #timer: NodeJS.Timeout | undefined

  constructor(holder: Holder, run: () => void = collectGarbage) {
    this.#holder = holder
    this.#run = run
  }

  /** A call has arrived. */
  touch(): void {
    this.#wasActive = true
    if (this.#timer === undefined) this.#wait()
  }

  #wait(): void {
    this.#timer = setTimeout(() => this.#look(), idleMs)
    this.#timer.unref()
  }

  #look(): void {
    this.#timer = undefined
    const holds = this.#holder.holds - this.#collected
    if (holds === 0) return
    const wasActive = this.#wasActive
    this.#wasActive = false
    this.#turns++
    if (wasActive || (holds < fewHolds && this.#turns < patienceTurns)) {
      this.#wait()
      return
    }
    this.#turns = 0
    this.#collected = this.#holder.holds
    this.#run()
  }
}
