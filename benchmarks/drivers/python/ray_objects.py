"""Ray's put and get, and what starting it takes."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import ray  # pyright: ignore[reportMissingImports]
import ray_actors
from measuring import Action, Answer, Request, batch_rate, check, repeat, spread
from processes import idle_process
from ray_session import RaySession

_BATCH = 100
# Ray starts as many workers in advance as it has CPUs; with one more, none of them is left.
_PRESTARTED = 3


class RayObjects:
    def __init__(self, session: RaySession) -> None:
        self._session = session

    def actions(self) -> dict[str, Action]:
        return {
            "put": self._put,
            "get": self._get,
            "put-large": self._put_large,
            "get-large": self._get_large,
            "get-refs": self._get_refs,
            "echo-bytes": self._echo_bytes,
            "init": self._init,
            "cold-worker": self._cold_worker,
            "warm-worker": self._warm_worker,
            "idle-worker": self._idle_worker,
        }

    def _put(self, request: Request) -> Answer:
        self._session.open()

        def run(n: int) -> int:
            ref = None
            for i in range(_BATCH):
                ref = ray.put(n + i)
            check(ray.get(ref) == n + _BATCH - 1, "a wrong value")
            return _BATCH

        return batch_rate(request.seconds, run)

    def _get(self, request: Request) -> Answer:
        self._session.open()
        ref = ray.put(0)

        def run(_: int) -> int:
            for _i in range(_BATCH):
                check(ray.get(ref) == 0, "a wrong value")
            return _BATCH

        return batch_rate(request.seconds, run)

    def _put_large(self, request: Request) -> Answer:
        actor = self._session.actor(request)
        size = request.parameters["bytes"]
        is_kept = request.parameters["isKept"]
        source = np.full(size // 8, 3.0)
        kept: list[Any] = []

        def put_one(n: int) -> float:
            source[0] = n
            start = time.perf_counter()
            ref = ray.put(source)
            seconds = time.perf_counter() - start
            kept.append(ref)
            if not is_kept and len(kept) > 1:
                del kept[0]
            return seconds

        ray.put(0)
        times = [put_one(n) for n in range(5)] if is_kept else repeat(request.seconds, put_one)
        probe = ray.get(actor.probe.remote(kept[-1]))
        check(probe == [len(source), source[0], 3, 3], f"the actor saw {probe}")
        return {"value": size * len(times) / sum(times) / 1e9, "checked": 1}

    def _get_large(self, request: Request) -> Answer:
        actor = self._session.actor(request)
        size = request.parameters["bytes"]

        def run(_: int) -> float:
            ref = ray.get(actor.large.remote(size))[0]
            start = time.perf_counter()
            array = ray.get(ref)
            seconds = time.perf_counter() - start
            check(len(array) == size // 8 and array[0] == 7 and array[-1] == 7, "a wrong array")
            return seconds

        times = repeat(request.seconds, run)
        answer = spread(times)
        return {"value": answer["p50"], "checked": len(times), **answer}

    def _get_refs(self, request: Request) -> Answer:
        self._session.open()
        count = request.parameters["refs"]
        holder = ray_actors.object_containing_refs.remote(count)

        def run(_: int) -> float:
            start = time.perf_counter()
            refs = ray.get(holder)
            seconds = time.perf_counter() - start
            check(len(refs) == count and ray.get(refs[-1]) == 1, "a wrong list")
            return seconds

        times = repeat(request.seconds, run)
        return {"value": len(times) / sum(times), "checked": len(times)}

    def _echo_bytes(self, request: Request) -> Answer:
        actor = self._session.actor(request)
        size = request.parameters["bytes"]
        sources = [bytes([n]) * size for n in range(8)]

        def run(n: int) -> float:
            source = sources[n % 8]
            start = time.perf_counter()
            echo = ray.get(actor.echo.remote(source))
            seconds = time.perf_counter() - start
            check(echo == source, "a wrong echo")
            return seconds

        times = repeat(request.seconds, run)
        answer = spread(times)
        return {"value": answer["p50"], "checked": len(times), **answer}

    def _init(self, _: Request) -> Answer:
        start = time.perf_counter()
        self._session.open()
        value = (time.perf_counter() - start) * 1e3
        check(ray.get(ray_actors.small_value.remote()) == b"ok", "a wrong result")
        details = {"first_result_ms": (time.perf_counter() - start) * 1e3}
        return {"value": value, "times": [value], "checked": 1, "details": details}

    def _first_result(self) -> tuple[float, Any]:
        start = time.perf_counter()
        actor = ray_actors.Plain.remote()
        check(ray.get(actor.small_value.remote()) == b"ok", "a wrong result")
        return (time.perf_counter() - start) * 1e3, actor

    def _cold_worker(self, _: Request) -> Answer:
        self._session.open()
        kept = [self._first_result() for _ in range(_PRESTARTED)]
        value, _actor = self._first_result()
        return {"value": value, "times": [value], "checked": len(kept) + 1}

    def _warm_worker(self, request: Request) -> Answer:
        self._session.open()
        kept: list[tuple[float, Any]] = []
        for _ in range(3):
            time.sleep(request.parameters["restMs"] / 1e3)
            kept.append(self._first_result())
        times = [milliseconds for milliseconds, _ in kept]
        return {"value": sorted(times)[1], "times": times, "checked": len(times)}

    def _idle_worker(self, request: Request) -> Answer:
        actor = self._session.actor(request)
        return idle_process(ray.get(actor.pid.remote()))
