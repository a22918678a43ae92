from typing import Any

import thornback


def work(steps: int, listener: thornback.ActorHandle[Any]) -> str:
    """Calls back the actor whose handle it was given, wherever that lives."""
    for step in range(steps):
        listener.progress.remote(step + 1, of=steps)
    return f"told {listener.seen.remote().get()} times"
