"""What the benchmarks call in Python. The TypeScript twin is ../typescript/actors.ts.

It imports nothing that a worker has not got: the first result of a cold worker waits for this file.
"""

from __future__ import annotations

import os
import time
from typing import Any

import thornback


def echo(value: Any) -> Any:
    return value


class Plain:
    def __init__(self) -> None:
        self._kept: Any = None

    def echo(self, value: Any) -> Any:
        return value

    def add(self, value: int, other: int) -> int:
        return value + other

    def pid(self) -> int:
        return os.getpid()

    def hold(self, size: int) -> int:
        """Memory of the process's own."""
        self._kept = bytearray(b"\x01") * size
        return size

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def probe(self, array: Any) -> list[float]:
        """Length, first, middle and last item of an array."""
        items = [array[0], array[len(array) // 2], array[-1]]
        return [len(array), *(float(item) for item in items)]

    def large(self, size: int) -> list[Any]:
        """A ref to an array that stays in this process's arena."""
        if self._kept is None:
            import numpy as np

            self._kept = thornback.put(np.full(size // 8, 7.0))
        return [self._kept]

    def refs(self, count: int) -> list[Any]:
        """A ref to a list of refs."""
        if self._kept is None:
            self._kept = thornback.put([thornback.put(n) for n in range(count)])
        return [self._kept]


class Client:
    """Calls other actors."""

    def __init__(self, servers: list[Any]) -> None:
        self._servers = servers

    def batch(self, count: int) -> int:
        refs: list[Any] = []
        for server in self._servers:
            refs.extend([server.echo.remote(n) for n in range(count)])
        return sum(thornback.get(refs))

    def batch_with_argument(self, count: int) -> int:
        """With an argument that lies in the store."""
        one = thornback.put(1)
        refs: list[Any] = []
        for server in self._servers:
            refs.extend([server.add.remote(n, one) for n in range(count)])
        return sum(thornback.get(refs))
