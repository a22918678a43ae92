"""Tasks and actors of the tests about how calls are made; workers import this module by name."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import thornback


class FlakyError(Exception):
    pass


class VeryFlakyError(FlakyError):
    pass


def attempt(folder: str) -> int:
    """Which execution of the same call this is, from 1 on; counted in a folder."""
    number = len(os.listdir(folder)) + 1
    Path(folder, str(number)).touch()
    return number


@thornback.task
def die_at_first(folder: str, times: int) -> int:
    number = attempt(folder)
    if number <= times:
        os._exit(1)
    return number


@thornback.task
def raise_at_first(folder: str, times: int, kind: str = "FlakyError") -> int:
    number = attempt(folder)
    if number <= times:
        raise {"FlakyError": FlakyError, "VeryFlakyError": VeryFlakyError}.get(kind, ValueError)(
            "x"
        )
    return number


@thornback.task
def note(folder: str, name: str) -> int:
    return attempt(folder) if name else 0


@thornback.task
def sleep_long(folder: str) -> str:
    Path(folder, "started").touch()
    try:
        time.sleep(50)
    except thornback.CancelledError:
        Path(folder, "cancelled").touch()
        raise
    return "slept"


@thornback.task
def loop_for_ever(folder: str) -> None:
    Path(folder, "started").touch()
    number = 0
    while True:
        number += 1


@thornback.task
def compute_in_c(folder: str) -> int:
    """One call of compiled code, which never comes back to Python."""
    Path(folder, "started").touch()
    return sum(range(10**12))


@thornback.task
def wait_for_child(folder: str) -> str:
    return sleep_long.remote(folder).get()


@thornback.task
async def await_child(folder: str) -> str:
    return await sleep_long.remote(folder)


@thornback.task
def ignore_cancellation(folder: str) -> str:
    Path(folder, "started").touch()
    try:
        time.sleep(50)
    except thornback.CancelledError:
        return "went on"
    return "slept"


@thornback.task
def stubborn_items(folder: str) -> Iterator[int]:
    number = 0
    while True:
        try:
            number += 1
            Path(folder, "started").touch()
            yield number
        except thornback.CancelledError:
            Path(folder, "ignored").touch()


@thornback.task
def pid() -> int:
    return os.getpid()


@thornback.task
def deadline_of_child() -> str:
    try:
        return sleeping.remote(50).get()
    except thornback.DeadlineExceededError:
        return "the child's deadline passed"


@thornback.task
def sleeping(seconds: float) -> str:
    time.sleep(seconds)
    return "slept"


@thornback.actor
class Worker:
    """Serial, on the main thread."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def sleep(self, folder: str) -> str:
        return sleep_long.__wrapped__(folder)

    def nap(self, seconds: float, value: Any = None) -> Any:
        time.sleep(seconds)
        self.values.append(value)
        return value

    def work(self, seconds: float, number: int, payload: bytes) -> int:
        time.sleep(seconds)
        return number if payload else -1

    def seen(self) -> list[Any]:
        return self.values

    def use(self, value: Any, payload: bytes = b"") -> Any:
        self.values.append(value)
        return value

    def raise_at_first(self, folder: str, times: int) -> int:
        return raise_at_first.__wrapped__(folder, times)

    def die_at_first(self, folder: str, times: int) -> int:
        return die_at_first.__wrapped__(folder, times)

    @thornback.method(retries=5, retry_exceptions=["FlakyError"])
    def flaky(self, folder: str, times: int) -> int:
        return raise_at_first.__wrapped__(folder, times)

    def exit(self) -> None:
        os._exit(1)

    def pid(self) -> int:
        return os.getpid()

    def memory(self) -> int:
        return resident_bytes()


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Gauge:
    """How many are inside at once, and at most."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now = 0
        self.most = 0

    def __enter__(self) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.now -= 1


@thornback.actor(max_concurrency=8, concurrency_groups={"health": 2})
class Threaded:
    def __init__(self) -> None:
        self.gauge = Gauge()
        self.release = threading.Event()

    def slow(self, seconds: float, value: Any = None) -> Any:
        with self.gauge:
            time.sleep(seconds)
        return value

    def wait_for(self, ref: list[Any]) -> Any:
        with self.gauge:
            return thornback.get(ref[0])

    def spin(self, folder: str) -> None:
        loop_for_ever.__wrapped__(folder)

    def wait(self) -> str:
        with self.gauge:
            self.release.wait()
        return str(threading.get_ident())

    def items(self, n: int) -> Iterator[int]:
        yield from range(n)

    def leave(self) -> None:
        raise SystemExit(5)

    def where(self) -> str | None:
        return thornback.context().actor_id

    @thornback.method(concurrency_group="health")
    def health(self) -> int:
        return self.gauge.now

    @thornback.method(concurrency_group="health")
    def open(self) -> int:
        self.release.set()
        return self.gauge.most


@thornback.actor(max_concurrency=8, concurrency_groups={"health": 2})
class Async:
    def __init__(self) -> None:
        self.gauge = Gauge()

    async def slow(self, seconds: float, value: Any = None) -> Any:
        with self.gauge:
            await asyncio.sleep(seconds)
        return value

    @thornback.method(concurrency_group="health")
    async def health(self) -> int:
        return self.gauge.now

    @thornback.method(concurrency_group="health")
    async def open(self) -> int:
        return self.gauge.most

    def block(self, folder: str) -> str:
        return sleep_long.__wrapped__(folder)

    async def submit(self, other: Any, n: int) -> str:
        try:
            for _ in range(n):
                other.nap.remote(0.001)
        except thornback.BackPressureError as error:
            return str(error)
        return "never refused"


@thornback.actor(concurrency_groups={"health": 2})
class Misplaced:
    @thornback.method(concurrency_group="heath")
    def look(self) -> None: ...


@thornback.actor(max_restarts=3)
class Phoenix:
    def __init__(self) -> None:
        here = thornback.context()
        self.begun = (here.restart_count, here.was_restarted, here.actor_name)

    def restarts(self) -> tuple[int, bool, str | None]:
        return self.begun

    def now(self) -> int:
        return thornback.context().restart_count

    def pid(self) -> int:
        return os.getpid()

    def exit(self) -> None:
        os._exit(1)

    def exit_at_first(self, folder: str, times: int) -> int:
        return die_at_first.__wrapped__(folder, times)

    def nap(self, seconds: float) -> str:
        time.sleep(seconds)
        return "rested"


@thornback.task
def restarts_of(handle: Any) -> int:
    handle.exit.remote()
    while True:
        try:
            return handle.now.remote().get(timeout=20)
        except thornback.ActorUnavailableError:
            pass
