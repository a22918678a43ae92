"""Async actors, and asyncio programs as callers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import remote_things as r
import thornback
from thornback import get

pytestmark = pytest.mark.usefixtures("session")


@pytest.fixture
def things() -> Iterator[Any]:
    with r.AsyncThings.remote() as handle:
        yield handle


def test_coroutines_overlap(things: Any) -> None:
    assert get([things.nap.remote(0.05, i) for i in range(50)], timeout=20) == list(range(50))
    most, _ = things.sync.remote().get(timeout=20)
    assert most > 10
    assert get([things.at_once.remote(i) for i in range(100)], timeout=20) == list(range(100))


def test_a_call_waits_for_a_later_one(things: Any) -> None:
    waiting = things.wait_for_event.remote()
    things.set_event.remote()
    assert waiting.get(timeout=20) == "set"


def test_limit_of_concurrent_calls() -> None:
    with r.AsyncThings.options(max_concurrency=3).remote() as things:
        assert get([things.nap.remote(0.01, i) for i in range(12)], timeout=20) == list(range(12))
        assert things.sync.remote().get(timeout=20)[0] == 3
        assert things.at_once.remote(1).get(timeout=20) == 1


def test_first_steps_run_inside_a_task(things: Any) -> None:
    assert things.with_timeout.remote().get(timeout=20) == "timed out in Task"


def test_errors_of_coroutines(things: Any) -> None:
    with pytest.raises(r.CustomError) as caught:
        things.fail.remote().get(timeout=20)
    assert caught.value.code == 2
    with pytest.raises(r.CustomError):
        things.fail_at_once.remote().get(timeout=20)
    assert things.at_once.remote(1).get(timeout=20) == 1


def test_cancelling_a_coroutine(things: Any) -> None:
    waiting = things.nap.remote(30)
    things.at_once.remote(1).get(timeout=20)
    thornback.cancel(waiting)
    with pytest.raises(thornback.CancelledError):
        waiting.get(timeout=20)
    for _ in range(100):
        if things.sync.remote().get(timeout=20)[1] == 1:
            break
    else:
        pytest.fail("the coroutine was not cancelled")


def test_generators_of_an_async_actor(things: Any) -> None:
    assert list(things.items.remote(200)) == list(range(200))
    assert list(things.sync_items.remote(200)) == list(range(200))
    stream = things.items.remote(10**9)
    assert [next(stream), next(stream)] == [0, 1]
    stream.close()
    assert things.produced_items.remote().get(timeout=20) < 10_000


def test_actors_await_other_actors(things: Any) -> None:
    with r.Counter.remote() as counter:
        refs = [things.ask.remote(counter, 1) for _ in range(20)]
        assert sorted(get(refs, timeout=20)) == list(range(1, 21))
        assert things.collect.remote(counter, 30).get(timeout=20) == list(range(30))


async def test_await_in_the_driver(things: Any) -> None:
    assert await things.at_once.remote("x") == "x"
    values = await asyncio.gather(*[things.nap.remote(0.01, i) for i in range(50)])
    assert values == list(range(50))
    ready = thornback.put((1, 2))
    assert await ready == (1, 2)
    assert await ready == (1, 2)
    with pytest.raises(r.CustomError):
        await things.fail.remote()


async def test_async_for_in_the_driver(things: Any) -> None:
    assert [item async for item in things.items.remote(300)] == list(range(300))
    stream = things.items.remote(10**9)
    async for item in stream:
        if item == 5:
            break
    stream.close()


async def test_the_loop_goes_on_while_a_ref_is_awaited(things: Any) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.001)

    ticker = asyncio.create_task(tick())
    await things.nap.remote(0.2)
    ticker.cancel()
    assert ticks > 10


async def test_cancelling_who_awaits_cancels_the_call(things: Any) -> None:
    ref = things.nap.remote(30)
    await things.at_once.remote(1)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(_await(ref), 0.01)
    with pytest.raises(thornback.CancelledError):
        await ref
    while (await things.sync.remote())[1] == 0:
        pass


async def test_shielded_waits_leave_the_call_alone(things: Any) -> None:
    ref = things.nap.remote(0.1, "done")
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(asyncio.shield(_await(ref)), 0.01)
    assert await ref == "done"


async def _await(ref: Any) -> Any:
    return await ref


def test_one_loop_after_the_other(things: Any) -> None:
    for i in range(3):
        assert asyncio.run(_await(things.nap.remote(0.005, i))) == i


async def test_get_in_another_thread_meanwhile(things: Any) -> None:
    blocking = asyncio.to_thread(lambda: things.nap.remote(0.05, "thread").get(timeout=20))
    values = await asyncio.gather(blocking, *[things.nap.remote(0.01, i) for i in range(10)])
    assert values == ["thread", *range(10)]


@thornback.task
def run_a_loop(handle: Any, n: int) -> list[int]:
    async def all_of_them() -> list[int]:
        return await asyncio.gather(*[_await(handle.add.remote(1)) for _ in range(n)])

    return asyncio.run(all_of_them())


def test_a_loop_inside_a_task() -> None:
    with r.Counter.remote() as counter:
        assert sorted(run_a_loop.remote(counter, 10).get(timeout=20)) == list(range(1, 11))
        assert r.echo.remote(1).get(timeout=20) == 1
