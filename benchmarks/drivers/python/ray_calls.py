"""Ray's calls and tasks: the cases of ray/_private/ray_perf.py, with every result checked."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import ray  # pyright: ignore[reportMissingImports]
import ray_actors
from measuring import Action, Answer, Request, batch_rate, call_rate, check, repeat, sparse, spread
from ray_session import RaySession

_OK = b"ok"


def _burst(call: Any, window: int) -> int:
    results = ray.get([call.remote() for _ in range(window)])
    check(results == [_OK] * window, "a wrong result")
    return window


class RayCalls:
    def __init__(self, session: RaySession) -> None:
        self._session = session
        self._clients: dict[str, list[Any]] = {}

    def actions(self) -> dict[str, Action]:
        return {
            "one-at-a-time": self._one_at_a_time,
            "in-flight": self._in_flight,
            "fan": self._fan,
            "death-notice": self._death_notice,
            "task-one-at-a-time": self._task_one_at_a_time,
            "tasks-in-flight": self._tasks_in_flight,
            "wait": self._wait,
        }

    def _method(self, request: Request) -> Any:
        actor = self._session.actor(request, request.parameters["actor"])
        name = request.parameters["method"]
        return actor.small_value if name == "echo" else getattr(actor, name)

    def _one_at_a_time(self, request: Request) -> Answer:
        method = self._method(request)

        def call(_: int) -> Any:
            return ray.get(method.remote())

        if "pauseMs" in request.parameters:
            return sparse(request.seconds, request.parameters["pauseMs"], call)
        return call_rate(request.seconds, call, lambda _: _OK)

    def _in_flight(self, request: Request) -> Answer:
        method = self._method(request)
        window = request.parameters["window"]
        return batch_rate(request.seconds, lambda _: _burst(method, window))

    def _fan(self, request: Request) -> Answer:
        count = request.parameters["servers"]
        servers = [self._session.actor(request, "Plain", number) for number in range(count)]
        batch = request.parameters["batch"]
        calls = batch * count
        clients = request.parameters["clients"]

        def run(_: int) -> int:
            sums = ray.get(self._fan_round(request, servers, batch))
            check(sums == [calls] * clients, "a wrong sum")
            return calls * clients

        return batch_rate(request.seconds, run)

    def _fan_round(self, request: Request, servers: list[Any], batch: int) -> list[Any]:
        """As in Ray's own benchmark: an actor for 1:n, tasks for n:n, actors with an argument."""
        count = request.parameters["clients"]
        if count > 1 and not request.parameters["hasArgument"]:
            return [ray_actors.work.remote(servers, batch) for _ in range(count)]
        if request.case not in self._clients:
            self._clients[request.case] = [ray_actors.Client.remote(servers) for _ in range(count)]
        clients = self._clients[request.case]
        if request.parameters["hasArgument"]:
            return [client.batch_with_argument.remote(batch) for client in clients]
        return [client.batch.remote(batch) for client in clients]

    def _death_notice(self, request: Request) -> Answer:
        self._session.open()
        times: list[float] = []
        for _ in range(request.parameters["deaths"]):
            actor = ray_actors.Plain.remote()
            ray.get(actor.hold.remote(request.parameters["bytes"]))
            pid = ray.get(actor.pid.remote())
            pending = actor.sleep.remote(60)
            time.sleep(0.02)
            start = time.perf_counter()
            os.kill(pid, signal.SIGKILL)
            try:
                ray.get(pending)
                name = "no failure"
            except ray.exceptions.RayError as error:
                name = type(error).__name__
            times.append(time.perf_counter() - start)
            check("Died" in name or "Unavailable" in name, f"the call ended with {name}")
        microseconds = [seconds * 1e6 for seconds in times]
        return {"value": spread(times)["p50"], "times": microseconds, "checked": len(times)}

    def _task_one_at_a_time(self, request: Request) -> Answer:
        self._session.open()
        task = ray_actors.small_value
        return call_rate(request.seconds, lambda _: ray.get(task.remote()), lambda _: _OK)

    def _tasks_in_flight(self, request: Request) -> Answer:
        self._session.open()
        window = request.parameters["window"]
        return batch_rate(request.seconds, lambda _: _burst(ray_actors.small_value, window))

    def _wait(self, request: Request) -> Answer:
        self._session.open()
        count = request.parameters["refs"]
        step = 1 if request.parameters["isOneByOne"] else count

        def run(_: int) -> float:
            start = time.perf_counter()
            refs = [ray_actors.small_value.remote() for _ in range(count)]
            pending = refs
            fetch_local = True
            while pending:
                _ready, pending = ray.wait(pending, num_returns=step, fetch_local=fetch_local)
                fetch_local = False
            seconds = time.perf_counter() - start
            check(ray.get(refs) == [_OK] * count, "a wrong result")
            return seconds

        times = repeat(request.seconds, run)
        return {"value": len(times) / sum(times), "checked": len(times) * count}
