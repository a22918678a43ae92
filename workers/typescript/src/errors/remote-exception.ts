import type { ErrorValue } from './error-value.ts'

/**
 * An exception of another process or language, as it was raised there: the cause of a RemoteError. `name` is the type's name
 * in its language (`ValueError`), `stack` the frames as that language prints them.
 */
export class RemoteException extends Error {
  readonly language: string | undefined
  readonly data: Readonly<Record<string, unknown>>

  constructor(value: ErrorValue, cause: unknown) {
    super(value.message, cause === undefined ? undefined : { cause })
    this.language = value.language
    this.data = value.data ?? {}
    // Not enumerable, as on every Error: printing shows them in the heading.
    Object.defineProperty(this, 'name', { value: value.name, configurable: true, writable: true })
    const stack = value.stack ?? `${value.name}: ${value.message}`
    Object.defineProperty(this, 'stack', { value: stack, configurable: true, writable: true })
  }
}
