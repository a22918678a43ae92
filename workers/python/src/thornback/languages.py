"""Tasks and actors of any language by name: `thornback.typescript.actor("./web.ts:Counter")`."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from ._errors_generated import InvalidArgumentError
from .actor_class import Actor, ActorClass, TypedActorClass
from .remote_function import RemoteFunction

A = TypeVar("A", bound=Actor)


class Language:
    """What is written in one language, by name: `module:name`, found by the worker."""

    def __init__(self, name: str, example: str) -> None:
        self._name = name
        self._example = example

    def task(self, key: str) -> RemoteFunction[..., Any]:
        """A function, to be called with `remote`."""
        return RemoteFunction(None, self._name, self._checked(key), {})

    @overload
    def actor(self, key: str) -> ActorClass[..., Any]: ...
    @overload
    def actor(self, key: str, interface: type[A]) -> TypedActorClass[..., A]: ...
    def actor(self, key: str, interface: Any = None) -> Any:
        """A class, to be started with `remote`.

        `interface` is a class derived from `thornback.Actor` that declares the methods with
        `@thornback.method`; it is used by type checkers only.
        """
        kind: Any = ActorClass if interface is None else TypedActorClass
        return kind(None, self._name, self._checked(key), {})

    def _checked(self, key: str) -> str:
        module, _, name = key.rpartition(":")
        if not module or not name:
            raise InvalidArgumentError(
                f"{self._name} key is {key!r}: it must be module:name, such as {self._example!r}"
            )
        return key


typescript = Language("typescript", "./web.ts:Counter")
python = Language("python", "scoring:Scorer")
java = Language("java", "com.acme:Ranker")
