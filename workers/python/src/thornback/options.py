"""The options that users give, and their checks; messages name the option by its full path."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict, cast

from ._errors_generated import InvalidArgumentError


def invalid(path: str, value: object, reason: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"{path} is {value!r}: {reason}")


def timeout_ns(path: str, seconds: Any) -> int:
    """Seconds as nanoseconds; 0 for none."""
    if seconds is None:
        return 0
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < 1e9:
        raise invalid(path, seconds, "it must be None or seconds above 0")
    return max(1, int(seconds * 1e9))


def count(path: str, value: Any, lowest: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < lowest:
        raise invalid(path, value, f"it must be a whole number, {lowest} or more")
    return value


def text(path: str, value: Any) -> str | None:
    if value is not None and (not isinstance(value, str) or not value):
        raise invalid(path, value, "it must be a string that is not empty")
    return value


def groups(path: str, value: Any) -> dict[str, Any] | None:
    """`{name: limit}` as the workers read it; the methods say themselves which group is theirs."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise invalid(path, value, "it must be a dict of names and limits")
    found: dict[str, Any] = {}
    for name, limit in cast("Mapping[Any, Any]", value).items():
        if not isinstance(name, str) or not 0 < len(name.encode()) <= 127:
            raise invalid(path, dict(cast("Any", value)), "names must be 1 to 127 bytes long")
        found[name] = {"limit": count(f"{path}[{name!r}]", limit, 1), "methods": []}
        if limit is None:
            raise invalid(f"{path}[{name!r}]", limit, "it must be a whole number, 1 or more")
    return found


_UNITS_PER_ONE = 10_000
_UNITS_MAX = 2**53 - 1
_CPUS_MAX = 4096
_OPTION_OF = {name: name for name in ("cpu", "memory", "gpu")}


def amount(path: str, name: str, value: Any) -> float:
    """An amount of a resource, by the node agent's rules."""
    if not name:
        raise invalid(path, value, "a resource needs a name")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value < 0:
        raise invalid(path, value, "it must be a number from 0")
    scale = 1 if name == "memory" else _UNITS_PER_ONE
    most = _CPUS_MAX if name == "cpu" else _UNITS_MAX // scale
    if value > most:
        raise invalid(path, value, f"it must be at most {most:,}")
    # Both sides are rounded once from the same decimal: they are equal when nothing was cut off.
    if round(value * scale) / scale != value:
        step = "whole number of bytes" if scale == 1 else "multiple of 0.0001"
        raise invalid(path, value, f"it must be a {step}")
    return value


def needs(path: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Checked `cpu`, `memory`, `gpu` and `resources`, those that are given."""
    found: dict[str, Any] = {}
    for name in _OPTION_OF:
        if given.get(name) is not None:
            found[name] = amount(f"{path}({name})", name, given[name])
    if found.get("gpu", 0) > 1 and found["gpu"] % 1:
        reason = "it must be a whole number, or a fraction below 1"
        raise invalid(f"{path}(gpu)", given["gpu"], reason)
    if given.get("resources") is not None:
        found["resources"] = named_amounts(f"{path}(resources)", given["resources"], _OPTION_OF)
    return found


def node_resources(path: str, value: Any) -> dict[str, float] | None:
    """What a node has besides its CPUs."""
    if value is None:
        return None
    found = named_amounts(path, value, {"cpu": "cpus"})
    if found.get("gpu", 0) % 1:
        raise invalid(f"{path}['gpu']", found["gpu"], "it must be a whole number")
    return found


def named_amounts(path: str, value: Any, elsewhere: Mapping[str, str]) -> dict[str, float]:
    """`{name: amount}`; for the names of `elsewhere` there are options."""
    if not isinstance(value, Mapping):
        raise invalid(path, value, "it must be a dict of names and amounts")
    found: dict[str, float] = {}
    for name, item in cast("Mapping[Any, Any]", value).items():
        own = f"{path}[{name!r}]"
        if not isinstance(name, str):
            raise invalid(own, item, "names are strings")
        if name in elsewhere:
            raise invalid(own, item, f"it is given by the option {elsewhere[name]}")
        found[name] = amount(own, name, item)
    return found


def resources_of(options: Mapping[str, Any]) -> dict[str, float]:
    """What `needs` found, as one map for the node agent."""
    own = {name: options[name] for name in _OPTION_OF if name in options}
    return {**own, **options.get("resources", {})}


_ENVIRONMENT = {"python", "cwd", "sys_path", "variables"}


def environment(path: str, value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """`{python, cwd, sys_path, variables}` as the node agent reads it."""
    if value is None:
        return None
    for key in value:
        if key not in _ENVIRONMENT:
            known = ", ".join(sorted(_ENVIRONMENT))
            raise InvalidArgumentError(f"{path}[{key!r}] is unknown; known are {known}")
    out = dict(value)
    if "sys_path" in out:
        out["sysPath"] = [str(entry) for entry in out.pop("sys_path")]
    if "variables" in out:
        out["variables"] = {str(name): str(item) for name, item in out["variables"].items()}
    return out


class CallOptions(TypedDict, total=False):
    """How calls are made, of tasks and of methods.

    timeout: seconds after which a call fails with DeadlineExceededError, wherever it is then.
    retries: how often it is sent again after its process has died, so that it may be executed more
    than once; -1 without limit; 3 for tasks and 0 for methods unless given. retry_exceptions: what
    the called code raises is a reason to try again, all of it (True) or these classes and their
    subclasses, which may be named by strings ("TypeError" of TypeScript). retry_delay: seconds
    before the first retry, twice as long before each further one. when_full: what `remote` does
    while `max_pending_calls` or `max_pending_bytes` are pending: "wait", or "refuse" with
    BackPressureError; unless given it refuses inside a running event loop and waits elsewhere.
    """

    timeout: float | None
    retries: int | None
    retry_exceptions: bool | Sequence[type[BaseException] | str] | None
    retry_delay: float | None
    when_full: Literal["wait", "refuse"] | None


class TaskOptions(CallOptions, total=False):
    """Of tasks.

    cpu, memory, gpu, resources: what the task takes while it runs: CPUs (1 by default), bytes, GPUs
    (a whole number, or a fraction below 1 of one that others share), and other resources of
    `init(resources={"license": 2})` by name; in steps of 0.0001. It is not told which GPUs it has.

    priority: of those that wait for a worker, higher ones start first. environment: python, cwd,
    sys_path and variables of its worker.

    max_pending_calls, max_pending_bytes: limits of what this process has submitted and not yet got
    back (1,000,000 calls and 256 MiB of arguments by default).
    """

    cpu: float | None
    memory: int | None
    gpu: float | None
    resources: Mapping[str, float] | None
    priority: int | None
    environment: Mapping[str, Any] | None
    max_pending_calls: int | None
    max_pending_bytes: int | None


class MethodOptions(CallOptions, total=False):
    """Of methods.

    concurrency_group: the group of the actor in which the call runs. in_order: False lets calls
    whose arguments are there overtake those that wait for theirs. stream: whether the result is
    read item by item.
    """

    concurrency_group: str | None
    in_order: bool | None
    stream: bool | None


class ActorOptions(TypedDict, total=False):
    """Of actors.

    name, namespace: under which `get_actor` finds it. get_if_exists: return the living actor of
    that name instead of failing. share: it may live in a process with other actors. max_restarts:
    how often it is started again after its process has died, -1 without limit. environment: python,
    cwd, sys_path and variables of its worker.

    cpu, memory, gpu, resources: what it takes while it lives, as for tasks (0 CPUs by default); not
    together with `share`. `thornback.context().gpus` has the indices of its GPUs.

    max_concurrency: how many calls run at once: 1 by default, 1,000 for a class with an `async def`
    method; methods of other classes run on that many threads. concurrency_groups: limits of groups
    of methods (`@thornback.method(concurrency_group=...)`) that run beside the others.

    max_pending_calls, max_pending_bytes: limits of what this process has submitted to the actor and
    not yet got back (100,000 calls and 16 MiB of arguments by default). retries, retry_exceptions,
    retry_delay, when_full, in_order: what its methods do unless they say otherwise.
    """

    name: str | None
    namespace: str | None
    get_if_exists: bool | None
    cpu: float | None
    memory: int | None
    gpu: float | None
    resources: Mapping[str, float] | None
    share: bool | None
    max_concurrency: int | None
    concurrency_groups: Mapping[str, int] | None
    max_restarts: int | None
    environment: Mapping[str, Any] | None
    max_pending_calls: int | None
    max_pending_bytes: int | None
    retries: int | None
    retry_exceptions: bool | Sequence[type[BaseException] | str] | None
    retry_delay: float | None
    when_full: Literal["wait", "refuse"] | None
    in_order: bool | None
