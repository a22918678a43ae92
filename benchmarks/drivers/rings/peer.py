"""The answering end of the bare rings: python peer.py <folder of the extension> <descriptor>."""

import sys

sys.path.insert(0, sys.argv[1])

import python_ring  # pyright: ignore[reportMissingImports]


class Plain:
    def echo(self, value: int) -> int:
        return value


python_ring.serve(int(sys.argv[2]), Plain().echo)
