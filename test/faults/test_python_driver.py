"""Faults as a Python driver sees them: calls to either language, and the driver's own mistakes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import thornback

STORE_BYTES = 64 << 20
CALLEES = [
    pytest.param((thornback.typescript, "./things.ts", "./broken.ts"), id="typescript"),
    pytest.param((thornback.python, "things", "broken"), id="python"),
]
usual = pytest.mark.usefixtures("session")


@dataclass
class Point:
    x: int


def caught(ref: Any) -> Any:
    with pytest.raises(thornback.ThornbackError) as info:
        ref.get(timeout=30)
    return info.value


@usual
@pytest.mark.parametrize("callee", CALLEES)
def test_names_that_do_not_exist(callee: tuple[Any, str, str]) -> None:
    language, things, _ = callee
    pid = language.task(f"{things}:pid")
    before = pid.remote().get(timeout=30)
    error = caught(language.task(f"{things.replace('things', 'thimgs')}:pid").remote())
    assert isinstance(error, thornback.NotFoundError)
    assert "thimgs" in str(error)
    error = caught(language.task(f"{things}:ecko").remote(1))
    assert isinstance(error, thornback.NotFoundError)
    assert re.search(r"ecko.*\becho\b", str(error))
    thong = language.actor(f"{things}:Thong").remote()
    error = caught(thong.pid.remote())
    assert isinstance(error, thornback.ActorCreationError)
    assert re.search(r"Thong.*\bThing\b", str(error))
    thing = language.actor(f"{things}:Thing").remote()
    error = caught(thing.pidd.remote())
    assert isinstance(error, thornback.NotFoundError)
    assert re.search(r"pidd.*\bpid\b", str(error))
    assert thing.echo.remote("alive").get(timeout=30) == "alive"
    thornback.kill(thing)
    assert pid.remote().get(timeout=30) == before


@usual
@pytest.mark.parametrize("callee", CALLEES)
def test_a_module_that_raises(callee: tuple[Any, str, str]) -> None:
    language, things, broken = callee
    error = caught(language.task(f"{broken}:never").remote())
    assert isinstance(error, thornback.ImportFailedError)
    cause = error.__cause__
    assert isinstance(cause, thornback.RemoteException)
    assert cause.message == "this module explodes"
    assert "explode" in (cause.stack or "")
    assert "broken." in (cause.stack or "")
    deeper = cause.__cause__
    assert isinstance(deeper, thornback.RemoteException)
    assert (deeper.name, deeper.message) == ("TypeError", "the deeper reason")
    assert language.task(f"{things}:echo").remote(1).get(timeout=30) == 1


@usual
@pytest.mark.parametrize("callee", CALLEES)
def test_values_that_cannot_be_sent(callee: tuple[Any, str, str]) -> None:
    language, things, _ = callee
    echo = language.task(f"{things}:echo")
    cyclic: dict[str, Any] = {"name": "root"}
    cyclic["children"] = [0, 1, 2, {"self": cyclic}]
    deep: Any = "bottom"
    for _ in range(600):
        deep = [deep]
    refused = [
        ({"rows": [1, {"lock": threading.Lock()}]}, r"args\[0\]\['rows'\]\[1\]\['lock'\]"),
        (cyclic, r"args\[0\]\['children'\]\[3\]\['self'\]"),
        (deep, "500"),
        ("\ud800", r"args\[0\]"),
    ]
    if language is thornback.typescript:
        refused.append(({"at": Point(1)}, r"args\[0\]\['at'\]"))
    for value, pattern in refused:
        with pytest.raises(thornback.SerializationError, match=pattern):
            echo.remote(value)
    error = caught(language.task(f"{things}:unsendable").remote())
    assert isinstance(error, thornback.SerializationError)
    assert "worker" in str(error)
    assert echo.remote("next").get(timeout=30) == "next"


@usual
@pytest.mark.parametrize("callee", CALLEES)
def test_values_larger_than_the_store(callee: tuple[Any, str, str]) -> None:
    language, things, _ = callee
    large = np.zeros(STORE_BYTES // 8 + 1)
    with pytest.raises(thornback.StoreFullError):
        language.task(f"{things}:echo").remote(large)
    with pytest.raises(MemoryError):
        thornback.put(large)
    with language.actor(f"{things}:Thing").remote() as actor:
        error = caught(actor.big.remote(large.size))
        assert isinstance(error, thornback.StoreFullError)
        assert error.retryable
        assert len(actor.big.remote(10).get(timeout=30)) == 10


@usual
@pytest.mark.parametrize("callee", CALLEES)
def test_actors_whose_process_ends(callee: tuple[Any, str, str], tmp_path: Path) -> None:
    language, things, _ = callee
    thing = language.actor(f"{things}:Thing")
    ends = {"exit": "3", "SIGKILL": "9|SIGKILL", "SIGABRT": "6|SIGABRT"}
    if language is thornback.python:
        ends["segfault"] = "11|SIGSEGV"
    for how, cause in ends.items():
        actor = thing.remote()
        error = caught(actor.leave.remote(how))
        assert isinstance(error, thornback.ActorDiedError), how
        assert re.search(cause, str(error)), how
        assert isinstance(caught(actor.pid.remote()), thornback.ActorDiedError)
    actor = thing.remote()
    pid = actor.pid.remote().get(timeout=30)
    values = actor.big.remote(10_000).get(timeout=30)
    stream = actor.count.stream(1_000_000)
    assert [next(stream), next(stream)] == [0, 1]
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(thornback.ActorDiedError):
        for _ in stream:
            pass
    # What was got before stays.
    assert np.asarray(values).sum() == 10_000


@usual
@pytest.mark.parametrize("callee", CALLEES)
def test_tasks_whose_process_ends(callee: tuple[Any, str, str]) -> None:
    language, things, _ = callee
    for how in ("exit", "SIGKILL"):
        error = caught(language.task(f"{things}:leave").remote(how))
        assert isinstance(error, thornback.WorkerDiedError)
        assert error.retryable
        assert language.task(f"{things}:echo").remote("next").get(timeout=30) == "next"


BEFORE_INIT = """
import thornback
pid = thornback.python.task("things:pid")
for operation in (pid.remote, lambda: thornback.put(1), thornback.stats, thornback.context):
    try:
        operation()
    except thornback.NotInitialisedError:
        print("refused")
thornback.shutdown()
"""


def test_calls_before_init() -> None:
    command = [sys.executable, "-c", BEFORE_INIT]
    run = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (run.stdout, run.stderr, run.returncode) == ("refused\n" * 4, "", 0)


@pytest.mark.usefixtures("fixtures")
def test_calls_out_of_order() -> None:
    prestart = {"python": 0, "typescript": 0}
    pid = thornback.python.task("things:pid")
    thornback.shutdown()  # the session of the tests above
    with thornback.init(cpus=1, prestart=prestart):
        with pytest.raises(thornback.AlreadyInitialisedError):
            thornback.init(cpus=1, prestart=prestart)
        actor = thornback.python.actor("things:Thing").remote()
        kept = thornback.put(np.zeros(1_000))
        pending = actor.hold.remote(os.devnull)
    operations = [
        pid.remote,
        lambda: thornback.put(1),
        lambda: actor.pid.remote(),
        kept.get,
        pending.get,
    ]
    for operation in operations:
        with pytest.raises(thornback.SessionClosedError):
            operation()
    thornback.shutdown()
    with thornback.init(cpus=1, prestart=prestart):
        assert pid.remote().get(timeout=30) != os.getpid()
    with pytest.raises(thornback.ConnectionFailedError, match=r"/nonexistent/hub\.sock"):
        thornback.init("/nonexistent/hub.sock")
