"""context(): where the running code is."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from . import _native
from ._errors_generated import NotInitialisedError


class Context(NamedTuple):
    """Where code runs.

    job: the session's name. node: the name of this machine's part of it. worker: the endpoint id of
    this process. role: "driver" or "worker". actor_id, actor_name: of the actor whose code runs,
    None outside of actors; incarnation: which of its lives this is, from 1 on; gpus: the indices of
    its GPUs, none for a task, which is not told them.
    """

    job: str
    node: str
    worker: int
    role: str
    actor_id: str | None = None
    actor_name: str | None = None
    incarnation: int | None = None
    gpus: tuple[int, ...] = ()

    @property
    def restart_count(self) -> int:
        """How often the actor was started again."""
        return max(0, (self.incarnation or 1) - 1)

    @property
    def was_restarted(self) -> bool:
        return self.restart_count > 0


_base: Context | None = None
_actors: dict[int, Context] = {}


def context() -> Context:
    """The context of the running code. Raises NotInitialisedError without a session."""
    if _base is None or not _native.attached():
        raise NotInitialisedError("there is no session: call thornback.init() first")
    if not _actors:
        return _base
    return _actors.get(_native.current_instance(), _base)


def set_context(base: Context | None) -> None:
    global _base
    _base = base
    _actors.clear()


def set_actor(instance: int, actor_id: bytes, options: Mapping[str, Any]) -> None:
    """`options` are those with which the node agent creates the actor."""
    assert _base is not None
    _actors[instance] = _base._replace(
        actor_id=actor_id.hex(),
        actor_name=options.get("name"),
        incarnation=int(options.get("incarnation", 0)),
        gpus=tuple(options.get("gpus", ())),
    )


def drop_actor(instance: int) -> None:
    _actors.pop(instance, None)
