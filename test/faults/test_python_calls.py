"""Wrong options, many cancellations and streams that go on, as a Python driver sees them."""

from __future__ import annotations

import json
import math
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import thornback

CALLEES = [
    pytest.param((thornback.typescript, "./lives.ts", "./things.ts"), id="typescript"),
    pytest.param((thornback.python, "lives", "things"), id="python"),
]
ABSURD = [-5, 0.5, math.nan, math.inf, 1e308, "10", {}]
pytestmark = pytest.mark.usefixtures("session")
Callee = tuple[Any, str, str]


def refused(run: Any, name: str) -> None:
    with pytest.raises(thornback.InvalidArgumentError) as info:
        run()
    assert name in str(info.value)
    assert info.value.fault == "user"


@pytest.mark.parametrize("name", ["max_concurrency", "max_pending_calls", "max_pending_bytes"])
def test_limits_of_actors(name: str) -> None:
    for value in [*ABSURD, 0]:
        options: Any = {name: value}
        cls = thornback.python.actor("lives:Counter")
        refused(lambda cls=cls, options=options: cls.options(**options).remote(), name)


@pytest.mark.parametrize("name", ["timeout", "retries", "retry_delay", "priority"])
def test_options_of_calls(name: str) -> None:
    echo = thornback.python.task("things:echo")
    seconds = name in ("timeout", "retry_delay")
    for value in ABSURD:
        if (value == 0.5 and seconds) or (value == -5 and name == "priority"):
            continue
        options: Any = {name: value}
        refused(lambda options=options: echo.options(**options).remote(1), name)
    assert echo.remote(1).get(timeout=30) == 1


def test_restarts_and_groups() -> None:
    cls = thornback.python.actor("lives:Counter")
    for value in ABSURD:
        refused(lambda value=value: cls.options(max_restarts=value).remote(), "max_restarts")
        groups: Any = {"few": value}
        refused(
            lambda groups=groups: cls.options(concurrency_groups=groups).remote(),
            "concurrency_groups",
        )


@pytest.mark.parametrize("callee", CALLEES)
def test_streams_are_iterated_once(callee: Callee) -> None:
    language, lives, _ = callee
    with language.actor(f"{lives}:Producer").remote() as producer:
        stream = producer.few.stream(3)
        assert [list(stream), list(stream)] == [[0, 1, 2], []]
        left = producer.few.stream(3)
        assert next(left) == 0
        left.close()
        assert list(left) == []


@pytest.mark.parametrize("callee", CALLEES)
def test_producers_that_go_on(callee: Callee, tmp_path: Path) -> None:
    language, lives, _ = callee
    told = tmp_path / "told"
    with language.actor(f"{lives}:Producer").remote() as producer:
        with producer.stubborn.stream(str(told)) as stream:
            assert [next(stream) for _ in range(3)] == [0, 1, 2]
        assert list(stream) == []
        assert producer.objects.remote().get(timeout=30) == 0
        while not told.exists():
            time.sleep(0.01)


@pytest.mark.parametrize("callee", CALLEES)
def test_a_storm_of_cancellations(callee: Callee) -> None:
    language, lives, _ = callee
    payload = np.ones(200)
    with language.actor(f"{lives}:Napper").remote() as napper:
        napper.nap.remote(0, payload).get(timeout=30)
        before = thornback.stats()
        outcomes = {True: 0, False: 0}
        waiting: list[tuple[int, Any]] = []

        def finish(n: int, ref: Any) -> None:
            seen: list[Any] = []
            for _ in range(2):
                try:
                    seen.append(ref.get(timeout=30))
                except thornback.CancelledError:
                    seen.append("cancelled")
            assert seen in ([n, n], ["cancelled", "cancelled"])
            outcomes[seen[0] == n] += 1

        for n in range(1_000):
            waiting.append((n, napper.nap.remote(n, payload)))
            if random.random() < 0.5:
                time.sleep(random.random() * 0.002)
            thornback.cancel(waiting[random.randrange(len(waiting))][1])
            if len(waiting) > 4:
                finish(*waiting.pop(0))
        while waiting:
            finish(*waiting.pop())
        assert outcomes[True] + outcomes[False] == 1_000
        assert outcomes[True] > 0
        assert outcomes[False] > 0
        until = time.monotonic() + 15
        while True:
            now = thornback.stats()
            objects = (now["objects_live"], napper.objects.remote().get(timeout=30))
            if objects == (before["objects_live"], 0) or time.monotonic() > until:
                break
        assert objects == (before["objects_live"], 0)
        assert now["refs_live"] <= before["refs_live"] + 512


def test_every_error_has_its_class() -> None:
    table = Path(__file__).parents[2] / "proto" / "errors.json"
    rows = json.loads(table.read_text(encoding="utf-8"))["errors"]
    missing = [row["class"] for row in rows if not hasattr(thornback, row["class"])]
    assert missing == []
