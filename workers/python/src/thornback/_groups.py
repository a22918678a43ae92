"""Concurrency groups of an actor: what its creator asks for, merged with what its class says."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

from . import _native
from ._errors_generated import InvalidArgumentError, NotFoundError
from .actor_class import method_options
from .options import invalid

ASYNC_LIMIT = 1000


class Group(NamedTuple):
    name: str
    limit: int


class Groups(NamedTuple):
    """The first group is that of the methods without one."""

    groups: list[Group]
    methods: dict[str, int]

    def register(self, instance: int) -> None:
        """Tells the engine, which counts; before the first call to the instance arrives."""
        methods = [
            (_native.function(f"method::{name}"), index) for name, index in self.methods.items()
        ]
        _native.instance_groups(instance, self.groups, methods)


def groups_of(
    cls: Any,
    methods: Iterable[str],
    given: Mapping[str, Any],
    own: Mapping[str, Any],
    *,
    loop: bool,
) -> Groups | None:
    """None for an actor whose calls run one by one on the main thread.

    `given` are the options of who creates the actor, `own` those of the class's decorator.
    """
    limit = _limit("options.maxConcurrency", given.get("maxConcurrency", own.get("maxConcurrency")))
    named = _named(own) | _named(given)
    if not loop and not named and limit in (None, 1):
        _check_unused(cls, methods)
        return None
    if limit is None:
        limit = ASYNC_LIMIT if loop else 1
    groups = [Group("", limit), *(Group(name, _group_limit(name, named)) for name in named)]
    return Groups(groups, _places(cls, list(methods), named))


def _named(options: Mapping[str, Any]) -> dict[str, Any]:
    found = options.get("concurrencyGroups")
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise invalid("options.concurrencyGroups", found, "it must be a map of names")
    return dict(cast("Mapping[str, Any]", found))


def _group_limit(name: str, named: Mapping[str, Any]) -> int:
    path = f"options.concurrencyGroups.{name}"
    if not isinstance(named[name], Mapping):
        raise invalid(path, named[name], "it must be a map {limit, methods}")
    limit = _limit(f"{path}.limit", named[name].get("limit"))
    if limit is None:
        raise invalid(f"{path}.limit", None, "it must be a whole number, 1 or more")
    return limit


def _limit(path: str, value: Any) -> int | None:
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or value != int(value) or value < 1:
        raise invalid(path, value, "it must be a whole number, 1 or more")
    return int(value)


def _places(cls: Any, methods: list[str], named: Mapping[str, Any]) -> dict[str, int]:
    """Which method is in which group, by its index."""
    indices = {name: index for index, name in enumerate(named, 1)}
    places: dict[str, int] = {}
    for method in methods:
        group = method_options(getattr(cls, method, None)).get("concurrency_group")
        if group is not None:
            places[method] = _index(method, group, indices)
    for group, wish in named.items():
        for method in wish.get("methods") or ():
            if method not in methods:
                raise _no_method(cls, group, method, methods)
            places[method] = indices[group]
    return places


def _index(method: str, group: str, indices: Mapping[str, int]) -> int:
    index = indices.get(group)
    if index is None:
        from ._suggestions import listing

        raise InvalidArgumentError(
            f"method {method!r} is in the concurrency group {group!r}, which the actor does not "
            f"have; {listing(group, indices)}"
        )
    return index


def _check_unused(cls: Any, methods: Iterable[str]) -> None:
    for method in methods:
        group = method_options(getattr(cls, method, None)).get("concurrency_group")
        if group is not None:
            _index(method, group, {})


def _no_method(cls: Any, group: str, method: str, methods: list[str]) -> NotFoundError:
    from ._suggestions import listing

    public = [name for name in methods if not name.startswith("_")]
    return NotFoundError(
        f"options.concurrencyGroups.{group}.methods: {cls.__name__} has no method {method!r}; "
        f"{listing(method, public)}"
    )
