"""Thornback: functions and classes of any language as tasks and actors of any other.

import thornback

@thornback.task
def square(n: int) -> int:
    return n * n

with thornback.init():
    print(thornback.get([square.remote(i) for i in range(4)]))
"""

from __future__ import annotations

from . import _codec as _codec  # hooks the codec to this package before anything is sent
from ._errors_generated import (
    ActorCreationError,
    ActorDiedError,
    ActorNotFoundError,
    ActorUnavailableError,
    AlreadyInitialisedError,
    BackPressureError,
    CancelledError,
    ConnectionFailedError,
    DeadlineExceededError,
    DeadlockError,
    ImportFailedError,
    InitInWorkerError,
    InternalError,
    InvalidArgumentError,
    NameTakenError,
    NodeLostError,
    NotFoundError,
    NotInitialisedError,
    NotSupportedError,
    ObjectLostError,
    OutOfMemoryError,
    OwnerDiedError,
    ProtocolError,
    RemoteError,
    RemoteException,
    ResourceLimitError,
    SerializationError,
    SessionClosedError,
    StoreFullError,
    SystemCallError,
    ThornbackError,
    TypeMismatchError,
    VersionMismatchError,
    WaitTimeoutError,
    WorkerDiedError,
    WorkerStartError,
)
from ._native import ObjectRef, ObjectStream, RemoteMethod
from .actor_class import Actor, ActorClass, TypedActorClass, actor, method
from .actor_handle import ActorHandle, get_actor, kill
from .context import Context, context
from .languages import java, python, typescript
from .remote_function import RemoteFunction, task
from .room import PendingStats, Room, pending, room
from .session import Session, init, is_initialised, shutdown, stats
from .values import cancel, get, put, wait

__version__ = "0.1.0"
__all__ = [
    "Actor",
    "ActorClass",
    "ActorCreationError",
    "ActorDiedError",
    "ActorHandle",
    "ActorNotFoundError",
    "ActorUnavailableError",
    "AlreadyInitialisedError",
    "BackPressureError",
    "CancelledError",
    "ConnectionFailedError",
    "Context",
    "DeadlineExceededError",
    "DeadlockError",
    "ImportFailedError",
    "InitInWorkerError",
    "InternalError",
    "InvalidArgumentError",
    "NameTakenError",
    "NodeLostError",
    "NotFoundError",
    "NotInitialisedError",
    "NotSupportedError",
    "ObjectLostError",
    "ObjectRef",
    "ObjectStream",
    "OutOfMemoryError",
    "OwnerDiedError",
    "PendingStats",
    "ProtocolError",
    "RemoteError",
    "RemoteException",
    "RemoteFunction",
    "RemoteMethod",
    "ResourceLimitError",
    "Room",
    "SerializationError",
    "Session",
    "SessionClosedError",
    "StoreFullError",
    "SystemCallError",
    "ThornbackError",
    "TypeMismatchError",
    "TypedActorClass",
    "VersionMismatchError",
    "WaitTimeoutError",
    "WorkerDiedError",
    "WorkerStartError",
    "actor",
    "cancel",
    "context",
    "get",
    "get_actor",
    "init",
    "is_initialised",
    "java",
    "kill",
    "method",
    "pending",
    "put",
    "python",
    "room",
    "shutdown",
    "stats",
    "task",
    "typescript",
    "wait",
]
