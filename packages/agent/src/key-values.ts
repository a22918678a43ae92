import { makeError } from './errors.ts'

/** The session's small shared table, for instance of functions that travel by value. */
export class KeyValues {
  readonly #bytesMax: number
  readonly #values = new Map<string, Uint8Array>()
  #bytes = 0

  constructor(bytesMax = 256 << 20) {
    this.#bytesMax = bytesMax
  }

  /** Keeps a copy. */
  put(key: string, value: Uint8Array): void {
    const before = this.#values.get(key)?.byteLength ?? 0
    const bytes = this.#bytes - before + value.byteLength
    if (bytes > this.#bytesMax) {
      const fix = 'put large values into the object store'
      const fields = { what: 'the key-value table', need: bytes, has: this.#bytesMax, fix }
      throw makeError('RESOURCE_LIMIT', fields)
    }
    this.#bytes = bytes
    this.#values.set(key, Uint8Array.from(value))
  }

  get(key: string): Uint8Array | null {
    return this.#values.get(key) ?? null
  }
}
