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


def cancel(ref: ObjectRef[Any] | ObjectStream[Any], *, recursive: bool = False) -> None:
    """Asks to cancel the call behind a ref.

    A call that has not started fails with CancelledError. A running coroutine is cancelled, other
    running code goes on and its result is dropped. With `recursive`, calls made by it are
    cancelled too.
    """
    _native.cancel(ref, recursive)
