import { invalidArgument, type ThornbackError } from './errors.ts'

/**
 * Reads the arguments of a call to the agent. They come from another process, so nothing about them is taken for granted; a
 * wrong one is reported with its full path.
 */
export class Fields {
  readonly #path: string
  readonly #values: ReadonlyMap<string, unknown>

  private constructor(path: string, values: ReadonlyMap<string, unknown>) {
    this.#path = path
    this.#values = values
  }

  /** Positional arguments, named for messages. */
  static ofCall(name: string, args: readonly unknown[], names: readonly string[]): Fields {
    return new Fields(name, new Map(names.map((field, i) => [field, args[i]])))
  }

  static of(path: string, value: unknown): Fields {
    if (value instanceof Map) return new Fields(path, value as Map<string, unknown>)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return new Fields(path, new Map(Object.entries(value)))
    }
    throw invalidArgument(path, 'must be a map')
  }

  has(name: string): boolean {
    const value = this.#values.get(name)
    return value !== undefined && value !== null
  }

  /** What is given, in its order. */
  names(): string[] {
    return [...this.#values.keys()].filter((name) => this.has(name))
  }

  /** How messages call a field. */
  path(name: string): string {
    return `${this.#path}.${name}`
  }

  raw(name: string): unknown {
    return this.#values.get(name)
  }

  text(name: string): string {
    const value = this.#values.get(name)
    if (typeof value !== 'string') throw this.#wrong(name, 'must be text')
    return value
  }

  optionalText(name: string): string | undefined {
    return this.has(name) ? this.text(name) : undefined
  }

  integer(name: string, otherwise: number, min: number, max: number, reason: string): number {
    if (!this.has(name)) return otherwise
    const given = this.#values.get(name)
    const value = typeof given === 'bigint' ? Number(given) : given
    if (!Number.isInteger(value)) throw this.#wrong(name, reason)
    if ((value as number) < min || (value as number) > max) throw this.#wrong(name, reason)
    return value as number
  }

  endpoint(name: string): number {
    const value = Number(this.#values.get(name))
    if (!Number.isInteger(value) || value <= 0) throw this.#wrong(name, 'must be an endpoint id')
    return value
  }

  flag(name: string): boolean {
    const value = this.#values.get(name) ?? false
    if (typeof value !== 'boolean') throw this.#wrong(name, 'must be true or false')
    return value
  }

  bytes(name: string): Uint8Array {
    const value = this.#values.get(name)
    if (!(value instanceof Uint8Array)) throw this.#wrong(name, 'must be bytes')
    return value
  }

  /** The sixteen bytes of an id, as hexadecimal digits. */
  id(name: string): string {
    const bytes = this.bytes(name)
    if (bytes.length !== 16) throw this.#wrong(name, `must be 16 bytes, has ${bytes.length}`)
    return Buffer.from(bytes).toString('hex')
  }

  optionalTexts(name: string): string[] | undefined {
    if (!this.has(name)) return undefined
    const value = this.#values.get(name)
    if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) {
      throw this.#wrong(name, 'must be a list of text')
    }
    return value as string[]
  }

  /** A map inside; an empty one if it is missing. */
  fields(name: string): Fields {
    const path = this.path(name)
    return this.has(name) ? Fields.of(path, this.#values.get(name)) : new Fields(path, new Map())
  }

  optionalTextMap(name: string): Record<string, string> | undefined {
    if (!this.has(name)) return undefined
    const inner = this.fields(name)
    return Object.fromEntries([...inner.#values.keys()].map((key) => [key, inner.text(key)]))
  }

  #wrong(name: string, reason: string): ThornbackError {
    return invalidArgument(this.path(name), reason)
  }
}
