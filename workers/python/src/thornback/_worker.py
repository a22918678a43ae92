"""What a worker process does with received calls: tasks, actors, and the agent's own wishes."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, cast

from . import _native
from ._code_flags import is_generator, needs_loop
from ._errors_generated import ActorDiedError, NotFoundError, ProtocolError
from ._native import ObjectRef
from ._resolving import find_method, load_target
from .context import drop_actor, set_actor

PLAIN = 0
GENERATOR = 1
LOOP = 2


class Instance:
    """One actor that lives in this process."""

    __slots__ = ("class_key", "is_async", "max_concurrency", "object")

    def __init__(self, instance: Any, class_key: str, is_async: bool, max_concurrency: int) -> None:
        self.object = instance
        self.class_key = class_key
        self.is_async = is_async
        self.max_concurrency = max_concurrency


class Construction:
    """An actor that is to be made where it will live: an async one inside the loop."""

    def __init__(
        self,
        worker: Worker,
        number: int,
        actor_id: bytes,
        class_key: str,
        cls: Any,
        arguments: Any,
        options: dict[str, Any],
    ) -> None:
        self.is_async = any(needs_loop(getattr(cls, name, None)) for name in dir(cls))
        self._worker = worker
        self._number = number
        self._actor_id = actor_id
        self._class_key = class_key
        self._cls = cls
        self._arguments = arguments
        self._options = options

    def run(self, call: int) -> None:
        """Makes the actor and replies."""
        try:
            self._make()
        except BaseException as error:
            drop_actor(self._number)
            _native.reply_error(call, error, False)
        else:
            _native.reply(call, None)

    def _make(self) -> None:
        options = self._options
        positional, keywords = _value(self._arguments)
        incarnation = int(options.get("incarnation", 0))
        set_actor(self._number, self._actor_id, options.get("name"), incarnation)
        instance = self._cls(
            *[_value(item) for item in positional],
            **{name: _value(item) for name, item in keywords.items()},
        )
        limit = int(options.get("maxConcurrency", 1000))
        made = Instance(instance, self._class_key, self.is_async, limit)
        self._worker.instances[self._number] = made


class Worker:
    """Serves calls on the main thread until the session ends or the agent asks it to exit.

    It begins without an event loop, which many workers never need; the first `async def` that it
    is to run makes it change over for good.
    """

    def __init__(self) -> None:
        self.instances: dict[int, Instance] = {}
        self.exiting = False
        self.loop: Any = None
        self.waiting_for_loop: list[tuple[int, int, Any, bool]] = []
        self._own: dict[str, Callable[..., Any]] = {
            "worker::create_actor": self._create_actor,
            "worker::destroy_actor": self._destroy_actor,
            "worker::exit": self._exit,
        }
        _native.set_hooks(
            resolve=self._resolve, start_async=self._start_async, on_exit=self._on_exit
        )

    def run(self) -> None:
        """Serves; returns when the process is to end."""
        while not (self.exiting or self.waiting_for_loop or _native.shutdown_seen()):
            _native.pump(-1, True)
        if self.waiting_for_loop and not self.exiting:
            from ._worker_loop import WorkerLoop

            self.loop = WorkerLoop(self)
            self.loop.run(self.waiting_for_loop)

    # ---- names -----------------------------------------------------------------------------------

    def _resolve(self, instance: int, name: str) -> tuple[Any, int]:
        if instance != 0:
            return self._resolve_method(instance, name)
        own = self._own.get(name)
        if own is not None:
            return own, LOOP if name == "worker::create_actor" else PLAIN
        language, _, key = name.partition(":")
        if language != "python" or not key:
            raise NotFoundError(f"a Python worker cannot run {name!r}")
        function = load_target(key, "function")
        if not callable(function):
            raise NotFoundError(f"{key} is a {type(function).__name__}, not a function")
        return function, self._kind(function, False)

    def _resolve_method(self, number: int, name: str) -> tuple[Any, int]:
        actor = self.instances.get(number)
        prefix, _, method_name = name.partition("::")
        if actor is None:
            raise ActorDiedError(f"the actor instance {number} is gone")
        if prefix != "method":
            raise ProtocolError(f"{name!r} is no method of an actor")
        method = find_method(actor.object, actor.class_key, method_name)
        return method, self._kind(method, actor.is_async)

    @staticmethod
    def _kind(function: Any, in_loop: bool) -> int:
        if needs_loop(function) or (in_loop and is_generator(function)):
            return LOOP
        return GENERATOR if is_generator(function) else PLAIN

    # ---- actors ----------------------------------------------------------------------------------

    def _create_actor(
        self, number: int, actor_id: bytes, class_key: str, arguments: Any, options: dict[str, Any]
    ) -> Construction:
        cls = load_target(class_key, "class")
        return Construction(self, number, actor_id, class_key, cls, arguments, options)

    def _start_async(self, call: int, subject: Any, stream: bool) -> None:
        """A construction, coroutine or async generator that a call gave."""
        number = _native.current_instance()
        if self.loop is not None:
            self.loop.start(number, call, subject, stream)
        elif type(subject) is Construction and not subject.is_async:
            subject.run(call)
        else:
            self.waiting_for_loop.append((number, call, subject, stream))

    def _destroy_actor(self, number: int) -> None:
        self.instances.pop(number, None)
        _native.drop_instance(number)
        drop_actor(number)

    def _exit(self) -> None:
        self.exiting = True
        if self.loop is not None:
            self.loop.stop()

    def _on_exit(self, call: int, error: BaseException) -> None:
        """User code called sys.exit(), or let KeyboardInterrupt pass."""
        number = _native.current_instance()
        actor = self.instances.get(number)
        if actor is None:
            _native.reply_error(call, error, False)
            return
        code = exit_code(error)
        text = f"actor {actor.class_key} ended itself: {type(error).__name__}({code})"
        death = ActorDiedError(text)
        death.__cause__ = error
        _native.reply_error(call, death, True)
        sys.stderr.write(f"{text}\n")
        raise error


def exit_code(error: BaseException) -> int:
    code = error.code if isinstance(error, SystemExit) else 130
    if code is None:
        return 0
    return code if isinstance(code, int) else 1


def _value(argument: Any) -> Any:
    """Refs given directly to a constructor stand for their values."""
    return cast("Any", argument).get() if type(argument) is ObjectRef else argument
