"""Tasks, and waiting for many of them."""

from __future__ import annotations

import time
from typing import Any

import thornback
from bench import Bench
from calls import burst
from measuring import Action, Answer, Request, batch_rate, call_rate, check, repeat


class Tasks:
    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._echo: Any = None

    def actions(self) -> dict[str, Action]:
        return {
            "task-one-at-a-time": self._one_at_a_time,
            "tasks-in-flight": self._in_flight,
            "wait": self._wait,
        }

    def _task(self) -> Any:
        if self._echo is None:
            self._echo = self._bench.task("echo")
        return self._echo

    def _one_at_a_time(self, request: Request) -> Answer:
        task = self._task()
        get = thornback.get
        # The first call binds the task to the session; `remote` is looked up after it.
        get(task.remote(0))
        remote = task.remote
        return call_rate(request.seconds, lambda n: get(remote(n)), lambda n: n)

    def _in_flight(self, request: Request) -> Answer:
        task = self._task()
        thornback.get(task.remote(0))
        return batch_rate(request.seconds, burst([task], request.parameters["window"]))

    def _wait(self, request: Request) -> Answer:
        task = self._task()
        count = request.parameters["refs"]
        step = 1 if request.parameters["isOneByOne"] else count

        def run(_: int) -> float:
            start = time.perf_counter()
            refs = [task.remote(n) for n in range(count)]
            pending = refs
            while pending:
                _ready, pending = thornback.wait(pending, num_returns=step)
            seconds = time.perf_counter() - start
            check(sum(thornback.get(refs)) == count * (count - 1) // 2, "a wrong sum")
            return seconds

        times = repeat(request.seconds, run)
        return {"value": len(times) / sum(times), "checked": len(times) * count}
