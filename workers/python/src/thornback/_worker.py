"""What a worker process does with received calls: tasks, actors, and the agent's own wishes."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, cast

from . import _native
from ._code_flags import is_generator, needs_loop
from ._errors_generated import ActorDiedError, NotFoundError, ProtocolError
from ._groups import Groups, groups_of
from ._mismatch import mismatch
from ._native import ObjectRef
from ._resolving import find_method, load_class, load_target
from ._threads import Job, Pool
from .context import drop_actor, set_actor

PLAIN = 0
GENERATOR = 1
LOOP = 2


class Instance:
    """One actor that lives in this process."""

    __slots__ = ("class_key", "is_async", "object", "pools")

    def __init__(self, instance: Any, class_key: str, is_async: bool, pools: list[Pool]) -> None:
        self.object = instance
        self.class_key = class_key
        self.is_async = is_async
        self.pools = pools
        """One for each concurrency group of an actor that runs on threads."""


class Construction:
    """An actor that is to be made where it will live: an async one inside the loop."""

    def __init__(
        self,
        worker: Worker,
        number: int,
        actor_id: bytes,
        class_key: str,
        arguments: Any,
        options: dict[str, Any],
    ) -> None:
        cls, own = load_class(class_key)
        methods = [name for name in dir(cls) if callable(getattr(cls, name, None))]
        self.is_async = any(needs_loop(getattr(cls, name)) for name in methods)
        self._groups = groups_of(cls, methods, options, own, loop=self.is_async)
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
            self._worker.forget(self._number)
            _native.reply_error(call, error, False)
        else:
            _native.reply(call, None)

    def _make(self) -> None:
        positional, keywords = _value(self._arguments)
        set_actor(self._number, self._actor_id, self._options)
        before = _native.set_instance(self._number)
        try:
            instance = _construct(
                self._cls,
                [_value(item) for item in positional],
                {name: _value(item) for name, item in keywords.items()},
            )
        finally:
            _native.set_instance(before)
        pools: list[Pool] = []
        if self._groups is not None:
            self._groups.register(self._number)
            pools = [] if self.is_async else self._pools(self._groups)
        made = Instance(instance, self._class_key, self.is_async, pools)
        self._worker.instances[self._number] = made

    def _pools(self, groups: Groups) -> list[Pool]:
        name = self._class_key.rpartition(":")[2]
        return [
            Pool(f"{name} {group.name}".rstrip(), group.limit, self._worker.thread_failed)
            for group in groups.groups
        ]


class Worker:
    """Serves calls on the main thread until the session ends or the agent asks it to exit.

    It begins without an event loop, which many workers never need; the first `async def` that it
    is to run makes it change over for good.
    """

    def __init__(self) -> None:
        self.instances: dict[int, Instance] = {}
        self.exiting = False
        self.failure: BaseException | None = None
        self.loop: Any = None
        self.waiting_for_loop: list[tuple[int, int, Any, bool]] = []
        self._own: dict[str, Callable[..., Any]] = {
            "worker::create_actor": self._create_actor,
            "worker::destroy_actor": self._destroy_actor,
            "worker::exit": self._exit,
        }
        _native.set_hooks(
            resolve=self._resolve,
            start_async=self._start_async,
            start_thread=self._start_thread,
            on_exit=self._on_exit,
            mismatch=mismatch,
        )

    def run(self) -> None:
        """Serves; returns when the process is to end."""
        while not (self.exiting or self.waiting_for_loop or _native.shutdown_seen()):
            _native.pump(-1, True)
        if self.waiting_for_loop and not self.exiting:
            from ._worker_loop import WorkerLoop

            self.loop = WorkerLoop(self)
            self.loop.run(self.waiting_for_loop)
        if self.failure is not None:
            raise self.failure

    # ---- names -----------------------------------------------------------------------------------

    def _resolve(self, instance: int, name: str) -> tuple[Any, int, bool]:
        """The callable, its kind, and whether it runs on a thread of its group."""
        if instance != 0:
            return self._resolve_method(instance, name)
        own = self._own.get(name)
        if own is not None:
            return own, LOOP if name == "worker::create_actor" else PLAIN, False
        language, _, key = name.partition(":")
        if language != "python" or not key:
            raise NotFoundError(f"a Python worker cannot run {name!r}")
        function = load_target(key, "function")
        if not callable(function):
            raise NotFoundError(f"{key} is a {type(function).__name__}, not a function")
        return function, self._kind(function, False), False

    def _resolve_method(self, number: int, name: str) -> tuple[Any, int, bool]:
        actor = self.instances.get(number)
        prefix, _, method_name = name.partition("::")
        if actor is None:
            raise ActorDiedError(f"the actor instance {number} is gone")
        if prefix != "method":
            raise ProtocolError(f"{name!r} is no method of an actor")
        method = find_method(actor.object, actor.class_key, method_name)
        return method, self._kind(method, actor.is_async), bool(actor.pools)

    @staticmethod
    def _kind(function: Any, in_loop: bool) -> int:
        if needs_loop(function) or (in_loop and is_generator(function)):
            return LOOP
        return GENERATOR if is_generator(function) else PLAIN

    # ---- actors ----------------------------------------------------------------------------------

    def _create_actor(
        self, number: int, actor_id: bytes, class_key: str, arguments: Any, options: dict[str, Any]
    ) -> Construction:
        return Construction(self, number, actor_id, class_key, arguments, options)

    def _start_async(self, number: int, call: int, subject: Any, stream: bool) -> None:
        """A construction, coroutine or async generator that a call gave."""
        if self.loop is not None:
            self.loop.start(number, call, subject, stream)
        elif type(subject) is Construction and not subject.is_async:
            subject.run(call)
        else:
            self.waiting_for_loop.append((number, call, subject, stream))

    def _start_thread(self, number: int, group: int, job: Job) -> None:
        if self.failure is None:
            self.instances[number].pools[group].submit(job)

    def thread_failed(self, error: BaseException) -> None:
        """User code on a thread ends the process."""
        self.failure = self.failure or error
        self._exit()
        _native.wake()

    def _destroy_actor(self, number: int) -> None:
        actor = self.instances.get(number)
        for pool in actor.pools if actor is not None else ():
            pool.close()
        self.forget(number)

    def forget(self, number: int) -> None:
        self.instances.pop(number, None)
        _native.instance_groups(number, [], [])
        _native.drop_instance(number)
        drop_actor(number)

    def _exit(self) -> None:
        self.exiting = True
        if self.loop is not None:
            self.loop.stop()

    def _on_exit(self, number: int, call: int, error: BaseException) -> None:
        """User code called sys.exit(), or let KeyboardInterrupt pass."""
        actor = self.instances.get(number)
        if actor is None:
            _native.reply_error(call, error, False)
            return
        code = exit_code(error)
        self.failure = error  # no thread begins another call
        text = f"actor {actor.class_key} ended itself: {type(error).__name__}({code})"
        death = ActorDiedError(text)
        death.__cause__ = error
        _native.reply_error(call, death, True)
        sys.stderr.write(f"{text}\n")
        raise error


def _construct(cls: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    try:
        return cls(*args, **kwargs)
    except TypeError as error:
        trace = error.__traceback__
        if trace is not None and trace.tb_next is not None:
            raise  # from inside the constructor
        found = mismatch(cls, [*args, *kwargs.values()], len(args), list(kwargs))
        raise (found or error) from None


def exit_code(error: BaseException) -> int:
    code = error.code if isinstance(error, SystemExit) else 130
    if code is None:
        return 0
    return code if isinstance(code, int) else 1


def _value(argument: Any) -> Any:
    """Refs given directly to a constructor stand for their values."""
    return cast("Any", argument).get() if type(argument) is ObjectRef else argument
