import { makeError } from '../errors/index.ts'
import type { CallOptions } from './callable.ts'

/** A call that can be ended by its caller. */
export interface LimitedCall {
  /** Cancels the call; it ends here with this error. */
  abort(error: unknown): void
  /** `done` is called when the call has ended in whatever way. */
  whenOver(done: () => void): void
}

/** Ends a call when its signal is aborted; its time limit is the core's affair. */
export function limitCall(call: LimitedCall, name: string, { signal }: CallOptions): void {
  if (signal === undefined) return
  const onAbort = (): void => {
    call.abort(makeError('CANCELLED', { function: name }, { cause: signal.reason }))
  }
  call.whenOver(() => signal.removeEventListener('abort', onAbort))
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
}
