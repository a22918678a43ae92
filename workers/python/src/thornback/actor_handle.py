"""ActorHandle: how a living actor is called."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Protocol, TypeVar, cast

from . import _native
from ._agent import agent_call
from ._call_options import checked, how, refuse_unknown, set_limits
from ._errors_generated import InvalidArgumentError, ProtocolError, SessionClosedError
from ._native import ObjectRef, ObjectStream, RemoteMethod
from .options import MethodOptions

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")

_RESTARTABLE = 1
"""A flag of handles in values."""


class ActorRecord:
    """What all handles and methods of one actor share in this process."""

    __slots__ = (
        "actor_id",
        "address",
        "class_key",
        "generation",
        "is_restartable",
        "language",
        "method_options",
        "methods",
        "options",
        "streams",
        "target",
    )

    def __init__(
        self,
        actor_id: bytes,
        language: str,
        class_key: str,
        methods: list[str] | None,
        streams: frozenset[str] = frozenset(),
        address: ObjectRef[Any] | None = None,
        *,
        is_restartable: bool = False,
        options: Mapping[str, Any] | None = None,
        method_options: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.actor_id = actor_id
        self.language = language
        self.class_key = class_key
        self.methods = methods
        self.streams = streams
        self.address = address
        self.is_restartable = is_restartable
        self.options = options or {}
        self.method_options = method_options or {}
        self.generation = _native.generation()
        self.target: Any = None

    def bound(self) -> _native.Target:
        """Where the calls to the actor go."""
        if self.target is None:
            if self.address is None:
                self.generation = _native.generation()
                self.address = agent_call("actor_address", self.actor_id)
            actor_id = self.actor_id if self.is_restartable else b""
            self.target = _native.target_actor(self.address, actor_id)
            set_limits(self.target.number, self.options)
        if self.generation != _native.generation():
            raise SessionClosedError("the session of this actor has been shut down")
        return self.target

    def caller(self, name: str) -> RemoteMethod[..., Any]:
        """A call site for the method."""
        target = self.bound()
        own = self.method_options.get(name)
        settings = self.options if own is None else {**self.options, **own}
        return _native.make_caller(
            target,
            target.number,
            _native.function(f"method::{name}"),
            name,
            self.language,
            how(settings, name in self.streams, 0),
            settings,
            self,
            None,
        )

    def _call_options(self, caller: Any, **given: Any) -> RemoteMethod[..., Any]:
        refuse_unknown("method options", given, MethodOptions.__annotations__)
        settings = {**caller._settings, **checked("method options", given)}
        return caller._variant(how(settings, caller._name in self.streams, 0), settings)


class UntypedMethod(Protocol):
    """A method of an actor whose class is not known to type checkers."""

    def remote(self, *args: Any, **kwargs: Any) -> Any:
        """Submits the call; returns an ObjectRef, or an ObjectStream for a generator."""
        ...

    def stream(self, *args: Any, **kwargs: Any) -> ObjectStream[Any]:
        """Submits the call; returns an ObjectStream over the items that it yields."""
        ...

    def options(self, **options: Unpack[MethodOptions]) -> UntypedMethod:
        """The same call with other options; those that are not given stay as they are."""
        ...


class ActorHandle(Generic[T]):
    """A handle to an actor: `handle.method.remote(...)` calls it.

    Calls of one caller are executed in the order in which they were submitted. A handle can be
    passed to other tasks and actors, in any language. `with handle:` ends the actor at the end of
    the block; otherwise it lives until `thornback.kill` or the end of the session.
    """

    _thornback_record: ActorRecord

    def __init__(self, record: ActorRecord) -> None:
        self.__dict__["_thornback_record"] = record

    def __getattr__(self, name: str) -> UntypedMethod:
        record = self._thornback_record
        # Notebooks and libraries try names with underscores on everything they are given.
        known = not name.startswith("_") if record.methods is None else name in record.methods
        if not known:
            _no_method(record, name)
        caller = cast("UntypedMethod", record.caller(name))
        self.__dict__[name] = caller
        return caller

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"{name} cannot be set: the actor's state is in another process")

    def __enter__(self) -> ActorHandle[T]:
        return self

    def __exit__(self, *_: object) -> None:
        kill(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ActorHandle):
            return NotImplemented
        return self._thornback_record.actor_id == other._thornback_record.actor_id  # pyright: ignore[reportUnknownMemberType]

    def __hash__(self) -> int:
        return hash(self._thornback_record.actor_id)

    def __repr__(self) -> str:
        record = self._thornback_record
        return f"<ActorHandle {record.class_key} {record.actor_id.hex()[:8]}>"

    def __dir__(self) -> list[str]:
        return sorted([*object.__dir__(self), *(self._thornback_record.methods or ())])

    def _thornback_reduce(self) -> tuple[int, Any]:
        record = self._thornback_record
        body: list[Any] = [record.actor_id, record.language, record.class_key, record.methods]
        return 6, [*body, _RESTARTABLE] if record.is_restartable else body

    def __reduce__(self) -> tuple[Any, ...]:
        return restore_handle, (self._thornback_reduce()[1],)


def _no_method(record: ActorRecord, name: str) -> NoReturn:
    if name.startswith("_") or record.methods is None:
        raise AttributeError(name)
    from ._suggestions import listing

    raise AttributeError(
        f"actor {record.class_key} has no method {name!r}; {listing(name, record.methods)}"
    )


def restore_handle(body: Any) -> ActorHandle[Any]:
    """The handle of an extension of the value format; `body` comes from another process."""
    match body:
        case [bytes(actor_id), str(language), str(class_key), methods]:
            flags = 0
        case [bytes(actor_id), str(language), str(class_key), methods, int(flags)]:
            pass
        case _:
            raise ProtocolError("a value is malformed: an actor handle")
    if len(actor_id) != 16 or not _are_names(methods) or flags < 0 or flags is True:
        raise ProtocolError("a value is malformed: an actor handle")
    is_restartable = flags & _RESTARTABLE != 0
    return ActorHandle(
        ActorRecord(actor_id, language, class_key, methods, is_restartable=is_restartable)
    )


def _are_names(methods: Any) -> bool:
    if methods is None:
        return True
    return isinstance(methods, list) and all(
        isinstance(name, str) for name in cast("list[Any]", methods)
    )


def kill(actor: ActorHandle[Any]) -> None:
    """Ends an actor at once; calls that have not finished fail with ActorDiedError.

    Killing a dead actor does nothing.
    """
    if not isinstance(cast("Any", actor), ActorHandle):
        raise InvalidArgumentError(f"kill() got a {type(actor).__name__}: it takes an ActorHandle")
    record = actor._thornback_record
    if record.generation != _native.generation() and record.target is not None:
        return
    agent_call("kill_actor", record.actor_id).get()


def get_actor(name: str, namespace: str | None = None) -> ActorHandle[Any]:
    """The handle of the living actor with this name.

    Raises ActorNotFoundError when there is none in the namespace.
    """
    arguments = (name,) if namespace is None else (name, namespace)
    found = agent_call("get_actor", *arguments).get()
    restarts = found.get("maxRestarts", 0) != 0 or found.get("restartable", False)
    record = ActorRecord(
        found["id"],
        found["language"],
        found["class"],
        found["methods"],
        is_restartable=bool(restarts),
    )
    return ActorHandle(record)
