"""The program that calls from Python: driver.py --callee python|typescript [--prestart N]."""

from __future__ import annotations

import argparse

import thornback
from bench import Bench
from calls import Calls
from measuring import serve
from objects import Objects
from starting import Starting
from tasks import Tasks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--callee", default="python")
    parser.add_argument("--prestart", type=int)
    options = parser.parse_args()
    bench = Bench(options.callee, options.prestart)
    parts = [Calls(bench), Tasks(bench), Objects(bench), Starting(bench)]
    serve({name: action for part in parts for name, action in part.actions().items()})
    thornback.shutdown()


if __name__ == "__main__":
    main()
