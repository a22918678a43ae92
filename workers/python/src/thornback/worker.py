"""The worker process: `python -m thornback.worker`, or forked by `thornback.fork_server`."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import io
import os
import signal
import sys
from typing import Any, NoReturn

from . import _native

_CANCEL_SIGNAL = signal.SIGRTMIN + 11
"""Sent to the main thread when a call that it executes may have been cancelled."""


def serve() -> int:
    """Joins the session of THORNBACK_SOCKET and serves it; returns the process's exit status."""
    from ._worker import Worker, exit_code
    from .session import join

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    output: Any = sys.stdout
    if isinstance(output, io.TextIOWrapper):
        output.reconfigure(line_buffering=True, write_through=False)  # one write per line
    _native.die_with_parent()
    # Threads of user code get the interpreter within 0.2 ms instead of 5.
    sys.setswitchinterval(0.0001)
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.insert(0, folder)
    signal.signal(_CANCEL_SIGNAL, _native.on_cancel_signal)
    join(
        os.environ["THORNBACK_SOCKET"],
        role=2,
        token=os.environ.get("THORNBACK_TOKEN", ""),
        cancel_signal=_CANCEL_SIGNAL,
    )
    try:
        Worker().run()
    except SystemExit as error:
        return exit_code(error)
    except KeyboardInterrupt:
        return 130
    finally:
        _native.detach()
    return 0


def main() -> NoReturn:
    """Serves, then ends the process without waiting for threads of user code."""
    status = 1
    try:
        status = serve()
    except BaseException:
        sys.excepthook(*sys.exc_info())  # pyright: ignore[reportArgumentType]
    finally:
        import atexit

        atexit._run_exitfuncs()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
