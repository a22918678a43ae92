"""What kind of function something is, without importing inspect (which costs workers 2 MB)."""

from __future__ import annotations

from typing import Any

_GENERATOR = 0x20
_COROUTINE = 0x80
_ASYNC_GENERATOR = 0x200


def _flags(function: Any) -> int:
    for _ in range(20):
        inner = getattr(function, "func", None) or getattr(function, "__func__", None)
        if inner is None:
            break
        function = inner
    code = getattr(function, "__code__", None)
    return getattr(code, "co_flags", 0)


def yields(function: Any) -> bool:
    """Whether a call of it gives items one by one: a generator or an async generator."""
    return bool(_flags(function) & (_GENERATOR | _ASYNC_GENERATOR))


def is_generator(function: Any) -> bool:
    return bool(_flags(function) & _GENERATOR)


def needs_loop(function: Any) -> bool:
    """Whether it is `async def`."""
    return bool(_flags(function) & (_COROUTINE | _ASYNC_GENERATOR))
