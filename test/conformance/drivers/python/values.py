"""Tagged values (test/conformance/golden/README.md) as values of Python and back."""

from __future__ import annotations

import datetime as dt
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[4] / "workers" / "python" / "tests"))
golden: Any = importlib.import_module("golden")
EPOCH = golden.EPOCH


def to_value(tagged: Any, things: list[Any]) -> Any:
    return golden.build(tagged, things)


def to_tagged(value: Any, number: Callable[[Any], int | None]) -> Any:
    """`number` gives refs and actor handles their numbers, and nothing to other values."""
    index = number(value)
    if index is not None:
        return {"ref": index}

    def each(items: Any) -> list[Any]:
        return [to_tagged(item, number) for item in items]

    match value:
        case None:
            return {"null": None}
        case bool():
            return {"bool": value}
        case int():
            return {"int": str(value)}
        case float():
            return {"float": repr(value)}
        case str():
            return {"str": value}
        case bytes() | memoryview():
            return {"bytes": bytes(value).hex()}
        case list():
            return {"list": each(value)}
        case tuple():
            return {"tuple": each(value)}
        case set() | frozenset():
            return {"set": each(value)}
        case dict():
            return {"map": [each(pair) for pair in value.items()]}
        case np.ndarray():
            array = {"dtype": value.dtype.str, "shape": list(value.shape)}
            return {"ndarray": {**array, "hex": value.tobytes().hex()}}
        case _:
            return _time(value)


def _time(value: Any) -> Any:
    match value:
        case dt.datetime(tzinfo=None):
            return {"datetime": value.isoformat()}
        case dt.datetime():
            span = value - EPOCH
            seconds = span.days * 86400 + span.seconds
            return {"instant": {"seconds": str(seconds), "nanoseconds": span.microseconds * 1000}}
        case dt.date():
            return {"date": value.isoformat()}
        case dt.time():
            return {"time": value.isoformat()}
        case dt.timedelta():
            length = abs(value)
            seconds = str(length.days * 86400 + length.seconds)
            fraction = f".{length.microseconds:06}" if length.microseconds else ""
            return {"duration": f"{'-' if value < dt.timedelta() else ''}PT{seconds}{fraction}S"}
        case _:
            raise TypeError(f"{type(value).__name__} is no received value")
