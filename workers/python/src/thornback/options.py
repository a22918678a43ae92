"""The options that users give, and their checks; messages name the option by its full path."""

from __future__ import annotations

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


def cpu(path: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 4096:
        raise invalid(path, value, "it must be a number of CPUs, 0 to 4096")
    return float(value)


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

    cpu: CPUs that the task takes while it runs (1 by default). priority: of those that wait for a
    worker, higher ones start first. environment: python, cwd, sys_path and variables of its worker.
    max_pending_calls, max_pending_bytes: limits of what this process has submitted and not yet got
    back (1,000,000 calls and 256 MiB of arguments by default).
    """

    cpu: float | None
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
    that name instead of failing. cpu: CPUs taken while it lives (0 by default). share: it may live
    in a process with other actors. max_restarts: how often it is started again after its process
    has died, -1 without limit. environment: python, cwd, sys_path and variables of its worker.

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
