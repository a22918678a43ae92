"""Cancelling: queued, running, waiting, awaited, and by force."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import calling_things as c
import pytest
import thornback

pytestmark = pytest.mark.usefixtures("session")


def appears(file: Path) -> None:
    while not file.exists():
        time.sleep(0.001)


def cancelled(ref: Any) -> None:
    with pytest.raises(thornback.CancelledError):
        ref.get(timeout=20)


@pytest.mark.parametrize("task", [c.sleep_long, c.loop_for_ever])
def test_running_python_is_interrupted(tmp_path: Path, task: Any) -> None:
    worker = task.remote(str(tmp_path))
    appears(tmp_path / "started")
    thornback.cancel(worker)
    cancelled(worker)


def test_the_worker_lives_on(tmp_path: Path) -> None:
    with c.Worker.remote() as actor:
        before = actor.pid.remote().get(timeout=20)
        running = actor.sleep.remote(str(tmp_path))
        following = actor.pid.remote()
        appears(tmp_path / "started")
        thornback.cancel(running)
        cancelled(running)
        assert following.get(timeout=20) == before
        assert (tmp_path / "cancelled").exists()


def test_only_the_cancelled_call_is_interrupted() -> None:
    """Calls are cancelled at all moments of their lives, and none of their neighbours is hit."""
    with c.Worker.remote() as actor:
        kept: list[Any] = []
        dropped: list[Any] = []
        for i in range(400):
            kept.append(actor.nap.remote(0.0005, i))
            dropped.append(actor.nap.remote(0.0005, -1))
            if i % 4 == 3:
                kept[i - 2].get(timeout=20)
            thornback.cancel(dropped[i - (i % 7)])
        assert thornback.get(kept, timeout=40) == list(range(400))
        for ref in dropped:
            try:
                assert ref.get(timeout=20) == -1
            except thornback.CancelledError:
                pass
        assert [v for v in actor.seen.remote().get(timeout=20) if v >= 0] == list(range(400))


def test_queued_calls_are_not_executed() -> None:
    with c.Worker.remote() as actor:
        actor.nap.remote(0.3)
        queued = actor.nap.remote(0, "never")
        thornback.cancel(queued)
        cancelled(queued)
        assert actor.seen.remote().get(timeout=20) == [None]


@pytest.mark.parametrize("task", [c.wait_for_child, c.await_child])
def test_calls_inside_are_cancelled_too(tmp_path: Path, task: Any) -> None:
    ref = task.remote(str(tmp_path))
    appears(tmp_path / "started")
    thornback.cancel(ref)
    cancelled(ref)
    appears(tmp_path / "cancelled")


def test_calls_inside_go_on_without_recursion(tmp_path: Path) -> None:
    ref = c.wait_for_child.remote(str(tmp_path))
    appears(tmp_path / "started")
    thornback.cancel(ref, recursive=False)
    cancelled(ref)
    assert not (tmp_path / "cancelled").exists()


def test_code_that_catches_its_cancellation_goes_on(tmp_path: Path) -> None:
    ref = c.ignore_cancellation.remote(str(tmp_path))
    appears(tmp_path / "started")
    thornback.cancel(ref)
    assert ref.get(timeout=20) == "went on"


def test_plain_methods_of_an_async_actor_are_interrupted(tmp_path: Path) -> None:
    with c.Async.remote() as actor:
        assert actor.health.remote().get(timeout=20) == 0
        blocking = actor.block.remote(str(tmp_path))
        appears(tmp_path / "started")
        thornback.cancel(blocking)
        cancelled(blocking)
        assert actor.health.remote().get(timeout=20) == 0


def test_a_generator_that_catches_its_cancellation_is_read_no_further(tmp_path: Path) -> None:
    stream = c.stubborn_items.remote(str(tmp_path))
    assert next(stream) == 1
    thornback.cancel(stream)
    assert list(stream) == []
    assert c.pid.remote().get(timeout=20) > 0


def test_compiled_code_ends_by_force(tmp_path: Path) -> None:
    ref = c.compute_in_c.remote(str(tmp_path))
    appears(tmp_path / "started")
    thornback.cancel(ref, force=True)
    with pytest.raises(thornback.CancelledError, match="its worker ended"):
        ref.get(timeout=20)
    assert c.pid.remote().get(timeout=20) > 0


@pytest.fixture
def threaded() -> Iterator[Any]:
    with c.Threaded.remote() as handle:
        yield handle


def test_methods_on_threads_are_interrupted(threaded: Any, tmp_path: Path) -> None:
    spinning = threaded.spin.remote(str(tmp_path))
    appears(tmp_path / "started")
    thornback.cancel(spinning)
    cancelled(spinning)
    never = c.sleeping.remote(50)
    waiting = threaded.wait_for.remote([never])
    while threaded.health.remote().get(timeout=20) == 0:
        pass
    thornback.cancel(waiting)
    cancelled(waiting)
    thornback.cancel(never)
    assert threaded.slow.remote(0, "fine").get(timeout=20) == "fine"


def test_threads_serve_on_after_cancellations(threaded: Any) -> None:
    kept: list[Any] = []
    for i in range(100):
        kept.append(threaded.slow.remote(0.001, i))
        thornback.cancel(threaded.slow.remote(0.001, -1))
    assert thornback.get(kept, timeout=40) == list(range(100))


async def test_cancelling_the_awaiting_task(tmp_path: Path) -> None:
    async def wait() -> Any:
        return await c.sleep_long.remote(str(tmp_path))

    task = asyncio.create_task(wait())
    await asyncio.to_thread(appears, tmp_path / "started")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(appears, tmp_path / "cancelled")


def test_a_finished_call_cannot_be_cancelled() -> None:
    ref = c.pid.remote()
    ref.get(timeout=20)
    thornback.cancel(ref)
    assert ref.get() != os.getpid()
