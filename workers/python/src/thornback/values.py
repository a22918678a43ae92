"""put, get, wait and cancel."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, overload

from . import _native
from ._native import ObjectRef, ObjectStream

T = TypeVar("T")


def put(value: T) -> ObjectRef[T]:
    """Stores a value and returns a ref to it, to be passed to many calls.

    Arrays and bytes are copied once, into shared memory. Raises SerializationError for a value that
    cannot be sent at all, StoreFullError when the store has no room.
    """
    return _native.put(value)


@overload
def get(refs: ObjectRef[T], timeout: float | None = None) -> T: ...
@overload
def get(refs: Sequence[ObjectRef[T]], timeout: float | None = None) -> list[T]: ...
def get(refs: Any, timeout: float | None = None) -> Any:
    """The value of a ref, or the values of a list of refs in its order.

    `timeout` is in seconds; None waits without limit. Raises the error of the first ref that has
    one, WaitTimeoutError when a value is not there in time. Arrays are read-only views of shared
    memory.
    """
    return _native.get(refs, timeout)


def wait(
    refs: Sequence[ObjectRef[T]], num_returns: int = 1, timeout: float | None = None
) -> tuple[list[ObjectRef[T]], list[ObjectRef[T]]]:
    """Waits until `num_returns` of the refs are ready; returns (ready, pending) in the given order.

    `ready` has at most `num_returns` refs, fewer only when `timeout` (seconds) passed. A ref whose
    call failed is ready: its error is raised by `get`.
    """
    return _native.wait(refs, num_returns, timeout)


def cancel(
    ref: ObjectRef[Any] | ObjectStream[Any], *, force: bool = False, recursive: bool = True
) -> None:
    """Asks to cancel the call behind a ref, and with `recursive` the calls made inside it.

    A call that has not started fails with CancelledError. In a running one CancelledError is
    raised at the next line of Python, or in its `time.sleep` or `thornback.get`; a coroutine is
    cancelled as asyncio does it; a generator is closed. Code that catches the exception and goes on
    is not stopped, and what it returns is the result; a generator that goes on is read no further.
    Neither is compiled code stopped that does not come back to Python: `force` ends the worker of
    a task that still runs after 0.1 seconds.
    """
    _native.cancel(ref, recursive, force)
