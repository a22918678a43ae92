import { type ErrorCode, errorClasses, type ThornbackError } from '../errors/index.ts'
import { isNativeError, Status } from './binding.ts'

const codes: Readonly<Record<number, ErrorCode>> = {
  [Status.timeout]: 'TIMEOUT',
  [Status.backPressure]: 'BACK_PRESSURE',
  [Status.closed]: 'SESSION_CLOSED',
  [Status.invalid]: 'INVALID_ARGUMENT',
  [Status.notFound]: 'NOT_FOUND',
  [Status.storeFull]: 'STORE_FULL',
  [Status.noMemory]: 'OUT_OF_MEMORY',
  [Status.versionMismatch]: 'VERSION_MISMATCH',
  [Status.protocol]: 'PROTOCOL_ERROR',
  [Status.io]: 'SYSTEM_ERROR',
  [Status.peerDead]: 'ACTOR_DIED',
}

const whatToDo =
  '(`await room(actor)` before each call, or options maxPendingCalls and maxPendingBytes)'

/** The error for a status of the core and its sentence. */
export function statusError(status: number, text: string): ThornbackError {
  const code = codes[status] ?? 'INTERNAL'
  if (status === Status.backPressure) return new errorClasses.BACK_PRESSURE(`${text} ${whatToDo}`)
  return new errorClasses[code](text === '' ? `the engine answers ${status}` : text)
}

/** What the addon threw as an error of Thornback; everything else stays as it is. */
export function translated(error: unknown): unknown {
  return isNativeError(error) ? statusError(error.status, error.message) : error
}
