"""Short ways to write the tagged values of the golden vectors."""

from __future__ import annotations

from typing import Any

Case = dict[str, Any]


def case(name: str, value: Any, **rules: Any) -> Case:
    return {"name": name, "value": value, **rules}


def integer(value: int) -> Any:
    return {"int": str(value)}


def text(value: str) -> Any:
    return {"str": value}
