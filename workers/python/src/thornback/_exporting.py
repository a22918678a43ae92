"""The name under which a worker finds a function or class: importable, or shipped by value."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from . import _native
from ._agent import agent_call

KEY_ATTRIBUTE = "__thornback_key__"

_shipped: set[tuple[int, str]] = set()
_importable_modules: dict[str, bool] = {}


def key_of(target: Any) -> str:
    """`module:name`, or `pickle:<sha256>` for what no worker can import: lambdas, scripts.

    The latter is put into the node agent's key-value table, once per session.
    """
    known = getattr(target, "__dict__", {}).get(KEY_ATTRIBUTE)
    if known is not None:
        return known
    if is_importable(target):
        return f"{target.__module__}:{target.__qualname__}"
    data = _pickle_by_value(target)
    import hashlib

    digest = hashlib.sha256(data).hexdigest()
    if (_native.generation(), digest) not in _shipped:
        agent_call("kv_put", f"function:{digest}", data).get()
        _shipped.add((_native.generation(), digest))
    return f"pickle:{digest}"


def is_importable(target: Any) -> bool:
    """Whether another process that imports the target's module finds this very object."""
    module_name = getattr(target, "__module__", None)
    module = sys.modules.get(module_name or "")
    if module is None or module_name == "__main__":
        return False
    found: Any = module
    for part in getattr(target, "__qualname__", "<unnamed>").split("."):
        found = getattr(found, part, None)
    same = found is target or getattr(found, "__wrapped__", None) is target
    return same and _is_found_by_import(module.__name__)


def is_attribute(wrapper: Any) -> bool:
    """Whether a wrapper is what its own module holds under its name: then a pickle may name it."""
    found: Any = sys.modules.get(wrapper.__module__)
    for part in wrapper.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is wrapper


def load(module: str, name: str) -> Any:
    """The function or class behind `module:name`, without its wrapper."""
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return getattr(found, "__wrapped__", found)


def _is_found_by_import(name: str) -> bool:
    known = _importable_modules.get(name)
    if known is None:
        known = _find(name)
        _importable_modules[name] = known
    return known


def _find(name: str) -> bool:
    """Looks for the module as a fresh process would: it may have been loaded from elsewhere."""
    file = getattr(sys.modules[name], "__file__", None)
    if file is None:
        return name in sys.builtin_module_names
    parent = name.rpartition(".")[0]
    path = getattr(sys.modules.get(parent), "__path__", None) if parent else None
    for finder in sys.meta_path:
        try:
            spec = finder.find_spec(name, path)
        except (ImportError, AttributeError, ValueError):
            continue
        if spec is not None and spec.origin is not None:
            return os.path.realpath(spec.origin) == os.path.realpath(file)
    return False


def _pickle_by_value(target: Any) -> bytes:
    import cloudpickle  # pyright: ignore[reportMissingTypeStubs]

    from ._errors_generated import SerializationError
    from ._pickling import dumps_whole

    name = getattr(target, "__module__", None) or "__main__"
    module = sys.modules.get(name)
    by_value = module is not None and name != "__main__" and not _is_found_by_import(name)
    if by_value:
        cloudpickle.register_pickle_by_value(module)  # pyright: ignore[reportUnknownMemberType]
    try:
        return dumps_whole(target)
    except Exception as error:
        text = (
            f"{name}.{getattr(target, '__qualname__', target)} cannot be sent to a worker: {error}"
        )
        raise SerializationError(text) from error
    finally:
        if by_value:
            cloudpickle.unregister_pickle_by_value(module)  # pyright: ignore[reportUnknownMemberType]
