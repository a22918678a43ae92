"""The event loop of a worker that runs `async def` methods and functions."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from types import CoroutineType
from typing import Any, cast

from . import _native
from ._errors_generated import CancelledError
from ._worker import Construction, Worker

_WOULD_BLOCK = 1
_CLOSED = 5
_ROUNDS_MAX = 32
"""Batches of calls that are served before the loop looks at its other descriptors again."""


class _Selector(selectors.EpollSelector):
    """Serves calls whenever the loop looks for work, and spins for a while before it sleeps."""

    def __init__(self, on_shutdown: Callable[[], None]) -> None:
        super().__init__()
        self._on_shutdown = on_shutdown
        self.loop: Any = None

    def select(self, timeout: float | None = None) -> Any:
        if self._serve(timeout):
            timeout = 0
        if _native.shutdown_seen():
            self._on_shutdown()
            timeout = 0
        return super().select(timeout)

    def _serve(self, timeout: float | None) -> bool:
        """Whether the loop must not sleep: something is to be done in it."""
        pump = _native.pump
        loop = self.loop
        if timeout is not None and timeout <= 0:
            return pump(0, True) > 0
        deadline = None if timeout is None else time.monotonic() + timeout
        first_timer = loop._scheduled[0] if loop._scheduled else None
        for _ in range(_ROUNDS_MAX):
            served = pump(0, True)
            if loop._ready or _native.shutdown_seen():
                return True
            if served and loop._scheduled and loop._scheduled[0] is not first_timer:
                return True  # `timeout` was computed before this timer was set
            if deadline is not None and time.monotonic() >= deadline:
                return True
            # What arrives between the look and the sleep makes arming fail.
            if served == 0 and not _native.poll_spin() and _native.poll_arm():
                return False
        return True


class WorkerLoop:
    """Runs coroutines of received calls and replies with their results."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._running: dict[int, asyncio.Task[Any]] = {}
        self._credit: dict[int, asyncio.Future[None]] = {}
        selector = _Selector(self.stop)
        self._loop = asyncio.SelectorEventLoop(selector)
        selector.loop = self._loop
        _native.set_hooks(on_cancel=self._on_cancel, on_credit=self._on_credit)

    def run(self, first: list[tuple[int, int, Any, bool]]) -> None:
        """Serves until `stop`; begins with the calls that made the loop necessary."""
        loop = self._loop
        asyncio.set_event_loop(loop)
        _native.set_loop(loop, asyncio.Task, self._suspended)
        loop.add_reader(_native.poll_fd(), _nothing)
        for number, call, subject, stream in first:
            loop.call_soon(self.start, number, call, subject, stream)
        loop.run_forever()

    def stop(self) -> None:
        # While the selector serves calls, only something to be done keeps the loop from sleeping.
        self._loop.call_soon_threadsafe(self._loop.stop)

    # ---- calls -----------------------------------------------------------------------------------

    def start(self, number: int, call: int, subject: Any, stream: bool) -> None:
        """Starts what a call gave."""
        if type(subject) is Construction:
            subject.run(call)
            return
        _native.set_context(call, number)
        is_coroutine = type(subject) is CoroutineType
        coroutine: Any = (
            cast("Any", subject) if is_coroutine else self._items(call, subject, stream)
        )
        self._suspended(call, self._loop.create_task(coroutine), stream)

    def _suspended(self, call: int, task: asyncio.Task[Any], stream: bool = False) -> None:
        """Replies when the task is done."""
        self._running[call] = task
        task.add_done_callback(partial(self._finish, call, stream))

    def _finish(self, call: int, stream: bool, task: asyncio.Task[Any]) -> None:
        del self._running[call]
        if task.cancelled():
            _native.reply_error(call, CancelledError("the call was cancelled"), True)
        elif (error := task.exception()) is not None:
            _native.reply_error(call, error, False)
        elif stream:
            _native.reply_end(call)
        else:
            _native.reply(call, task.result())

    # ---- streams ---------------------------------------------------------------------------------

    async def _items(self, call: int, subject: Any, stream: bool) -> Any:
        """Sends what a generator yields; without a consumer of a stream, all items as one list."""
        collected: list[Any] = []
        if hasattr(subject, "__aiter__"):
            items: AsyncIterator[Any] = subject
            async for item in items:
                if not stream:
                    collected.append(item)
                elif not await self._send_item(call, item):
                    await _close(items)
                    break
            return collected
        source: Iterator[Any] = iter(subject)
        for item in source:
            if not stream:
                collected.append(item)
            elif not await self._send_item(call, item):
                getattr(source, "close", _nothing)()
                break
        return collected

    async def _send_item(self, call: int, item: Any) -> bool:
        """Whether the consumer takes more."""
        while (status := _native.reply_item(call, item)) == _WOULD_BLOCK:
            credit = self._loop.create_future()
            self._credit[call] = credit
            try:
                await credit
            finally:
                self._credit.pop(call, None)
        return status != _CLOSED

    def _on_credit(self, call: int) -> None:
        credit = self._credit.get(call)
        if credit is not None and not credit.done():
            credit.set_result(None)

    def _on_cancel(self, call: int) -> None:
        task = self._running.get(call)
        if task is not None:
            task.cancel()


async def _close(items: Any) -> None:
    close = getattr(items, "aclose", None)
    if close is not None:
        await close()


def _nothing() -> None:
    pass
