"""Starts an embedded node: the node agent as a child process (packages/agent/README.md)."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ._errors_generated import (
    ERROR_CLASSES,
    ConnectionFailedError,
    InternalError,
    NotFoundError,
)

_START_SECONDS_MAX = 30.0
_STOP_SECONDS_MAX = 10.0
_NODE_VERSION_MIN = (22, 18)


class NodeProcess:
    """The agent's process and the lifeline that ties its life to the driver's."""

    def __init__(
        self, process: subprocess.Popen[bytes], lifeline: socket.socket, socket_path: str
    ) -> None:
        self._process = process
        self._lifeline = lifeline
        self.socket = socket_path

    def wait(self) -> None:
        """Returns when no process of the session is left; the agent closes its end last."""
        self._lifeline.settimeout(_STOP_SECONDS_MAX)
        try:
            while self._lifeline.recv(4096):
                pass
        except OSError:
            self._process.kill()
        self._lifeline.close()
        self._process.wait()

    def stop(self) -> None:
        """Gives the session up before it was joined."""
        self._lifeline.shutdown(socket.SHUT_WR)
        self.wait()


def start_node(
    *,
    cpus: int | None,
    resources: Mapping[str, float] | None,
    store_bytes: int | None,
    namespace: str,
    prestart: Mapping[str, int] | None,
    log_to_driver: bool,
    variables: Mapping[str, str] | None,
) -> NodeProcess:
    """Starts the agent and waits for its socket."""
    ours, theirs = socket.socketpair()
    options: dict[str, Any] = {
        "fd": theirs.fileno(),
        "driverPid": os.getpid(),
        "cwd": str(Path.cwd()),
        "sysPath": module_folders(),
        "python": sys.executable,
        "namespace": namespace,
        "logToDriver": log_to_driver,
    }
    given = {
        "cpus": cpus,
        "resources": resources,
        "storeBytes": store_bytes,
        "prestart": prestart,
        "environment": variables,
    }
    options |= {name: value for name, value in given.items() if value is not None}
    command = [_find_node(), str(_find_agent()), json.dumps(options)]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
    except OSError as error:
        ours.close()
        raise ConnectionFailedError(f"the node agent cannot be started: {error}") from error
    finally:
        theirs.close()
    try:
        answer = _read_line(ours)
        if "error" in answer:
            failure = answer["error"]
            kind = ERROR_CLASSES.get(failure.get("code"), InternalError)
            raise kind(str(failure.get("message", failure)))
    except BaseException:
        ours.close()
        process.kill()
        process.wait()
        raise
    return NodeProcess(process, ours, answer["socket"])


def _read_line(lifeline: socket.socket) -> dict[str, Any]:
    lifeline.settimeout(_START_SECONDS_MAX)
    line = b""
    while not line.endswith(b"\n"):
        try:
            part = lifeline.recv(65536)
        except TimeoutError:
            text = f"the node agent did not start within {_START_SECONDS_MAX:.0f} s"
            raise ConnectionFailedError(text) from None
        if not part:
            raise ConnectionFailedError(
                "the node agent ended while it started; see its output above"
            )
        line += part
    lifeline.settimeout(None)
    return json.loads(line)


def module_folders() -> list[str]:
    """Where workers look for modules: this search path without the interpreter's own folders."""
    own = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    own |= {str(Path(sysconfig.get_path("platstdlib")) / "lib-dynload")}
    folders: list[str] = []
    for entry in sys.path:
        folder = os.path.abspath(entry) if entry else str(Path.cwd())
        if folder not in own and folder not in folders and not folder.endswith(".zip"):
            folders.append(folder)
    return folders


def _repository() -> Path | None:
    """The checkout that this package lies in, if it does."""
    for folder in Path(__file__).resolve().parents:
        if (folder / "packages" / "agent" / "src" / "main.mjs").exists():
            return folder
    return None


def _find_node() -> str:
    named = os.environ.get("THORNBACK_NODE")
    if named:
        return named
    repository = _repository()
    if repository is not None:
        installed = repository / "node_modules" / "node" / "bin" / "node"
        if installed.exists():
            return str(installed)
    found = shutil.which("node")
    if found is None:
        raise NotFoundError("node 22.18 or newer is not installed: set THORNBACK_NODE or PATH")
    text = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    version = tuple(int(part) for part in text.strip().lstrip("v").split(".")[:2] if part.isdigit())
    if version < _NODE_VERSION_MIN:
        raise NotFoundError(
            f"{found} is {text.strip() or 'no node'}; needed is 22.18 or newer: set THORNBACK_NODE"
        )
    return found


def _find_agent() -> Path:
    named = os.environ.get("THORNBACK_AGENT")
    if named:
        return Path(named)
    repository = _repository()
    if repository is None:
        raise NotFoundError("the node agent is not found: set THORNBACK_AGENT to its main.mjs")
    return repository / "packages" / "agent" / "src" / "main.mjs"
