/** `retiring`: idle for so long that it may end, unless somebody still needs what lies there. */
export type SlotState = 'starting' | 'idle' | 'leased' | 'actor' | 'retiring'

/** One endpoint that can execute: a worker process, or one thread of a process that hosts several. */
export interface Slot {
  /** What the worker attaches with; unique in the session. */
  readonly token: string
  readonly host: string
  readonly pool: string
  state: SlotState
  /** 0 until it has attached. */
  endpoint: number
  /** Nothing was executed on it yet. */
  fresh: boolean
  idleSinceMs: number
  /** The driver for which it works; 0 while idle. */
  job: number
}

/** Which workers exist, by pool, and in which state. Decides; starts and stops nothing. */
export class Pool {
  readonly #slots = new Map<string, Slot>()
  readonly #byEndpoint = new Map<number, Slot>()

  addHost(host: string, pool: string, tokens: readonly string[]): void {
    for (const token of tokens) {
      const blank = { state: 'starting', endpoint: 0, fresh: true, idleSinceMs: 0, job: 0 } as const
      this.#slots.set(token, { token, host, pool, ...blank })
    }
  }

  get(token: string): Slot | undefined {
    return this.#slots.get(token)
  }

  at(endpoint: number): Slot | undefined {
    return this.#byEndpoint.get(endpoint)
  }

  slots(): Slot[] {
    return [...this.#slots.values()]
  }

  slotsOf(host: string): Slot[] {
    return this.slots().filter((slot) => slot.host === host)
  }

  /** The worker has attached and can be used. */
  joined(token: string, endpoint: number, nowMs: number): Slot | undefined {
    const slot = this.#slots.get(token)
    if (slot?.state !== 'starting') return undefined
    slot.endpoint = endpoint
    this.#byEndpoint.set(endpoint, slot)
    this.#toIdle(slot, nowMs)
    return slot
  }

  /** The endpoint is gone. The slot waits for the next one with its token; `removeHost` ends that. */
  left(endpoint: number): Slot | undefined {
    const slot = this.#byEndpoint.get(endpoint)
    if (!slot) return undefined
    this.#byEndpoint.delete(endpoint)
    Object.assign(slot, { state: 'starting', endpoint: 0, fresh: true, job: 0 })
    return slot
  }

  removeHost(host: string): void {
    for (const slot of this.slotsOf(host)) {
      this.#slots.delete(slot.token)
      if (slot.endpoint !== 0) this.#byEndpoint.delete(slot.endpoint)
    }
  }

  /**
   * An idle worker, the most recently used one, so that the others can time out; or one that has executed nothing, if
   * there is any.
   */
  take(pool: string, use: 'leased' | 'actor', job: number): Slot | undefined {
    let best: Slot | undefined
    for (const slot of this.#slots.values()) {
      if (slot.pool !== pool || slot.state !== 'idle') continue
      if (!best || this.#better(slot, best, use)) best = slot
    }
    if (best) Object.assign(best, { state: use, fresh: false, job })
    return best
  }

  release(slot: Slot, nowMs: number): void {
    if (slot.state === 'leased') this.#toIdle(slot, nowMs)
  }

  /** Takes an idle host out of use; `keep` brings it back. */
  retire(host: string): Slot[] {
    const slots = this.slotsOf(host)
    for (const slot of slots) slot.state = 'retiring'
    return slots
  }

  keep(slot: Slot, nowMs: number): void {
    if (slot.state === 'retiring') this.#toIdle(slot, nowMs)
  }

  count(pool: string, state: SlotState): number {
    let count = 0
    for (const slot of this.#slots.values()) {
      if (slot.pool === pool && slot.state === state) count += 1
    }
    return count
  }

  /** Hosts that have been idle for so long, beyond the number that each pool keeps; the longest idle first. */
  expired(nowMs: number, idleMs: number, keep: (pool: string) => number): string[] {
    const spare = new Map<string, number>()
    const hosts = this.#idleHosts().sort((a, b) => a.idleSinceMs - b.idleSinceMs)
    for (const host of hosts) spare.set(host.pool, (spare.get(host.pool) ?? 0) + 1)
    const found: string[] = []
    for (const host of hosts) {
      const left = spare.get(host.pool)!
      if (left <= keep(host.pool) || nowMs - host.idleSinceMs < idleMs) continue
      spare.set(host.pool, left - 1)
      found.push(host.host)
    }
    return found
  }

  #idleHosts(): { host: string; pool: string; idleSinceMs: number }[] {
    const hosts = new Map<string, { host: string; pool: string; idleSinceMs: number }>()
    const busy = new Set<string>()
    for (const { host, pool, state, idleSinceMs } of this.#slots.values()) {
      if (state !== 'idle') busy.add(host)
      const known = hosts.get(host)?.idleSinceMs ?? 0
      hosts.set(host, { host, pool, idleSinceMs: Math.max(known, idleSinceMs) })
    }
    return [...hosts.values()].filter(({ host }) => !busy.has(host))
  }

  #better(slot: Slot, than: Slot, use: 'leased' | 'actor'): boolean {
    // Actors prefer a process that nothing has touched; tasks leave those alone and take a used one.
    if (slot.fresh !== than.fresh) return slot.fresh === (use === 'actor')
    return slot.idleSinceMs > than.idleSinceMs
  }

  #toIdle(slot: Slot, nowMs: number): void {
    Object.assign(slot, { state: 'idle', idleSinceMs: nowMs, job: 0 })
  }
}
