"""Actors, Python to Python."""

from __future__ import annotations

import time
from typing import Any

import pytest
import remote_things as r
import thornback
from thornback import get

pytestmark = pytest.mark.usefixtures("session")


def test_state_and_order() -> None:
    counter = r.Counter.remote(10, step=2)
    assert get([counter.add.remote(1) for _ in range(500)], timeout=30) == [
        10 + 2 * (i + 1) for i in range(500)
    ]
    thornback.kill(counter)


def test_the_class_stays_usable() -> None:
    local = r.Counter(5)
    assert local.add(1) == 6
    assert r.Counter.__name__ == "Counter"


def test_constructor_arguments_that_are_refs() -> None:
    counters: Any = r.Counter
    with counters.remote(thornback.put(7), step=r.echo.remote(3)) as counter:
        assert counter.add.remote(1).get(timeout=20) == 10


def test_a_class_without_an_importable_name() -> None:
    offset = 100

    @thornback.actor
    class Local:
        def __init__(self) -> None:
            self.values: list[int] = []

        def push(self, value: int) -> list[int]:
            self.values.append(value + offset)
            return self.values

    with Local.remote() as local:
        local.push.remote(1)
        assert local.push.remote(2).get(timeout=20) == [101, 102]


def test_handles_travel_in_values() -> None:
    with r.Counter.remote() as counter:
        assert r.call_later.remote(counter, 5).get(timeout=20) == 5
        nested = r.echo.remote({"h": [counter]}).get(timeout=20)["h"][0]
        assert nested == counter
        assert nested.add.remote(1).get(timeout=20) == 6
        kept = r.echo.remote(r.Point(1, counter)).get(timeout=20).y
        assert kept.value.remote().get(timeout=20) == 6


def test_refs_kept_by_an_actor() -> None:
    with r.Counter.remote() as counter:
        refs = [thornback.put([i] * 1000) for i in range(20)]
        counter.hold.remote(refs).get(timeout=20)
        del refs
        values = counter.held_values.remote().get(timeout=20)
        assert values == [[i] * 1000 for i in range(20)]


def test_named_actors() -> None:
    with r.Counter.options(name="hits").remote(3) as counter:
        counter.value.remote().get(timeout=20)
        found = thornback.get_actor("hits")
        assert found.add.remote(1).get(timeout=20) == 4
        again = r.Counter.options(name="hits", get_if_exists=True).remote(50)
        assert again.value.remote().get(timeout=20) == 4
        with pytest.raises(thornback.NameTakenError, match="hits"):
            r.Counter.options(name="hits").remote().value.remote().get(timeout=20)
    with pytest.raises(thornback.ActorNotFoundError, match="hits"):
        thornback.get_actor("hits")


def test_methods_that_do_not_exist() -> None:
    with r.Counter.remote() as counter:
        with pytest.raises(AttributeError, match=r"no method 'ad'; did you mean add\?"):
            counter.ad  # noqa: B018
        with pytest.raises(AttributeError, match="cannot be set"):
            counter.n = 3
        assert "add" in dir(counter)
        by_name = thornback.python.actor("remote_things:Counter").remote(1)
        with pytest.raises(thornback.NotFoundError, match=r"did you mean add\?"):
            by_name.ad.remote().get(timeout=20)
        assert by_name.add.remote(1).get(timeout=20) == 2
        thornback.kill(by_name)


def test_generators_stream_with_back_pressure() -> None:
    with r.Counter.remote() as counter:
        assert list(counter.count.remote(500)) == list(range(500))
        stream = counter.count.remote(10**9)
        assert [next(stream) for _ in range(5)] == [0, 1, 2, 3, 4]
        stream.close()
        produced = counter.value.remote().get(timeout=20)
        assert 4 <= produced < 100_000, "the producer ran away from its consumer"


def test_a_stream_that_breaks() -> None:
    with r.Counter.remote() as counter:
        stream = counter.break_after.remote(3)
        assert [next(stream) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(ValueError, match="broken stream"):
            next(stream)
        assert list(stream) == []


def test_a_generator_without_a_stream_gives_a_list() -> None:
    by_name = thornback.python.actor("remote_things:Counter").remote()
    assert by_name.count.remote(4).get(timeout=20) == [0, 1, 2, 3]
    assert list(by_name.count.stream(4)) == [0, 1, 2, 3]
    with pytest.raises(TypeError, match="stream"):
        list(by_name.value.stream())
    thornback.kill(by_name)


def test_killed_actors() -> None:
    counter = r.Counter.remote()
    counter.value.remote().get(timeout=20)
    pending = counter.sleep.remote(30)
    thornback.kill(counter)
    for ref in (pending, counter.value.remote()):
        with pytest.raises(thornback.ActorDiedError):
            ref.get(timeout=20)
    thornback.kill(counter)


@pytest.mark.parametrize("how", ["exit", "sys.exit", "segfault", "signal"])
def test_actors_whose_process_ends(how: str) -> None:
    counter = r.Counter.remote()
    assert counter.value.remote().get(timeout=20) == 0
    with pytest.raises(thornback.ActorDiedError):
        counter.leave.remote(how).get(timeout=20)
    with pytest.raises(thornback.ActorDiedError):
        counter.value.remote().get(timeout=20)


def test_constructors_that_raise() -> None:
    failing = r.Failing.remote("no such file")
    with pytest.raises(thornback.ActorCreationError) as caught:
        failing.never.remote().get(timeout=20)
    assert "no such file" in str(caught.value.__cause__)
    with pytest.raises(thornback.ActorCreationError):
        failing.never.remote().get(timeout=20)


def test_missing_classes_and_modules() -> None:
    for key, text in {
        "remote_things:Countr": "did you mean Counter",
        "remote_thing:Counter": "remote_thing",
    }.items():
        handle = thornback.python.actor(key).remote()
        with pytest.raises(thornback.ThornbackError) as caught:
            handle.anything.remote().get(timeout=20)
        assert text in f"{caught.value} {caught.value.__cause__}"


def test_timeouts() -> None:
    with r.Counter.remote() as counter:
        slow = counter.sleep.remote(2)
        before = time.monotonic()
        with pytest.raises(thornback.WaitTimeoutError, match=r"0\.05"):
            slow.get(timeout=0.05)
        with pytest.raises(TimeoutError):
            get([slow], timeout=0.05)
        assert time.monotonic() - before < 1.5
        assert thornback.wait([slow], 1, timeout=0.01) == ([], [slow])
        for wrong in (-1, float("nan")):
            with pytest.raises(thornback.InvalidArgumentError):
                slow.get(timeout=wrong)
        assert slow.get(timeout=20) == "slept"


def test_context_of_an_actor() -> None:
    with r.Counter.options(name="here").remote() as counter:
        here = counter.where.remote().get(timeout=20)
    assert here.role == "worker"
    assert here.actor_name == "here"
    assert len(here.actor_id) == 32
    assert here.job == thornback.context().job


def test_actors_that_share_a_process() -> None:
    shared = r.Counter.options(share=True)
    handles: list[Any] = [shared.remote(i) for i in range(4)]
    assert get([h.value.remote() for h in handles], timeout=20) == [0, 1, 2, 3]
    assert len(set(get([h.pid.remote() for h in handles], timeout=20))) == 1
    thornback.kill(handles[0])
    assert handles[1].value.remote().get(timeout=20) == 1
    for handle in handles[1:]:
        thornback.kill(handle)


def test_options_are_checked() -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"name": ""}, "name"),
        ({"max_concurrency": 0}, "max_concurrency"),
        ({"cpu": -1}, "cpu"),
        ({"environment": {"pyhton": "x"}}, "pyhton"),
    ]
    for options, text in wrong:
        with pytest.raises(thornback.InvalidArgumentError, match=text):
            r.Counter.options(**options)
    with pytest.raises(thornback.InvalidArgumentError, match="module:name"):
        thornback.python.actor("nonsense")
