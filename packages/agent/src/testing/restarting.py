"""An actor for tests of the agent with real workers."""

import os

import thornback


class Restarting:
    def __init__(self, start: int, step: int = 1) -> None:
        self.value = start + step

    def describe(self) -> list[int | None]:
        return [self.value, thornback.context().incarnation]

    def die(self) -> None:
        os.kill(os.getpid(), 9)
