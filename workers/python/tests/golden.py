"""Reads the golden vectors of test/conformance/golden and makes Python values of their notation."""

from __future__ import annotations

import datetime as dt
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from thornback import _native
from thornback._error_values import exception_of
from thornback.actor_handle import restore_handle

FOLDER = Path(__file__).parents[3] / "test" / "conformance" / "golden" / "v1"
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)


def cases(name: str) -> list[dict[str, Any]]:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["cases"]


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def unhex(text: str) -> bytes:
    out = b""
    for token in text.split():
        data, _, count = token.partition("*")
        out += bytes.fromhex(data) * int(count or 1)
    return out


def ref_table(count: int) -> list[Any]:
    return [_native.test_ref(1000 + index) for index in range(count)]


def build(notation: Any, refs: list[Any]) -> Any:
    """The Python value of one tagged notation."""
    ((tag, content),) = notation.items() if "count" not in notation else (("repeat", notation),)

    def each(items: Any) -> list[Any]:
        if isinstance(items, dict):
            return [build(items["repeat"], refs)] * items["count"]
        return [build(item, refs) for item in items]

    match tag:
        case "null" | "bool":
            return content
        case "str":
            return content if isinstance(content, str) else content["repeat"] * content["count"]
        case "int":
            return int(content)
        case "float":
            return float(content)
        case "bytes":
            return unhex(content)
        case "list":
            return each(content)
        case "tuple":
            return tuple(each(content))
        case "set":
            return set(each(content))
        case "map":
            return {build(key, refs): build(item, refs) for key, item in content}
        case "nested_lists":
            value: list[Any] = []
            for _ in range(content - 1):
                value = [value]
            return value
        case "instant":
            moment = dt.timedelta(
                seconds=int(content["seconds"]), microseconds=content["nanoseconds"] // 1000
            )
            return EPOCH + moment
        case "datetime":
            return dt.datetime.fromisoformat(content)
        case "date":
            return dt.date.fromisoformat(content)
        case "time":
            return dt.time.fromisoformat(content)
        case "duration":
            seconds, _, fraction = content.strip("-PTS").partition(".")
            length = dt.timedelta(seconds=int(seconds), microseconds=int(fraction or 0))
            return -length if content.startswith("-") else length
        case "ndarray":
            data = unhex(content["hex"])
            return np.frombuffer(data, dtype=content["dtype"]).reshape(content["shape"])
        case "ref":
            return refs[content]
        case "actor":
            methods = content["methods"]
            return restore_handle(
                [bytes.fromhex(content["id"]), content["language"], content["class"], methods]
            )
        case "error":
            return exception_of(error_fields(content, refs))
        case "python_object":
            import pickle

            return pickle.loads(bytes.fromhex(content[0]))
        case _:
            raise NotImplementedError(tag)


def error_fields(content: dict[str, Any], refs: list[Any]) -> dict[str, Any]:
    order = ("code", "name", "message", "stack", "language", "cause", "data", "pickle")
    fields = {key: content[key] for key in order if key in content}
    for key in ("cause", "data"):
        if key in fields:
            fields[key] = build(fields[key], refs)
    return fields


def same(left: Any, right: Any) -> bool:
    """Equality of values including their types, NaN, signed zeros and the bits of arrays."""
    if isinstance(left, np.ndarray):
        return (
            isinstance(right, np.ndarray)
            and left.dtype == right.dtype
            and left.shape == right.shape
            and left.tobytes() == right.tobytes()
        )
    if isinstance(left, BaseException):
        return type(left) is type(right) and same(
            left._thornback_value,  # pyright: ignore[reportAttributeAccessIssue]
            right._thornback_value,  # pyright: ignore[reportAttributeAccessIssue]
        )
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return struct.pack(">d", left) == struct.pack(">d", right)
    if isinstance(left, list | tuple):
        if left and isinstance(left, list) and len(left) == 1:
            while (
                isinstance(left, list) and isinstance(right, list) and len(left) == len(right) == 1
            ):
                left, right = left[0], right[0]
            return same(left, right)
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return len(left) == len(right) and all(
            same(a, b) and same(left[a], right[b]) for a, b in zip(left, right, strict=True)
        )
    return left == right
