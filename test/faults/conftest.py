"""A session whose workers find the fixtures, and a watchdog."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import thornback

FIXTURES = Path(__file__).parent / "fixtures"
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


@contextlib.contextmanager
def among_fixtures() -> Iterator[None]:
    """Workers start where the driver is, and search what it searches."""
    before = Path.cwd()
    os.chdir(FIXTURES)
    sys.path.insert(0, str(FIXTURES))
    yield
    sys.path.remove(str(FIXTURES))
    os.chdir(before)


@pytest.fixture
def fixtures() -> Iterator[None]:
    with among_fixtures():
        yield


@pytest.fixture(scope="module")
def session() -> Iterator[thornback.Session]:
    """One CPU: one task worker per language, so that a test can tell whether it is the same."""
    with (
        among_fixtures(),
        thornback.init(cpus=1, store_bytes=64 << 20, log_to_driver=False) as opened,
    ):
        yield opened
