"""Waiting for refs without blocking: in asyncio loops, and by concurrent.futures."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from concurrent.futures import Future
from typing import Any, cast

from . import _native
from ._errors_generated import SessionClosedError, ThornbackError
from ._native import ObjectRef, ObjectStream


class Bridge:
    """Lets an asyncio loop sleep on the session's poll descriptor; completes futures in batches."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.generation = _native.generation()
        self.thread = threading.get_ident()
        self._fd = _native.poll_fd()
        self._looking = False
        loop.add_reader(self._fd, self._on_readable)

    def watch(self, holder: Any, future: asyncio.Future[Any]) -> None:
        _register(holder, future)
        if not self._looking:
            self._looking = True
            self.loop.call_soon(self._look)

    def _look(self) -> None:
        """Takes what is there; then the loop may sleep, after a short spin if it is idle."""
        self._looking = False
        if self.generation != _native.generation():
            self.close()
            return
        try:
            self._take()
        except SessionClosedError:
            self.close()

    def _take(self) -> None:
        while True:
            _native.pump(0, False)
            if not _native.watched():
                return
            if getattr(self.loop, "_ready", True):
                self._looking = True  # again, after what waits in the loop
                self.loop.call_soon(self._look)
                return
            if not _native.poll_spin() and _native.poll_arm():
                return

    def _on_readable(self) -> None:
        if not self._looking:
            self._look()

    def usable(self, loop: asyncio.AbstractEventLoop) -> bool:
        return self.loop is loop and self.generation == _native.generation()

    def close(self) -> None:
        if not self.loop.is_closed():
            self.loop.remove_reader(self._fd)


_bridge: Bridge | None = None


class _Awaited(asyncio.Future[Any]):
    """Of a ref: cancelling the asyncio task that awaits it cancels the call, as with any awaited
    task; `asyncio.shield` keeps it.
    """

    ref: ObjectRef[Any]

    def cancel(self, msg: Any = None) -> bool:
        cancelled = super().cancel(msg)
        if cancelled:
            _cancel(self.ref)
        return cancelled


def _cancel(ref: ObjectRef[Any]) -> None:
    try:
        _native.cancel(ref, True, False)
    except ThornbackError:
        pass  # of a session that has ended


def _register(holder: Any, future: asyncio.Future[Any]) -> None:
    if isinstance(holder, ObjectRef | ObjectStream):
        _native.watch(holder, future)
    else:
        holder._watch(future)


def watch(holder: Any, loop: asyncio.AbstractEventLoop) -> asyncio.Future[Any]:
    """A future of the running loop that completes when the ref, stream or room is ready."""
    global _bridge
    if type(holder) is ObjectRef:
        future: asyncio.Future[Any] = _Awaited(loop=loop)
        future.ref = cast("Any", holder)  # pyright: ignore[reportAttributeAccessIssue]
    else:
        future = loop.create_future()
    if _native.serving_loop() is loop:
        _register(holder, future)  # the worker's own loop takes events anyway
        return future
    if _bridge is None or not _bridge.usable(loop):
        busy = _bridge is not None and _bridge.generation == _native.generation()
        if (busy and _bridge.loop.is_running()) or not _may_poll():  # pyright: ignore[reportOptionalMemberAccess]
            return _in_thread(holder, loop)
        if _bridge is not None:
            _bridge.close()
        _bridge = Bridge(loop)
    _bridge.watch(holder, future)
    return future


def _in_thread(holder: Any, loop: asyncio.AbstractEventLoop) -> asyncio.Future[Any]:
    """For a loop beside the one that takes events."""
    waiting = asyncio.ensure_future(asyncio.to_thread(_block, holder), loop=loop)
    if type(holder) is ObjectRef:
        ref = cast("ObjectRef[Any]", holder)
        waiting.add_done_callback(lambda done: _cancel(ref) if done.cancelled() else None)
    return waiting


def _may_poll() -> bool:
    """Only one thread takes events: in a worker the main thread, which serves."""
    return not _native.serving() or threading.current_thread() is threading.main_thread()


def _block(holder: Any) -> Any:
    if type(holder) is ObjectStream:
        _native.wait_item(cast("Any", holder))
        return None
    return cast("Any", holder).get() if type(holder) is ObjectRef else holder.wait()


def await_ref(ref: ObjectRef[Any]) -> Generator[Any, None, Any]:
    """What `await ref` runs when the ref is not ready yet."""
    return watch(ref, asyncio.get_running_loop()).__await__()


async def next_item(stream: ObjectStream[Any]) -> Any:
    """What `async for` runs for each item."""
    while True:
        item = stream._try_next()  # pyright: ignore[reportPrivateUsage]
        if item is _native.END:
            raise StopAsyncIteration
        if item is not _native.PENDING:
            return item
        await watch(stream, asyncio.get_running_loop())


# ---- concurrent.futures --------------------------------------------------------------------------

_ROUND_SECONDS = 0.002


class _Waiter:
    """A thread that waits for the refs of all futures; it ends when there are none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._futures: dict[ObjectRef[Any], list[Future[Any]]] = {}
        self._running = False

    def add(self, ref: ObjectRef[Any]) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        with self._lock:
            self._futures.setdefault(ref, []).append(future)
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="thornback-futures", daemon=True).start()
        return future

    def _run(self) -> None:
        while True:
            with self._lock:
                refs = list(self._futures)
                if not refs:
                    self._running = False
                    return
            try:
                # In rounds, so that refs added meanwhile are waited for soon.
                ready, _ = _native.wait(refs, 1, _ROUND_SECONDS)
            except Exception:
                ready = refs
            for ref in ready:
                with self._lock:
                    futures = self._futures.pop(ref, [])
                _complete(ref, futures)


def _complete(ref: ObjectRef[Any], futures: list[Future[Any]]) -> None:
    try:
        value = ref.get(timeout=0)
    except BaseException as error:
        value, failure = None, error
    else:
        failure = None
    for future in futures:
        if failure is None:
            future.set_result(value)
        else:
            future.set_exception(failure)


_waiter = _Waiter()


def future_of_ref(ref: ObjectRef[Any]) -> Future[Any]:
    """A future that completes with the value of the ref."""
    return _waiter.add(ref)


_native.set_hooks(await_ref=await_ref, await_item=next_item, future_of_ref=future_of_ref)
