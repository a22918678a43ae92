"""Options of tasks and methods: retries, priorities, order, deadlines."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import calling_things as c
import pytest
import remote_things as r
import thornback
from scripts import run

pytestmark = pytest.mark.usefixtures("session")


def executions(folder: Path) -> int:
    return len(list(folder.iterdir()))


def test_tasks_survive_deaths_of_workers(tmp_path: Path) -> None:
    assert c.die_at_first.remote(str(tmp_path), 3).get(timeout=40) == 4


def test_retries_are_limited(tmp_path: Path) -> None:
    with pytest.raises(thornback.WorkerDiedError):
        c.die_at_first.options(retries=1).remote(str(tmp_path), 5).get(timeout=40)
    assert executions(tmp_path) == 2


def test_no_retries(tmp_path: Path) -> None:
    with pytest.raises(thornback.WorkerDiedError):
        c.die_at_first.options(retries=0).remote(str(tmp_path), 5).get(timeout=40)
    assert executions(tmp_path) == 1


def test_exceptions_are_not_retried_unless_asked_for(tmp_path: Path) -> None:
    with pytest.raises(c.FlakyError):
        c.raise_at_first.remote(str(tmp_path), 1).get(timeout=20)
    assert executions(tmp_path) == 1


def test_retried_exceptions(tmp_path: Path) -> None:
    task = c.raise_at_first.options(retry_exceptions=True, retries=2)
    assert task.remote(str(tmp_path), 2, "ValueError").get(timeout=20) == 3


@pytest.mark.parametrize("named", [[c.FlakyError], ["FlakyError", "VeryFlakyError"], [Exception]])
def test_retried_classes_of_exceptions(tmp_path: Path, named: Any) -> None:
    task = c.raise_at_first.options(retry_exceptions=named, retries=-1)
    assert task.remote(str(tmp_path), 2, "VeryFlakyError").get(timeout=20) == 3


def test_other_exceptions_are_not_retried(tmp_path: Path) -> None:
    task = c.raise_at_first.options(retry_exceptions=[c.VeryFlakyError, OSError])
    with pytest.raises(ValueError, match="x"):
        task.remote(str(tmp_path), 2, "ValueError").get(timeout=20)
    assert executions(tmp_path) == 1


def test_retries_wait(tmp_path: Path) -> None:
    task = c.raise_at_first.options(retry_exceptions=True, retry_delay=0.1)
    before = time.monotonic()
    assert task.remote(str(tmp_path), 2).get(timeout=20) == 3
    assert time.monotonic() - before > 0.2


def test_methods_are_retried_when_they_say_so(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with c.Worker.remote() as worker:
        with pytest.raises(c.FlakyError):
            worker.raise_at_first.remote(str(tmp_path / "a"), 1).get(timeout=20)
        assert worker.flaky.remote(str(tmp_path / "b"), 3).get(timeout=20) == 4
        again = worker.raise_at_first.options(retries=2, retry_exceptions=True)
        assert again.remote(str(tmp_path / "a"), 2).get(timeout=20) == 3


def test_options_of_a_class_are_those_of_its_methods(tmp_path: Path) -> None:
    with c.Worker.options(retries=1).options(retry_exceptions=True).remote() as worker:
        assert worker.raise_at_first.remote(str(tmp_path), 1).get(timeout=20) == 2


def test_options_add_up(tmp_path: Path) -> None:
    with c.Worker.remote() as worker:
        method = worker.raise_at_first.options(retries=2).options(retry_exceptions=True)
        assert method.options(timeout=20).remote(str(tmp_path), 2).get(timeout=20) == 3
        counted = thornback.python.actor("remote_things:Counter").remote()
        assert list(counted.count.options(stream=True).options(timeout=20).remote(3)) == [0, 1, 2]
        thornback.kill(counted)


def test_tasks_of_higher_priority_start_first(tmp_path: Path) -> None:
    """The workers are kept busy until all are waiting."""
    (tmp_path / "seen").mkdir()
    output = run(
        tmp_path,
        """
        import calling_things as c, thornback
        with thornback.init(cpus=1):
            for _ in range(3):
                c.sleeping.remote(0.1).get(timeout=20)  # long tasks do not queue at a worker
            busy = c.sleeping.remote(0.5)
            low = [c.note.options(priority=-1).remote("./seen", "low") for _ in range(3)]
            high = [c.note.options(priority=5).remote("./seen", "high") for _ in range(3)]
            default = c.note.remote("./seen", "default")
            print(thornback.get([*high, default, *low], timeout=20))
        """,
    )
    assert output.strip() == "[1, 2, 3, 4, 5, 6, 7]"


def test_calls_out_of_order() -> None:
    with c.Worker.remote() as worker:
        late = c.sleeping.remote(0.5)
        first = worker.use.options(in_order=False).remote(late)
        second = worker.use.options(in_order=False).remote("early")
        assert second.get(timeout=20) == "early"
        assert first.get(timeout=20) == "slept"
        assert worker.seen.remote().get(timeout=20) == ["early", "slept"]


def test_calls_in_order() -> None:
    with c.Worker.remote() as worker:
        refs = [worker.use.remote(c.sleeping.remote(0.2)), worker.use.remote("second")]
        assert thornback.get(refs, timeout=20) == ["slept", "second"]
        assert worker.seen.remote().get(timeout=20) == ["slept", "second"]


def test_deadlines_hold_for_the_calls_inside() -> None:
    before = time.monotonic()
    with pytest.raises(thornback.DeadlineExceededError):
        c.deadline_of_child.options(timeout=0.5).remote().get(timeout=20)
    # The worker is free again at once: the child had the same deadline.
    assert c.pid.remote().get(timeout=20) > 0
    assert time.monotonic() - before < 20


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"retries": -2}, r"\(retries\)"),
    ({"retries": True}, r"\(retries\)"),
    ({"retry_exceptions": "ValueError"}, r"\(retry_exceptions\)"),
    ({"retry_exceptions": [ValueError, 3]}, r"\(retry_exceptions\)\[1\]"),
    ({"retry_delay": -1}, r"\(retry_delay\)"),
    ({"timeout": 0}, r"\(timeout\)"),
    ({"when_full": "explode"}, r"\(when_full\)"),
]


@pytest.mark.parametrize(("options", "text"), WRONG)
def test_options_are_checked(options: dict[str, Any], text: str) -> None:
    with pytest.raises(thornback.InvalidArgumentError, match=text):
        r.echo.options(**options)
    with r.Counter.remote() as counter:
        with pytest.raises(thornback.InvalidArgumentError, match=text):
            counter.add.options(**options)
        with pytest.raises(thornback.InvalidArgumentError, match=text):
            thornback.method(**options)


def test_options_of_one_kind_only() -> None:
    with pytest.raises(thornback.InvalidArgumentError, match="priority"):
        r.echo.options(priority=2**31)
    with pytest.raises(thornback.InvalidArgumentError, match="max_pending_calls"):
        r.echo.options(max_pending_calls=0)
    with pytest.raises(thornback.InvalidArgumentError, match="max_pending_bytes"):
        r.Counter.options(max_pending_bytes=0)
    echo: Any = r.echo
    with pytest.raises(TypeError, match="no option 'in_order'"):
        echo.options(in_order=False)
    with r.Counter.remote() as counter:
        method: Any = counter.add
        with pytest.raises(TypeError, match="no option 'priority'"):
            method.options(priority=1)
        with pytest.raises(thornback.InvalidArgumentError, match="concurrency_group"):
            method.options(concurrency_group="")
