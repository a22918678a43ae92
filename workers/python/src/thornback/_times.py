"""Reads the dates, times and durations of the value format."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from ._errors_generated import ProtocolError, SerializationError

_DATE = r"(\d{4})-(\d\d)-(\d\d)"
_TIME = r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?"
_FORMS = {
    "datetime": re.compile(f"{_DATE}T{_TIME}", re.ASCII),
    "date": re.compile(_DATE, re.ASCII),
    "time": re.compile(_TIME, re.ASCII),
    "duration": re.compile(r"(-?)PT(\d+)(?:\.(\d{1,9}))?S", re.ASCII),
}


def parse(kind: str, text: str) -> Any:
    """A datetime, date, time or timedelta; finer parts than microseconds are cut off."""
    form = _FORMS.get(kind)
    found = form.fullmatch(text) if form is not None else None
    if found is None:
        raise ProtocolError(f"a value is malformed: {text[:40]!r} is no {kind[:20]}")
    parts = found.groups()
    try:
        if kind == "duration":
            return _duration(*parts)
        if kind == "date":
            return dt.date(*map(int, parts))
        *fields, fraction = parts
        numbers: list[Any] = [*map(int, fields), _microseconds(fraction)]
        return dt.datetime(*numbers) if kind == "datetime" else dt.time(*numbers)
    except OverflowError:
        raise SerializationError(f"the duration {text} is too long for a timedelta") from None
    except ValueError as error:
        raise ProtocolError(f"a value is malformed: {text!r}: {error}") from None


def _microseconds(fraction: str | None) -> int:
    return int(fraction[:6].ljust(6, "0")) if fraction else 0


def _duration(sign: str, seconds: str, fraction: str | None) -> dt.timedelta:
    if len(seconds) > 18:
        raise OverflowError
    value = dt.timedelta(seconds=int(seconds), microseconds=_microseconds(fraction))
    return -value if sign else value
