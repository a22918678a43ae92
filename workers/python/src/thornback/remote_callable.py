"""What tasks and typed actor methods have in common for type checkers: `remote` and `stream`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Generic, ParamSpec, TypeVar, overload

from ._native import ObjectRef, ObjectStream, RemoteMethod

P = ParamSpec("P")
R = TypeVar("R", covariant=True)
Y = TypeVar("Y")
A1 = TypeVar("A1")
A2 = TypeVar("A2")
A3 = TypeVar("A3")
A4 = TypeVar("A4")


class RemoteCallable(Generic[P, R]):
    """Something with the signature `(**P) -> R` that runs elsewhere.

    The overloads of `remote` give an ObjectRef of what a function returns or a coroutine gives, and
    an ObjectStream of what a generator yields. Positional arguments may be refs to values of the
    right type.
    """

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs it here."""
        raise NotImplementedError

    def _bind(self) -> RemoteMethod[..., Any]:
        """A call site in the present session."""
        raise NotImplementedError

    @overload
    def remote(
        self: RemoteCallable[P, Coroutine[Any, Any, Y]], *args: P.args, **kwargs: P.kwargs
    ) -> ObjectRef[Y]: ...
    @overload
    def remote(
        self: RemoteCallable[P, Iterator[Y]] | RemoteCallable[P, AsyncIterator[Y]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> ObjectStream[Y]: ...
    @overload
    def remote(self, *args: P.args, **kwargs: P.kwargs) -> ObjectRef[R]: ...
    @overload
    def remote(
        self: Callable[[A1], Coroutine[Any, Any, Y]], a1: A1 | ObjectRef[A1], /
    ) -> ObjectRef[Y]: ...
    @overload
    def remote(self: Callable[[A1], Y], a1: A1 | ObjectRef[A1], /) -> ObjectRef[Y]: ...
    @overload
    def remote(
        self: Callable[[A1, A2], Coroutine[Any, Any, Y]],
        a1: A1 | ObjectRef[A1],
        a2: A2 | ObjectRef[A2],
        /,
    ) -> ObjectRef[Y]: ...
    @overload
    def remote(
        self: Callable[[A1, A2], Y], a1: A1 | ObjectRef[A1], a2: A2 | ObjectRef[A2], /
    ) -> ObjectRef[Y]: ...
    @overload
    def remote(
        self: Callable[[A1, A2, A3], Y],
        a1: A1 | ObjectRef[A1],
        a2: A2 | ObjectRef[A2],
        a3: A3 | ObjectRef[A3],
        /,
    ) -> ObjectRef[Y]: ...
    @overload
    def remote(
        self: Callable[[A1, A2, A3, A4], Y],
        a1: A1 | ObjectRef[A1],
        a2: A2 | ObjectRef[A2],
        a3: A3 | ObjectRef[A3],
        a4: A4 | ObjectRef[A4],
        /,
    ) -> ObjectRef[Y]: ...
    def remote(self: Any, *args: Any, **kwargs: Any) -> Any:
        """Submits a call and returns an ObjectRef, or an ObjectStream for a generator.

        Arguments that are ObjectRefs are replaced by their values. Raises SerializationError when
        an argument cannot be sent; failures of the call itself arrive with its result.
        """
        # The call site takes this method's place on the instance: later calls go to it directly.
        caller = self._bind()
        self.__dict__["remote"] = caller
        return caller(*args, **kwargs)

    @overload
    def stream(
        self: RemoteCallable[P, Iterator[Y]] | RemoteCallable[P, AsyncIterator[Y]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> ObjectStream[Y]: ...
    @overload
    def stream(self, *args: P.args, **kwargs: P.kwargs) -> ObjectStream[Any]: ...
    def stream(self: Any, *args: Any, **kwargs: Any) -> ObjectStream[Any]:
        """Submits a call that yields items, and returns an ObjectStream over them."""
        return self._bind().stream(*args, **kwargs)
