"""What waits, fails, dies and is cancelled, in Python. Every language has a module of this content.

A `path` is where the function leaves marks: `.started`, `.cancelled`, one byte for each attempt;
`.release` lets it go on.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import thornback


def attempt(path: str) -> int:
    """Which attempt of a call this is, from 1 on."""
    note(path, ".")
    return os.path.getsize(path)


def failUntil(path: str, last: int) -> int:
    """Raises in the first attempts, and succeeds in the given one."""
    number = attempt(path)
    if number < last:
        raise ValueError(f"attempt {number}")
    return number


def dieUntil(path: str, last: int) -> int:
    """Ends its process in the first attempts."""
    number = attempt(path)
    if number < last:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def is_there(path: str) -> bool:
    return Path(path).exists()


async def released(path: str) -> None:
    while not is_there(f"{path}.release"):  # noqa: ASYNC110 -- only the file tells
        await asyncio.sleep(0.002)


async def hold(path: str) -> str:
    """A task that runs until it is released or cancelled."""
    note(f"{path}.started", ".")
    try:
        await released(path)
    except asyncio.CancelledError:
        note(f"{path}.cancelled", ".")
        raise
    note(f"{path}.done", ".")
    return "released"


def holdFast(path: str) -> str:
    """The same, without ever awaiting."""
    note(f"{path}.started", ".")
    try:
        while not is_there(f"{path}.release"):
            time.sleep(0.002)
    except thornback.CancelledError:
        note(f"{path}.cancelled", ".")
        raise
    return "released"


def spin(path: str) -> int:
    """Computes and listens to nobody: one call of compiled code."""
    note(f"{path}.started", ".")
    return sum(range(10**13))


async def relay(path: str, hops: int) -> Any:
    """`hold` behind so many calls, each in the other language."""
    if hops == 0:
        return await hold(path)
    return await thornback.typescript.task("./unsteady.ts:relay").remote(path, hops - 1)


def limitOfChild(path: str, ms: int) -> Any:
    """The code of the error of a call that gives up after so many milliseconds, inside this one."""
    child = thornback.typescript.task("./unsteady.ts:hold")
    try:
        return child.options(timeout=ms / 1000).remote(path).get(timeout=30)
    except thornback.ThornbackError as error:
        # Its caller is answered meanwhile if it has no more time, either.
        time.sleep(0.5)
        return error.code


def attempts(path: str) -> int:
    """How often something has been started."""
    return os.path.getsize(f"{path}.started")


async def goOn(path: str) -> str:
    """Is cancelled and returns nevertheless."""
    try:
        return await hold(path)
    except asyncio.CancelledError:
        return "went on"


def note(path: str, text: str) -> None:
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(text)


def throughRestart(actor: Any) -> Any:
    """Ends the process of an actor and calls it again."""
    try:
        actor.die.remote().get(timeout=30)
    except thornback.ThornbackError as error:
        return [error.code, actor.life.remote().get(timeout=30)]
    return "it lives"


class Common:
    def __init__(self) -> None:
        self._now = 0
        self._most = 0
        self._lock = threading.Lock()
        self._notes: list[Any] = []

    def failUntil(self, path: str, last: int) -> int:
        return failUntil(path, last)

    def dieUntil(self, path: str, last: int) -> int:
        return dieUntil(path, last)

    def die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def life(self) -> list[Any]:
        """How often it was restarted, and whether."""
        here = thornback.context()
        return [here.restart_count, here.was_restarted]

    def most(self) -> int:
        """How many naps there were at the same time."""
        return self._most

    def note(self, value: Any) -> int:
        self._notes.append(value)
        return len(self._notes)

    def notes(self) -> list[Any]:
        return self._notes

    def objects(self) -> int:
        """How many objects this process holds in the store."""
        return thornback.stats()["objects_live"]

    def _enter(self) -> None:
        with self._lock:
            self._now += 1
            self._most = max(self._most, self._now)

    def _leave(self) -> None:
        with self._lock:
            self._now -= 1


class Worker(Common):
    """One call at a time, or threads."""

    def hold(self, path: str) -> str:
        return holdFast(path)

    def nap(self, value: int) -> int:
        self._enter()
        time.sleep(0.02)
        self._leave()
        return value

    def bounce(self, other: Any, me: Any, levels: int) -> Any:
        """Calls the other, which calls this one; what it is told when that can never end."""
        if levels == 0:
            return "the bottom"
        try:
            return other.bounce.remote(me, other, levels - 1).get(timeout=30)
        except thornback.ThornbackError as error:
            return f"{type(error).__name__} {error.code}: {error}"


class AsyncWorker(Common):
    """All calls in one event loop."""

    async def hold(self, path: str) -> str:
        return await hold(path)

    async def relay(self, path: str, hops: int) -> Any:
        return await relay(path, hops)

    async def nap(self, value: int) -> int:
        self._enter()
        await asyncio.sleep(0.02)
        self._leave()
        return value

    async def bounce(self, other: Any, me: Any, levels: int) -> Any:
        if levels == 0:
            return "the bottom"
        try:
            return await other.bounce.remote(me, other, levels - 1)
        except thornback.ThornbackError as error:
            return f"{type(error).__name__} {error.code}: {error}"
