"""What happens when a producer is faster than its consumer."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from typing import Any

import calling_things as c
import pytest
import thornback

pytestmark = pytest.mark.usefixtures("session")

MIB = 1 << 20


def test_a_fast_producer_is_slowed_down_in_bounded_memory() -> None:
    """Nothing is configured; the producer could be 20 times faster than the actor."""
    payload = b"x" * 2000
    with c.Worker.remote() as actor:
        refs: list[Any] = []
        next_value = 0
        thornback.get([actor.work.remote(0, 0, payload) for _ in range(2000)], timeout=20)
        before = (c.resident_bytes(), actor.memory.remote().get(timeout=20))
        end = time.monotonic() + 5
        while time.monotonic() < end:
            for _ in range(64):
                refs.append(actor.work.remote(0.0002, len(refs) + next_value, payload))
            # Those that are done are checked and forgotten, in order.
            while refs and refs[0].ready():
                ready = 1
                while ready < len(refs) and ready < 512 and refs[ready].ready():
                    ready += 1
                for value in thornback.get(refs[:ready]):
                    assert value == next_value
                    next_value += 1
                del refs[:ready]
        stats = thornback.pending(actor)
        after = (c.resident_bytes(), actor.memory.remote())
        for value in thornback.get(refs, timeout=40):
            assert value == next_value
            next_value += 1
        assert after[0] - before[0] < 64 * MIB
        assert after[1].get(timeout=20) - before[1] < 64 * MIB
        assert stats.refused > 0
        assert stats.throttled_seconds > 0
        assert stats.bytes <= stats.max_bytes + 4096


def test_the_callers_limit_makes_it_wait() -> None:
    with c.Worker.options(max_pending_calls=20).remote() as actor:
        refs = [actor.use.remote(i) for i in range(500)]
        assert thornback.get(refs, timeout=20) == list(range(500))
        assert actor.seen.remote().get(timeout=20) == list(range(500))
        assert thornback.pending(actor).max_calls == 20


def test_refusing() -> None:
    with c.Worker.options(max_pending_calls=10, when_full="refuse").remote() as actor:
        refs = [actor.nap.remote(0.02, i) for i in range(10)]
        with pytest.raises(thornback.BackPressureError, match="10 calls"):
            actor.nap.remote(0.02, -1)
        stats = thornback.pending(actor)
        assert (stats.calls, stats.max_calls, stats.refused) == (10, 10, 1)
        assert actor.nap.options(when_full="wait").remote(0, 10).get(timeout=20) == 10
        assert thornback.room(actor).wait(timeout=20)
        assert thornback.get(refs, timeout=20) == list(range(10))
        assert actor.seen.remote().get(timeout=20) == list(range(11))


def test_limits_in_bytes_and_room() -> None:
    with c.Worker.options(max_pending_bytes=MIB, when_full="refuse").remote() as actor:
        actor.nap.remote(0.3, bytes(700_000))
        actor.nap.remote(0, bytes(700_000))  # the limit may be exceeded by one call
        with pytest.raises(thornback.BackPressureError, match="1048576 bytes"):
            actor.nap.remote(0, bytes(700_000))
        assert not thornback.room(actor.nap).wait(timeout=0)
        assert thornback.room(actor).wait(timeout=20)
        assert len(actor.nap.remote(0, bytes(700_000)).get(timeout=20)) == 700_000
    with c.Worker.options(max_pending_bytes=1000).remote() as actor:
        assert len(actor.nap.remote(0, bytes(5000)).get(timeout=20)) == 5000


def test_limits_of_tasks() -> None:
    task = c.sleeping.options(max_pending_calls=3, when_full="refuse")
    refs = [task.remote(0.2) for _ in range(3)]
    with pytest.raises(thornback.BackPressureError):
        task.remote(0.05)
    assert thornback.pending(task).calls == 3
    assert thornback.room(task).wait(timeout=20)
    assert thornback.get(refs, timeout=20) == ["slept"] * 3


async def test_an_event_loop_is_refused_and_awaits_room() -> None:
    with c.Worker.options(max_pending_calls=50).remote() as actor:
        refs: list[Any] = []
        refused: list[str] = []
        while len(refs) < 500:
            try:
                refs.append(actor.use.remote(len(refs)))
            except thornback.BackPressureError as error:
                refused.append(str(error))
                await thornback.room(actor)
        assert "await thornback.room(handle)" in refused[0]
        assert await asyncio.gather(*[_value(ref) for ref in refs]) == list(range(500))
        await thornback.room(actor)


async def _value(ref: Any) -> Any:
    return await ref


def test_the_loop_of_an_async_actor_is_refused() -> None:
    with c.Async.remote() as caller, c.Worker.remote() as actor:
        actor.nap.remote(1)
        assert "limits are" in caller.submit.remote(actor, 200_000).get(timeout=50)


def test_waiting_for_room_can_be_interrupted() -> None:
    """By a signal handler that raises, as that of Ctrl-C does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with c.Worker.options(max_pending_calls=1).remote() as actor:
        slow = actor.nap.remote(2, "first")
        before = signal.signal(signal.SIGUSR1, interrupt)
        try:
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1)).start()
            with pytest.raises(KeyboardInterrupt):
                actor.nap.remote(0, "never")
        finally:
            signal.signal(signal.SIGUSR1, before)
        assert slow.get(timeout=20) == "first"
        assert actor.seen.remote().get(timeout=20) == ["first"]


def test_what_has_room() -> None:
    anything: Any = "actor"
    for function in (thornback.room, thornback.pending):
        with pytest.raises(thornback.InvalidArgumentError, match="it takes an ActorHandle"):
            function(anything)
