import { makeError } from '../errors/index.ts'
import { LocalRef } from '../runtime/local-ref.ts'
import type { ObjectRef } from '../runtime/object-ref.ts'
import type { Waiter } from '../runtime/ref-state.ts'
import { checkWaitOptions } from './options.ts'

/** The ref as what it is; `path` names it if it is none. */
export function localRef(ref: unknown, path: string): LocalRef {
  if (ref instanceof LocalRef) return ref
  throw makeError('INVALID_ARGUMENT', { option: path, reason: 'must be an ObjectRef' })
}

export interface WaitOptions {
  /** How many refs have to be ready; 1 by default. */
  count?: number
  /** How long to wait in milliseconds; without limit by default, 0 only looks. */
  timeoutMs?: number
}

export interface WaitResult<Ref> {
  /** Refs that are ready, with a value or an error, in the order in which they were given; at least `count` unless time ran out. */
  ready: Ref[]
  pending: Ref[]
}

/** Waits until some of the refs are ready, or the time is over: that is no error. */
export function wait<Ref extends ObjectRef>(
  refs: Iterable<Ref>,
  options: WaitOptions = {},
): Promise<WaitResult<Ref>> {
  checkWaitOptions(options)
  const list = [...refs]
  const locals = list.map((ref, index) => localRef(ref, `refs[${index}]`))
  const { count = 1, timeoutMs } = options
  if (count > list.length) {
    const reason = `is ${count}, but there are ${list.length} refs`
    throw makeError('INVALID_ARGUMENT', { option: 'options.count', reason })
  }
  const outcome = (): WaitResult<Ref> => ({
    ready: list.filter((ref) => ref.isReady),
    pending: list.filter((ref) => !ref.isReady),
  })
  const pending = locals.filter((ref) => !ref.isReady)
  let missing = count - (locals.length - pending.length)
  if (missing <= 0) return Promise.resolve(outcome())
  return new Promise((resolve) => {
    const waiter: Waiter = { wantsValue: false, settle: () => --missing === 0 && finish() }
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => finish(), timeoutMs)
    const finish = (): void => {
      clearTimeout(timer)
      for (const ref of pending) if (!ref.isReady) ref.removeWaiter(waiter)
      resolve(outcome())
    }
    for (const ref of pending) ref.addWaiter(waiter)
  })
}
