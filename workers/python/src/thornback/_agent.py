"""Calls to the node agent, endpoint 0 of every session."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from typing import Any

from . import _native
from ._native import ObjectRef, RemoteMethod

_callers: dict[str, RemoteMethod[..., Any]] = {}


def agent_call(name: str, *arguments: Any) -> ObjectRef[Any]:
    """Submits `agent::<name>`; the arguments have to be plain values."""
    caller = _callers.get(name)
    if caller is None or caller._generation != _native.generation():
        target = _native.target_endpoint(0, 0)
        caller = _native.make_caller(
            target,
            target.number,
            _native.function(f"agent::{name}"),
            name,
            "typescript",
            (False, 0, 0, 0),
            None,
            None,
            None,
        )
        _callers[name] = caller
    return caller.remote(*arguments)
