"""Python-only objects: pickled, by value where they cannot be imported.

Refs and large buffers are kept out of the pickle.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable
from typing import Any

from ._codec import refuse
from ._native import ObjectRef, current_ref, current_ref_index


def _pickler_class() -> Any:
    """Made at the first use: workers that never pickle do not pay for importing cloudpickle."""
    import cloudpickle  # pyright: ignore[reportMissingTypeStubs]

    class Pickler(cloudpickle.Pickler):  # pyright: ignore[reportUntypedBaseClass]
        def persistent_id(self, obj: Any) -> Any:
            return current_ref_index(obj) if type(obj) is ObjectRef else None

    return Pickler


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, pid: Any) -> Any:
        return current_ref(pid)


_pickler_type: Any = None


def dumps(value: Any) -> tuple[bytes, list[memoryview]]:
    """The pickle of `value` and its out-of-band buffers."""
    global _pickler_type
    if _pickler_type is None:
        _pickler_type = _pickler_class()
    out = io.BytesIO()
    buffers: list[pickle.PickleBuffer] = []
    try:
        _pickler_type(out, protocol=5, buffer_callback=buffers.append).dump(value)
    except Exception as error:
        path, culprit, reason = _culprit(value, error)
        refuse(f"a {type(culprit).__qualname__} cannot be pickled: {reason}", path, error)
    return out.getvalue(), [buffer.raw() for buffer in buffers]


def dumps_whole(value: Any) -> bytes:
    """One pickle without buffers, for functions and classes that travel by value."""
    import cloudpickle  # pyright: ignore[reportMissingTypeStubs]

    return cloudpickle.dumps(value, protocol=5)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]


def loads(data: Any, buffers: Iterable[Any]) -> Any:
    """The object of a pickle made by `dumps`."""
    return _Unpickler(io.BytesIO(data), buffers=buffers).load()


def _culprit(value: Any, error: Exception) -> tuple[str, Any, str]:
    """The innermost member that cannot be pickled: its path, itself, why."""
    path = ""
    reason = f"{error}" or type(error).__name__
    for _ in range(20):
        for name, member in _members(value):
            problem = _problem(member)
            if problem is not None:
                path, value, reason = path + name, member, problem
                break
        else:
            break
    return path, value, reason


def _members(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(f"[{key!r}]", item) for key, item in value.items()]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, list | tuple):
        return [(f"[{index}]", item) for index, item in enumerate(value)]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return [(f".{name}", item) for name, item in getattr(value, "__dict__", {}).items()]


def _ignore(_: object) -> None:
    pass


def _problem(member: Any) -> str | None:
    try:
        _pickler_type(io.BytesIO(), protocol=5, buffer_callback=_ignore).dump(member)
    except Exception as error:
        return f"{error}" or type(error).__name__
    return None
