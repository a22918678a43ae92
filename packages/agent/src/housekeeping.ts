import type { Dispatcher } from './dispatcher.ts'
import { resolveEnvironment } from './environment.ts'
import type { AgentOptions } from './options.ts'

/** The agent was not asked for anything for so long: starting workers ahead of need competes with nobody. */
const calmMs = 100
const sweepMs = 5_000

/** Keeps idle workers ready and ends those that nobody needs. */
export class Housekeeping {
  readonly #dispatcher: Dispatcher
  readonly #options: AgentOptions
  readonly #kept: ReadonlyMap<string, number>
  readonly #sweep: NodeJS.Timeout
  #closed = false
  #calm: NodeJS.Timeout | null = null

  constructor(dispatcher: Dispatcher, options: AgentOptions) {
    this.#dispatcher = dispatcher
    this.#options = options
    const environment = resolveEnvironment(undefined, options)
    const known = dispatcher.hosts.languages.filter((language) => options.prestart[language])
    this.#kept = new Map(
      known.map((language) => [
        dispatcher.poolFor(language, 'actor', environment),
        options.prestart[language]!,
      ]),
    )
    this.#sweep = setInterval(() => this.#stopIdle(), Math.min(sweepMs, this.#idleMs)).unref()
  }

  /** Something happens: put off what can wait. */
  touch(): void {
    if (this.#kept.size === 0 || this.#closed) return
    if (this.#calm) this.#calm.refresh()
    else this.#calm = setTimeout(() => this.#prestart(), calmMs).unref()
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#sweep)
    if (this.#calm) clearTimeout(this.#calm)
  }

  get #idleMs(): number {
    return Math.max(10, this.#options.idleSeconds * 1_000)
  }

  #prestart(): void {
    for (const [pool, count] of this.#kept) this.#dispatcher.prestart(pool, count)
  }

  #stopIdle(): void {
    this.#dispatcher.stopIdle(this.#idleMs, (pool) => this.#kept.get(pool) ?? 0)
  }
}
