"""Tasks and actors for tests of resources."""

from __future__ import annotations

import time
from pathlib import Path

import thornback

Gpus = tuple[tuple[int, ...], tuple[int, ...]]


@thornback.task
def in_pairs(log: str) -> None:
    """Notes when it starts and ends; runs until there is a pair of them, and a little longer."""

    def note(mark: str) -> int:
        with Path(log).open("a") as file:
            file.write(mark)
        return Path(log).read_text().count("+")

    started = note("+")
    while Path(log).read_text().count("+") < started + started % 2:
        time.sleep(0.001)
    time.sleep(0.01)
    note("-")


@thornback.task
def gpus_of_task() -> tuple[int, ...]:
    return thornback.context().gpus


@thornback.actor
class Needy:
    def __init__(self) -> None:
        self.first = thornback.context().gpus

    def gpus(self) -> Gpus:
        """Those that the constructor saw, and those of now."""
        return self.first, thornback.context().gpus


@thornback.actor
class AsyncNeedy:
    def __init__(self) -> None:
        self.first = thornback.context().gpus

    async def gpus(self) -> Gpus:
        return self.first, thornback.context().gpus
