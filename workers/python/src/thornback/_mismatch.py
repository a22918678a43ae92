"""Calls whose arguments do not fit the function; looked into only after a call has failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._errors_generated import TypeMismatchError


def mismatch(
    function: Any, values: Sequence[Any], positional: int, names: Sequence[str] | None
) -> TypeMismatchError | None:
    """The error, or None when the arguments fit: the first are positional, the others named."""
    import inspect

    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None  # compiled code that does not say
    try:
        named = dict(zip(names or (), values[positional:], strict=True))
        signature.bind(*values[:positional], **named)
    except TypeError as error:
        name = getattr(function, "__qualname__", None) or repr(function)
        return TypeMismatchError(f"{name}{_plain(signature)}: {error}")
    return None


def _plain(signature: Any) -> Any:
    """Without types, which are often strings within strings."""
    parameters = [each.replace(annotation=each.empty) for each in signature.parameters.values()]
    return signature.replace(parameters=parameters, return_annotation=signature.empty)
