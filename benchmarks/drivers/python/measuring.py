"""The driver's side of the protocol, and taking times; for Thornback and for Ray alike."""

from __future__ import annotations

import json
import math
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Parameters = Mapping[str, Any]
Answer = dict[str, Any]
Action = Callable[["Request"], Answer]

# What comes before the measured part takes so much of its time.
WARM_UP_SHARE = 0.3
TIMES_MAX = 1 << 18


class Request:
    """One line of input."""

    def __init__(self, line: str) -> None:
        fields = json.loads(line)
        self.case: str = fields["case"]
        self.does: str = fields["does"]
        self.seconds: float = fields["seconds"]
        self.parameters: Parameters = fields["parameters"]


def serve(actions: Mapping[str, Action]) -> None:
    """Answers requests one after the other until the input ends."""
    # Whatever else is printed must not end up among the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = Request(line)
        try:
            answer = actions[request.does](request)
        except KeyError as error:
            answer = {"error": f"this driver does not know {error}\n{traceback.format_exc()}"}
        except BaseException:
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def check(holds: bool, what: str) -> None:
    if not holds:
        raise AssertionError(what)


def percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spread(times: Sequence[float]) -> Answer:
    """Of times in seconds: p50 and p99 in microseconds."""
    ordered = sorted(times)
    return {"p50": percentile(ordered, 0.5) * 1e6, "p99": percentile(ordered, 0.99) * 1e6}


def call_rate(
    seconds: float, call: Callable[[int], object], expected: Callable[[int], object]
) -> Answer:
    """Calls per second, one after the other; `call(n)` must give `expected(n)`."""
    clock = time.perf_counter
    n = 0
    warm_until = clock() + seconds * WARM_UP_SHARE
    while n == 0 or clock() < warm_until:
        check(call(n) == expected(n), "a wrong result")
        n += 1
    first = n
    times: list[float] = []
    start = before = clock()
    end = start + seconds
    while before < end:
        if call(n) != expected(n):
            raise AssertionError("a wrong result")
        n += 1
        now = clock()
        times.append(now - before)
        before = now
    done = n - first
    return {"value": done / (before - start), "checked": done, **spread(times[-TIMES_MAX:])}


def batch_rate(seconds: float, batch: Callable[[int], int]) -> Answer:
    """Things per second: repeats `batch`, which says how many it did, all of them checked."""
    clock = time.perf_counter
    n = 0
    warm_until = clock() + seconds * WARM_UP_SHARE
    while n == 0 or clock() < warm_until:
        batch(n)
        n += 1
    done = 0
    start = now = clock()
    while now < start + seconds:
        done += batch(n)
        n += 1
        now = clock()
    return {"value": done / (now - start), "checked": done}


def repeat(seconds: float, step: Callable[[int], float]) -> list[float]:
    """Seconds that each `step` took; it says so itself, so that its checks need not count."""
    clock = time.perf_counter
    n = 0
    warm_until = clock() + seconds * WARM_UP_SHARE
    while n == 0 or clock() < warm_until:
        step(n)
        n += 1
    times: list[float] = []
    end = clock() + seconds
    while not times or clock() < end:
        times.append(step(n))
        n += 1
    return times


def sparse(seconds: float, pause_ms: float, call: Callable[[int], object]) -> Answer:
    """Calls with a pause before each."""
    clock = time.perf_counter
    call(0)
    times: list[float] = []
    end = clock() + seconds
    while not times or clock() < end:
        time.sleep(pause_ms / 1000)
        start = clock()
        call(len(times))
        times.append(clock() - start)
    answer = spread(times)
    return {"value": answer["p50"], "checked": len(times), **answer}
