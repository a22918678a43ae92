import type { NativeEndpoint } from '../native/binding.ts'
import { collectGarbage } from './collect-garbage.ts'

interface Mapping {
  readonly buffer: WeakRef<ArrayBuffer>
  /** How many refs show it. */
  users: number
}

const sweepAbove = 256
const mebibyte = 2 ** 20

/**
 * Large stored values as ArrayBuffers, each mapped once: who receives a value twice sees the same memory. A mapping is private
 * to the process (writing to it changes nothing elsewhere) and ends with its ArrayBuffer.
 */
export class MappedValues {
  readonly #native: NativeEndpoint
  readonly #mappings = new Map<number, Mapping>()
  #sweepAt = sweepAbove
  readonly #budgetMin: number
  /** Bytes that may still be mapped before the garbage collector is to run. */
  #budget: number
  /** How many mappings have been made. */
  made = 0

  constructor(native: NativeEndpoint, storeBytes: number) {
    this.#native = native
    this.#budgetMin = Math.min(Math.max(storeBytes / 8, 8 * mebibyte), 256 * mebibyte)
    this.#budget = this.#budgetMin
  }

  /** The bytes that `hold` pins. */
  map(hold: number): Uint8Array {
    const known = this.#mappings.get(hold)
    const buffer = known?.buffer.deref()
    if (known !== undefined && buffer !== undefined) {
      known.users++
      return new Uint8Array(buffer)
    }
    this.made++
    const mapped = this.#native.mapPrivate(hold)
    if (this.#mappings.size >= this.#sweepAt) this.#sweep()
    this.#mappings.set(hold, { buffer: new WeakRef(mapped), users: 1 })
    this.#budget -= mapped.byteLength
    if (this.#budget < 0) this.#relieveStore()
    return new Uint8Array(mapped)
  }

  /**
   * Forgotten arrays keep their objects in the store, of whose size the runtime's own collector knows nothing: it would let
   * them fill the store. The more of what was mapped is still in use, the later it is asked again.
   */
  #relieveStore(): void {
    collectGarbage()
    this.#sweep()
    let inUse = 0
    for (const { buffer } of this.#mappings.values()) inUse += buffer.deref()?.byteLength ?? 0
    this.#budget = Math.max(this.#budgetMin, inUse)
  }

  /** One user less; the last one empties the buffer and all views of it. */
  unmap(hold: number): void {
    const mapping = this.#mappings.get(hold)
    if (mapping === undefined || --mapping.users > 0) return
    this.#mappings.delete(hold)
    const buffer = mapping.buffer.deref()
    if (buffer !== undefined) this.#native.unmapPrivate(buffer)
  }

  #sweep(): void {
    for (const [hold, { buffer }] of this.#mappings) {
      if (buffer.deref() === undefined) this.#mappings.delete(hold)
    }
    this.#sweepAt = Math.max(sweepAbove, 2 * this.#mappings.size)
  }
}
