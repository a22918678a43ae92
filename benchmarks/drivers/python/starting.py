"""Starting sessions and workers, and what an idle one costs."""

from __future__ import annotations

import time

from bench import Bench
from measuring import Action, Answer, Request, check
from processes import idle_process


class Starting:
    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def actions(self) -> dict[str, Action]:
        return {
            "init": self._init,
            "cold-worker": self._cold_worker,
            "warm-worker": self._warm_worker,
            "idle-worker": self._idle_worker,
        }

    def _init(self, _: Request) -> Answer:
        start = time.perf_counter()
        self._bench.open()
        value = (time.perf_counter() - start) * 1e3
        check(self._bench.task("echo").remote(7).get() == 7, "a wrong echo")
        details = {"first_result_ms": (time.perf_counter() - start) * 1e3}
        return {"value": value, "times": [value], "checked": 1, "details": details}

    def _first_result(self) -> float:
        """Milliseconds from creating an actor to its first result."""
        start = time.perf_counter()
        actor = self._bench.create("Plain")
        check(actor.echo.remote(7).get() == 7, "a wrong echo")
        return (time.perf_counter() - start) * 1e3

    def _cold_worker(self, _: Request) -> Answer:
        self._bench.open()
        value = self._first_result()
        details = {"second_ms": self._first_result()}
        return {"value": value, "times": [value], "checked": 2, "details": details}

    def _warm_worker(self, request: Request) -> Answer:
        self._bench.open()
        times: list[float] = []
        for _ in range(3):
            time.sleep(request.parameters["restMs"] / 1e3)
            times.append(self._first_result())
        return {"value": sorted(times)[1], "times": times, "checked": len(times)}

    def _idle_worker(self, _: Request) -> Answer:
        actor = self._bench.create("Plain")
        return idle_process(actor.pid.remote().get())
