"""Work that goes on while processes are killed."""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from typing import Any

import thornback
from bench import Bench
from measuring import Action, Answer, Request, check, percentile


class Lives:
    """Which process was which life of an actor: they count up by one, and none is there twice."""

    def __init__(self) -> None:
        self.current = 0
        self.pid = 0
        self._pids: set[int] = set()

    def saw(self, pid: int, incarnation: int) -> bool:
        """Whether this was the first answer of a new life."""
        if incarnation == self.current:
            check(pid == self.pid, f"life {incarnation} is in two processes")
            return False
        check(incarnation == self.current + 1, f"after life {self.current} came {incarnation}")
        check(pid not in self._pids, f"process {pid} has two lives")
        self._pids.add(pid)
        self.current, self.pid = incarnation, pid
        return True


class Deaths:
    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def actions(self) -> dict[str, Action]:
        return {"failover": self._failover, "task-kills": self._task_kills}

    def _failover(self, request: Request) -> Answer:
        parameters = request.parameters
        kills, window = parameters["kills"], parameters["window"]
        actor = self._bench.class_of("Lives").options(max_restarts=-1, retries=-1).remote()
        call = actor.echo.remote
        lives, times = Lives(), list[float]()
        refs: deque[Any] = deque(call(n) for n in range(window))
        done, killed_at, kill_at = 0, 0.0, float("inf")
        while len(times) < kills:
            value, pid, incarnation = refs.popleft().get(timeout=60)
            now = time.perf_counter()
            check(value == done, f"call {done} was answered with {value}")
            done += 1
            if lives.saw(pid, incarnation):
                if killed_at:
                    times.append((now - killed_at) * 1e3)
                kill_at = now + parameters["livesMs"] / 1e3
            if now >= kill_at:
                os.kill(lives.pid, signal.SIGKILL)
                killed_at, kill_at = time.perf_counter(), float("inf")
            refs.append(call(done + window - 1))
        for ref in refs:
            check(ref.get(timeout=60)[0] == done, "a wrong result")
            done += 1
        thornback.kill(actor)
        value = percentile(sorted(times), 0.95)
        return {"value": value, "times": times, "checked": done, "details": {"first_ms": times[0]}}

    def _task_kills(self, request: Request) -> Answer:
        tasks, kills = request.parameters["tasks"], request.parameters["kills"]
        task = self._bench.task("echo")
        window = 1000
        thornback.get([task.remote(n) for n in range(window)])
        killed: set[int] = set()
        refs: list[Any] = []
        start = time.perf_counter()
        for part in range(kills + 1):
            first, last = (tasks * n // (kills + 1) for n in (part, part + 1))
            refs += [task.remote(n) for n in range(first, last)]
            if part < kills:
                self._kill_worker(task, killed)
        check(thornback.get(refs) == list(range(tasks)), "a wrong result")
        seconds = time.perf_counter() - start
        return {"value": tasks / seconds, "checked": tasks, "details": {"kills": len(killed)}}

    def _kill_worker(self, task: Any, killed: set[int]) -> None:
        """Kills one of those that execute tasks."""
        while True:
            for worker in self._bench.node_info()["workers"]:
                pid = worker["pid"]
                if worker["state"] == "leased" and pid and pid not in killed:
                    killed.add(pid)
                    os.kill(pid, signal.SIGKILL)
                    return
            # There is one when there is something to do.
            task.remote(0).get()
