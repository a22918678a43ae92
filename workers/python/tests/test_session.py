"""init and shutdown, scripts and notebooks; each case in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import thornback
from scripts import SECONDS_MAX, run


def test_functions_and_classes_of_a_script(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("def triple(n):\n    return 3 * n\n")
    output = run(
        tmp_path,
        """
        import os
        import thornback
        from helper import triple

        with open("runs.txt", "a") as runs:
            runs.write(f"{__name__}\\n")
        FACTOR = 2

        def double(n):
            return FACTOR * n

        @thornback.task
        def both(n):
            return triple(double(n)), __name__

        @thornback.actor
        class Store:
            def __init__(self):
                self.items = []

            def push(self, item):
                self.items.append(item)
                return both.remote(item).get(timeout=20)[0]

        if __name__ == "__main__":
            with thornback.init():
                print(both.remote(4).get(timeout=20)[0])
                print(Store.remote().push.remote(5).get(timeout=20))
        """,
    )
    assert output.split() == ["24", "30"]
    assert (tmp_path / "runs.txt").read_text() == "__main__\n", "a worker ran the script again"


def test_cells_of_a_notebook(tmp_path: Path) -> None:
    output = run(
        tmp_path,
        """
        import types, sys
        cells = [
            "import thornback\\nsession = thornback.init()",
            "@thornback.task\\ndef f(n):\\n    return n + 1",
            "print(f.remote(1).get(timeout=20))",
            "@thornback.task\\ndef f(n):\\n    return n + 2",
            "print(f.remote(1).get(timeout=20))",
            "offset = 10\\nprint(thornback.task(lambda n: n + offset).remote(1).get(timeout=20))",
            "thornback.shutdown()",
        ]
        scope = sys.modules["__main__"].__dict__
        for number, cell in enumerate(cells):
            exec(compile(cell, f"<cell {number}>", "exec"), scope)
        """,
    )
    assert output.split() == ["2", "3", "11"]


def test_a_module_that_starts_the_driver_when_imported(tmp_path: Path) -> None:
    (tmp_path / "unguarded.py").write_text(
        "import thornback\n@thornback.task\ndef f():\n    return 1\nthornback.init()\n"
    )
    output = run(
        tmp_path,
        """
        import thornback
        thornback.init()
        try:
            thornback.python.task("unguarded:f").remote().get(timeout=20)
        except thornback.ImportFailedError as error:
            print(error.__cause__.name, "__main__" in str(error.__cause__))
        thornback.shutdown()
        """,
    )
    assert output.split() == ["InitInWorkerError", "True"]


def test_misuse_has_typed_errors(tmp_path: Path) -> None:
    output = run(
        tmp_path,
        """
        import thornback

        def name_of(call):
            try:
                call()
            except thornback.ThornbackError as error:
                return type(error).__name__

        f = thornback.task(lambda: 1)
        C = thornback.actor(type("C", (), {"m": lambda self: 1}))
        before = [f.remote, C.remote, lambda: thornback.put(1), lambda: thornback.get([])]
        before += [lambda: thornback.get_actor("x"), thornback.context]
        print([name_of(call) for call in before])
        session = thornback.init()
        print(name_of(thornback.init))
        ref, handle = f.remote(), C.remote()
        handle.m.remote().get(timeout=20)
        ref.get(timeout=20)
        thornback.shutdown()
        thornback.shutdown()
        after = [ref.get, lambda: thornback.get([ref]), lambda: thornback.wait([ref])]
        after += [handle.m.remote, lambda: thornback.put(1), f.remote]
        print([name_of(call) for call in after])
        with thornback.init():
            print(f.remote().get(timeout=20), name_of(ref.get), name_of(handle.m.remote))
        """,
    )
    lines = output.splitlines()
    assert lines[0] == str(["NotInitialisedError"] * 6)
    assert lines[1] == "AlreadyInitialisedError"
    assert lines[2] == str(["SessionClosedError"] * 6)
    assert lines[3] == "1 SessionClosedError SessionClosedError"


def test_views_outlive_the_session(tmp_path: Path) -> None:
    output = run(
        tmp_path,
        """
        import numpy as np, thornback
        with thornback.init():
            view = thornback.put(np.arange(100_000)).get()
        print(int(view.sum()))
        """,
    )
    assert int(output) == sum(range(100_000))


def test_wrong_addresses(tmp_path: Path) -> None:
    with pytest.raises(thornback.ThornbackError) as caught:
        thornback.init(str(tmp_path / "hub.sock"))
    assert "hub.sock" in str(caught.value)
    assert not thornback.is_initialised()


def test_a_second_driver_joins_by_address(tmp_path: Path) -> None:
    with thornback.init(prestart={"python": 1, "typescript": 0}) as session:
        output = run(
            tmp_path,
            """
            import thornback
            with thornback.init() as session:
                assert session.node_info()["cpus"] > 0
                print(thornback.task(lambda: "joined").remote().get(timeout=20))
            """,
            THORNBACK_ADDRESS=session.address,
        )
        assert output.strip() == "joined"
        assert thornback.task(lambda: 1).remote().get(timeout=20) == 1


def test_forked_children_have_no_session() -> None:
    with thornback.init(prestart={"python": 0, "typescript": 0}):
        pid = os.fork()
        if pid == 0:
            try:
                thornback.put(1)
                code = 1
            except thornback.SessionClosedError:
                code = 0
            os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert thornback.put(1).get() == 1


def test_worker_output_reaches_the_driver(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(
        "import thornback\n"
        "with thornback.init():\n"
        "    f = thornback.task(lambda: print('from a worker', flush=True))\n"
        "    f.remote().get(timeout=20)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=True,
    )
    assert "from a worker" in done.stderr
    assert done.stdout == ""


def test_a_killed_driver_leaves_nothing_behind(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(
        "import os, thornback, time\n"
        "session = thornback.init()\n"
        "pid = thornback.task(os.getpid).remote().get(timeout=20)\n"
        "agent = session.node_info()['pid']\n"
        "busy = thornback.task(lambda: [0 for _ in iter(int, 1)]).remote()\n"
        "print(pid, agent, flush=True)\n"
        "time.sleep(60)\n"
    )
    driver = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert driver.stdout is not None
    pids = [int(text) for text in driver.stdout.readline().split()]
    assert len(pids) == 2
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    deadline = time.monotonic() + 10
    while any(map(alive, pids)):
        assert time.monotonic() < deadline, f"of {pids} some are alive"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
