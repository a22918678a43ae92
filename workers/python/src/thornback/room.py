"""room() and pending(): how much more an actor or a task takes from this process."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any, NamedTuple, cast

from . import _native
from ._awaiting import watch
from ._errors_generated import InvalidArgumentError
from ._native import RemoteMethod
from .actor_handle import ActorHandle
from .remote_function import RemoteFunction


class PendingStats(NamedTuple):
    """What this process has submitted to an actor or task and has not got back.

    calls, bytes: now. max_calls, max_bytes: the limits. refused: how often `remote` met them.
    throttled_seconds: how long there was no room, all in all.
    """

    calls: int
    bytes: int
    max_calls: int
    max_bytes: int
    refused: int
    throttled_seconds: float


class Room:
    """Waits until an actor or task that is full takes calls again: half of its limit is free then.

    `await` it in an event loop, or call `wait`.
    """

    def __init__(self, target: int) -> None:
        self._target = target

    def wait(self, timeout: float | None = None) -> bool:
        """Blocks until there is room; False when there is none after `timeout` seconds."""
        return _native.target_room(self._target, -1 if timeout is None else int(timeout * 1e9))

    def __await__(self) -> Generator[Any, None, None]:
        return watch(self, asyncio.get_running_loop()).__await__()

    def _watch(self, future: asyncio.Future[Any]) -> None:
        _native.watch_room(self._target, future)


def room(callee: Any) -> Room:
    """Room for calls to an actor, a method of one, or a task: `await thornback.room(handle)`.

    There is room unless `remote` has met the limit (`max_pending_calls`, `max_pending_bytes`).
    """
    return Room(_target("room", callee))


def pending(callee: Any) -> PendingStats:
    """What this process has submitted to an actor or task and has not got back."""
    return PendingStats(*_native.target_stats(_target("pending", callee)))


def _target(function: str, callee: Any) -> int:
    if isinstance(callee, ActorHandle):
        return cast("ActorHandle[Any]", callee)._thornback_record.bound().number
    if isinstance(callee, RemoteFunction):
        return cast("RemoteFunction[..., Any]", callee)._call_site()._target
    if isinstance(callee, RemoteMethod):
        return cast("RemoteMethod[..., Any]", callee)._target
    kind = type(callee).__name__
    raise InvalidArgumentError(f"{function}() got a {kind}: it takes an ActorHandle or a task")
