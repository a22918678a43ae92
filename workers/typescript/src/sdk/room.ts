import { makeError } from '../errors/index.ts'
import type { Pending } from '../runtime/flow.ts'
import { connectionOf } from './actor-handle.ts'
import { currentSession, type Session } from './session.ts'
import { taskTargetOf } from './task.ts'

/** The core's number of where calls of an actor handle or task go. */
function targetOf(session: Session, callee: unknown): number {
  const target =
    connectionOf(callee)?.target ?? taskTargetOf(callee)?.callable(session).target.number
  if (target !== undefined) return target
  const reason = 'must be an actor handle or a task'
  throw makeError('INVALID_ARGUMENT', { option: 'callee', reason })
}

/**
 * Resolves when an actor, or the workers of a task, take another call of this process: at once while fewer calls and bytes are
 * pending than `maxPendingCalls` and `maxPendingBytes`, otherwise when half of the limit is free again.
 *
 * `await room(actor); actor.push(x)` never meets BackPressureError, however many do so at once: whoever awaited may make one
 * call before it awaits something else. Only a limit of the process as a whole (`pendingCallsMax` of `init`), and refs among
 * the arguments whose values are large, can still refuse a call.
 */
export function room(callee: object): Promise<void> {
  const session = currentSession('room')
  session.endpoint.checkOpen()
  return session.endpoint.flow.room(targetOf(session, callee))
}

/** What this process has pending at an actor, or at the workers of a task, and what the limits are. */
export function pending(callee: object): Pending {
  const session = currentSession('pending')
  session.endpoint.checkOpen()
  return session.endpoint.flow.pending(targetOf(session, callee))
}
