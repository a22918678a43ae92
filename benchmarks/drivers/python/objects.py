"""put, get, large arrays, and many refs."""

from __future__ import annotations

import resource
import time
from typing import Any

import numpy as np
import thornback
from bench import Bench
from calls import burst
from measuring import Action, Answer, Request, batch_rate, check, repeat, spread

_BATCH = 100


def _faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


class Objects:
    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def actions(self) -> dict[str, Action]:
        return {
            "put": self._put,
            "get": self._get,
            "put-large": self._put_large,
            "get-large": self._get_large,
            "get-refs": self._get_refs,
            "echo-bytes": self._echo_bytes,
            "live-refs": self._live_refs,
        }

    def _put(self, request: Request) -> Answer:
        actor = self._bench.actor(request)
        put = thornback.put

        def run(n: int) -> int:
            for i in range(_BATCH):
                put(n + i)
            return _BATCH

        answer = batch_rate(request.seconds, run)
        # What was put must be there for another process.
        refs = [put(i) for i in range(_BATCH)]
        total = sum(thornback.get([actor.echo.remote(ref) for ref in refs]))
        check(total == _BATCH * (_BATCH - 1) // 2, "a wrong sum")
        return {**answer, "checked": _BATCH}

    def _get(self, request: Request) -> Answer:
        self._bench.open()
        value = request.seconds
        ref = thornback.put(value)
        get = thornback.get

        def run(_: int) -> int:
            for _i in range(_BATCH):
                if get(ref) != value:
                    raise AssertionError("a wrong value")
            return _BATCH

        return batch_rate(request.seconds, run)

    def _put_large(self, request: Request) -> Answer:
        actor = self._bench.actor(request)
        size = request.parameters["bytes"]
        is_kept = request.parameters["isKept"]
        source = np.full(size // 8, 3.0)
        kept: list[Any] = []

        def put_one(n: int) -> float:
            source[0] = n
            start = time.perf_counter()
            ref = thornback.put(source)
            seconds = time.perf_counter() - start
            kept.append(ref)
            if not is_kept and len(kept) > 1:
                del kept[0]
            return seconds

        thornback.put(0)
        times = [put_one(n) for n in range(5)] if is_kept else repeat(request.seconds, put_one)
        probe = actor.probe.remote(kept[-1]).get()
        check(probe == [len(source), source[0], 3, 3], f"the actor saw {probe}")
        return {"value": size * len(times) / sum(times) / 1e9, "checked": 1}

    def _get_large(self, request: Request) -> Answer:
        """Gets what another process holds, each time through a ref that has just arrived."""
        actor = self._bench.actor(request)
        size = request.parameters["bytes"]
        faults = 0

        def run(_: int) -> float:
            nonlocal faults
            ref = actor.large.remote(size).get()[0]
            faults_before = _faults()
            start = time.perf_counter()
            array = thornback.get(ref)
            seconds = time.perf_counter() - start
            faults += _faults() - faults_before
            check(len(array) == size // 8 and array[0] == 7 and array[-1] == 7, "a wrong array")
            return seconds

        times = repeat(request.seconds, run)
        answer = spread(times)
        details = {"faults_per_get": faults / len(times)}
        return {"value": answer["p50"], "checked": len(times), "details": details, **answer}

    def _get_refs(self, request: Request) -> Answer:
        actor = self._bench.actor(request)
        count = request.parameters["refs"]

        def run(_: int) -> float:
            ref = actor.refs.remote(count).get()[0]
            start = time.perf_counter()
            refs = thornback.get(ref)
            seconds = time.perf_counter() - start
            check(len(refs) == count and refs[-1].get() == count - 1, "a wrong list")
            return seconds

        times = repeat(request.seconds, run)
        return {"value": len(times) / sum(times), "checked": len(times)}

    def _echo_bytes(self, request: Request) -> Answer:
        actor = self._bench.actor(request)
        size = request.parameters["bytes"]
        sources = [bytes([n]) * size for n in range(8)]

        def run(n: int) -> float:
            source = sources[n % 8]
            start = time.perf_counter()
            echo = actor.echo.remote(source).get()
            seconds = time.perf_counter() - start
            check(len(echo) == size and echo[-1] == source[-1], "a wrong echo")
            check(n % 16 != 0 or bytes(echo) == source, "a wrong echo")
            return seconds

        times = repeat(request.seconds, run)
        answer = spread(times)
        return {"value": answer["p50"], "checked": len(times), **answer}

    def _live_refs(self, request: Request) -> Answer:
        actor = self._bench.actor(request)
        alive = [thornback.put(n) for n in range(request.parameters["refs"])]
        answer = batch_rate(request.seconds, burst([actor.echo], request.parameters["window"]))
        check(alive[-1].get() == len(alive) - 1, "a wrong value")
        return answer
