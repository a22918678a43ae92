"""The program that calls from Python: driver.py --callee python|typescript [options]."""

from __future__ import annotations

import argparse

import thornback
from bench import Bench
from calls import Calls
from deaths import Deaths
from flow import Flow
from measuring import serve
from objects import Objects
from starting import Starting
from streaming import Streaming
from tasks import Tasks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--callee", default="python")
    parser.add_argument("--prestart", type=int)
    parser.add_argument("--store-bytes", type=int)
    options = parser.parse_args()
    bench = Bench(options.callee, options.prestart, options.store_bytes)
    kinds = [Calls, Tasks, Objects, Starting, Flow, Deaths, Streaming]
    parts = [kind(bench) for kind in kinds]
    serve({name: action for part in parts for name, action in part.actions().items()})
    thornback.shutdown()


if __name__ == "__main__":
    main()
