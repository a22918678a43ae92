import type { NativeEndpoint } from '../native/binding.ts'

interface Mapping {
  readonly buffer: WeakRef<ArrayBuffer>
  /** How many refs show it. */
  users: number
}

const sweepAbove = 256

/**
 * Large stored values as ArrayBuffers, each mapped once: who receives a value twice sees the same memory. A mapping is private
 * to the process (writing to it changes nothing elsewhere) and ends with its ArrayBuffer.
 */
export class MappedValues {
  readonly #native: NativeEndpoint
  readonly #mappings = new Map<number, Mapping>()
  #sweepAt = sweepAbove
  /** How many mappings have been made. */
  made = 0

  constructor(native: NativeEndpoint) {
    this.#native = native
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
    return new Uint8Array(mapped)
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
