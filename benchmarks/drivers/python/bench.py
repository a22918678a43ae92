"""The session of a driver and what it has created, kept over the rounds."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import thornback
from measuring import Answer, Request

_TYPESCRIPT_FOLDER = Path(__file__).parent.parent / "typescript"
_TYPESCRIPT_MODULE = (_TYPESCRIPT_FOLDER / "actors.ts").as_uri()
_TYPESCRIPT_FLOW_MODULE = (_TYPESCRIPT_FOLDER / "flow-actors.ts").as_uri()


class Bench:
    def __init__(self, callee: str, prestart: int | None, store_bytes: int | None) -> None:
        self.callee = callee
        self._prestart = prestart
        self._store_bytes = store_bytes
        self._actors: dict[str, Any] = {}
        self._session: thornback.Session | None = None

    def open(self) -> None:
        if self._session is not None:
            return
        prestart = None
        if self._prestart is not None:
            prestart = {"python": self._prestart, "typescript": self._prestart}
        self._session = thornback.init(prestart=prestart, store_bytes=self._store_bytes)

    def create(self, class_name: str, *args: Any) -> Any:
        """A new actor in the callee's language."""
        self.open()
        if self.callee == "python":
            return self.create_here(class_name, *args)
        return thornback.typescript.actor(f"{_TYPESCRIPT_MODULE}:{class_name}").remote(*args)

    def create_here(self, class_name: str, *args: Any) -> Any:
        self.open()
        module = "bench_coroutines" if class_name == "Coroutine" else "bench_actors"
        return thornback.python.actor(f"{module}:{class_name}").remote(*args)

    def class_of(self, class_name: str) -> Any:
        """A class of the suite `flow` in the callee's language."""
        self.open()
        if self.callee == "python":
            return thornback.python.actor(f"bench_flow:{class_name}")
        return thornback.typescript.actor(f"{_TYPESCRIPT_FLOW_MODULE}:{class_name}")

    def actor(self, request: Request, class_name: str = "Plain", number: int = 0) -> Any:
        """The actor that this case has used before, or a new one."""
        key = f"{request.case} {number}"
        if key not in self._actors:
            actor = self._actors[key] = self.create(class_name)
            actor.echo.remote(0).get()
            if request.parameters.get("isApart"):
                move_apart(actor.pid.remote().get())
        return self._actors[key]

    def with_wakes(self, measure: Callable[[], Answer]) -> Answer:
        """Adds what this process did to sleep and to wake others, per thousand calls."""
        assert self._session is not None
        before = self._session.stats()
        answer = measure()
        after = self._session.stats()
        thousands = (after["calls_completed"] - before["calls_completed"]) / 1000
        details = {
            "wakes_per_1000": (after["wakes_sent"] - before["wakes_sent"]) / thousands,
            "sleeps_per_1000": (after["sleeps"] - before["sleeps"]) / thousands,
        }
        return {**answer, "details": details}

    def node_info(self) -> dict[str, Any]:
        self.open()
        assert self._session is not None
        return self._session.node_info()

    def task(self, name: str) -> Any:
        self.open()
        if self.callee == "python":
            return thornback.python.task(f"bench_actors:{name}")
        return thornback.typescript.task(f"{_TYPESCRIPT_MODULE}:{name}")


def move_apart(pid: int) -> None:
    """This process to CPU 0, the other to CPU 1."""
    for cpu, process in (("0", os.getpid()), ("1", pid)):
        command = ["taskset", "--all-tasks", "--cpu-list", "--pid", cpu, str(process)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
