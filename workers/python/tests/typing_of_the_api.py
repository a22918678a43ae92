"""What type checkers say about the API; pyright checks this file, nothing runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import thornback
from thornback import ObjectRef, ObjectStream
from typing_extensions import assert_type


@thornback.task
def area(width: int, height: int = 1, *, scale: float = 1.0) -> float:
    return width * height * scale


@thornback.task(cpu=2, retries=1, retry_exceptions=[OSError, "TypeError"], when_full="refuse")
async def fetch(name: str) -> bytes:
    return name.encode()


@thornback.task
def lines(n: int) -> Iterator[str]:
    yield str(n)


@thornback.actor
class Plain:
    def __init__(self, start: int = 0) -> None:
        self.n = start

    def add(self, k: int) -> int:
        return self.n + k


@thornback.actor(max_restarts=3, concurrency_groups={"io": 2}, max_pending_calls=100)
class Typed(thornback.Actor):
    def __init__(self, start: int = 0) -> None:
        self.n = start

    @thornback.method
    def add(self, k: int) -> int:
        return self.n + k

    @thornback.method(concurrency_group="io", retries=2)
    async def ask(self, question: str) -> str:
        return question

    @thornback.method
    async def watch(self, n: int) -> AsyncIterator[int]:
        yield n


class WebApi(thornback.Actor):
    @thornback.method
    def render(self, page: str) -> str:
        raise NotImplementedError


def tasks() -> None:
    assert_type(area(1), float)
    assert_type(area.remote(1, scale=2.0), ObjectRef[float])
    assert_type(area.options(timeout=1).remote(1, 2).get(), float)
    assert_type(fetch.remote("x"), ObjectRef[bytes])
    assert_type(lines.remote(3), ObjectStream[str])
    assert_type(thornback.get([area.remote(1)]), list[float])
    width = thornback.put(5)
    assert_type(area.remote(width, 2), ObjectRef[float])
    area.remote("1")  # pyright: ignore[reportCallIssue, reportArgumentType]


def actors() -> None:
    plain = Plain.options(name="p").remote(10)
    plain.add.remote(1).get(timeout=5)
    typed = Typed.options(name="t").remote(10)
    assert_type(typed.add.remote(1), ObjectRef[int])
    assert_type(typed.ask.remote("x"), ObjectRef[str])
    assert_type(typed.watch.remote(1), ObjectStream[int])
    assert_type(typed.add.options(timeout=2).remote(1), ObjectRef[int])
    assert_type(typed.ask.options(in_order=False, concurrency_group="io").remote("x").get(), str)
    typed.add.options(priority=1)  # pyright: ignore[reportCallIssue]
    area.options(retry_exception=True)  # pyright: ignore[reportCallIssue]
    typed.add.remote("1")  # pyright: ignore[reportCallIssue, reportArgumentType]
    web = thornback.typescript.actor("./web.ts:Web", WebApi).remote()
    assert_type(web.render.remote("home"), ObjectRef[str])
    thornback.typescript.actor("./web.ts:Web").remote().anything.remote(1)


async def asynchronous() -> None:
    await thornback.room(area)
    assert_type(thornback.room(Plain.remote()).wait(1), bool)
    assert_type(thornback.pending(area).calls, int)
    assert_type(await area.remote(1), float)
    assert_type(await fetch.remote("x"), bytes)
    async for item in Typed.remote().watch.remote(1):
        assert_type(item, int)
