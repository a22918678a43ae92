"""Waits that are interrupted, refused or cut off."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import remote_things as r
from scripts import run
from thornback import get


class Interrupted(Exception): ...


@pytest.fixture
def interrupt() -> Callable[[], None]:
    """Starts the clock for a signal whose handler raises."""

    def handler(*_: object) -> None:
        raise Interrupted

    signal.signal(signal.SIGUSR1, handler)
    return threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1)).start


@pytest.mark.usefixtures("session")
def test_signal_handlers_run_during_a_wait(interrupt: Callable[[], None]) -> None:
    with r.Counter.remote() as counter:
        counter.value.remote().get(timeout=20)
        slow = counter.sleep.remote(1)
        interrupt()
        before = time.monotonic()
        with pytest.raises(Interrupted):
            get([slow, counter.value.remote()], timeout=20)
        assert time.monotonic() - before < 0.9
        assert slow.get(timeout=20) == "slept"


@pytest.mark.usefixtures("session")
def test_signal_handlers_run_while_a_stream_is_empty(interrupt: Callable[[], None]) -> None:
    with r.AsyncThings.remote() as things:
        things.at_once.remote(1).get(timeout=20)
        stream = things.items_after.remote(30)
        interrupt()
        with pytest.raises(Interrupted):
            next(stream)
        stream.close()


@pytest.mark.usefixtures("session")
def test_threads_run_while_others_wait() -> None:
    with r.Counter.remote() as counter:
        slow = counter.sleep.remote(0.5)
        waiting = threading.Thread(target=slow.get)
        waiting.start()
        turns = 0
        while waiting.is_alive():
            turns += 1
            assert r.echo.remote(turns).get(timeout=20) == turns
        waiting.join()
        assert turns > 3


def test_threads_that_wait_when_the_session_ends(tmp_path: Path) -> None:
    output = run(
        tmp_path,
        """
        import threading, thornback, time
        import asyncio
        outcomes = []

        def wait_in(how):
            try:
                how()
            except thornback.ThornbackError as error:
                outcomes.append(type(error).__name__)

        @thornback.actor
        class Slow:
            def nothing(self):
                time.sleep(60)

        with thornback.init(prestart={"python": 1, "typescript": 0}):
            slow = Slow.remote()
            refs = [slow.nothing.remote() for _ in range(3)]
            hows = [refs[0].get, lambda: thornback.get(refs), lambda: thornback.wait(refs)]
            threads = [threading.Thread(target=wait_in, args=(how,)) for how in hows]
            for thread in threads:
                thread.start()
            time.sleep(0.3)
        for thread in threads:
            thread.join(20)
        print(len(outcomes), {*outcomes} <= {"SessionClosedError", "ActorDiedError"})
        """,
    )
    assert output.strip() == "3 True"


def test_preloaded_modules_are_imported_once(tmp_path: Path) -> None:
    (tmp_path / "heavy.py").write_text(
        "import os\nwith open('imports.txt', 'a') as file:\n    file.write(f'{os.getpid()}\\n')\n"
    )
    output = run(
        tmp_path,
        """
        import os, sys, thornback

        @thornback.task
        def loaded():
            return "heavy" in sys.modules, os.getpid()

        variables = {"THORNBACK_PYTHON_PRELOAD": "heavy", "PYTHONPATH": os.getcwd()}
        with thornback.init(variables=variables):
            found = thornback.get([loaded.remote() for _ in range(50)], timeout=20)
            print(all(there for there, _ in found))
        """,
    )
    assert output.strip() == "True"
    assert len((tmp_path / "imports.txt").read_text().split()) == 1
