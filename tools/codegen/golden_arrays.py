"""The n-dimensional arrays and framed blobs of the golden vectors."""

from __future__ import annotations

import struct
from typing import Any

from golden_values import Case, case, integer, text
from golden_writer import compact_hex


def array(dtype: str, shape: list[int], layout: str, items: list[Any]) -> Any:
    data = struct.pack("<" + layout * len(items), *items) if layout else bytes(items)
    return {"ndarray": {"dtype": dtype, "shape": shape, "hex": compact_hex(data)}}


NUMERIC = {
    "|b1": ("?", [True, False, True, True]),
    "|i1": ("b", [-128, -1, 0, 127]),
    "<i2": ("h", [-32768, -1, 0, 32767]),
    "<i4": ("i", [-(2**31), -1, 0, 2**31 - 1]),
    "<i8": ("q", [-(2**63), -1, 0, 2**63 - 1]),
    "|u1": ("B", [0, 1, 128, 255]),
    "<u2": ("H", [0, 1, 2, 65535]),
    "<u4": ("I", [0, 1, 2, 2**32 - 1]),
    "<u8": ("Q", [0, 1, 2, 2**64 - 1]),
    "<f2": ("e", [0.5, -0.0, float("inf"), 65504.0]),
    "<f4": ("f", [0.5, -0.0, float("-inf"), 1e30]),
    "<f8": ("d", [0.1, -0.0, float("inf"), 1e300]),
}


def arrays() -> list[Case]:
    cases: list[Case] = []
    kinds = dict(NUMERIC)
    kinds["<c8"], kinds["<c16"] = ("f", [1.0, -2.0, 0.5, 0.0]), ("d", [1.0, -2.0, 0.25, 0.0])
    for dtype, (layout, items) in kinds.items():
        count = len(items) // 2 if "c" in dtype else len(items)
        cases.append(case(f"ndarray {dtype} vector", array(dtype, [count], layout, items)))
        cases.append(case(f"ndarray {dtype} matrix", array(dtype, [1, count], layout, items)))
        cases.append(case(f"ndarray {dtype} empty", array(dtype, [0], layout, [])))
        rank_0 = items[:2] if "c" in dtype else items[:1]
        cases.append(case(f"ndarray {dtype} 0-d", array(dtype, [], layout, rank_0)))
        # 528 bytes: the smallest size over the inline limit that holds whole items of each dtype.
        item_count = 528 // struct.calcsize(layout)
        large = [index % (2 if layout == "?" else 100) for index in range(item_count)]
        length = len(large) // 2 if "c" in dtype else len(large)
        cases.append(case(f"ndarray {dtype} large", array(dtype, [length], layout, large)))
    cases.append(case("ndarray 3-d", array("<i4", [2, 3, 4], "i", list(range(24)))))
    cases.append(case("ndarray empty matrix", array("<f8", [0, 3], "d", [])))
    cases.append(case("ndarray empty in the middle", array("<f8", [2, 0, 3], "d", [])))
    cases.append(case("ndarray inline limit", array("<f4", [128], "f", [1.5] * 128)))
    cases.append(case("ndarray past the inline limit", array("<f4", [129], "f", [1.5] * 129)))
    cases.append(
        case("ndarray large matrix", array("<f8", [10, 20], "d", [i / 4 for i in range(200)]))
    )
    nan = {"ndarray": {"dtype": "<f4", "shape": [2], "hex": "0000c07f 010080ff"}}
    cases.append(case("ndarray keeps NaN bits", nan))
    return cases + framed()


def framed() -> list[Case]:
    vector = array("<f4", [200], "f", [float(i) for i in range(200)])
    odd = array("|i1", [601], "b", [i % 128 for i in range(601)])
    wide = array("<f8", [70], "d", [float(i) for i in range(70)])
    small = array("<i2", [3], "h", [1, 2, 3])
    cases = [case("framed several buffers", {"list": [vector, odd, wide]})]
    inside = {
        "map": [
            [text("x"), odd],
            [text("meta"), {"map": [[text("n"), integer(601)]]}],
            [text("y"), {"tuple": [wide, small]}],
        ]
    }
    cases.append(case("framed nested", inside))
    cases.append(
        case(
            "framed bytes and arrays",
            {"list": [{"bytes": "ee*4097"}, odd, {"bytes": "dd*4098"}, small]},
        )
    )
    cases.append(case("framed with a ref", {"list": [{"ref": 0}, vector, {"ref": 1}]}, refs=2))
    # Many buffers: indices above 127 no longer fit a fixint.
    cases.append(
        case(
            "framed 130 buffers", {"list": [array("|u1", [513], "", [i] * 513) for i in range(130)]}
        )
    )
    return cases
