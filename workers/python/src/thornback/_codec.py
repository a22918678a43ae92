"""The kinds of values that are rare enough to be converted in Python; the rest is in the codec."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import datetime as dt
import sys
from typing import Any, NoReturn, cast

from . import _native
from ._errors_generated import ERROR_CLASSES, ProtocolError, SerializationError
from ._native import Refused

REPLACEMENT = 1000
"""Returned by `reduce` with a value that is sent in place of the object."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
_SECOND = dt.timedelta(seconds=1)
_MICROSECOND = dt.timedelta(microseconds=1)


def refuse(reason: str, path: str = "", cause: BaseException | None = None) -> NoReturn:
    """Says that the object cannot be sent; the codec adds the path that leads to it."""
    raise Refused(reason, path) from cause


def reduce(value: Any, language: str) -> tuple[int, Any]:
    """Extension code and body for `value`, or a replacement.

    `language` is who reads it: "python", another language, or "" for anybody, who then may get a
    Python-only object.
    """
    kind = cast("type[Any]", type(value))
    if (reducer := _REDUCERS.get(kind)) is not None:
        return reducer(value)
    if kind is dt.time and value.tzinfo is None:
        return 10, ["time", value.isoformat()]
    if isinstance(value, BaseException):
        from ._error_values import error_value

        return 8, error_value(value)
    if (hook := getattr(kind, "_thornback_reduce", None)) is not None:
        return hook(value)
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.ndarray | numpy.generic):
        replacement = _reduce_numpy(value)
        if replacement is not None:
            return REPLACEMENT, replacement
    if isinstance(value, dict) and kind.__module__ == "collections":
        return REPLACEMENT, dict(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if language in ("", "python"):
        from ._pickling import dumps

        return 7, dumps(value)
    refuse(_advice(value, language))


_LANGUAGES = {"typescript": "TypeScript", "java": "Java", "cpp": "C++"}


def _advice(value: Any, language: str) -> str:
    """Why an object of Python cannot go to another language, and what can be sent instead."""
    kind = cast("type[Any]", type(value))
    import enum

    if isinstance(value, enum.Enum):
        hint = "send its .value"
    elif hasattr(kind, "__dataclass_fields__"):
        hint = "send dataclasses.asdict() of it"
    elif hasattr(kind, "model_dump"):
        hint = "send its model_dump()"
    elif kind.__module__ == "numpy":
        hint = "convert it to numbers first"
    elif isinstance(value, int | str | list | tuple | dict | float):
        hint = f"send {kind.__mro__[-2].__name__}() of it"
    else:
        hint = "send its data as a dict, list, string or number"
    where = _LANGUAGES.get(language, language)
    return f"a {_name(kind)} is understood by Python only, and the receiver is {where}; {hint}"


def _name(kind: type) -> str:
    if kind.__module__ in ("builtins", "__main__"):
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def _reduce_datetime(value: dt.datetime) -> tuple[int, Any]:
    if value.tzinfo is None:
        return 10, ["datetime", value.isoformat()]
    seconds, rest = divmod(value - _EPOCH, _SECOND)
    return -1, (seconds, rest // _MICROSECOND * 1000)


def _reduce_date(value: dt.date) -> tuple[int, Any]:
    return 10, ["date", value.isoformat()]


def _reduce_timedelta(value: dt.timedelta) -> tuple[int, Any]:
    sign = "-" if value < dt.timedelta(0) else ""
    value = abs(value)
    seconds = value.days * 86400 + value.seconds
    fraction = f".{value.microseconds:06}" if value.microseconds else ""
    return 10, ["duration", f"{sign}PT{seconds}{fraction}S"]


_REDUCERS: dict[type, Any] = {
    dt.datetime: _reduce_datetime,
    dt.date: _reduce_date,
    dt.timedelta: _reduce_timedelta,
}


def _reduce_numpy(value: Any) -> Any:
    """A contiguous little-endian array or a Python scalar; None when it is a Python-only object."""
    import numpy

    array: Any = numpy.ndarray
    if isinstance(value, array):
        plain = type(value) is array or isinstance(value, numpy.memmap)
        order = cast("Any", value).dtype.newbyteorder("<")
        if plain and order.str in _DTYPES:
            return array.astype(value, order, order="C", subok=False)
    elif isinstance(value, numpy.str_ | numpy.bytes_):
        return value.item()
    return None


_DTYPES = {"|b1", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8"} | {
    "<f2",
    "<f4",
    "<f8",
    "<c8",
    "<c16",
}


def restore(code: int, body: Any) -> Any:
    """The value of an extension; `body` comes from another process."""
    if code == -1:
        seconds, nanoseconds = body
        try:
            return _EPOCH + dt.timedelta(seconds=seconds, microseconds=nanoseconds // 1000)
        except OverflowError:
            raise SerializationError(f"an instant {seconds} s from 1970 is no datetime") from None
    if code == 10:
        return _restore_time(body)
    if code == 7:
        from ._pickling import loads

        return loads(body[0], body[1:])
    if code == 8:
        from ._error_values import exception_of

        return exception_of(body)
    from .actor_handle import restore_handle

    return restore_handle(body)


def _restore_time(body: Any) -> Any:
    from ._times import parse

    match body:
        case [str(kind), str(text)]:
            return parse(kind, text)
        case _:
            raise ProtocolError("a value is malformed: a date or time")


def _own_error(error: BaseException) -> dict[str, Any]:
    from ._error_values import error_value

    return error_value(error)


def _raised_error(error: BaseException) -> dict[str, Any]:
    from ._error_values import raised_value

    return raised_value(error)


# asyncio and concurrent.futures are imported by the first who waits with them.


def _await_ref(ref: Any) -> Any:
    from ._awaiting import await_ref

    return await_ref(ref)


def _await_item(stream: Any) -> Any:
    from ._awaiting import next_item

    return next_item(stream)


def _future_of_ref(ref: Any) -> Any:
    from ._awaiting import future_of_ref

    return future_of_ref(ref)


_native.set_hooks(
    await_ref=_await_ref,
    await_item=_await_item,
    future_of_ref=_future_of_ref,
    reduce=reduce,
    restore=restore,
    own_error=_own_error,
    raised_error=_raised_error,
    error_classes=ERROR_CLASSES,
)
