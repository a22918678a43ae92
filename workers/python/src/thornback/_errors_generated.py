# Generated from proto/errors.json by tools/codegen; do not edit.
"""The exceptions that Thornback raises: one class for each code of the error table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class ThornbackError(Exception):
    """Base of all errors of Thornback.

    `code` is stable across versions and languages, `retryable` says whether the same call may
    succeed later, `fault` who can do something about it: "user", "environment", "peer" or
    "engine".
    """

    code: str = "INTERNAL"
    number: ClassVar[int] = 0
    fault: str = "engine"
    retryable: bool = False
    template: ClassVar[str] = ""

    message: str
    remote_stack: str | None
    data: Mapping[str, Any]

    def __init__(
        self,
        message: str = "",
        *,
        cause: BaseException | None = None,
        remote_stack: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.remote_stack = remote_stack
        self.data = data if data is not None else {}
        if cause is not None:
            self.__cause__ = cause


class RemoteException(Exception):
    """An exception of another process or language: the cause of a `RemoteError`.

    `name` is the type's name where it was raised, `stack` that language's own rendering of the
    frames.
    """

    def __init__(
        self,
        name: str,
        message: str,
        *,
        stack: str | None = None,
        language: str | None = None,
        cause: BaseException | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(name, message)
        self.name = name
        self.message = message
        self.stack = stack
        self.language = language
        self.data: Mapping[str, Any] = data if data is not None else {}
        if cause is not None:
            self.__cause__ = cause

    def __str__(self) -> str:
        heading = f"{self.name}: {self.message}"
        return heading if self.stack is None else f"{heading}\n\n{self.stack}"


class RemoteError(ThornbackError):
    """
    The called code raised an exception; `cause` is that exception, with its own type name,
    frames and causes.
    """

    code = "REMOTE_ERROR"
    number = 100
    fault = "user"
    retryable = False
    template = "{name}: {message}"


class SerializationError(ThornbackError):
    """
    A value has no form in the other language, or none at all; the message names the member
    and what to do.
    """

    code = "SERIALIZATION_ERROR"
    number = 101
    fault = "user"
    retryable = False
    template = "{path} cannot be sent: {reason}"


class TypeMismatchError(ThornbackError):
    """
    The arguments do not fit the function: their count, a keyword, or a type the language
    cannot convert.
    """

    code = "TYPE_MISMATCH"
    number = 102
    fault = "user"
    retryable = False
    template = "{function} {reason}"


class InvalidArgumentError(ThornbackError, ValueError):
    """An option or argument given to Thornback itself is wrong; the message gives its full path."""

    code = "INVALID_ARGUMENT"
    number = 103
    fault = "user"
    retryable = False
    template = "{option}: {reason}"


class NotFoundError(ThornbackError):
    """
    A module, class, function or method does not exist where it was looked for; the message
    names those that do.
    """

    code = "NOT_FOUND"
    number = 104
    fault = "user"
    retryable = False
    template = "no {kind} {name}; there is {available}"


class ActorNotFoundError(NotFoundError):
    """No living actor has this name in this namespace."""

    code = "ACTOR_NOT_FOUND"
    number = 105
    fault = "user"
    retryable = False
    template = "no actor named {name}; there is {available}"


class NameTakenError(ThornbackError):
    """A living actor of the same namespace has this name."""

    code = "NAME_TAKEN"
    number = 106
    fault = "user"
    retryable = False
    template = "an actor named {name} exists already"


class ImportFailedError(ThornbackError):
    """
    The module of a task or actor raised while it was imported; `cause` is that exception with
    its full traceback.
    """

    code = "IMPORT_FAILED"
    number = 107
    fault = "user"
    retryable = False
    template = "{module} cannot be imported: {reason}"


class ActorCreationError(ThornbackError):
    """
    The constructor of an actor raised; `cause` is its exception. Every call to the actor
    fails with it.
    """

    code = "ACTOR_CREATION_FAILED"
    number = 108
    fault = "user"
    retryable = False
    template = "actor {actor} could not be created: {reason}"


class InitInWorkerError(ThornbackError):
    """The file that defines tasks or actors also starts the driver, unguarded."""

    code = "INIT_IN_WORKER"
    number = 109
    fault = "user"
    retryable = False
    template = "{module} calls init() when a worker imports it; guard the driver with {guard}"


class CancelledError(ThornbackError):
    """The call was cancelled before it had a result."""

    code = "CANCELLED"
    number = 110
    fault = "user"
    retryable = False
    template = "{function} was cancelled"


class WaitTimeoutError(ThornbackError, TimeoutError):
    """A wait ended before its ref was ready; the call itself goes on."""

    code = "TIMEOUT"
    number = 111
    fault = "user"
    retryable = True
    template = "{what} was not ready within {timeout_ms} ms"


class DeadlineExceededError(ThornbackError, TimeoutError):
    """The call had a deadline and was given up when it passed."""

    code = "DEADLINE_EXCEEDED"
    number = 112
    fault = "user"
    retryable = True
    template = "{function} passed its deadline of {timeout_ms} ms"


class BackPressureError(ThornbackError):
    """The caller asked to be refused, not to wait, when too many calls or bytes are pending."""

    code = "BACK_PRESSURE"
    number = 113
    fault = "user"
    retryable = True
    template = "the limit of {limit} pending {unit} is reached"


class SessionClosedError(ThornbackError):
    """The session, or this process's part in it, has ended."""

    code = "SESSION_CLOSED"
    number = 114
    fault = "user"
    retryable = False
    template = "the session is closed"


class AlreadyInitialisedError(ThornbackError):
    """init() was called twice."""

    code = "ALREADY_INITIALISED"
    number = 115
    fault = "user"
    retryable = False
    template = "this process already has a session; shut it down before calling init() again"


class NotInitialisedError(ThornbackError):
    """An operation that needs a session was called before init()."""

    code = "NOT_INITIALISED"
    number = 116
    fault = "user"
    retryable = False
    template = "{operation} needs a session: call init() first"


class NotSupportedError(ThornbackError):
    """The operation exists, but not for this kind of value, actor or language."""

    code = "NOT_SUPPORTED"
    number = 117
    fault = "user"
    retryable = False
    template = "{what} is not supported: {reason}"


class DeadlockError(ThornbackError):
    """
    Calls wait for each other in a circle, so that none can ever end; the message names them
    in order.
    """

    code = "DEADLOCK"
    number = 118
    fault = "user"
    retryable = False
    template = "the call waits for itself: {cycle}"


class StoreFullError(ThornbackError, MemoryError):
    """The object store's capacity would be exceeded; release refs or give it more memory."""

    code = "STORE_FULL"
    number = 200
    fault = "environment"
    retryable = True
    template = "the store cannot hold {size} more bytes: {used} of {capacity} are in use"


class OutOfMemoryError(ThornbackError, MemoryError):
    """The operating system gave no more memory, descriptors or processes."""

    code = "OUT_OF_MEMORY"
    number = 201
    fault = "environment"
    retryable = True
    template = "the system refused memory or a descriptor for {what}"


class ResourceLimitError(ThornbackError):
    """
    A limit of the machine is too low for the session; the message gives need, have and the
    fix.
    """

    code = "RESOURCE_LIMIT"
    number = 202
    fault = "environment"
    retryable = False
    template = "{what} needs {need}, has {has}; {fix}"


class WorkerStartError(ThornbackError):
    """
    A worker process ended, or did not report, while it started; the message holds its last
    output.
    """

    code = "WORKER_START_FAILED"
    number = 203
    fault = "environment"
    retryable = False
    template = "a {language} worker did not start: {reason}"


class ConnectionFailedError(ThornbackError, ConnectionError):
    """The address given to init() leads to no running session."""

    code = "CONNECTION_FAILED"
    number = 204
    fault = "environment"
    retryable = True
    template = "no session answers at {address}: {reason}"


class VersionMismatchError(ThornbackError):
    """Two processes of a session have different versions of Thornback."""

    code = "VERSION_MISMATCH"
    number = 205
    fault = "environment"
    retryable = False
    template = "{ours} of Thornback cannot join a session that runs {theirs}"


class SystemCallError(ThornbackError, OSError):
    """A system call that should succeed failed; the message names it."""

    code = "SYSTEM_ERROR"
    number = 206
    fault = "environment"
    retryable = False
    template = "{call} failed: {reason}"


class ActorDiedError(ThornbackError):
    """The actor's process is gone for good; the call may or may not have run."""

    code = "ACTOR_DIED"
    number = 300
    fault = "peer"
    retryable = False
    template = "actor {actor} died: {reason}"


class ActorUnavailableError(ThornbackError):
    """
    The actor died and comes back; this call may or may not have run, later ones reach the
    next incarnation.
    """

    code = "ACTOR_UNAVAILABLE"
    number = 301
    fault = "peer"
    retryable = True
    template = "actor {actor} is restarting: {reason}"


class WorkerDiedError(ThornbackError):
    """
    The process that executed a task ended before it replied: killed, crashed, or left by
    exit().
    """

    code = "WORKER_DIED"
    number = 302
    fault = "peer"
    retryable = True
    template = "the worker that ran {function} died: {reason}"


class NodeLostError(ThornbackError):
    """The node that ran the call or held the value does not answer any more."""

    code = "NODE_LOST"
    number = 303
    fault = "peer"
    retryable = True
    template = "node {node} is lost: {reason}"


class OwnerDiedError(ThornbackError):
    """The process that created the ref is gone, and the value with it."""

    code = "OWNER_DIED"
    number = 304
    fault = "peer"
    retryable = False
    template = "the owner of {ref} died: {reason}"


class ObjectLostError(ThornbackError):
    """The stored bytes of a ref went away with the process that held them."""

    code = "OBJECT_LOST"
    number = 305
    fault = "peer"
    retryable = False
    template = "the value of {ref} is lost: {reason}"


class ProtocolError(ThornbackError):
    """A peer wrote bytes that no correct peer writes."""

    code = "PROTOCOL_ERROR"
    number = 400
    fault = "engine"
    retryable = False
    template = "malformed data: {reason}"


class InternalError(ThornbackError):
    """Something that cannot happen did: a bug in Thornback."""

    code = "INTERNAL"
    number = 401
    fault = "engine"
    retryable = False
    template = "internal error: {reason}"


ERROR_CLASSES: dict[str, type[ThornbackError]] = {
    "REMOTE_ERROR": RemoteError,
    "SERIALIZATION_ERROR": SerializationError,
    "TYPE_MISMATCH": TypeMismatchError,
    "INVALID_ARGUMENT": InvalidArgumentError,
    "NOT_FOUND": NotFoundError,
    "ACTOR_NOT_FOUND": ActorNotFoundError,
    "NAME_TAKEN": NameTakenError,
    "IMPORT_FAILED": ImportFailedError,
    "ACTOR_CREATION_FAILED": ActorCreationError,
    "INIT_IN_WORKER": InitInWorkerError,
    "CANCELLED": CancelledError,
    "TIMEOUT": WaitTimeoutError,
    "DEADLINE_EXCEEDED": DeadlineExceededError,
    "BACK_PRESSURE": BackPressureError,
    "SESSION_CLOSED": SessionClosedError,
    "ALREADY_INITIALISED": AlreadyInitialisedError,
    "NOT_INITIALISED": NotInitialisedError,
    "NOT_SUPPORTED": NotSupportedError,
    "DEADLOCK": DeadlockError,
    "STORE_FULL": StoreFullError,
    "OUT_OF_MEMORY": OutOfMemoryError,
    "RESOURCE_LIMIT": ResourceLimitError,
    "WORKER_START_FAILED": WorkerStartError,
    "CONNECTION_FAILED": ConnectionFailedError,
    "VERSION_MISMATCH": VersionMismatchError,
    "SYSTEM_ERROR": SystemCallError,
    "ACTOR_DIED": ActorDiedError,
    "ACTOR_UNAVAILABLE": ActorUnavailableError,
    "WORKER_DIED": WorkerDiedError,
    "NODE_LOST": NodeLostError,
    "OWNER_DIED": OwnerDiedError,
    "OBJECT_LOST": ObjectLostError,
    "PROTOCOL_ERROR": ProtocolError,
    "INTERNAL": InternalError,
}
"""The class of each code."""

CODE_OF_STATUS: dict[int, str] = {
    2: "TIMEOUT",
    4: "BACK_PRESSURE",
    5: "SESSION_CLOSED",
    7: "INVALID_ARGUMENT",
    8: "NOT_FOUND",
    9: "STORE_FULL",
    10: "OUT_OF_MEMORY",
    11: "VERSION_MISMATCH",
    12: "PROTOCOL_ERROR",
    13: "SYSTEM_ERROR",
    14: "ACTOR_DIED",
}
"""The code that says the same as a status of the C ABI."""
