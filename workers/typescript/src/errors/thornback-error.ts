export type Fault = 'user' | 'environment' | 'peer' | 'engine'

/** What all errors of one code have in common: a row of proto/errors.json. */
export interface ErrorKind<Code extends string = string> {
  readonly code: Code
  readonly number: number
  readonly fault: Fault
  readonly retryable: boolean
  /** The message with `{placeholders}`. */
  readonly message: string
}

export interface ThornbackErrorOptions {
  cause?: unknown
  /** The frames where the error was made, as that language prints them; missing for errors made in this process. */
  remoteStack?: string | undefined
  /** The fields that the message was made from, and whatever else describes the case. */
  data?: Readonly<Record<string, unknown>> | undefined
  /** For a code that this version does not know; otherwise the class says it. */
  kind?: ErrorKind
}

const unknownKind: ErrorKind = {
  code: 'INTERNAL',
  number: 0,
  fault: 'engine',
  retryable: false,
  message: '{reason}',
}

const noData: Readonly<Record<string, unknown>> = Object.freeze({})

/**
 * Base of all errors of Thornback.
 *
 * Compare `code`, which is stable across versions and languages, or use `instanceof` with one of the subclasses. Do not
 * throw one from the code of a task or actor to signal your own failures: throw an error of your own, the caller gets it as
 * the `cause` of a `RemoteError`.
 */
export class ThornbackError extends Error {
  static readonly kind: ErrorKind = unknownKind
  static {
    this.prototype.name = 'ThornbackError'
  }

  readonly code: string
  /** Who can do something about it. */
  readonly fault: Fault
  /** Whether the same call may succeed when it is made again. */
  readonly retryable: boolean
  readonly remoteStack: string | undefined
  readonly data: Readonly<Record<string, unknown>>

  constructor(message: string, options?: ThornbackErrorOptions) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    const kind = options?.kind ?? new.target.kind
    this.code = kind.code
    this.fault = kind.fault
    this.retryable = kind.retryable
    this.remoteStack = options?.remoteStack
    this.data = options?.data ?? noData
  }
}

function textOf(value: unknown): string {
  return String(value)
}

/** Fills the `{placeholders}` of a message; one without a field stays as it is. */
export function formatMessage(template: string, fields: Readonly<Record<string, unknown>>): string {
  return template.replace(/\{(\w+)\}/g, (placeholder, name: string) => {
    const value = fields[name]
    return value === undefined ? placeholder : textOf(value)
  })
}
