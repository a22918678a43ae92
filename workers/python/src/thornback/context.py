"""context(): where the running code is."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from typing import NamedTuple

from . import _native
from ._errors_generated import NotInitialisedError


class Context(NamedTuple):
    """Where code runs.

    job: the session's name. node: the name of this machine's part of it. worker: the endpoint id of
    this process. role: "driver" or "worker". actor_id, actor_name: of the actor whose code runs,
    None outside of actors; incarnation: which of its lives this is, from 1 on.
    """

    job: str
    node: str
    worker: int
    role: str
    actor_id: str | None = None
    actor_name: str | None = None
    incarnation: int | None = None

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


def set_actor(instance: int, actor_id: bytes, name: str | None, incarnation: int) -> None:
    base = _base
    assert base is not None
    _actors[instance] = Context(
        base.job, base.node, base.worker, base.role, actor_id.hex(), name, incarnation
    )


def drop_actor(instance: int) -> None:
    _actors.pop(instance, None)
