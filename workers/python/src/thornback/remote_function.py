"""@thornback.task: functions that run in worker processes."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, overload

from . import _native
from ._call_options import TASK_RETRIES, checked, how, limits, refuse_unknown, set_limits
from ._code_flags import yields
from ._exporting import KEY_ATTRIBUTE, is_attribute, is_importable, key_of, load
from ._native import RemoteMethod
from .options import TaskOptions, needs, resources_of
from .options import environment as check_environment
from .remote_callable import RemoteCallable

if TYPE_CHECKING:
    from typing_extensions import Unpack

P = ParamSpec("P")
R = TypeVar("R", covariant=True)
S = TypeVar("S")


class RemoteFunction(RemoteCallable[P, R]):
    """A function that can run elsewhere.

    `f.remote(...)` submits a task, `f(...)` calls it here.
    """

    __name__: str
    __qualname__: str

    def __init__(
        self, function: Any, language: str, key: str | None, options: dict[str, Any]
    ) -> None:
        self.__wrapped__ = function
        self._language = language
        self._key = key
        self._options = options
        for name in ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__"):
            if hasattr(function, name):
                setattr(self, name, getattr(function, name))

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if self.__wrapped__ is None:
            raise TypeError(
                f"{self._key} is a function of {self._language}: call it with .remote()"
            )
        return self.__wrapped__(*args, **kwargs)

    def options(self, **options: Unpack[TaskOptions]) -> RemoteFunction[P, R]:
        """The same function with other options; those that are not given stay as they are.

        `thornback.options.TaskOptions` says what each of them means.
        """
        kept = {**self._options, **task_options("task options", options)}
        return RemoteFunction(self.__wrapped__, self._language, self._key, kept)

    def _bind(self) -> RemoteMethod[..., Any]:
        """A call site in the present session."""
        key = self._key if self._key is not None else key_of(self.__wrapped__)
        shape: dict[str, Any] = {"language": self._language}
        resources = resources_of(self._options)
        if resources:
            shape["resources"] = resources
        if self._options.get("environment") is not None:
            shape["environment"] = self._options["environment"]
        if self._options.get("priority"):
            shape["priority"] = self._options["priority"]  # among the tasks of other call sites
        target = _native.target_tasks(_native.encode(shape, self._language, [])[0])
        set_limits(target.number, self._options)
        stream = self.__wrapped__ is not None and yields(self.__wrapped__)
        return _native.make_caller(
            target,
            target.number,
            _native.function(f"{self._language}:{key}"),
            key,
            self._language,
            how(self._options, stream, TASK_RETRIES),
            None,
            None,
            self._rebind,
        )

    def _call_site(self) -> RemoteMethod[..., Any]:
        """The call site that `remote` uses."""
        known = self.__dict__.get("remote")
        if known is None or known._generation != _native.generation():
            known = self.__dict__["remote"] = self._bind()
        return known

    def _rebind(self, *args: Any, **kwargs: Any) -> Any:
        """Called in a later session than the one the call site was made in."""
        self.__dict__.pop("remote", None)
        return self.remote(*args, **kwargs)

    def __reduce__(self) -> str | tuple[Any, ...]:
        if self.__wrapped__ is not None and is_importable(self.__wrapped__):
            if is_attribute(self):
                return self.__qualname__
            return _rebuild, (self.__module__, self.__qualname__, self._options)
        key = self._key or getattr(self.__wrapped__, "__dict__", {}).get(KEY_ATTRIBUTE)
        return RemoteFunction, (self.__wrapped__, self._language, key, self._options)

    def __repr__(self) -> str:
        return f"<task {self._key or getattr(self, '__qualname__', '?')}>"


def _rebuild(module: str, name: str, options: dict[str, Any]) -> RemoteFunction[..., Any]:
    """The function of a module with other options than it has there."""
    return RemoteFunction(load(module, name), "python", None, options)


def task_options(path: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Checked options, those that are given."""
    refuse_unknown(path, given, TaskOptions.__annotations__)
    options = {**needs(path, given), **limits(path, given), **checked(path, given)}
    environment = check_environment(f"{path}(environment)", given.get("environment"))
    if environment is not None:
        options["environment"] = environment
    return options


@overload
def task(function: Callable[P, S], /) -> RemoteFunction[P, S]: ...
@overload
def task(**options: Unpack[TaskOptions]) -> _Decorator: ...
def task(function: Any = None, /, **options: Any) -> Any:
    """Makes a function a task: `@thornback.task` or `@thornback.task(cpu=2)`.

    Options as in `RemoteFunction.options`. The function stays usable by calling it.
    """
    if function is not None:
        return _wrap(function, {})
    return partial(_wrap, options=task_options("task", options))


def _wrap(function: Any, options: dict[str, Any]) -> RemoteFunction[..., Any]:
    return RemoteFunction(function, "python", None, options)


class _Decorator(Protocol):
    def __call__(self, function: Callable[P, S], /) -> RemoteFunction[P, S]: ...
