"""init() and shutdown(): this process's part in a session."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import atexit
import os
from collections.abc import Mapping
from typing import Any

from . import _native
from ._agent import agent_call
from ._errors_generated import (
    AlreadyInitialisedError,
    ConnectionFailedError,
    InitInWorkerError,
    NotFoundError,
    SessionClosedError,
    SystemCallError,
    ThornbackError,
)
from .context import Context, set_context
from .options import node_resources

_session: Session | None = None


class Session:
    """The session of this process; ends at the end of a `with` block, or by `shutdown()`."""

    def __init__(self, address: str, agent: Any) -> None:
        self.address = address
        self._agent = agent

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        if _session is self:
            shutdown()

    def node_info(self) -> dict[str, Any]:
        """The node's session name, CPUs, drivers, workers and actors."""
        return agent_call("node_info").get(timeout=30)

    def stats(self) -> dict[str, Any]:
        """Counters of this process since it attached: frames, calls, wakes, objects, bytes."""
        return _native.stats()

    def __repr__(self) -> str:
        return f"<Session {self.address}>"


def init(
    address: str | None = None,
    *,
    cpus: int | None = None,
    resources: Mapping[str, float] | None = None,
    store_bytes: int | None = None,
    namespace: str = "",
    prestart: Mapping[str, int] | None = None,
    log_to_driver: bool = True,
    variables: Mapping[str, str] | None = None,
) -> Session:
    """Joins the session at `address`, or starts a node in the background and joins it.

    address: path of a session's hub.sock; THORNBACK_ADDRESS when not given. Without either a node
    is started: with `cpus` CPUs for tasks (all by default), other `resources` for tasks and actors
    ({"gpu": 2, "license": 1}; "memory" in bytes is the machine's unless it is given), `store_bytes`
    of shared memory for objects (30 % of memory), `prestart` idle workers per language ({"python":
    1, "typescript": 1}), the environment `variables` in workers, whose output goes to this
    process's stderr unless `log_to_driver` is false.

    Raises AlreadyInitialisedError, InitInWorkerError, ConnectionFailedError, ResourceLimitError.
    """
    global _session
    if _is_worker():
        raise InitInWorkerError(
            "a worker imported a file that calls thornback.init() when it is imported: "
            'put that part under `if __name__ == "__main__":`'
        )
    if _session is not None:
        raise AlreadyInitialisedError("thornback.init() was called twice; call shutdown() first")
    from ._node_process import start_node

    resources = node_resources("init(resources)", resources)
    address = address or os.environ.get("THORNBACK_ADDRESS") or None
    agent = None
    if address is None:
        agent = start_node(
            cpus=cpus,
            resources=resources,
            store_bytes=store_bytes,
            namespace=namespace,
            prestart=prestart,
            log_to_driver=log_to_driver,
            variables=variables,
        )
        address = agent.socket
    try:
        join(address, role=1, token=f"python-{os.getpid()}")
    except (NotFoundError, SessionClosedError, SystemCallError) as error:
        if agent is not None:
            agent.stop()
        raise ConnectionFailedError(f"no session answers at {address}: {error}") from error
    except BaseException:
        if agent is not None:
            agent.stop()
        raise
    _session = Session(address, agent)
    atexit.register(_at_exit)
    return _session


def join(address: str, *, role: int, token: str, cancel_signal: int = 0) -> None:
    """Attaches the process; `role` is tbk_role_t."""
    _native.attach(address, role, token, _spin_ns(), cancel_signal)
    name = os.path.basename(os.path.dirname(address))
    role_name = "worker" if role == 2 else "driver"
    worker = _native.info()["endpoint_id"]
    set_context(Context(name, name, worker, role_name))


def _spin_ns() -> int:
    """THORNBACK_SPIN_US: longest spin before sleeping in microseconds; 0 switches spinning off."""
    text = os.environ.get("THORNBACK_SPIN_US")
    return -1 if not text else int(float(text) * 1000)


def _is_worker() -> bool:
    return _native.attached() and _session is None


def shutdown() -> None:
    """Ends this process's part in the session, and the node if `init` started it.

    Blocks until every process of a node that `init` started is gone. Refs and handles of the
    session cannot be used afterwards; arrays that were got stay valid. Does nothing without a
    session.
    """
    global _session
    session = _session
    if session is None:
        return
    _session = None
    atexit.unregister(_at_exit)
    agent = session._agent  # pyright: ignore[reportPrivateUsage]
    if agent is not None:
        try:
            agent_call("shutdown").get(timeout=5)
        except ThornbackError:
            pass  # it is gone, or it will notice that the driver has left
    set_context(None)
    _native.detach()
    if agent is not None:
        agent.wait()


def stats() -> dict[str, Any]:
    """Counters of this process, driver or worker, since it attached: frames, calls, objects, bytes.

    Raises NotInitialisedError without a session.
    """
    return _native.stats()


def is_initialised() -> bool:
    """Whether this process has a session."""
    return _native.attached()


def _at_exit() -> None:
    shutdown()


def _forget_after_fork() -> None:
    """A forked child has no part in the session: the parent's threads are not there."""
    global _session
    _session = None
    _native.abandon()
    set_context(None)


os.register_at_fork(after_in_child=_forget_after_fork)
