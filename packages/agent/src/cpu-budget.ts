/**
 * How many CPUs the running workers may use together. A worker whose task waits for its children does not count, so that
 * the children can run; when it goes on, the sum may exceed the capacity until somebody ends, and nothing new starts before.
 */
export class CpuBudget {
  readonly capacity: number
  #used = 0
  readonly #holders = new Map<string, { cpu: number; blocked: number }>()

  constructor(capacity: number) {
    this.capacity = capacity
  }

  get free(): number {
    return this.capacity - this.#used
  }

  get used(): number {
    return this.#used
  }

  take(holder: string, cpu: number): void {
    this.give(holder)
    this.#holders.set(holder, { cpu, blocked: 0 })
    this.#used += cpu
  }

  give(holder: string): void {
    const entry = this.#holders.get(holder)
    if (!entry) return
    this.#holders.delete(holder)
    if (entry.blocked === 0) this.#used -= entry.cpu
    // Sums of fractions drift; with nobody left the sum is known.
    if (this.#holders.size === 0) this.#used = 0
  }

  /** Calls nest: several threads of one worker may wait at the same time. */
  block(holder: string): void {
    const entry = this.#holders.get(holder)
    if (entry && entry.blocked++ === 0) this.#used -= entry.cpu
  }

  unblock(holder: string): void {
    const entry = this.#holders.get(holder)
    if (!entry || entry.blocked === 0) return
    entry.blocked -= 1
    if (entry.blocked === 0) this.#used += entry.cpu
  }
}
