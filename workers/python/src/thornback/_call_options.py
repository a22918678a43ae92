"""From the options of tasks and methods to what a call site of the extension module takes."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from . import _native
from ._errors_generated import InvalidArgumentError
from .options import count, invalid, text, timeout_ns

TASK_RETRIES = 3
_RETRIES_UNLIMITED = 2**32 - 1
_RETRY_NAMES_MAX = 4096
_UNORDERED = 1
_RETRY_ERRORS = 2
_WHEN_FULL = {"wait": 1, "refuse": 2}

How = tuple[bool, int, int, int]
"""stream, timeout_ns, number of the options, when full"""


def checked(path: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the given options that say how calls are made, as `how` reads them."""
    options: dict[str, Any] = {}
    for name, value in given.items():
        check = _CHECKS.get(name)
        if check is not None and value is not None:
            options[name] = check(f"{path}({name})", value)
    return options


def limits(path: str, given: Mapping[str, Any]) -> dict[str, int]:
    """max_pending_calls and max_pending_bytes."""
    names = ("max_pending_calls", "max_pending_bytes")
    found = {name: count(f"{path}({name})", given.get(name), 1) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def refuse_unknown(function: str, given: Iterable[str], known: Iterable[str]) -> None:
    for name in given:
        if name not in known:
            raise TypeError(f"{function} has no option {name!r}")


def how(options: Mapping[str, Any], stream: bool, retries: int) -> How:
    """What a call site takes; `retries` if the options do not say."""
    return (
        bool(options.get("stream", stream)),
        options.get("timeout", 0),
        _number(options, options.get("retries", retries)),
        options.get("when_full", 0),
    )


def _number(options: Mapping[str, Any], retries: int) -> int:
    """The engine's number of these options; 0 when all of them are the default."""
    names: str | None = options.get("retry_exceptions")
    flags = 0 if options.get("in_order", True) else _UNORDERED
    if names is not None and retries:
        flags |= _RETRY_ERRORS
    priority = options.get("priority", 0)
    group = options.get("concurrency_group", "")
    if not (flags or retries or priority or group):
        return 0
    delay = options.get("retry_delay", 0)
    return _native.call_option(flags, priority, retries, delay, names or "", group)


def set_limits(target: int, options: Mapping[str, Any]) -> None:
    calls = options.get("max_pending_calls", 0)
    size = options.get("max_pending_bytes", 0)
    if calls or size:
        _native.target_limit(target, calls, size)


# ---- checks --------------------------------------------------------------------------------------


def _retries(path: str, value: Any) -> int:
    found = count(path, value, -1)
    return _RETRIES_UNLIMITED if found is None or found < 0 else min(found, _RETRIES_UNLIMITED)


def _priority(path: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**31) <= value < 2**31:
        raise invalid(path, value, "it must be a whole number of 32 bits")
    return value


def _flag(path: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise invalid(path, value, "it must be True or False")
    return value


def _full(path: str, value: Any) -> int:
    found = _WHEN_FULL.get(value) if isinstance(value, str) else None
    if found is None:
        raise invalid(path, value, "it must be 'wait' or 'refuse'")
    return found


def _delay(path: str, value: Any) -> int:
    return 0 if type(value) in (int, float) and value == 0 else timeout_ns(path, value)


def _group(path: str, value: Any) -> str:
    found = text(path, value)
    assert found is not None
    if len(found.encode()) > 127:
        raise invalid(path, value, "it must be at most 127 bytes long")
    return found


def _exceptions(path: str, value: Any) -> str | None:
    """Names of the classes, one a line; "" for all, None for none."""
    if isinstance(value, bool):
        return "" if value else None
    if not isinstance(value, list | tuple):
        raise invalid(path, value, "it must be True, False or a list of exception classes")
    names: list[str] = []
    for index, item in enumerate(cast("list[object]", value)):
        if item is Exception or item is BaseException:
            return ""
        if isinstance(item, str) and item and "\n" not in item:
            names.append(item)
        elif isinstance(item, type) and issubclass(item, BaseException):
            names.extend(_names(item))
        else:
            raise InvalidArgumentError(
                f"{path}[{index}] is {item!r}: it must be an exception class or its name"
            )
    joined = "\n".join(dict.fromkeys(names))
    if len(joined.encode()) > _RETRY_NAMES_MAX:
        raise InvalidArgumentError(
            f"{path} has {len(names)} names, with those of subclasses, which are longer than "
            f"{_RETRY_NAMES_MAX} bytes: name fewer classes, or all with True"
        )
    return joined if joined else None


def _names(kind: type[BaseException]) -> Iterable[str]:
    """Of a class and of its known subclasses, as they are named in errors."""
    from ._error_values import class_name

    if not kind.__qualname__.startswith("RemoteError["):
        yield class_name(kind)
    for each in kind.__subclasses__():
        yield from _names(each)


_CHECKS = {
    "timeout": timeout_ns,
    "retries": _retries,
    "retry_exceptions": _exceptions,
    "retry_delay": _delay,
    "priority": _priority,
    "when_full": _full,
    "concurrency_group": _group,
    "in_order": _flag,
    "stream": _flag,
}
