import type { FreeResources } from './free-resources.ts'
import type { Amounts } from './resource-amounts.ts'

/** Somebody waits for a worker: a lease for tasks, or the process of an actor. */
export interface Demand {
  /** Rises from demand to demand. */
  readonly id: number
  /** The pool that can serve it. */
  readonly pool: string
  readonly resources: Amounts
  /** Higher ones are served first. */
  readonly priority: number
}

export interface Grant<T extends Demand> {
  readonly demand: T
  /** The GPUs that it gets. */
  readonly gpus: readonly number[]
}

export interface Plan<T extends Demand> {
  /** Demands that an idle worker serves now. */
  readonly grants: Grant<T>[]
  /** Demands per pool that could run, were there a worker. */
  readonly missing: Map<string, number>
}

/**
 * Who waits for a worker, by priority, and among equals first come, first served. Nobody takes of a resource for which
 * somebody ahead waits, so a large demand is not starved by small ones; who needs nothing of it does not wait. A demand that
 * waits for its worker to start keeps its resources.
 */
export class DemandQueue<T extends Demand> {
  /** In the order in which they are served. */
  readonly #waiting: T[] = []

  get size(): number {
    return this.#waiting.length
  }

  add(demand: T): void {
    const before = this.#waiting.findLastIndex((other) => other.priority >= demand.priority)
    this.#waiting.splice(before + 1, 0, demand)
  }

  remove(id: number): T | undefined {
    const at = this.#waiting.findIndex((demand) => demand.id === id)
    return at < 0 ? undefined : this.#waiting.splice(at, 1)[0]
  }

  /** Takes out all that match, in their order. */
  removeWhere(matches: (demand: T) => boolean): T[] {
    const found = this.#waiting.filter(matches)
    for (const demand of found) this.remove(demand.id)
    return found
  }

  /** The demand of a pool that is served next. */
  first(pool: string): T | undefined {
    return this.#waiting.find((demand) => demand.pool === pool)
  }

  /** What can run with these free resources and idle workers. The grants are taken out of the queue. */
  plan(free: FreeResources, idleIn: (pool: string) => number): Plan<T> {
    const plan: Plan<T> = { grants: [], missing: new Map() }
    const left = free.copy()
    const awaited = new Set<string>()
    const idle = new Map<string, number>()
    for (const demand of this.#waiting) {
      const { pool, resources } = demand
      if ([...resources.keys()].some((name) => awaited.has(name))) continue
      const lacking = left.lacking(resources)
      for (const name of lacking) awaited.add(name)
      if (lacking.length > 0) continue
      const gpus = left.take(resources)
      const workers = idle.get(pool) ?? idleIn(pool)
      idle.set(pool, Math.max(0, workers - 1))
      if (workers > 0) plan.grants.push({ demand, gpus })
      else plan.missing.set(pool, (plan.missing.get(pool) ?? 0) + 1)
    }
    for (const { demand } of plan.grants) this.remove(demand.id)
    return plan
  }
}
