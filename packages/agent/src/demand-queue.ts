/** Somebody waits for a worker: a lease for tasks, or the process of an actor. */
export interface Demand {
  readonly id: number
  /** The pool that can serve it. */
  readonly pool: string
  readonly cpu: number
}

export interface Plan<T extends Demand> {
  /** Demands that an idle worker serves now. */
  readonly grants: T[]
  /** Demands per pool that could run, were there a worker. */
  readonly missing: Map<string, number>
}

/** CPUs are compared with this slack, because sums of fractions are not exact. */
const epsilon = 1e-9

/**
 * Who waits for a worker, first come, first served. A demand that waits for its worker to start keeps its CPUs: nobody
 * behind it takes them, so a large demand is not starved by small ones. Demands without CPUs wait for nobody.
 */
export class DemandQueue<T extends Demand> {
  readonly #counted = new Map<number, T>()
  readonly #uncounted = new Map<number, T>()

  get size(): number {
    return this.#counted.size + this.#uncounted.size
  }

  add(demand: T): void {
    const queue = demand.cpu > 0 ? this.#counted : this.#uncounted
    queue.set(demand.id, demand)
  }

  remove(id: number): T | undefined {
    const demand = this.#counted.get(id) ?? this.#uncounted.get(id)
    this.#counted.delete(id)
    this.#uncounted.delete(id)
    return demand
  }

  /** Takes out all that match, in their order. */
  removeWhere(matches: (demand: T) => boolean): T[] {
    const found = [...this.#counted.values(), ...this.#uncounted.values()].filter(matches)
    for (const demand of found) this.remove(demand.id)
    return found
  }

  /** The longest waiting demand of a pool. */
  first(pool: string): T | undefined {
    let oldest: T | undefined
    for (const queue of [this.#counted, this.#uncounted]) {
      for (const demand of queue.values()) {
        if (demand.pool !== pool) continue
        if (!oldest || demand.id < oldest.id) oldest = demand
        break
      }
    }
    return oldest
  }

  /** What can run with so many free CPUs and these idle workers. The grants are taken out of the queue. */
  plan(freeCpus: number, idleIn: (pool: string) => number): Plan<T> {
    const plan: Plan<T> = { grants: [], missing: new Map() }
    const idle = new Map<string, number>()
    const place = (demand: T) => {
      const left = idle.get(demand.pool) ?? idleIn(demand.pool)
      idle.set(demand.pool, Math.max(0, left - 1))
      if (left > 0) plan.grants.push(demand)
      else plan.missing.set(demand.pool, (plan.missing.get(demand.pool) ?? 0) + 1)
    }
    for (const demand of this.#uncounted.values()) place(demand)
    let free = freeCpus
    for (const demand of this.#counted.values()) {
      if (demand.cpu > free + epsilon) break
      free -= demand.cpu
      place(demand)
    }
    for (const demand of plan.grants) this.remove(demand.id)
    return plan
  }
}
