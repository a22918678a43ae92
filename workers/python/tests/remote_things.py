"""Tasks and actors that the tests call; workers import this module by name."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import thornback


@dataclass
class Point:
    x: int
    y: Any

    def norm(self) -> int:
        return abs(self.x) + abs(self.y)


class CustomError(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text


@thornback.task
def echo(value: Any) -> Any:
    return value


@thornback.task
def add(a: int, b: int = 10, *, c: int = 100) -> int:
    return a + b + c


@thornback.task
def fail(text: str) -> None:
    try:
        {}["missing"]
    except KeyError as error:
        raise ValueError(text) from error


@thornback.task
def fail_custom() -> None:
    raise CustomError(7, "custom")


@thornback.task
def leave(how: str) -> None:
    if how == "exit":
        os._exit(3)
    if how == "sys.exit":
        sys.exit(4)
    if how == "segfault":
        import ctypes

        ctypes.string_at(0)
    os.kill(os.getpid(), 9)


@thornback.task
def process_id() -> int:
    return os.getpid()


@thornback.task
def total(values: list[int]) -> int:
    """Waits for child tasks: the CPU has to be lent to them meanwhile."""
    return sum(thornback.get([echo.remote(value) for value in values], timeout=30))


@thornback.task
def depth(n: int) -> int:
    return 0 if n == 0 else 1 + depth.remote(n - 1).get(timeout=30)


@thornback.task
def numbers(n: int) -> Iterator[int]:
    yield from range(n)


@thornback.task
async def slowly(value: int) -> int:
    await asyncio.sleep(0.01)
    return value + 1


@thornback.task
def unserialisable() -> Any:
    return {"a": [1, {"lock": _lock()}]}


def _lock() -> Any:
    import threading

    return threading.Lock()


@thornback.task
def call_later(handle: Any, k: int) -> int:
    return handle.add.remote(k).get(timeout=20)


@thornback.task
def where() -> tuple[str, str | None]:
    here = thornback.context()
    return here.role, here.actor_id


@thornback.actor
class Counter:
    def __init__(self, start: int = 0, *, step: int = 1) -> None:
        self.n = start
        self.step = step

    def add(self, k: int) -> int:
        self.n += k * self.step
        return self.n

    def value(self) -> int:
        return self.n

    def fail(self) -> None:
        raise CustomError(1, "in actor")

    def count(self, n: int) -> Iterator[int]:
        for i in range(n):
            self.n = i
            yield i

    def break_after(self, n: int) -> Iterator[int]:
        yield from range(n)
        raise ValueError("broken stream")

    def hold(self, refs: list[Any]) -> None:
        self.held = refs

    def held_values(self) -> list[Any]:
        return thornback.get(self.held, timeout=20)

    def sleep(self, seconds: float) -> str:
        time.sleep(seconds)
        return "slept"

    def leave(self, how: str) -> None:
        leave.__wrapped__(how)

    def pid(self) -> int:
        return os.getpid()

    def where(self) -> thornback.Context:
        return thornback.context()


@thornback.actor
class Failing:
    def __init__(self, text: str) -> None:
        raise ValueError(text)

    def never(self) -> None: ...


@thornback.actor
class AsyncThings:
    def __init__(self) -> None:
        self.running = 0
        self.most = 0
        self.cancelled = 0
        self.event = asyncio.Event()
        self.produced = 0

    async def at_once(self, value: Any) -> Any:
        return value

    async def nap(self, seconds: float, value: Any = None) -> Any:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        return value

    async def wait_for_event(self) -> str:
        await self.event.wait()
        return "set"

    async def set_event(self) -> None:
        self.event.set()

    def sync(self) -> tuple[int, int]:
        return self.most, self.cancelled

    async def with_timeout(self) -> str:
        """Needs to be inside a task from its first step."""
        assert asyncio.current_task() is not None
        try:
            await asyncio.wait_for(asyncio.sleep(10), 0.01)
        except asyncio.TimeoutError:
            return f"timed out in {type(asyncio.current_task()).__name__}"
        return "no"

    async def fail(self) -> None:
        await asyncio.sleep(0)
        raise CustomError(2, "async")

    async def fail_at_once(self) -> None:
        raise CustomError(3, "at once")

    async def items(self, n: int) -> AsyncIterator[int]:
        for i in range(n):
            self.produced = i + 1
            await asyncio.sleep(0)
            yield i

    async def items_after(self, seconds: float) -> AsyncIterator[int]:
        await asyncio.sleep(seconds)
        yield 1

    def sync_items(self, n: int) -> Iterator[int]:
        yield from range(n)

    async def produced_items(self) -> int:
        return self.produced

    async def ask(self, counter: Any, k: int) -> int:
        return await counter.add.remote(k)

    async def collect(self, counter: Any, n: int) -> list[int]:
        return [item async for item in counter.count.stream(n)]
