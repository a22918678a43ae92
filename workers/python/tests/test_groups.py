"""Concurrency groups, on threads and in an event loop."""

from __future__ import annotations

import re
import statistics
import time
from typing import Any

import calling_things as c
import pytest
import thornback
from thornback import get

pytestmark = pytest.mark.usefixtures("session")

KINDS = pytest.mark.parametrize("cls", [c.Threaded, c.Async], ids=["threads", "loop"])


@KINDS
def test_a_group_is_served_while_another_is_full(cls: Any) -> None:
    with cls.remote() as actor:
        actor.health.remote().get(timeout=20)
        slow = [actor.slow.remote(0.1, i) for i in range(100)]
        taken: list[float] = []
        while not slow[-1].ready():
            before = time.perf_counter()
            actor.health.remote().get(timeout=20)
            taken.append(time.perf_counter() - before)
        assert get(slow, timeout=20) == list(range(100))
        assert len(taken) > 100
        assert statistics.quantiles(taken, n=100)[98] < 0.02
        assert actor.open.remote().get(timeout=20) == 8


@KINDS
def test_the_limit_is_reached_and_kept(cls: Any) -> None:
    with cls.options(max_concurrency=5).remote() as actor:
        assert get([actor.slow.remote(0.01, i) for i in range(60)], timeout=20) == list(range(60))
        assert actor.open.remote().get(timeout=20) == 5


def test_threads_that_wait_for_other_calls_do_not_delay_a_group() -> None:
    with c.Threaded.remote() as actor, c.Worker.remote() as other:
        late = other.nap.remote(1, "late")
        waiting = [actor.wait_for.remote([late]) for _ in range(20)]
        taken: list[float] = []
        while not late.ready():
            before = time.perf_counter()
            actor.health.remote().get(timeout=20)
            taken.append(time.perf_counter() - before)
        assert get(waiting, timeout=20) == ["late"] * 20
        assert statistics.quantiles(taken, n=100)[98] < 0.02


@KINDS
def test_a_call_names_its_group(cls: Any) -> None:
    with cls.options(max_concurrency=1).remote() as actor:
        slow = actor.slow.remote(1)
        beside = actor.slow.options(concurrency_group="health").remote(0, "beside")
        assert beside.get(timeout=20) == "beside"
        assert not slow.ready()


@KINDS
def test_unknown_groups_name_those_that_exist(cls: Any) -> None:
    with cls.remote() as actor:
        method = actor.slow.options(concurrency_group="heath")
        with pytest.raises(thornback.InvalidArgumentError, match=r"heath.*there is health"):
            method.remote(0).get(timeout=20)
    with c.Worker.remote() as actor:
        method = actor.nap.options(concurrency_group="health")
        with pytest.raises(thornback.InvalidArgumentError, match="there is none"):
            method.remote(0).get(timeout=20)


def test_methods_run_on_threads() -> None:
    with c.Threaded.options(max_concurrency=3).remote() as actor:
        waiting = [actor.wait.remote() for _ in range(3)]
        while actor.health.remote().get(timeout=20) < 3:
            pass
        actor.open.remote()
        assert len(set(get(waiting, timeout=20))) == 3
        assert list(actor.items.remote(200)) == list(range(200))
        assert actor.where.remote().get(timeout=20) is not None


def test_a_thread_that_ends_the_process() -> None:
    actor = c.Threaded.remote()
    with pytest.raises(thornback.ActorDiedError, match=r"SystemExit\(5\)"):
        actor.leave.remote().get(timeout=20)
    with pytest.raises(thornback.ActorDiedError):
        actor.health.remote().get(timeout=20)


def test_a_group_of_one_is_serial() -> None:
    with c.Threaded.options(max_concurrency=1, concurrency_groups={"health": 1}).remote() as actor:
        assert get([actor.slow.remote(0.001, i) for i in range(50)], timeout=20) == list(range(50))
        assert actor.open.remote().get(timeout=20) == 1


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"concurrencyGroups": {"io": {"limit": 0}}}, r"options\.concurrencyGroups\.io\.limit"),
        ({"concurrencyGroups": {"io": 3}}, r"options\.concurrencyGroups\.io"),
        ({"maxConcurrency": 1.5}, r"options\.maxConcurrency"),
        (
            {"concurrencyGroups": {"io": {"limit": 1, "methods": ["naps"]}}},
            r"Worker has no method 'naps'; did you mean nap\?",
        ),
    ],
)
def test_groups_given_by_another_language_are_checked(options: dict[str, Any], text: str) -> None:
    actor: Any = thornback.python.actor("calling_things:Worker")
    actor._options = options
    with pytest.raises(thornback.ActorCreationError) as caught:
        actor.remote().seen.remote().get(timeout=20)
    assert re.search(text, f"{caught.value} {caught.value.__cause__}")


def test_groups_given_by_another_language() -> None:
    cls: Any = thornback.python.actor("calling_things:Worker")
    groups = {"io": {"limit": 2, "methods": ["seen"]}}
    cls._options = {"maxConcurrency": 1, "concurrencyGroups": groups}
    actor = cls.remote()
    slow = actor.nap.remote(1)
    assert actor.seen.remote().get(timeout=20) == []
    assert not slow.ready()
    thornback.kill(actor)


def test_the_classes_own_groups_hold_for_creators_who_know_only_its_name() -> None:
    actor = thornback.python.actor("calling_things:Threaded").remote()
    slow = [actor.slow.remote(0.3) for _ in range(12)]
    assert actor.health.remote().get(timeout=20) <= 8
    get(slow, timeout=20)
    assert actor.open.remote().get(timeout=20) == 8
    thornback.kill(actor)


def test_a_method_in_a_group_that_its_actor_does_not_have() -> None:
    with pytest.raises(thornback.ActorCreationError) as caught:
        c.Misplaced.remote().look.remote().get(timeout=20)
    assert "did you mean health?" in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize("groups", [{"io": 0}, {"": 1}, ["io"], {"io": None}])
def test_groups_are_checked(groups: Any) -> None:
    with pytest.raises(thornback.InvalidArgumentError, match="concurrency_groups"):
        c.Worker.options(concurrency_groups=groups)
