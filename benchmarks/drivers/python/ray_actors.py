"""What the benchmarks call in Ray: what its own microbenchmark has, and what other cases need."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

import ray  # pyright: ignore[reportMissingImports]


def remote(function: Any) -> Any:
    """Ray's decorator; its own type says that it changes nothing."""
    return ray.remote(function)


def remote_actor(cls: Any) -> Any:
    return ray.remote(num_cpus=0)(cls)


@remote
def small_value() -> bytes:
    return b"ok"


@remote
def work(actors: list[Any], count: int) -> int:
    """Calls the actors in turn, as many times as `count` says for each."""
    calls = count * len(actors)
    results = ray.get([actors[i % len(actors)].small_value.remote() for i in range(calls)])
    return results.count(b"ok")


@remote_actor
class Plain:
    def __init__(self) -> None:
        self._kept: Any = None

    def small_value(self) -> bytes:
        return b"ok"

    def small_value_arg(self, _: Any) -> bytes:
        return b"ok"

    def echo(self, value: Any) -> Any:
        return value

    def pid(self) -> int:
        return os.getpid()

    def hold(self, size: int) -> int:
        self._kept = bytearray(b"\x01") * size
        return size

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def probe(self, array: Any) -> list[float]:
        items = [array[0], array[len(array) // 2], array[-1]]
        return [len(array), *(float(item) for item in items)]

    def large(self, size: int) -> list[Any]:
        if self._kept is None:
            import numpy as np

            self._kept = ray.put(np.full(size // 8, 7.0))
        return [self._kept]


@remote_actor
class Coroutine:
    async def small_value(self) -> bytes:
        return b"ok"

    async def suspend(self) -> bytes:
        await asyncio.sleep(0)
        return b"ok"


@remote_actor
class Client:
    def __init__(self, servers: list[Any]) -> None:
        self._servers = servers

    def batch(self, count: int) -> int:
        results: list[Any] = []
        for server in self._servers:
            results.extend([server.small_value.remote() for _ in range(count)])
        return ray.get(results).count(b"ok")

    def batch_with_argument(self, count: int) -> int:
        one = ray.put(0)
        results: list[Any] = []
        for server in self._servers:
            results.extend([server.small_value_arg.remote(one) for _ in range(count)])
        return ray.get(results).count(b"ok")


@remote
def object_containing_refs(count: int) -> list[Any]:
    return [ray.put(1) for _ in range(count)]
