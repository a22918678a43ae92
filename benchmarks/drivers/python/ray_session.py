"""Ray's session and the actors kept over the rounds."""

from __future__ import annotations

import logging
import shutil
import tempfile
from typing import Any

import ray  # pyright: ignore[reportMissingImports]
import ray_actors
from measuring import Request

_CPUS = 2


class RaySession:
    def __init__(self) -> None:
        self._actors: dict[str, Any] = {}
        self._folder = tempfile.mkdtemp(prefix="tbk-ray-")

    def open(self) -> None:
        if ray.is_initialized():
            return
        ray.init(
            num_cpus=_CPUS,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _temp_dir=self._folder,
        )

    def close(self) -> None:
        ray.shutdown()
        shutil.rmtree(self._folder, ignore_errors=True)

    def actor(self, request: Request, class_name: str = "Plain", number: int = 0) -> Any:
        """The actor that this case has used before, or a new one."""
        self.open()
        key = f"{request.case} {number}"
        if key not in self._actors:
            self._actors[key] = getattr(ray_actors, class_name).remote()
        return self._actors[key]
