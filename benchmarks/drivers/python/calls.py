"""Calls of actors."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from typing import Any

import thornback
from bench import Bench
from measuring import Action, Answer, Request, batch_rate, call_rate, check, sparse, spread


def burst(methods: Sequence[Any], window: int) -> Callable[[int], int]:
    """`window` calls, then all their results."""
    calls = [method.remote for method in methods]

    def run(n: int) -> int:
        if len(calls) == 1:
            call = calls[0]
            refs = [call(n + i) for i in range(window)]
        else:
            refs = [calls[i % len(calls)](n + i) for i in range(window)]
        total = sum(thornback.get(refs))
        check(total == window * n + window * (window - 1) // 2, "a wrong sum")
        return window

    return run


class Calls:
    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._clients: dict[str, list[Any]] = {}

    def actions(self) -> dict[str, Action]:
        return {
            "one-at-a-time": self._one_at_a_time,
            "in-flight": self._in_flight,
            "many-actors": self._many_actors,
            "fan": self._fan,
            "death-notice": self._death_notice,
        }

    def _method(self, request: Request) -> Any:
        actor = self._bench.actor(request, request.parameters["actor"])
        return getattr(actor, request.parameters["method"])

    def _one_at_a_time(self, request: Request) -> Answer:
        remote = self._method(request).remote
        get = thornback.get

        def call(n: int) -> Any:
            return get(remote(n))

        if "pauseMs" in request.parameters:
            return sparse(request.seconds, request.parameters["pauseMs"], call)
        return self._bench.with_wakes(lambda: call_rate(request.seconds, call, lambda n: n))

    def _in_flight(self, request: Request) -> Answer:
        method = self._method(request)
        batch = burst([method], request.parameters["window"])
        return self._bench.with_wakes(lambda: batch_rate(request.seconds, batch))

    def _many_actors(self, request: Request) -> Answer:
        count = request.parameters["actors"]
        actors = [self._bench.actor(request, "Plain", number) for number in range(count)]
        methods = [actor.echo for actor in actors]
        window = count * request.parameters["inFlightEach"]
        return batch_rate(request.seconds, burst(methods, window))

    def _fan_clients(self, request: Request) -> list[Any]:
        if request.case not in self._clients:
            count = request.parameters["servers"]
            servers = [self._bench.actor(request, "Plain", number) for number in range(count)]
            self._clients[request.case] = [
                self._bench.create_here("Client", servers)
                for _ in range(request.parameters["clients"])
            ]
        return self._clients[request.case]

    def _fan(self, request: Request) -> Answer:
        clients = self._fan_clients(request)
        batch = request.parameters["batch"]
        calls = request.parameters["servers"] * batch
        with_argument = request.parameters["hasArgument"]
        expected = calls * (batch - 1) // 2 + (calls if with_argument else 0)

        def run(_: int) -> int:
            if with_argument:
                sums = thornback.get([c.batch_with_argument.remote(batch) for c in clients])
            else:
                sums = thornback.get([c.batch.remote(batch) for c in clients])
            check(sums == [expected] * len(clients), "a wrong sum")
            return calls * len(clients)

        return batch_rate(request.seconds, run)

    def _death_notice(self, request: Request) -> Answer:
        times: list[float] = []
        for _ in range(request.parameters["deaths"]):
            actor = self._bench.create("Plain")
            actor.hold.remote(request.parameters["bytes"]).get()
            pid = actor.pid.remote().get()
            pending = actor.sleep.remote(60)
            time.sleep(0.02)
            start = time.perf_counter()
            os.kill(pid, signal.SIGKILL)
            try:
                pending.get()
                name = "no failure"
            except thornback.ThornbackError as error:
                name = type(error).__name__
            times.append(time.perf_counter() - start)
            check("Died" in name or "Unavailable" in name, f"the call ended with {name}")
        microseconds = [seconds * 1e6 for seconds in times]
        return {"value": spread(times)["p50"], "times": microseconds, "checked": len(times)}
