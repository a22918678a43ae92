"""@thornback.actor: classes whose instances live in worker processes."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    ParamSpec,
    Protocol,
    TypeVar,
    cast,
    overload,
)

from . import _native
from ._agent import agent_call
from ._call_options import checked, limits, refuse_unknown
from ._code_flags import yields
from ._exporting import is_attribute, is_importable, key_of, load
from ._native import ObjectRef
from .actor_handle import ActorHandle, ActorRecord
from .options import ActorOptions, MethodOptions, count, groups, needs, resources_of, text
from .options import environment as check_environment
from .remote_callable import RemoteCallable

if TYPE_CHECKING:
    from typing_extensions import Unpack

P = ParamSpec("P")
R = TypeVar("R", covariant=True)
Q = TypeVar("Q")
T = TypeVar("T")
S = TypeVar("S")
A1 = TypeVar("A1")
A2 = TypeVar("A2")
A3 = TypeVar("A3")


METHOD_ATTRIBUTE = "__thornback_method__"
CALLS = "calls"
"""Among the options of an actor class: how its methods are called."""
NEEDS = "needs"
"""Among them as well: its resources, as they were given one by one."""


def method_options(method: Any) -> dict[str, Any]:
    """What `@thornback.method(...)` said."""
    return getattr(method, METHOD_ATTRIBUTE, {})


class Actor:
    """Base of actor classes whose handles are fully typed.

    With `class Counter(thornback.Actor)` and `@thornback.method` on its methods, type checkers know
    the arguments and results of `Counter.remote().add.remote(1)`. It changes nothing at run time.
    """


A = TypeVar("A", bound=Actor)


class TypedMethod(RemoteCallable[P, R]):
    """A method of a typed actor as type checkers see it."""

    def options(self, **options: Unpack[MethodOptions]) -> TypedMethod[P, R]:
        """The same call with other options; those that are not given stay as they are."""
        raise NotImplementedError


class _Method(Protocol[P, R]):
    @overload
    def __get__(self, instance: None, owner: type, /) -> Callable[Concatenate[Any, P], R]: ...
    @overload
    def __get__(self, instance: object, owner: type, /) -> TypedMethod[P, R]: ...


class _MethodDecorator(Protocol):
    def __call__(self, function: Callable[Concatenate[S, P], Q], /) -> _Method[P, Q]: ...


@overload
def method(function: Callable[Concatenate[S, P], Q], /) -> _Method[P, Q]: ...
@overload
def method(**options: Unpack[MethodOptions]) -> _MethodDecorator: ...
def method(function: Any = None, /, **options: Any) -> Any:
    """Gives a method options: `@thornback.method(concurrency_group="health")`.

    It also types the methods of a class derived from `thornback.Actor`, with or without options;
    the function itself stays what it is. Options other than the concurrency group are known to who
    creates the actor by its class, not to those who get a handle.
    """
    if function is not None:
        return function
    refuse_unknown("method", options, MethodOptions.__annotations__)
    given = checked("method", options)

    def mark(function: Any) -> Any:
        setattr(function, METHOD_ATTRIBUTE, given)
        return function

    return mark


class ActorClass(Generic[P, T]):
    """A class whose instances can live elsewhere.

    `C.remote(...)` starts an actor, `C(...)` makes a local object.
    """

    __name__: str
    __qualname__: str

    def __init__(self, cls: Any, language: str, key: str | None, options: dict[str, Any]) -> None:
        self.__wrapped__ = cls
        self._language = language
        self._key = key
        self._options = options
        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            if hasattr(cls, name):
                setattr(self, name, getattr(cls, name))

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        if self.__wrapped__ is None:
            raise TypeError(f"{self._key} is a class of {self._language}: create it with .remote()")
        return self.__wrapped__(*args, **kwargs)

    def options(self, **options: Unpack[ActorOptions]) -> ActorClass[P, T]:
        """The same class with other options; those that are not given stay as they are.

        `thornback.options.ActorOptions` says what each of them means.
        """
        kept = {**self._options, **actor_options("actor options", options)}
        for name in (CALLS, NEEDS):
            both = {**self._options.get(name, {}), **kept.get(name, {})}
            if both:
                kept[name] = both
        return type(self)(self.__wrapped__, self._language, self._key, kept)

    @overload
    def remote(self, *args: P.args, **kwargs: P.kwargs) -> ActorHandle[T]: ...
    @overload
    def remote(self: Callable[[A1], Q], a1: A1 | ObjectRef[A1], /) -> ActorHandle[Q]: ...
    @overload
    def remote(
        self: Callable[[A1, A2], Q], a1: A1 | ObjectRef[A1], a2: A2 | ObjectRef[A2], /
    ) -> ActorHandle[Q]: ...
    @overload
    def remote(
        self: Callable[[A1, A2, A3], Q],
        a1: A1 | ObjectRef[A1],
        a2: A2 | ObjectRef[A2],
        a3: A3 | ObjectRef[A3],
        /,
    ) -> ActorHandle[Q]: ...
    def remote(self: Any, *args: Any, **kwargs: Any) -> ActorHandle[Any]:
        """Starts an actor and returns its handle at once.

        Calls to it wait until it is constructed; when its constructor raises, each fails with
        ActorCreationError. Raises SerializationError when an argument cannot be sent.
        """
        calls = dict(self._options.get(CALLS, {}))
        options = {k: value for k, value in self._options.items() if k not in (CALLS, NEEDS)}
        resources = resources_of(self._options.get(NEEDS, {}))
        if resources:
            options["resources"] = resources
        actor_id = os.urandom(16)
        methods, streams, own = self._methods()
        request: dict[str, Any] = {
            "id": actor_id,
            "language": self._language,
            "class": self._key if self._key is not None else key_of(self.__wrapped__),
            "args": _native.put_arguments(args, kwargs, self._language),
        }
        for key in ("name", "namespace"):
            if key in options:
                request[key] = options[key]
        if methods is not None:
            options["methods"] = methods
        if request["class"].startswith("pickle:"):
            options["label"] = self.__wrapped__.__name__
        request["options"] = options
        address = agent_call("create_actor", request)
        record = ActorRecord(
            actor_id,
            self._language,
            request["class"],
            methods,
            streams,
            address,
            is_restartable=options.get("maxRestarts", 0) != 0,
            options=calls,
            method_options=own,
        )
        return ActorHandle(record)

    def _methods(self) -> tuple[list[str] | None, frozenset[str], dict[str, dict[str, Any]]]:
        """Names of the methods, of those that yield items, and the methods' own options."""
        if self.__wrapped__ is None:
            return None, frozenset(), {}
        names = [
            name
            for name in dir(self.__wrapped__)
            if not name.startswith("__") and callable(getattr(self.__wrapped__, name))
        ]
        if "__call__" in vars(self.__wrapped__):
            names.append("__call__")
        streams = frozenset(name for name in names if yields(getattr(self.__wrapped__, name)))
        own = {name: method_options(getattr(self.__wrapped__, name)) for name in names}
        return names, streams, {name: options for name, options in own.items() if options}

    def __reduce__(self) -> str | tuple[Any, ...]:
        if self.__wrapped__ is not None and is_importable(self.__wrapped__):
            if is_attribute(self):
                return self.__qualname__
            return _rebuild, (self.__module__, self.__qualname__, self._options)
        return type(self), (self.__wrapped__, self._language, self._key, self._options)

    def __repr__(self) -> str:
        return f"<actor class {self._key or getattr(self, '__qualname__', '?')}>"


class TypedActorClass(ActorClass[P, T]):
    """The actor class of a class derived from `Actor`: `remote` is typed as an instance."""

    @overload  # type: ignore[override]
    def remote(self, *args: P.args, **kwargs: P.kwargs) -> T: ...
    @overload
    def remote(self: Callable[[A1], Q], a1: A1 | ObjectRef[A1], /) -> Q: ...
    @overload
    def remote(
        self: Callable[[A1, A2], Q], a1: A1 | ObjectRef[A1], a2: A2 | ObjectRef[A2], /
    ) -> Q: ...
    def remote(self: Any, *args: Any, **kwargs: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """As `ActorClass.remote`; the handle looks like an instance to type checkers."""
        return cast("Any", ActorClass).remote(self, *args, **kwargs)

    def options(self, **options: Unpack[ActorOptions]) -> TypedActorClass[P, T]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """As `ActorClass.options`."""
        return cast("TypedActorClass[P, T]", super().options(**options))


def _rebuild(module: str, name: str, options: dict[str, Any]) -> ActorClass[..., Any]:
    """The class of a module with other options than it has there."""
    return ActorClass(load(module, name), "python", None, options)


def actor_options(path: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Checked options under the names that the node agent and the workers know; those of calls,
    which stay here, under CALLS, and what it needs under NEEDS.
    """
    refuse_unknown(path, given, ActorOptions.__annotations__)
    share = given.get("share")
    exists = given.get("get_if_exists")
    options = {
        "name": text(f"{path}(name)", given.get("name")),
        "namespace": text(f"{path}(namespace)", given.get("namespace")),
        "getIfExists": None if exists is None else bool(exists),
        "share": None if share is None else bool(share),
        NEEDS: needs(path, given) or None,
        "maxConcurrency": count(f"{path}(max_concurrency)", given.get("max_concurrency"), 1),
        "concurrencyGroups": groups(f"{path}(concurrency_groups)", given.get("concurrency_groups")),
        "maxRestarts": count(f"{path}(max_restarts)", given.get("max_restarts"), -1),
        "environment": check_environment(f"{path}(environment)", given.get("environment")),
        CALLS: {**limits(path, given), **checked(path, given)} or None,
    }
    return {name: value for name, value in options.items() if value is not None}


@overload
def actor(cls: Callable[P, A], /) -> TypedActorClass[P, A]: ...
@overload
def actor(cls: Callable[P, T], /) -> ActorClass[P, T]: ...
@overload
def actor(**options: Unpack[ActorOptions]) -> _Decorator: ...
def actor(cls: Any = None, /, **options: Any) -> Any:
    """Makes a class an actor class: `@thornback.actor` or `@thornback.actor(max_restarts=3)`.

    Options as in `ActorClass.options`. The class stays usable locally by calling it. Methods run in
    the order of the calls; a class with any `async def` method runs them in an event loop, with
    many calls at once.
    """
    if cls is not None:
        return _wrap(cls, {})
    return partial(_wrap, options=actor_options("actor", options))


def _wrap(cls: Any, options: dict[str, Any]) -> Any:
    kind: Any = TypedActorClass if isinstance(cls, type) and issubclass(cls, Actor) else ActorClass
    return kind(cls, "python", None, options)


class _Decorator(Protocol):
    @overload
    def __call__(self, cls: Callable[P, A], /) -> TypedActorClass[P, A]: ...
    @overload
    def __call__(self, cls: Callable[P, T], /) -> ActorClass[P, T]: ...
