"""Runs programs in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

SECONDS_MAX = 50


def run(folder: Path, program: str, **variables: str) -> str:
    """Runs a script in `folder`; returns its output, or fails with its errors."""
    script = folder / "program.py"
    script.write_text(textwrap.dedent(program))
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([here, *_python_path()]), **variables},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _python_path() -> list[str]:
    return list(filter(None, [os.environ.get("PYTHONPATH")]))
