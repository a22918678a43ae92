"""Checks of the options that users give; messages name the option by its full path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
