"""The driver of Python: executes the steps of cases; see test/conformance/README.md."""

from __future__ import annotations

import gc
import json
import struct
import sys
from collections.abc import Callable
from typing import Any

import thornback
from thornback import ActorHandle, ObjectRef, RemoteException, ThornbackError
from values import to_tagged, to_value

LANGUAGES = {"typescript": thornback.typescript, "python": thornback.python}
SECONDS = 30.0

Step = dict[str, Any]
things: dict[str, Any] = {}
received = 0


def arguments(step: Step) -> tuple[list[Any], dict[str, Any]]:
    given = [things[name] for name in step.get("things", ())]
    positional = [to_value(each, given) for each in step.get("args", ())]
    keywords = {name: to_value(each, given) for name, each in step.get("kwargs", {}).items()}
    return positional, keywords


def callable_of(step: Step) -> Any:
    callee = step["callee"]
    if "task" in step:
        called: Any = LANGUAGES[callee["language"]].task(f"{callee['module']}:{step['task']}")
    else:
        called = getattr(things[step["on"]], step["method"])
    return called.options(**options_of(step)) if "options" in step else called


NAMES: dict[str, str] = {
    "maxConcurrency": "max_concurrency",
    "groups": "concurrency_groups",
    "maxRestarts": "max_restarts",
    "maxPendingCalls": "max_pending_calls",
    "whenFull": "when_full",
    "timeoutMs": "timeout",
    "retryOn": "retry_exceptions",
    "retryDelayMs": "retry_delay",
    "group": "concurrency_group",
    "inOrder": "in_order",
}


def options_of(step: Step) -> dict[str, Any]:
    """The options of a step as Python spells them: snake case, and times in seconds."""
    given: dict[str, Any] = step.get("options", {})
    return {
        NAMES.get(name, name): value / 1000 if name.endswith("Ms") else value
        for name, value in given.items()
    }


def described(value: Any) -> dict[str, Any]:
    """Remembers refs and handles of a value under new names, and says which."""
    names: list[str] = []

    def number(each: Any) -> int | None:
        global received
        if not isinstance(each, ObjectRef | ActorHandle):
            return None
        received += 1
        names.append(f"received {received}")
        things[names[-1]] = each
        return len(names) - 1

    return {"value": to_tagged(value, number), "things": names}


def failure(error: ThornbackError) -> dict[str, Any]:
    causes: list[tuple[str, str]] = []
    cause = error.__cause__
    while isinstance(cause, RemoteException):
        causes.append((cause.name, cause.message))
        cause = cause.__cause__
    return {"error": {"code": error.code, "message": str(error), "causes": causes}}


def init(step: Step) -> None:
    thornback.init(step["address"])


def create(step: Step) -> None:
    callee = step["callee"]
    kind = LANGUAGES[callee["language"]].actor(f"{callee['module']}:{step['class']}")
    positional, keywords = arguments(step)
    handle = kind.options(**options_of(step)).remote(*positional, **keywords)
    handle.objects.remote().get(timeout=SECONDS)  # it exists, or this says why not
    things[step["as"]] = handle


def find(step: Step) -> None:
    things[step["as"]] = thornback.get_actor(step["name"])


def kill(step: Step) -> None:
    thornback.kill(things[step["on"]])


def call(step: Step) -> None:
    positional, keywords = arguments(step)
    things[step["as"]] = callable_of(step).remote(*positional, **keywords)


def put(step: Step) -> None:
    things[step["as"]] = thornback.put(arguments(step)[0][0])


def get(step: Step) -> dict[str, Any]:
    return described(things[step["from"]].get(timeout=SECONDS))


def stream(step: Step) -> dict[str, Any]:
    items: list[Any] = []
    positional, keywords = arguments(step)
    try:
        with callable_of(step).stream(*positional, **keywords) as source:
            for item in source:
                items.append(to_tagged(item, lambda _: None))
                if len(items) == step.get("limit"):
                    break
    except ThornbackError as error:
        return {"items": items, **failure(error)}
    return {"items": items}


def many(step: Step) -> dict[str, Any]:
    function = callable_of(step)
    refs = [function.remote(index) for index in range(step["count"])]
    return described(thornback.get(refs, timeout=SECONDS))


def wait(step: Step) -> dict[str, Any]:
    refs = [things[name] for name in step["refs"]]
    ready, pending = thornback.wait(refs, num_returns=step.get("count", 1), timeout=SECONDS)
    return described([len(ready), len(pending)])


def cancel(step: Step) -> None:
    force, recursive = step.get("force", False), step.get("recursive", True)
    thornback.cancel(things[step["from"]], force=force, recursive=recursive)


def room(step: Step) -> None:
    assert thornback.room(things[step["on"]]).wait(timeout=SECONDS)


def pending(step: Step) -> dict[str, Any]:
    return described(thornback.pending(things[step["on"]]).calls)


def reset(_: Step) -> None:
    things.clear()
    gc.collect()


def stats(_: Step) -> dict[str, Any]:
    now = thornback.stats()
    return {"stats": {"refs": now["refs_live"], "objects": now["objects_live"]}}


OPERATIONS: dict[str, Callable[[Step], dict[str, Any] | None]] = {
    function.__name__: function
    for function in (
        *(init, create, find, kill, call, put, get, stream, many, wait),
        *(cancel, room, pending, reset, stats),
    )
}


def main() -> None:
    """Messages are JSON behind their length in four bytes, most significant first."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while head := source.read(4):
        step = json.loads(source.read(*struct.unpack(">I", head)))
        try:
            answer = OPERATIONS[step["op"]](step) or {}
        except ThornbackError as error:
            answer = failure(error)
        data = json.dumps(answer).encode()
        sink.write(struct.pack(">I", len(data)) + data)
        sink.flush()
    thornback.shutdown()


main()
