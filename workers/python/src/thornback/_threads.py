"""The threads on which an actor without a loop runs the methods of one concurrency group."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

Job = Callable[[], object]


class Pool:
    """As many threads as the group's calls have needed at once; never more than its limit.

    The engine hands out no more calls than the limit, so that a job waits for a thread no longer
    than the thread before it takes to come back for the next one.
    """

    def __init__(self, name: str, limit: int, failed: Callable[[BaseException], None]) -> None:
        self._name = name
        self._limit = limit
        self._failed = failed
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._unfinished = 0

    def submit(self, job: Job) -> None:
        """Executes the job; called by the thread that serves."""
        with self._lock:
            self._unfinished += 1
            grows = self._unfinished > self._threads and self._threads < self._limit
            self._threads += grows
        if grows:
            # A daemon: user code that never returns must not keep the worker from ending.
            threading.Thread(target=self._run, name=self._name, daemon=True).start()
        self._jobs.put(job)

    def close(self) -> None:
        """Ends the threads, each after its job."""
        for _ in range(self._threads):
            self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except BaseException as error:  # user code ends the process
                self._failed(error)
                return
            with self._lock:
                self._unfinished -= 1
