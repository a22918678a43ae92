"""Fixtures of the tests: a session, a watchdog, and helpers beside the tests."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import thornback

sys.path.insert(0, str(Path(__file__).parent))  # workers import helper modules from here too

WATCHDOG_SECONDS = 60


@pytest.fixture(autouse=True)
def watchdog() -> Iterator[None]:
    """Ends a test that hangs; waits of Thornback run signal handlers."""

    def give_up(*_: object) -> None:
        raise TimeoutError(f"the test took more than {WATCHDOG_SECONDS} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(WATCHDOG_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def session() -> Iterator[thornback.Session]:
    """An embedded node for the tests of one module."""
    with thornback.init(prestart={"python": 1, "typescript": 0}) as opened:
        yield opened
