/** What follows the end of an actor's process: another start after a while, or the end, with what its error has to say. */
export type Verdict =
  | { readonly restarts: true; readonly delayMs: number }
  | { readonly restarts: false; readonly remark: string }

const firstDelayMs = 100
const delayMaxMs = 1_000
/** An actor that has lived for so long has recovered: its next restart waits for nothing. */
const recoveredMs = 10_000
/** So many lives in a row, each shorter than `quickMs`, within `loopMs` are a crash loop. */
const loopDeaths = 5
const quickMs = 1_000
const loopMs = 10_000

/** Decides for one actor whether it is restarted, and when. */
export class RestartPolicy {
  readonly #max: number
  #restarts = 0
  /** Restarts since the actor has recovered last. */
  #streak = 0
  /** When the last lives in a row ended that were short. */
  #quickDeathsMs: number[] = []

  /** How many restarts there are at most; -1 without limit. */
  constructor(maxRestarts: number) {
    this.#max = maxRestarts < 0 ? Infinity : maxRestarts
  }

  /** How often the actor was restarted. */
  get restarts(): number {
    return this.#restarts
  }

  get mayRestart(): boolean {
    return this.#restarts < this.#max
  }

  /** The process has ended, after the actor had been alive for so long: 0 if it never was. */
  died(nowMs: number, aliveMs: number): Verdict {
    if (!this.mayRestart) return { restarts: false, remark: this.#usedUp() }
    if (this.#isLoop(nowMs, aliveMs)) {
      const often = `died ${loopDeaths} times within ${loopMs / 1_000} s`
      const remark = `; crash loop: ${often}, each time less than ${quickMs / 1_000} s after its start`
      return { restarts: false, remark }
    }
    if (aliveMs >= recoveredMs) this.#streak = 0
    const delayMs = this.#streak === 0 ? 0 : firstDelayMs * 2 ** (this.#streak - 1)
    this.#streak += 1
    this.#restarts += 1
    return { restarts: true, delayMs: Math.min(delayMaxMs, delayMs) }
  }

  #isLoop(nowMs: number, aliveMs: number): boolean {
    if (aliveMs >= quickMs) this.#quickDeathsMs = []
    else this.#quickDeathsMs.push(nowMs)
    const first = this.#quickDeathsMs.at(-loopDeaths)
    this.#quickDeathsMs = this.#quickDeathsMs.slice(-loopDeaths)
    return first !== undefined && nowMs - first <= loopMs
  }

  #usedUp(): string {
    if (this.#restarts === 0) return ''
    const times = this.#restarts === 1 ? 'once' : `${this.#restarts} times`
    return `; restarted ${times}, no restart left`
  }
}
