"""Exceptions as values of the format, and back (proto/errors.md)."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

from ._errors_generated import (
    ERROR_CLASSES,
    ProtocolError,
    RemoteError,
    RemoteException,
    ThornbackError,
)

CHAIN_MAX = 32
TEXT_MAX = 65_536
PICKLE_MAX = 65_536


def error_value(error: BaseException) -> dict[str, Any]:
    """The map for an exception that is sent as a value, or for an error of Thornback itself.

    A received error keeps its content; an exception of Python becomes a REMOTE_ERROR.
    """
    received = getattr(error, "_thornback_value", None)
    if isinstance(received, dict):
        return received  # pyright: ignore[reportUnknownVariableType]
    if isinstance(error, ThornbackError):
        own: dict[str, Any] = {
            "code": error.code,
            "name": type(error).__name__,
            "message": _cut(error.message),
            "language": "python",
        }
        return _finish(own, error, dict(error.data), 1)
    return raised_value(error)


def raised_value(error: BaseException, depth: int = 1) -> dict[str, Any]:
    """The map for an exception that user code raised, whatever its class."""
    value: dict[str, Any] = {
        "code": "REMOTE_ERROR",
        "name": _qualified_name(error),
        "message": _cut(_message(error)),
        "stack": _cut(_stack(error)),
        "language": "python",
    }
    if isinstance(error, RemoteException):
        value["name"] = error.name
        value["message"] = error.message
        value["stack"] = error.stack or ""
        value["language"] = error.language or "engine"
    data: dict[str, Any] = {}
    if isinstance(error, ThornbackError):
        data = {**error.data, "code": error.code}
    return _finish(value, error, data, depth)


def _finish(
    value: dict[str, Any], error: BaseException, data: dict[str, Any], depth: int
) -> dict[str, Any]:
    cause = error.__cause__
    if cause is None and not error.__suppress_context__:
        cause = error.__context__
    if cause is not None and depth < CHAIN_MAX:
        value["cause"] = _Chained(cause, depth + 1)
    if data:
        value["data"] = _sendable(data)
    if value["code"] == "REMOTE_ERROR" and not isinstance(error, ThornbackError | RemoteException):
        pickled = _pickled(error)
        if pickled is not None:
            value["pickle"] = pickled
    return value


class _Chained:
    """A cause inside an error value; the codec reduces it when it comes to it."""

    def __init__(self, error: BaseException, depth: int) -> None:
        self.error = error
        self.depth = depth

    def _thornback_reduce(self) -> tuple[int, Any]:
        received = getattr(self.error, "_thornback_value", None)
        if received is not None:
            return 8, received
        return 8, raised_value(self.error, self.depth)


def _sendable(data: dict[str, Any]) -> dict[str, Any]:
    """Data of an error must not make the error unsendable: other values become their text."""
    plain = (str, int, float, bool, type(None), bytes)
    return {
        str(key): item if isinstance(item, plain) else _cut(repr(item))
        for key, item in data.items()
    }


def _pickled(error: BaseException) -> bytes | None:
    """The exception without its traceback and causes, when it survives the way there and back."""
    if not isinstance(error, Exception):
        return None
    try:
        if type(error).__module__ == "builtins":
            data = pickle.dumps(error, protocol=5)
        else:
            from ._pickling import dumps_whole

            data = dumps_whole(error)
    except Exception:
        return None
    return data if len(data) <= PICKLE_MAX else None


def _qualified_name(error: BaseException) -> str:
    return "RemoteError" if isinstance(error, RemoteError) else class_name(type(error))


def class_name(kind: type[BaseException]) -> str:
    """How errors name a class of exceptions."""
    if issubclass(kind, ThornbackError) or kind.__module__ in ("builtins", "__main__"):
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def _message(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception as broken:
        text = f"<str() of it raised {type(broken).__name__}>"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _stack(error: BaseException) -> str:
    import traceback

    trace = error.__traceback__
    # The frames of Thornback above the user's are noise to the reader.
    while trace is not None and trace.tb_frame.f_globals.get("__name__", "").startswith(
        "thornback."
    ):
        trace = trace.tb_next
    lines = traceback.format_exception(type(error), error, trace, chain=False)
    return "".join(lines).encode("utf-8", "backslashreplace").decode("utf-8")


def _cut(text: str) -> str:
    if len(text) <= TEXT_MAX:
        return text
    half = TEXT_MAX // 2 - 20
    return f"{text[:half]}\n... cut ...\n{text[-half:]}"


# ---- received ------------------------------------------------------------------------------------


def exception_of(value: Any) -> BaseException:
    """The exception for an error map that came from another process."""
    if not isinstance(value, dict):
        raise ProtocolError("a value is malformed: an error that is no map")
    fields: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
    for key in ("code", "name", "message"):
        if not isinstance(fields.get(key), str):
            raise ProtocolError(f"a value is malformed: an error without {key}")
    cause = fields.get("cause")
    data = fields.get("data")
    cause = _inner(cause) if isinstance(cause, BaseException) else None
    data = data if isinstance(data, dict) else {}  # pyright: ignore[reportUnknownVariableType]
    code: str = fields["code"]
    if code == "REMOTE_ERROR":
        result = _remote_error(fields, cause, data)  # pyright: ignore[reportUnknownArgumentType]
    else:
        kind = ERROR_CLASSES.get(code, ThornbackError)
        result = kind(fields["message"], cause=cause, remote_stack=fields.get("stack"), data=data)  # pyright: ignore[reportUnknownArgumentType]
        result.code = code
    result._thornback_value = fields  # pyright: ignore[reportAttributeAccessIssue]
    return result


def _remote_error(
    fields: dict[str, Any], cause: BaseException | None, data: dict[str, Any]
) -> RemoteError:
    origin = RemoteException(
        fields["name"],
        fields["message"],
        stack=fields.get("stack"),
        language=fields.get("language"),
        cause=cause,
        data=data,
    )
    kind, original = _original(fields)
    text = f"{origin.name}: {origin.message}" if origin.message else origin.name
    if original is None:
        return RemoteError(text, cause=origin, remote_stack=origin.stack, data=data)
    # Without __init__: the one of the original class would run again, with other arguments.
    error = kind.__new__(kind, *original.args)
    error.args = original.args
    own = {"message": text, "remote_stack": origin.stack, "data": data, "_thornback_text": text}
    error.__dict__.update({**own, **original.__dict__})
    error.__cause__ = origin
    return error


def _inner(cause: BaseException) -> BaseException | None:
    """A cause in the chain is the exception itself, not the error of a call."""
    return cause.__cause__ if isinstance(cause, RemoteError) else cause


def _original(fields: dict[str, Any]) -> tuple[type[RemoteError], Exception | None]:
    """The exception that was raised, when it was Python's and can be rebuilt here."""
    data = fields.get("pickle")
    if not isinstance(data, bytes) or fields.get("language") != "python":
        return RemoteError, None
    try:
        original = pickle.loads(data)
        if isinstance(original, ThornbackError) or not isinstance(original, Exception):
            return RemoteError, None
        kind = _both(type(original))
        kind.__new__(kind, *original.args)
    except Exception:
        return RemoteError, None
    return kind, original


_BOTH: dict[type[Exception], type[RemoteError]] = {}


def _both(kind: type[Exception]) -> type[RemoteError]:
    """A class that `except RemoteError` and `except <kind>` both catch."""
    found = _BOTH.get(kind)
    if found is None:
        members = {"__str__": _text, "__reduce__": _reduce_as_value, "__module__": "thornback"}
        found = type(f"RemoteError[{kind.__qualname__}]", (RemoteError, kind), members)
        _BOTH[kind] = found
    return found


def _text(self: Any) -> str:
    return self._thornback_text


def _reduce_as_value(self: ThornbackError) -> tuple[Any, ...]:
    return exception_of, (dict(_picklable(getattr(self, "_thornback_value", {}))),)


def _picklable(value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if key != "cause":
            yield key, item
