import { unitsPerOne } from './resource-amounts.ts'

/** How much of each GPU is free. A whole GPU is taken by one alone; a fraction lies on a single GPU, beside others. */
export class GpuShares {
  readonly #free: number[]

  private constructor(free: number[]) {
    this.#free = free
  }

  static ofCount(count: number): GpuShares {
    return new GpuShares(Array.from({ length: count }, () => unitsPerOne))
  }

  get freeUnits(): number {
    return this.#free.reduce((sum, units) => sum + units, 0)
  }

  copy(): GpuShares {
    return new GpuShares([...this.#free])
  }

  /** The GPUs that can serve the amount, if there are enough. A fraction goes where it leaves the least free. */
  choose(units: number): number[] | null {
    const indices = [...this.#free.keys()]
    if (units >= unitsPerOne) {
      const count = units / unitsPerOne
      const whole = indices.filter((index) => this.#free[index] === unitsPerOne)
      return whole.length < count ? null : whole.slice(0, count)
    }
    const fitting = indices.filter((index) => this.#free[index]! >= units)
    fitting.sort((a, b) => this.#free[a]! - this.#free[b]!)
    return fitting.length === 0 ? null : fitting.slice(0, 1)
  }

  take(indices: readonly number[], units: number): void {
    for (const index of indices) this.#free[index]! -= units / indices.length
  }

  give(indices: readonly number[], units: number): void {
    this.take(indices, -units)
  }
}
