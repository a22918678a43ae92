// Generated from proto/errors.json by tools/codegen; do not edit.

import { type ErrorKind, ThornbackError } from './thornback-error.ts'

/** The stable codes of all errors that Thornback itself raises. */
export type ErrorCode =
  | 'REMOTE_ERROR'
  | 'SERIALIZATION_ERROR'
  | 'TYPE_MISMATCH'
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'ACTOR_NOT_FOUND'
  | 'NAME_TAKEN'
  | 'IMPORT_FAILED'
  | 'ACTOR_CREATION_FAILED'
  | 'INIT_IN_WORKER'
  | 'CANCELLED'
  | 'TIMEOUT'
  | 'DEADLINE_EXCEEDED'
  | 'BACK_PRESSURE'
  | 'SESSION_CLOSED'
  | 'ALREADY_INITIALISED'
  | 'NOT_INITIALISED'
  | 'NOT_SUPPORTED'
  | 'DEADLOCK'
  | 'STORE_FULL'
  | 'OUT_OF_MEMORY'
  | 'RESOURCE_LIMIT'
  | 'WORKER_START_FAILED'
  | 'CONNECTION_FAILED'
  | 'VERSION_MISMATCH'
  | 'SYSTEM_ERROR'
  | 'ACTOR_DIED'
  | 'ACTOR_UNAVAILABLE'
  | 'WORKER_DIED'
  | 'NODE_LOST'
  | 'OWNER_DIED'
  | 'OBJECT_LOST'
  | 'PROTOCOL_ERROR'
  | 'INTERNAL'

/**
 * The called code raised an exception; `cause` is that exception, with its own type name, frames
 * and causes.
 */
export class RemoteError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'REMOTE_ERROR',
    number: 100,
    fault: 'user',
    retryable: false,
    message: '{name}: {message}',
  }
  static {
    this.prototype.name = 'RemoteError'
  }
}

/**
 * A value has no form in the other language, or none at all; the message names the member and what
 * to do.
 */
export class SerializationError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'SERIALIZATION_ERROR',
    number: 101,
    fault: 'user',
    retryable: false,
    message: '{path} cannot be sent: {reason}',
  }
  static {
    this.prototype.name = 'SerializationError'
  }
}

/**
 * The arguments do not fit the function: their count, a keyword, or a type the language cannot
 * convert.
 */
export class TypeMismatchError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'TYPE_MISMATCH',
    number: 102,
    fault: 'user',
    retryable: false,
    message: '{function} {reason}',
  }
  static {
    this.prototype.name = 'TypeMismatchError'
  }
}

/** An option or argument given to Thornback itself is wrong; the message gives its full path. */
export class InvalidArgumentError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'INVALID_ARGUMENT',
    number: 103,
    fault: 'user',
    retryable: false,
    message: '{option}: {reason}',
  }
  static {
    this.prototype.name = 'InvalidArgumentError'
  }
}

/**
 * A module, class, function or method does not exist where it was looked for; the message names
 * those that do.
 */
export class NotFoundError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'NOT_FOUND',
    number: 104,
    fault: 'user',
    retryable: false,
    message: 'no {kind} {name}; there is {available}',
  }
  static {
    this.prototype.name = 'NotFoundError'
  }
}

/** No living actor has this name in this namespace. */
export class ActorNotFoundError extends NotFoundError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'ACTOR_NOT_FOUND',
    number: 105,
    fault: 'user',
    retryable: false,
    message: 'no actor named {name}; there is {available}',
  }
  static {
    this.prototype.name = 'ActorNotFoundError'
  }
}

/** A living actor of the same namespace has this name. */
export class NameTakenError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'NAME_TAKEN',
    number: 106,
    fault: 'user',
    retryable: false,
    message: 'an actor named {name} exists already',
  }
  static {
    this.prototype.name = 'NameTakenError'
  }
}

/**
 * The module of a task or actor raised while it was imported; `cause` is that exception with its
 * full traceback.
 */
export class ImportFailedError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'IMPORT_FAILED',
    number: 107,
    fault: 'user',
    retryable: false,
    message: '{module} cannot be imported: {reason}',
  }
  static {
    this.prototype.name = 'ImportFailedError'
  }
}

/**
 * The constructor of an actor raised; `cause` is its exception. Every call to the actor fails with
 * it.
 */
export class ActorCreationError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'ACTOR_CREATION_FAILED',
    number: 108,
    fault: 'user',
    retryable: false,
    message: 'actor {actor} could not be created: {reason}',
  }
  static {
    this.prototype.name = 'ActorCreationError'
  }
}

/** The file that defines tasks or actors also starts the driver, unguarded. */
export class InitInWorkerError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'INIT_IN_WORKER',
    number: 109,
    fault: 'user',
    retryable: false,
    message: '{module} calls init() when a worker imports it; guard the driver with {guard}',
  }
  static {
    this.prototype.name = 'InitInWorkerError'
  }
}

/** The call was cancelled before it had a result. */
export class CancelledError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'CANCELLED',
    number: 110,
    fault: 'user',
    retryable: false,
    message: '{function} was cancelled',
  }
  static {
    this.prototype.name = 'CancelledError'
  }
}

/** A wait ended before its ref was ready; the call itself goes on. */
export class WaitTimeoutError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'TIMEOUT',
    number: 111,
    fault: 'user',
    retryable: true,
    message: '{what} was not ready within {timeout_ms} ms',
  }
  static {
    this.prototype.name = 'WaitTimeoutError'
  }
}

/** The call had a deadline and was given up when it passed. */
export class DeadlineExceededError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'DEADLINE_EXCEEDED',
    number: 112,
    fault: 'user',
    retryable: true,
    message: '{function} passed its deadline of {timeout_ms} ms',
  }
  static {
    this.prototype.name = 'DeadlineExceededError'
  }
}

/** The caller asked to be refused, not to wait, when too many calls or bytes are pending. */
export class BackPressureError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'BACK_PRESSURE',
    number: 113,
    fault: 'user',
    retryable: true,
    message: 'the limit of {limit} pending {unit} is reached',
  }
  static {
    this.prototype.name = 'BackPressureError'
  }
}

/** The session, or this process's part in it, has ended. */
export class SessionClosedError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'SESSION_CLOSED',
    number: 114,
    fault: 'user',
    retryable: false,
    message: 'the session is closed',
  }
  static {
    this.prototype.name = 'SessionClosedError'
  }
}

/** init() was called twice. */
export class AlreadyInitialisedError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'ALREADY_INITIALISED',
    number: 115,
    fault: 'user',
    retryable: false,
    message: 'this process already has a session; shut it down before calling init() again',
  }
  static {
    this.prototype.name = 'AlreadyInitialisedError'
  }
}

/** An operation that needs a session was called before init(). */
export class NotInitialisedError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'NOT_INITIALISED',
    number: 116,
    fault: 'user',
    retryable: false,
    message: '{operation} needs a session: call init() first',
  }
  static {
    this.prototype.name = 'NotInitialisedError'
  }
}

/** The operation exists, but not for this kind of value, actor or language. */
export class NotSupportedError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'NOT_SUPPORTED',
    number: 117,
    fault: 'user',
    retryable: false,
    message: '{what} is not supported: {reason}',
  }
  static {
    this.prototype.name = 'NotSupportedError'
  }
}

/**
 * Calls wait for each other in a circle, so that none can ever end; the message names them in
 * order.
 */
export class DeadlockError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'DEADLOCK',
    number: 118,
    fault: 'user',
    retryable: false,
    message: 'the call waits for itself: {cycle}',
  }
  static {
    this.prototype.name = 'DeadlockError'
  }
}

/** The object store's capacity would be exceeded; release refs or give it more memory. */
export class StoreFullError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'STORE_FULL',
    number: 200,
    fault: 'environment',
    retryable: true,
    message: 'the store cannot hold {size} more bytes: {used} of {capacity} are in use',
  }
  static {
    this.prototype.name = 'StoreFullError'
  }
}

/** The operating system gave no more memory, descriptors or processes. */
export class OutOfMemoryError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'OUT_OF_MEMORY',
    number: 201,
    fault: 'environment',
    retryable: true,
    message: 'the system refused memory or a descriptor for {what}',
  }
  static {
    this.prototype.name = 'OutOfMemoryError'
  }
}

/** A limit of the machine is too low for the session; the message gives need, have and the fix. */
export class ResourceLimitError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'RESOURCE_LIMIT',
    number: 202,
    fault: 'environment',
    retryable: false,
    message: '{what} needs {need}, has {has}; {fix}',
  }
  static {
    this.prototype.name = 'ResourceLimitError'
  }
}

/**
 * A worker process ended, or did not report, while it started; the message holds its last output.
 */
export class WorkerStartError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'WORKER_START_FAILED',
    number: 203,
    fault: 'environment',
    retryable: false,
    message: 'a {language} worker did not start: {reason}',
  }
  static {
    this.prototype.name = 'WorkerStartError'
  }
}

/** The address given to init() leads to no running session. */
export class ConnectionFailedError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'CONNECTION_FAILED',
    number: 204,
    fault: 'environment',
    retryable: true,
    message: 'no session answers at {address}: {reason}',
  }
  static {
    this.prototype.name = 'ConnectionFailedError'
  }
}

/** Two processes of a session have different versions of Thornback. */
export class VersionMismatchError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'VERSION_MISMATCH',
    number: 205,
    fault: 'environment',
    retryable: false,
    message: '{ours} of Thornback cannot join a session that runs {theirs}',
  }
  static {
    this.prototype.name = 'VersionMismatchError'
  }
}

/** A system call that should succeed failed; the message names it. */
export class SystemCallError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'SYSTEM_ERROR',
    number: 206,
    fault: 'environment',
    retryable: false,
    message: '{call} failed: {reason}',
  }
  static {
    this.prototype.name = 'SystemCallError'
  }
}

/** The actor's process is gone for good; the call may or may not have run. */
export class ActorDiedError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'ACTOR_DIED',
    number: 300,
    fault: 'peer',
    retryable: false,
    message: 'actor {actor} died: {reason}',
  }
  static {
    this.prototype.name = 'ActorDiedError'
  }
}

/**
 * The actor died and comes back; this call may or may not have run, later ones reach the next
 * incarnation.
 */
export class ActorUnavailableError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'ACTOR_UNAVAILABLE',
    number: 301,
    fault: 'peer',
    retryable: true,
    message: 'actor {actor} is restarting: {reason}',
  }
  static {
    this.prototype.name = 'ActorUnavailableError'
  }
}

/** The process that executed a task ended before it replied: killed, crashed, or left by exit(). */
export class WorkerDiedError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'WORKER_DIED',
    number: 302,
    fault: 'peer',
    retryable: true,
    message: 'the worker that ran {function} died: {reason}',
  }
  static {
    this.prototype.name = 'WorkerDiedError'
  }
}

/** The node that ran the call or held the value does not answer any more. */
export class NodeLostError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'NODE_LOST',
    number: 303,
    fault: 'peer',
    retryable: true,
    message: 'node {node} is lost: {reason}',
  }
  static {
    this.prototype.name = 'NodeLostError'
  }
}

/** The process that created the ref is gone, and the value with it. */
export class OwnerDiedError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'OWNER_DIED',
    number: 304,
    fault: 'peer',
    retryable: false,
    message: 'the owner of {ref} died: {reason}',
  }
  static {
    this.prototype.name = 'OwnerDiedError'
  }
}

/** The stored bytes of a ref went away with the process that held them. */
export class ObjectLostError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'OBJECT_LOST',
    number: 305,
    fault: 'peer',
    retryable: false,
    message: 'the value of {ref} is lost: {reason}',
  }
  static {
    this.prototype.name = 'ObjectLostError'
  }
}

/** A peer wrote bytes that no correct peer writes. */
export class ProtocolError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'PROTOCOL_ERROR',
    number: 400,
    fault: 'engine',
    retryable: false,
    message: 'malformed data: {reason}',
  }
  static {
    this.prototype.name = 'ProtocolError'
  }
}

/** Something that cannot happen did: a bug in Thornback. */
export class InternalError extends ThornbackError {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: 'INTERNAL',
    number: 401,
    fault: 'engine',
    retryable: false,
    message: 'internal error: {reason}',
  }
  static {
    this.prototype.name = 'InternalError'
  }
}

/** The class of each code. */
export const errorClasses = {
  REMOTE_ERROR: RemoteError,
  SERIALIZATION_ERROR: SerializationError,
  TYPE_MISMATCH: TypeMismatchError,
  INVALID_ARGUMENT: InvalidArgumentError,
  NOT_FOUND: NotFoundError,
  ACTOR_NOT_FOUND: ActorNotFoundError,
  NAME_TAKEN: NameTakenError,
  IMPORT_FAILED: ImportFailedError,
  ACTOR_CREATION_FAILED: ActorCreationError,
  INIT_IN_WORKER: InitInWorkerError,
  CANCELLED: CancelledError,
  TIMEOUT: WaitTimeoutError,
  DEADLINE_EXCEEDED: DeadlineExceededError,
  BACK_PRESSURE: BackPressureError,
  SESSION_CLOSED: SessionClosedError,
  ALREADY_INITIALISED: AlreadyInitialisedError,
  NOT_INITIALISED: NotInitialisedError,
  NOT_SUPPORTED: NotSupportedError,
  DEADLOCK: DeadlockError,
  STORE_FULL: StoreFullError,
  OUT_OF_MEMORY: OutOfMemoryError,
  RESOURCE_LIMIT: ResourceLimitError,
  WORKER_START_FAILED: WorkerStartError,
  CONNECTION_FAILED: ConnectionFailedError,
  VERSION_MISMATCH: VersionMismatchError,
  SYSTEM_ERROR: SystemCallError,
  ACTOR_DIED: ActorDiedError,
  ACTOR_UNAVAILABLE: ActorUnavailableError,
  WORKER_DIED: WorkerDiedError,
  NODE_LOST: NodeLostError,
  OWNER_DIED: OwnerDiedError,
  OBJECT_LOST: ObjectLostError,
  PROTOCOL_ERROR: ProtocolError,
  INTERNAL: InternalError,
} as const satisfies Record<ErrorCode, typeof ThornbackError>

/** The code that says the same as a status of the C ABI. */
export const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
  2: 'TIMEOUT',
  4: 'BACK_PRESSURE',
  5: 'SESSION_CLOSED',
  7: 'INVALID_ARGUMENT',
  8: 'NOT_FOUND',
  9: 'STORE_FULL',
  10: 'OUT_OF_MEMORY',
  11: 'VERSION_MISMATCH',
  12: 'PROTOCOL_ERROR',
  13: 'SYSTEM_ERROR',
  14: 'ACTOR_DIED',
}
