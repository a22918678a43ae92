import { type Construction, giveUpArguments } from './construction.ts'
import { RestartPolicy, type Verdict } from './restart-policy.ts'

/** What is kept for an actor that has not ended for good: how it is constructed, and whether it may be again. */
export class ActorLife {
  readonly construction: Construction
  readonly #policy: RestartPolicy
  #aliveSinceMs: number | null = null
  #timer: NodeJS.Timeout | null = null

  constructor(construction: Construction, maxRestarts: number) {
    this.construction = construction
    this.#policy = new RestartPolicy(maxRestarts)
  }

  get restarts(): number {
    return this.#policy.restarts
  }

  alive(nowMs: number): void {
    this.#aliveSinceMs = nowMs
    if (!this.#policy.mayRestart) giveUpArguments(this.construction.args)
  }

  died(nowMs: number): Verdict {
    const aliveMs = this.#aliveSinceMs === null ? 0 : nowMs - this.#aliveSinceMs
    this.#aliveSinceMs = null
    return this.#policy.died(nowMs, aliveMs)
  }

  /** Runs it after the delay, unless the actor ends before. */
  after(delayMs: number, run: () => void): void {
    if (delayMs === 0) run()
    else this.#timer = setTimeout(run, delayMs).unref()
  }

  /** The actor has ended for good. */
  end(): void {
    if (this.#timer) clearTimeout(this.#timer)
    giveUpArguments(this.construction.args)
  }
}
