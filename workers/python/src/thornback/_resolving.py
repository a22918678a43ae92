"""Finds the function, class or method that a call names; says what exists when it does not."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, cast

from ._agent import agent_call
from ._errors_generated import ImportFailedError, NotFoundError
from ._exporting import KEY_ATTRIBUTE

_by_value: dict[str, Any] = {}


def load_target(key: str, kind: str) -> Any:
    """The function or class behind `module:name` or `pickle:<sha256>`, without its wrapper.

    Raises NotFoundError, or ImportFailedError with the exception of the module as cause.
    """
    found = _load(key, kind)
    return getattr(found, "__wrapped__", found)


def load_class(key: str) -> tuple[Any, dict[str, Any]]:
    """The class, and the options of its own decorator."""
    found = _load(key, "class")
    options = getattr(found, "_options", None) if hasattr(found, "__wrapped__") else None
    return getattr(found, "__wrapped__", found), options if isinstance(options, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def _load(key: str, kind: str) -> Any:
    module_name, _, name = key.rpartition(":")
    if module_name == "pickle":
        return _load_by_value(name, kind)
    module = _import(module_name)
    found: Any = module
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise _not_found(module, name, kind) from None
    return found


def _import(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise NotFoundError(
                f"module {error.name!r} does not exist; looked in {', '.join(sys.path)}"
            ) from None
        raise ImportFailedError(f"module {name!r} cannot be imported: {error}") from error
    except Exception as error:
        text = f"module {name!r} cannot be imported: {type(error).__name__}: {error}"
        raise ImportFailedError(text) from error


def _not_found(module: Any, name: str, kind: str) -> NotFoundError:
    from ._suggestions import listing

    members = cast("dict[str, Any]", vars(module))
    own = [
        key
        for key, value in members.items()
        if not key.startswith("_") and callable(value) and _defined_in(value, module)
    ]
    return NotFoundError(f"module {module.__name__!r} has no {kind} {name!r}; {listing(name, own)}")


def _defined_in(value: Any, module: Any) -> bool:
    return getattr(value, "__module__", None) == module.__name__


def _load_by_value(digest: str, kind: str) -> Any:
    found = _by_value.get(digest)
    if found is None:
        data = agent_call("kv_get", f"function:{digest}").get()
        if data is None:
            raise NotFoundError(f"the {kind} pickle:{digest[:12]} is not in the node's table")
        import pickle

        try:
            found = pickle.loads(data)
        except Exception as error:
            text = (
                f"the {kind} pickle:{digest[:12]} cannot be loaded: {type(error).__name__}: {error}"
            )
            raise ImportFailedError(text) from error
        found = getattr(found, "__wrapped__", found)
        # A task that calls itself, or a class that names itself, is known by this key already.
        setattr(found, KEY_ATTRIBUTE, f"pickle:{digest}")
        _by_value[digest] = found
    return found


def find_method(instance: Any, class_key: str, name: str) -> Any:
    """The bound method of an actor."""
    method = getattr(instance, name, None)
    if callable(method):
        return method
    from ._suggestions import listing

    raise NotFoundError(
        f"actor {class_key} has no method {name!r}; {listing(name, methods(instance))}"
    )


def methods(instance: Any) -> Iterable[str]:
    cls = cast("type[Any]", type(instance))
    for name in dir(cls):
        if not name.startswith("_") and callable(getattr(cls, name, None)):
            yield name
