import { GpuShares } from './gpu-shares.ts'
import { type Amounts, unitsPerOne } from './resource-amounts.ts'

/** What nobody uses at the moment. */
export class FreeResources {
  readonly #amounts: Map<string, number>
  readonly #gpus: GpuShares

  private constructor(amounts: Map<string, number>, gpus: GpuShares) {
    this.#amounts = amounts
    this.#gpus = gpus
  }

  static of(total: Amounts): FreeResources {
    const amounts = new Map(total)
    amounts.delete('gpu')
    return new FreeResources(amounts, GpuShares.ofCount((total.get('gpu') ?? 0) / unitsPerOne))
  }

  copy(): FreeResources {
    return new FreeResources(new Map(this.#amounts), this.#gpus.copy())
  }

  units(name: string): number {
    return name === 'gpu' ? this.#gpus.freeUnits : (this.#amounts.get(name) ?? 0)
  }

  /** The resources of which there is too little. */
  lacking(request: Amounts): string[] {
    const isShort = ([name, units]: [string, number]) =>
      name === 'gpu' ? this.#gpus.choose(units) === null : this.units(name) < units
    return [...request].filter(isShort).map(([name]) => name)
  }

  /** Takes what was found not to be lacking; returns the GPUs. */
  take(request: Amounts): number[] {
    const gpus = request.has('gpu') ? this.#gpus.choose(request.get('gpu')!)! : []
    this.takeWith(request, gpus)
    return gpus
  }

  /** Takes these GPUs, and the rest. */
  takeWith(request: Amounts, gpus: readonly number[]): void {
    for (const [name, units] of request) {
      if (name === 'gpu') this.#gpus.take(gpus, units)
      else this.#amounts.set(name, this.units(name) - units)
    }
  }

  give(request: Amounts, gpus: readonly number[]): void {
    for (const [name, units] of request) {
      if (name === 'gpu') this.#gpus.give(gpus, units)
      else this.#amounts.set(name, this.units(name) + units)
    }
  }
}
