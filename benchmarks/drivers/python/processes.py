"""What the operating system knows of a process."""

from __future__ import annotations

import re
import time
from pathlib import Path

from measuring import Answer

SECONDS_IDLE = 2.0


def wakeups(pid: int) -> int:
    """How often the threads of a process have gone to sleep."""
    texts = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/status")]
    counts = [re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.MULTILINE) for text in texts]
    return sum(int(count.group(1)) for count in counts if count is not None)


def idle_process(pid: int) -> Answer:
    """Memory, threads and wake-ups of a process that has nothing to do."""
    time.sleep(1)
    before = wakeups(pid)
    time.sleep(SECONDS_IDLE)
    per_second = (wakeups(pid) - before) / SECONDS_IDLE
    memory = Path(f"/proc/{pid}/smaps_rollup").read_text()
    megabytes = {
        name: int(kib) * 1024 / 1e6
        for name, kib in re.findall(r"^(\w+):\s+(\d+) kB", memory, re.MULTILINE)
    }
    details = {
        "pss_mb": megabytes["Pss"],
        "rss_mb": megabytes["Rss"],
        "threads": len(list(Path(f"/proc/{pid}/task").iterdir())),
        "wakeups_per_s": per_second,
    }
    value = megabytes["Private_Clean"] + megabytes["Private_Dirty"]
    return {"value": value, "checked": 1, "details": details}
