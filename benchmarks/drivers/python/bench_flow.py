"""What the suite `flow` calls in Python. The TypeScript twin is ../typescript/flow-actors.ts."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from typing import Any

import thornback


class Work:
    """Computes for a while in each call, and sees whether each caller's calls come in order."""

    def __init__(self) -> None:
        self._next: dict[int, int] = {}
        self._wrong = 0

    def work(self, caller: int, n: int, microseconds: float, _payload: bytes = b"") -> int:
        clock = time.perf_counter
        end = clock() + microseconds * 1e-6
        if self._next.get(caller, 0) != n:
            self._wrong += 1
        self._next[caller] = n + 1
        while clock() < end:
            pass
        return n

    def report(self, caller: int) -> list[int]:
        """How many calls of this caller were executed, and how many of all were out of order."""
        return [self._next.get(caller, 0), self._wrong]

    def pid(self) -> int:
        return os.getpid()


class Neighbour:
    """Another caller of the same actor, in a process of its own."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    def ready(self) -> bool:
        return True

    def one_by_one(self, caller: int, microseconds: float) -> int:
        """One call in flight, until the actor is gone."""
        call = self._actor.work.remote
        n = 0
        try:
            while call(caller, n, microseconds).get() == n:
                n += 1
        except thornback.ActorDiedError:
            return n + 1
        raise AssertionError("a wrong result")

    def flood(self, caller: int, microseconds: float) -> int:
        """As many calls as it may, until the actor is gone."""
        call = self._actor.work.remote
        n = 0
        try:
            while True:
                ref = call(caller, n, microseconds)
                n += 1
                # A call to an actor that is gone fails at once, but not here.
                if n % 100 == 0 and ref.ready():
                    ref.get()
        except thornback.ActorDiedError:
            return n


class Slow:
    """Calls that wait, in an event loop."""

    async def slow(self, seconds: float, value: int) -> int:
        await asyncio.sleep(seconds)
        return value

    async def health(self, value: int) -> int:
        return value


class SlowThreads:
    """The same on threads."""

    def slow(self, seconds: float, value: int) -> int:
        time.sleep(seconds)
        return value

    def health(self, value: int) -> int:
        return value


class Lives:
    """Says which of its lives it is."""

    def __init__(self) -> None:
        self._pid = os.getpid()

    def echo(self, value: int) -> list[int]:
        return [value, self._pid, thornback.context().incarnation or 0]


class Streams:
    def numbers(self, count: int) -> Iterator[int]:
        yield from range(count)

    def arrays(self, count: int, size: int) -> Iterator[Any]:
        import numpy as np

        source = np.full(size // 8, 7.0)
        for n in range(count):
            source[0] = source[-1] = n
            yield source
