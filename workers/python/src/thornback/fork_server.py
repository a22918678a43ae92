"""Forks workers from a process that has imported everything once (packages/agent/README.md).

`python -m thornback.fork_server`: descriptor 3 is a unix stream socket with lines of JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import selectors
import signal
import socket
import sys
from collections.abc import Iterable
from typing import Any, NoReturn

from . import _worker, worker  # what workers need, imported before the first fork

CONTROL = 3
_PRELOADED = (_worker, worker)
_IDLE_SECONDS = 0.2
_WHEN_IDLE = (
    "thornback._worker_loop",
    "thornback._error_values",
    "thornback._pickling",
    "traceback",
)
"""What some workers need: imported once the first workers are started and nothing else is to do."""


class ForkServer:
    """Forks on demand, reaps its children and reports their ends. Never starts a thread."""

    def __init__(self) -> None:
        self._control = socket.socket(fileno=CONTROL)
        self._children: set[int] = set()
        self._rest = b""
        self._wake_reader, self._wake_writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def run(self) -> None:
        """Serves until the agent closes its end."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, _nothing)
        signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        self._send({"ready": True})
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(self._wake_reader, selectors.EVENT_READ)
            timeout: float | None = _IDLE_SECONDS
            while True:
                events = selector.select(timeout)
                if not events:
                    timeout = None
                    _import_all(_WHEN_IDLE)
                    _freeze_memory()
                for key, _ in events:
                    if key.fd == self._wake_reader:
                        os.read(self._wake_reader, 4096)
                        self._reap()
                    elif not self._receive():
                        return

    def _send(self, line: dict[str, Any]) -> None:
        try:
            self._control.sendall(json.dumps(line).encode() + b"\n")
        except OSError:
            os._exit(0)  # the agent is gone

    def _receive(self) -> bool:
        try:
            data = self._control.recv(65536)
        except ConnectionError:
            return False
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._fork(json.loads(line))
        return bool(data)

    def _fork(self, request: dict[str, Any]) -> None:
        number = request["fork"]
        try:
            pid = os.fork()
        except OSError as error:
            self._send({"error": number, "message": str(error)})
            return
        if pid == 0:
            self._become_worker(request)
        self._children.add(pid)
        self._send({"forked": number, "pid": pid})

    def _become_worker(self, request: dict[str, Any]) -> NoReturn:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            self._control.close()
            os.close(self._wake_reader)
            os.close(self._wake_writer)
            connect_output(request["logs"], request["token"])
            os.environ["THORNBACK_TOKEN"] = request["token"]
            os.environ.update(request.get("env") or {})
        except OSError:
            os._exit(1)  # the session is gone
        worker.main()

    def _reap(self) -> None:
        for pid in [*self._children]:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended == 0:
                continue
            self._children.discard(pid)
            code = os.waitstatus_to_exitcode(status)
            signal_number = -code if code < 0 else None
            self._send({"exited": pid, "code": None if code < 0 else code, "signal": signal_number})


def _nothing(*_: object) -> None:
    """Handles SIGCHLD: what counts is the byte in the wake-up pipe."""


def connect_output(path: str, token: str) -> None:
    """Makes connections to the agent's log socket the process's stdout and stderr."""
    sys.stdout.flush()
    sys.stderr.flush()
    for number, stream in ((1, "stdout"), (2, "stderr")):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.connect(path)
        connection.sendall(json.dumps({"token": token, "stream": stream}).encode() + b"\n")
        os.dup2(connection.fileno(), number)
        connection.close()


def main() -> None:
    _preload()
    _freeze_memory()
    ForkServer().run()


def _preload() -> None:
    """Imports the modules of THORNBACK_PYTHON_PRELOAD, separated by commas, once for all workers.

    A module that starts threads cannot be preloaded: a fork would copy their locks, not them.
    """
    _import_all(filter(None, os.environ.get("THORNBACK_PYTHON_PRELOAD", "").split(",")))
    threads = len(os.listdir("/proc/self/task"))
    if threads > 1:
        sys.stderr.write("thornback: a preloaded module started threads; nothing is preloaded\n")
        environment = {**os.environ, "THORNBACK_PYTHON_PRELOAD": ""}
        os.set_inheritable(CONTROL, True)
        os.execve(sys.executable, [sys.executable, "-m", "thornback.fork_server"], environment)


def _import_all(names: Iterable[str]) -> None:
    for name in names:
        try:
            importlib.import_module(name.strip())
        except Exception as error:
            sys.stderr.write(f"thornback: cannot preload {name}: {error}\n")


def _freeze_memory() -> None:
    """Keeps the collector off what was imported, so that its pages stay shared with the workers."""
    import gc

    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    main()
