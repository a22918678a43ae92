"""Callers that are faster than what they call, and those beside them."""

from __future__ import annotations

import os
import time
from collections import deque
from pathlib import Path
from typing import Any

import thornback
from bench import Bench
from measuring import Action, Answer, Request, check, percentile

_MIB = 1 << 20
_PAGE = os.sysconf("SC_PAGESIZE")
_WINDOW = 1000
_SECONDS_MAX = 100.0
_LOOK_SECONDS = 0.02
_UNLIMITED = {"max_pending_calls": 1 << 40, "max_pending_bytes": 1 << 50}


def resident_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / _MIB


class Growth:
    """How much the memory of some processes has grown at most since this was made."""

    def __init__(self, *pids: int) -> None:
        self._first = {pid: resident_mib(pid) for pid in pids}
        self.mib = dict.fromkeys(pids, 0.0)

    def look(self) -> None:
        for pid, first in self._first.items():
            self.mib[pid] = max(self.mib[pid], resident_mib(pid) - first)


class Producer:
    """Calls one actor, each call with the next number."""

    def __init__(self, actor: Any, parameters: Any) -> None:
        self._call = actor.work.remote
        self._microseconds: float = parameters["microseconds"]
        self._payload = bytes(parameters["bytes"])
        self.made = 0

    def make(self, count: int) -> list[Any]:
        first = self.made
        self.made = first + count
        call, microseconds, payload = self._call, self._microseconds, self._payload
        return [call(0, n, microseconds, payload) for n in range(first, first + count)]

    def rate_with_window(self, seconds: float) -> float:
        """Calls per second while `_WINDOW` are in flight."""
        windows: deque[tuple[int, list[Any]]] = deque()

        def add() -> None:
            windows.append((self.made, self.make(_WINDOW // 2)))

        def take() -> int:
            first, refs = windows.popleft()
            values = thornback.get(refs)
            check(values == list(range(first, first + len(refs))), "a wrong result")
            return len(refs)

        add()
        start, done = time.perf_counter(), 0
        end = start
        while end < start + seconds:
            add()
            done += take()
            end = time.perf_counter()
        take()
        return done / (end - start)

    def flood(self, seconds: float, calls_max: float, growth: Growth) -> tuple[float, float]:
        """As many calls as it may; calls finished per second, and how fast the first were made."""
        completed = thornback.stats()["calls_completed"]
        first, pace = self.made, 0.0
        last: Any = None
        start = now = time.perf_counter()
        next_look = start
        while last is None or (now < start + seconds and self.made - first < calls_max):
            last = self.make(100)[-1]
            now = time.perf_counter()
            if self.made - first == _WINDOW:
                pace = _WINDOW / (now - start)
            if now >= next_look:
                growth.look()
                next_look = now + _LOOK_SECONDS
        growth.look()
        # What has been finished is counted when this process looks for it.
        thornback.wait([last], num_returns=1, timeout=0.001)
        now = time.perf_counter()
        return (thornback.stats()["calls_completed"] - completed) / (now - start), pace


class Flow:
    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def actions(self) -> dict[str, Action]:
        return {"flood": self._flood, "fairness": self._fairness, "health": self._health}

    def _flood(self, request: Request) -> Answer:
        parameters = request.parameters
        is_limited = parameters["isLimited"]
        work = self._bench.class_of("Work")
        actor = (work if is_limited else work.options(**_UNLIMITED)).remote()
        pids = (os.getpid(), actor.pid.remote().get())
        producer = Producer(actor, parameters)
        producer.rate_with_window(request.seconds * 0.3)
        unthrottled = producer.rate_with_window(request.seconds)
        growth = Growth(*pids)
        calls_max = float("inf") if is_limited else parameters["callsMax"]
        rate, pace = producer.flood(request.seconds, calls_max, growth)
        pending = thornback.pending(actor)
        # It is executed behind all others.
        report = actor.report.remote(0).get(timeout=_SECONDS_MAX)
        check(report == [producer.made, 0], f"{producer.made} calls were made, executed: {report}")
        thornback.kill(actor)
        producer_mib, actor_mib = (growth.mib[pid] for pid in pids)
        details = {
            "producer_growth_mib": producer_mib,
            "actor_growth_mib": actor_mib,
            "pending_calls": pending.calls,
            "throttled_s": pending.throttled_seconds,
            "times_faster": pace / unthrottled,
        }
        # No growth at all is no figure: a page is the least.
        value = rate / unthrottled if is_limited else max(producer_mib + actor_mib, _PAGE / _MIB)
        return {"value": value, "checked": producer.made, "details": details}

    def _fairness(self, request: Request) -> Answer:
        microseconds = request.parameters["microseconds"]
        seconds = request.seconds
        beside_one = self._beside("one_by_one", microseconds, seconds)
        beside_many = self._beside("flood", microseconds, seconds)
        p99 = [percentile(times, 0.99) * 1e6 for times in (beside_one, beside_many)]
        return {
            "value": p99[1] / p99[0],
            "checked": len(beside_one) + len(beside_many),
            "details": {
                "one_p50_us": percentile(beside_one, 0.5) * 1e6,
                "flood_p50_us": percentile(beside_many, 0.5) * 1e6,
                "one_p99_us": p99[0],
                "flood_p99_us": p99[1],
            },
        }

    def _beside(self, method: str, microseconds: float, seconds: float) -> list[float]:
        """Times of single calls, sorted, while another process calls the same actor."""
        actor = self._bench.class_of("Work").remote()
        neighbour = self._bench.class_of("Neighbour").remote(actor)
        neighbour.ready.remote().get()
        busy = getattr(neighbour, method).remote(1, microseconds)
        while actor.report.remote(1).get()[0] < 100:
            check(not busy.ready(), "the other caller has ended")
        times: list[float] = []
        clock = time.perf_counter
        call, get = actor.work.remote, thornback.get
        n = 0
        warm_until = clock() + seconds * 0.3
        end = warm_until + seconds
        now = clock()
        while now < end or not times:
            before = now
            check(get(call(0, n, microseconds)) == n, "a wrong result")
            n += 1
            now = clock()
            if before >= warm_until:
                times.append(now - before)
        done, wrong = actor.report.remote(1).get()
        thornback.kill(actor)
        check(wrong == 0, f"{wrong} calls were executed out of order")
        check(0 < done <= busy.get(timeout=_SECONDS_MAX), "more calls were executed than made")
        thornback.kill(neighbour)
        return sorted(times)

    def _health(self, request: Request) -> Answer:
        parameters = request.parameters
        count, slow_seconds = parameters["calls"], parameters["slowMs"] / 1e3
        options: Any = {"max_concurrency": count, "concurrency_groups": {"health": 1}}
        actor = self._bench.class_of(parameters["actor"]).options(**options).remote()
        health = actor.health.options(concurrency_group="health").remote
        check(health(0).get() == 0, "a wrong result")
        times: list[float] = []
        end = time.perf_counter() + request.seconds
        while not times or time.perf_counter() < end:
            slow = [actor.slow.remote(slow_seconds, n) for n in range(count)]
            while not slow[-1].ready():
                start = time.perf_counter()
                check(health(len(times)).get() == len(times), "a wrong result")
                times.append((time.perf_counter() - start) * 1e3)
                time.sleep(0.001)
            check(thornback.get(slow) == list(range(count)), "a wrong result")
        thornback.kill(actor)
        ordered = sorted(times)
        details = {"p50_ms": percentile(ordered, 0.5), "longest_ms": ordered[-1]}
        return {"value": percentile(ordered, 0.99), "checked": len(times), "details": details}
