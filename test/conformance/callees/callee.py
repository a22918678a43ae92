"""What the cases call, in Python. Every language has a module of this content."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
import thornback


def echo(value: Any) -> Any:
    return value


async def echoLater(value: Any) -> Any:
    await asyncio.sleep(0)
    return value


def sum(a: int, b: int = 10, c: int = 100) -> int:
    return a + b + c


def fail(message: str) -> None:
    raise ValueError(message) from TypeError("the deeper reason")


def count(to: int) -> Iterator[int]:
    yield from range(to)


async def countLater(to: int) -> AsyncIterator[int]:
    for i in range(to):
        await asyncio.sleep(0)
        yield i


def countAndFail(to: int) -> Iterator[int]:
    yield from range(to)
    fail("in the middle")


def unwrap(refs: list[Any]) -> list[Any]:
    """The values of refs inside a list, and the refs themselves."""
    return [thornback.get(refs, timeout=30), refs]


def addThrough(counter: Any, k: int) -> Any:
    return counter.add.remote(k).get(timeout=30)


def ones(length: int) -> Any:
    return np.ones(length)


def total(values: Any) -> int:
    return int(values.sum())


class Counter:
    def __init__(self, start: int, step: int = 0) -> None:
        if start < 0:
            raise ValueError("a counter starts at 0")
        self._n = start + step
        self._log: list[int] = []

    def add(self, k: int) -> int:
        self._n += k
        return self._n

    async def addLater(self, k: int) -> int:
        await asyncio.sleep(0)
        return self.add(k)

    def log(self, entry: int) -> int:
        self._log.append(entry)
        return len(self._log)

    def entries(self) -> list[int]:
        return self._log

    def count(self, to: int) -> Iterator[int]:
        yield from range(to)

    async def countLater(self, to: int) -> AsyncIterator[int]:
        for i in range(to):
            await asyncio.sleep(0)
            yield i

    def fail(self, message: str) -> None:
        fail(message)

    def ones(self, length: int) -> Any:
        return np.ones(length)

    def echo(self, value: Any) -> Any:
        return value

    def objects(self) -> int:
        """How many objects this process holds in the store."""
        return thornback.stats()["objects_live"]
