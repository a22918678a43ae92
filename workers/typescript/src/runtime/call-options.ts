import type { NativeEndpoint } from '../native/binding.ts'
import * as layout from '../native/layout.ts'
import { translated } from '../native/status-error.ts'

/** A class of errors, or the name of one in another language. */
export type ErrorName = string | (abstract new (...args: never[]) => unknown)

export interface RetryOptions {
  /**
   * How often a call is made again after the worker or actor that executed it has died: it may then be executed more than once.
   * By default 3 for tasks, 0 for methods of actors. A stream of which an item has arrived is not made again.
   */
  retries?: number
  /**
   * Errors of the called code after which the call is made again, too: `true` for all of them, or names (`'ValueError'`) and
   * classes (`RangeError`). Each counts as one of `retries`.
   */
  retryOn?: boolean | readonly ErrorName[]
  /** Pause before the first retry in milliseconds, twice as long before each further one; 0 by default. */
  retryDelayMs?: number
}

/** What the core is told of calls once, for all that have it in common. */
export interface CallBehaviour extends RetryOptions {
  priority?: number
  group?: string
  inOrder?: boolean
}

export function nameOfError(error: ErrorName): string {
  return typeof error === 'string' ? error : error.name
}

/** The core's number of these options, the same for equal ones; 0 if they say nothing. */
export function optionNumber(native: NativeEndpoint, behaviour: CallBehaviour): number {
  const { retries = 0, retryOn = false, retryDelayMs = 0 } = behaviour
  const { priority = 0, group = '', inOrder = true } = behaviour
  const names = Array.isArray(retryOn) ? (retryOn as readonly ErrorName[]).map(nameOfError) : []
  const isRetried = retryOn === true || names.length > 0
  const flags = (isRetried ? layout.optionRetryErrors : 0) | (inOrder ? 0 : layout.optionUnordered)
  if (flags === 0 && retries === 0 && priority === 0 && group === '') return 0
  try {
    const delayNs = Math.round(retryDelayMs * 1e6)
    return native.callOption(flags, priority, retries, delayNs, names.join('\n'), group)
  } catch (error) {
    throw translated(error)
  }
}
