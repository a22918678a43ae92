import { makeError } from './errors.ts'
import { FreeResources } from './free-resources.ts'
import { type Amounts, describeAmount, fromUnits } from './resource-amounts.ts'

interface Holder {
  readonly request: Amounts
  readonly gpus: readonly number[]
  readonly cpu: Amounts
  blocked: number
}

/**
 * What the running workers use together of the node's resources. A worker whose task waits for its children lends its CPUs,
 * so that the children can run, and nothing else; when it goes on, more CPUs may be in use than there are until somebody ends,
 * and nothing that needs one starts before.
 */
export class ResourceBudget {
  readonly total: Amounts
  readonly free: FreeResources
  readonly #holders = new Map<string, Holder>()

  constructor(total: Amounts) {
    this.total = total
    this.free = FreeResources.of(total)
  }

  /** Refuses what can never be granted, because the node has less even when nobody uses any. */
  checkTotal(what: string, request: Amounts): void {
    for (const [name, units] of request) {
      const total = this.total.get(name) ?? 0
      if (units <= total) continue
      const [need, has] = [describeAmount(name, units), describeAmount(name, total)]
      const fix = 'ask for less, or start the session with more'
      throw makeError('RESOURCE_LIMIT', { what, need, has, fix })
    }
  }

  /** Enters what a holder takes; what it had before is given back. */
  take(holder: string, request: Amounts, gpus: readonly number[]): void {
    this.give(holder)
    if (request.size === 0) return
    const cpu = new Map([...request].filter(([name]) => name === 'cpu'))
    this.#holders.set(holder, { request, gpus, cpu, blocked: 0 })
    this.free.takeWith(request, gpus)
  }

  give(holder: string): void {
    const entry = this.#holders.get(holder)
    if (!entry) return
    this.#holders.delete(holder)
    if (entry.blocked > 0) this.free.takeWith(entry.cpu, [])
    this.free.give(entry.request, entry.gpus)
  }

  /** The GPUs that a holder may use. */
  gpusOf(holder: string): readonly number[] {
    return this.#holders.get(holder)?.gpus ?? []
  }

  /** Calls nest: several threads of one worker may wait at the same time. */
  block(holder: string): void {
    const entry = this.#holders.get(holder)
    if (entry && entry.blocked++ === 0) this.free.give(entry.cpu, [])
  }

  unblock(holder: string): void {
    const entry = this.#holders.get(holder)
    if (!entry || entry.blocked === 0) return
    entry.blocked -= 1
    if (entry.blocked === 0) this.free.takeWith(entry.cpu, [])
  }

  /** What there is of each resource, as people write it. */
  describeTotal(): Record<string, number> {
    return this.#describe((_name, units) => units)
  }

  describeUsed(): Record<string, number> {
    return this.#describe((name, units) => units - this.free.units(name))
  }

  #describe(unitsOf: (name: string, total: number) => number): Record<string, number> {
    const entries = [...this.total].map(([name, units]) => [
      name,
      fromUnits(name, unitsOf(name, units)),
    ])
    return Object.fromEntries(entries) as Record<string, number>
  }
}
