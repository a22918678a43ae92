// Errors on the wire (proto/errors.md): what leaves as an error value, and what arrives.

import { type ErrorCode, errorClasses, RemoteError } from './generated.ts'
import { RemoteException } from './remote-exception.ts'
import { formatMessage, ThornbackError, type ThornbackErrorOptions } from './thornback-error.ts'

/** The map of extension 8. */
export interface ErrorValue {
  readonly code: string
  readonly name: string
  readonly message: string
  readonly stack?: string | undefined
  readonly language?: string | undefined
  readonly cause?: ErrorValue | undefined
  readonly data?: Readonly<Record<string, unknown>> | undefined
  /** Python's own form of the exception; passed on, never looked at. */
  readonly pickle?: Uint8Array | undefined
}

const remoteCode = 'REMOTE_ERROR' satisfies ErrorCode
/** What was received, so that an error that is sent on keeps its bytes. */
const received = new WeakMap<Error, ErrorValue>()

const chainMax = 32
const textMax = 65_536

/** Errors have to be sendable always: text is cut in the middle and made well-formed. */
function bounded(text: string): string {
  const half = textMax / 2 - 20
  const cut =
    text.length > textMax ? `${text.slice(0, half)}\n... cut ...\n${text.slice(-half)}` : text
  return cut.toWellFormed()
}

function nameOf(error: Error): string {
  if (typeof error.name === 'string' && error.name !== 'Error') return error.name
  return error.constructor?.name || 'Error'
}

function isScalar(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean', 'bigint'].includes(typeof value)
}

/** The fields that libraries hang on errors (`errno`, `path`, `status`), as far as they can be sent for certain. */
function dataOf(error: Error): Record<string, unknown> | undefined {
  const data: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(error)) {
    if (typeof value === 'string') data[key] = bounded(value)
    else if (isScalar(value)) data[key] = value
  }
  if (error instanceof AggregateError) {
    data['errors'] = error.errors.slice(0, chainMax).map((each) => asError(each))
  }
  return Object.keys(data).length > 0 ? data : undefined
}

/** JavaScript can throw anything. */
function asError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  const error = new Error(describeThrown(thrown))
  Object.defineProperty(error, 'stack', { value: undefined })
  return error
}

function textOf(value: unknown): string {
  return String(value)
}

function describeThrown(thrown: unknown): string {
  try {
    const json = typeof thrown === 'object' ? JSON.stringify(thrown) : undefined
    return json ?? textOf(thrown)
  } catch {
    return Object.prototype.toString.call(thrown)
  }
}

function causeValue(error: Error, depth: number): ErrorValue | undefined {
  if (error.cause === undefined || error.cause === null || depth >= chainMax) return undefined
  return build(asError(error.cause), depth + 1)
}

function build(error: Error, depth: number): ErrorValue {
  const original = received.get(error)
  if (original !== undefined) return original
  const own = error instanceof ThornbackError
  const stack = error.stack
  const data = own ? error.data : dataOf(error)
  return {
    code: own ? error.code : remoteCode,
    name: nameOf(error),
    message: bounded(String(error.message)),
    stack: typeof stack === 'string' ? bounded(stack) : undefined,
    language: 'typescript',
    cause: causeValue(error, depth),
    data: data !== undefined && Object.keys(data).length > 0 ? data : undefined,
  }
}

/** The same error with nothing in it that an encoder could refuse. */
export function withoutData({ cause, ...value }: ErrorValue): ErrorValue {
  return { ...value, data: undefined, cause: cause && withoutData(cause) }
}

/** The wire form of an error that is a value, or that the engine itself raises: its code stays. */
export function toErrorValue(error: unknown): ErrorValue {
  return build(asError(error), 1)
}

/**
 * The wire form of what user code threw. Always a REMOTE_ERROR: an error of Thornback that the code let pass describes the
 * fate of its own call, not of the caller's.
 */
export function toThrownValue(thrown: unknown): ErrorValue {
  const error = asError(thrown)
  if (!(error instanceof ThornbackError)) return build(error, 1)
  const { code, data, ...value } = build(new PassedOn(error), 1)
  return { ...value, code, name: error.name, data: { ...error.data, ...data, code: error.code } }
}

/** An error of Thornback as user code let it pass. */
class PassedOn extends Error {
  constructor(error: ThornbackError) {
    super(error.message, error.cause === undefined ? undefined : { cause: error.cause })
    Object.defineProperty(this, 'stack', { value: error.stack })
  }
}

function causeFrom(value: ErrorValue): Error {
  return value.code === remoteCode ? remoteException(value) : fromErrorValue(value)
}

function remoteException(value: ErrorValue): RemoteException {
  const cause = value.cause === undefined ? undefined : causeFrom(value.cause)
  const error = new RemoteException(value, cause)
  received.set(error, value)
  return error
}

function isKnown(code: string): code is ErrorCode {
  return Object.hasOwn(errorClasses, code)
}

/** The exception for a received error value. */
export function fromErrorValue(value: ErrorValue): ThornbackError {
  const error = makeReceived(value)
  received.set(error, value)
  return error
}

function makeReceived(value: ErrorValue): ThornbackError {
  const { code, message, stack, data } = value
  if (code === remoteCode) {
    const text = formatMessage(RemoteError.kind.message, { name: value.name, message })
    return new RemoteError(text, { cause: remoteException(value), remoteStack: stack, data })
  }
  const cause = value.cause === undefined ? undefined : causeFrom(value.cause)
  const options: ThornbackErrorOptions = { cause, remoteStack: stack, data }
  if (isKnown(code)) return new errorClasses[code](message, options)
  const kind = { code, number: 0, fault: 'engine', retryable: false, message } as const
  return new ThornbackError(message, { ...options, kind })
}

/** An error of the table, its message made from its template: `makeError('NAME_TAKEN', { name })`. */
export function makeError(
  code: ErrorCode,
  fields: Readonly<Record<string, unknown>>,
  options?: ThornbackErrorOptions,
): ThornbackError {
  const made = errorClasses[code]
  return new made(formatMessage(made.kind.message, fields), { data: fields, ...options })
}
