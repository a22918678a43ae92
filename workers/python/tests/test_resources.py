"""Memory, GPUs and resources of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import needy
import pytest
import thornback


@pytest.fixture(scope="module")
def session() -> Iterator[thornback.Session]:
    resources = {"gpu": 2, "license": 2, "memory": 1000}
    with thornback.init(cpus=4, resources=resources, prestart={"python": 1}) as opened:
        yield opened


with_session = pytest.mark.usefixtures("session")


@with_session
def test_a_resource_limits_how_many_tasks_run_at_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    task = needy.in_pairs.options(resources={"license": 1}, cpu=0)
    # Tasks of one shape have at most as many workers as the machine has processors.
    shapes = [task.options(memory=number) for number in range(5)]
    thornback.get([shape.remote(str(log)) for shape in shapes * 2], timeout=40)
    now = 0
    counts = [now := now + (1 if mark == "+" else -1) for mark in log.read_text()]
    assert len(counts) == 20
    assert max(counts) == 2


@with_session
@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"resources": {"license": 3}}, "needs 3 license, has 2 license; ask for less"),
        ({"gpu": 3}, "needs 3 GPUs, has 2 GPUs; ask for less"),
        ({"memory": 1001}, "needs 1001 bytes of memory, has 1000 bytes of memory; ask for less"),
        ({"cpu": 5}, "needs 5 CPUs, has 4 CPUs; ask for less"),
        ({"resources": {"tpu": 0.5}}, "needs 0.5 tpu, has 0 tpu; ask for less"),
    ],
)
def test_more_than_the_node_has(options: Any, text: str) -> None:
    with pytest.raises(thornback.ResourceLimitError, match=text):
        needy.gpus_of_task.options(**options).remote().get(timeout=20)
    with pytest.raises(thornback.ResourceLimitError, match=text):
        needy.Needy.options(**options).remote().gpus.remote().get(timeout=20)


@with_session
def test_actors_know_their_gpus() -> None:
    kinds = [{"gpu": 1}, {"gpu": 0.5}, {"gpu": 0.5}, {}]
    actors = [needy.Needy.options(**kind).remote() for kind in kinds]
    found = thornback.get([actor.gpus.remote() for actor in actors], timeout=40)
    assert found == [((0,), (0,)), ((1,), (1,)), ((1,), (1,)), ((), ())]
    for actor in actors:
        thornback.kill(actor)
    with needy.Needy.options(gpu=2).remote() as both:  # those of the dead ones are free again
        assert both.gpus.remote().get(timeout=40) == ((0, 1), (0, 1))


@with_session
def test_actors_on_threads_and_in_a_loop_know_them_too() -> None:
    with (
        needy.Needy.options(gpu=1, max_concurrency=2).remote() as threads,
        needy.AsyncNeedy.options(gpu=1).remote() as loop,
    ):
        found = thornback.get([threads.gpus.remote(), loop.gpus.remote()], timeout=40)
    assert sorted(found) == [((0,), (0,)), ((1,), (1,))]


@with_session
def test_tasks_and_drivers_are_told_nothing_of_gpus() -> None:
    assert needy.gpus_of_task.options(gpu=1).remote().get(timeout=20) == ()
    assert thornback.context().gpus == ()


@with_session
def test_options_that_are_not_given_stay() -> None:
    """What the decorator said and what `options` says add up, one option at a time."""
    kept = needy.Needy.options(resources={"license": 1}).options(gpu=1).options(gpu=2)
    with kept.remote() as actor:
        assert actor.gpus.remote().get(timeout=40) == ((0, 1), (0, 1))
        rival = needy.gpus_of_task.options(gpu=3).options(gpu=1, resources={"license": 3})
        with pytest.raises(thornback.ResourceLimitError, match="3 license"):
            rival.remote().get(timeout=20)
    again = needy.Needy.options(gpu=2, memory=5).options(resources={"license": 3})
    with pytest.raises(thornback.ResourceLimitError, match="3 license"):
        again.remote().gpus.remote().get(timeout=20)


NAMED: list[tuple[Any, str]] = [
    ({"license": 0.00005}, r"(resources)['license'] is 5e-05: it must be a multiple of 0.0001"),
    ({"license": -1}, r"(resources)['license'] is -1: it must be a number from 0"),
    ({"license": "1"}, r"(resources)['license'] is '1': it must be a number from 0"),
    ({"license": True}, r"(resources)['license'] is True: it must be a number from 0"),
    ({"license": float("nan")}, r"(resources)['license'] is nan: it must be a number from 0"),
    ({"license": 1e12}, r"(resources)['license'] is 1000000000000.0: it must be at most"),
    ({"": 1}, "(resources)[''] is 1: a resource needs a name"),
    ({5: 1}, "(resources)[5] is 1: names are strings"),
    (["gpu"], "(resources) is ['gpu']: it must be a dict of names and amounts"),
]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        *(({"resources": given}, text) for given, text in NAMED),
        ({"resources": {"gpu": 1}}, "(resources)['gpu'] is 1: it is given by the option gpu"),
        ({"cpu": 0.00005}, "(cpu) is 5e-05: it must be a multiple of 0.0001"),
        ({"gpu": 1.5}, "(gpu) is 1.5: it must be a whole number, or a fraction below 1"),
        ({"memory": 0.5}, "(memory) is 0.5: it must be a whole number of bytes"),
    ],
)
def test_wrong_amounts_are_refused_where_they_are_given(options: Any, text: str) -> None:
    for path, give in (
        ("task options", needy.in_pairs.options),
        ("actor options", needy.Needy.options),
        ("task", thornback.task),
        ("actor", thornback.actor),
    ):
        with pytest.raises(thornback.InvalidArgumentError) as raised:
            give(**options)
        assert str(raised.value).startswith(path + text)


@pytest.mark.parametrize(
    ("resources", "text"),
    [
        *NAMED,
        ({"cpu": 2}, "(resources)['cpu'] is 2: it is given by the option cpus"),
        ({"gpu": 0.5}, "(resources)['gpu'] is 0.5: it must be a whole number"),
        ({"memory": 0.5}, "(resources)['memory'] is 0.5: it must be a whole number of bytes"),
    ],
)
def test_wrong_amounts_of_a_node(
    resources: Any, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from thornback import session as part

    monkeypatch.setattr(part, "_session", None)  # as before the first init
    monkeypatch.setattr(part, "_is_worker", lambda: False)
    with pytest.raises(thornback.InvalidArgumentError) as raised:
        thornback.init(resources=resources)
    assert str(raised.value).startswith("init" + text)


@pytest.mark.parametrize("license", [0, 0.0001, 0.3, 1.1, 7, 12_345.6789])
def test_amounts(license: float) -> None:
    needy.in_pairs.options(resources={"license": license})
