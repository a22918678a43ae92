"""Streams, and many queued tasks."""

from __future__ import annotations

import os
import time
from typing import Any

import thornback
from bench import Bench
from flow import resident_mib
from measuring import Action, Answer, Request, batch_rate, check


class Streaming:
    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._actors: dict[str, Any] = {}

    def actions(self) -> dict[str, Action]:
        return {
            "stream-items": self._items,
            "stream-arrays": self._arrays,
            "queued-tasks": self._queued_tasks,
        }

    def _actor(self, request: Request) -> Any:
        if request.case not in self._actors:
            self._actors[request.case] = self._bench.class_of("Streams").remote()
        return self._actors[request.case]

    def _items(self, request: Request) -> Answer:
        actor = self._actor(request)
        count = request.parameters["items"]

        def run(_: int) -> int:
            total = seen = 0
            for item in actor.numbers.stream(count):
                total += item
                seen += 1
            check(seen == count and total == count * (count - 1) // 2, "wrong items")
            return seen

        return batch_rate(request.seconds, run)

    def _arrays(self, request: Request) -> Answer:
        actor = self._actor(request)
        count, size = request.parameters["items"], request.parameters["bytes"]
        seen = store_bytes = 0
        start = time.perf_counter()
        for array in actor.arrays.stream(count, size):
            check(len(array) == size // 8, "a wrong array")
            check(array[0] == seen and array[-1] == seen and array[1] == 7, "a wrong array")
            seen += 1
            store_bytes = max(store_bytes, thornback.stats()["store_bytes_node"])
        seconds = time.perf_counter() - start
        check(seen == count, f"{seen} items came instead of {count}")
        details = {"store_peak_mib": store_bytes / (1 << 20)}
        return {"value": count * size / seconds / 1e9, "checked": count, "details": details}

    def _queued_tasks(self, request: Request) -> Answer:
        count = request.parameters["tasks"]
        task = self._bench.task("echo")
        thornback.get([task.remote(n) for n in range(1000)])
        cpus = self._bench.node_info()["cpus"]
        # It takes all CPUs, so no task starts.
        holder = self._bench.class_of("Work").options(cpu=cpus).remote()
        holder.pid.remote().get()
        before = resident_mib(os.getpid())
        start = time.perf_counter()
        refs = [task.remote(n) for n in range(count)]
        queueing = time.perf_counter() - start
        size = (resident_mib(os.getpid()) - before) * (1 << 20) / count
        check(not refs[0].ready() and not refs[-1].ready(), "a task did not wait")
        thornback.kill(holder)
        start = time.perf_counter()
        total = 0
        for first in range(0, count, 10_000):
            total += sum(thornback.get(refs[first : first + 10_000]))
        check(total == count * (count - 1) // 2, "a wrong sum")
        details = {
            "queued_per_s": count / queueing,
            "done_per_s": count / (time.perf_counter() - start),
        }
        return {"value": size, "checked": count, "details": details}
