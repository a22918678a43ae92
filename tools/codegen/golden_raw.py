"""Golden blobs given as bytes: valid ones that no encoder writes, and ones to be refused."""

from __future__ import annotations

import struct
from typing import Any

from golden_writer import FRAME_MAGIC, compact_hex

Case = dict[str, Any]


def frame(
    head: bytes,
    *buffers: bytes,
    table: list[tuple[int, int]] | None = None,
    head_size: int | None = None,
) -> bytes:
    """A framed blob; `table` and `head_size` replace the true ones to make a wrong blob."""
    count = len(buffers) if table is None else len(table)
    start = 16 + 16 * count + len(head)
    entries, tail = [], b""
    for data in buffers:
        tail += bytes(-(start + len(tail)) % 64)
        entries.append((start + len(tail), len(data)))
        tail += data
    rows = b"".join(struct.pack("<QQ", *row) for row in (entries if table is None else table))
    return (
        FRAME_MAGIC
        + struct.pack("<III", count, len(head) if head_size is None else head_size, 0)
        + rows
        + head
        + tail
    )


def array_ext(dtype: str, shape: list[int], data: bytes) -> bytes:
    """An array extension; `data` is its third member, already in MessagePack."""
    body = (
        b"\x93"
        + bytes([0xA0 | len(dtype)])
        + dtype.encode()
        + bytes([0x90 | len(shape), *shape])
        + data
    )
    return bytes([0xC7, len(body), 2]) + body


def accepted() -> list[Case]:
    rows: list[tuple[str, Any, bytes]] = [
        ("int 5 in 8 bits", {"int": "5"}, b"\xcc\x05"),
        ("int 5 in 64 bits", {"int": "5"}, b"\xcf" + bytes(7) + b"\x05"),
        ("int 5 in signed 64 bits", {"int": "5"}, b"\xd3" + bytes(7) + b"\x05"),
        ("int -1 in 32 bits", {"int": "-1"}, b"\xd2\xff\xff\xff\xff"),
        ("int 1 as a wide integer", {"int": "1"}, b"\xd5\x01\x00\x01"),
        ("float 32", {"float": "0.5"}, b"\xca\x3f\x00\x00\x00"),
        ("str in 32 bits", {"str": "a"}, b"\xdb\x00\x00\x00\x01a"),
        ("bin in 32 bits", {"bytes": "01"}, b"\xc6\x00\x00\x00\x01\x01"),
        ("bin longer than 4096 inline", {"bytes": "01*5000"}, b"\xc5\x13\x88" + b"\x01" * 5000),
        ("list in 32 bits", {"list": [{"int": "1"}]}, b"\xdd\x00\x00\x00\x01\x01"),
        ("map in 16 bits", {"map": [[{"str": "a"}, {"int": "1"}]]}, b"\xde\x00\x01\xa1a\x01"),
        ("tuple in ext 8", {"tuple": []}, b"\xc7\x01\x04\x90"),
        (
            "instant in 96 bits",
            {"instant": {"seconds": "1", "nanoseconds": 0}},
            b"\xc7\x0c\xff" + struct.pack(">Iq", 0, 1),
        ),
        (
            "large bytes that are short",
            {"bytes": "07*3"},
            frame(b"\xd6\x09\x00\x00\x00\x00", b"\x07" * 3),
        ),
        (
            "array out of band although short",
            {"ndarray": {"dtype": "|i1", "shape": [2], "hex": "0102"}},
            frame(array_ext("|i1", [2], b"\x00"), b"\x01\x02"),
        ),
        (
            "one buffer named twice",
            {"list": [{"bytes": "07*3"}, {"bytes": "07*3"}]},
            frame(b"\x92" + b"\xd6\x09\x00\x00\x00\x00" * 2, b"\x07" * 3),
        ),
        ("buffer that nothing names", {"null": None}, frame(b"\xc0", b"\x07" * 3)),
        (
            "time with a fraction of 3 digits",
            {"time": "00:00:01.500000"},
            b"\xc7\x13\x0a\x92\xa4time\xac00:00:01.500",
        ),
    ]
    refs = {"list": [{"ref": index} for index in (1, 0, 0, 299)]}
    shuffled = b"".join(b"\xd6\x05" + struct.pack(">I", index) for index in (1, 0, 0, 299))
    rows.append(("refs in another order", refs, b"\x94" + shuffled))
    return [
        {"name": name, "value": value, "hex": compact_hex(data), "refs": 300}
        for name, value, data in rows
    ]


def truncations() -> list[tuple[str, bytes]]:
    heads = {
        "uint 8": b"\xcc",
        "uint 16": b"\xcd\x01",
        "uint 32": b"\xce\x01",
        "uint 64": b"\xcf\x01",
        "int 8": b"\xd0",
        "int 64": b"\xd3\x01",
        "float 32": b"\xca\x01",
        "float 64": b"\xcb\x01",
        "short str": b"\xa2a",
        "str 8": b"\xd9",
        "str 16": b"\xda\xff\xffa",
        "str 32": b"\xdb\xff\xff\xff\xffa",
        "bin 8": b"\xc4\x05a",
        "bin 32": b"\xc6\xff\xff\xff\xff",
        "short list": b"\x92\x01",
        "list 32": b"\xdd\xff\xff\xff\xff\x01",
        "short map": b"\x81\xa1a",
        "map 32": b"\xdf\xff\xff\xff\xff\x01",
        "fixext": b"\xd6\x05\x00\x00",
        "ext 8": b"\xc7\x05\x04\x90",
        "ext 32": b"\xc9\xff\xff\xff\xff\x04\x90",
    }
    rows = [(f"truncated {name}", data) for name, data in heads.items()]
    whole = frame(b"\xd6\x09\x00\x00\x00\x00", b"\x07" * 3)
    rows += [
        (f"frame cut to {size} bytes", whole[:size])
        for size in (1, 3, 4, 8, 15, 16, 31, 35, 38, len(whole) - 1)
    ]
    return rows


def malformed() -> list[Case]:
    large = b"\xd6\x09\x00\x00\x00\x00"
    inline = b"\xc4\x02\x01\x02"
    deep = b"\x91" * 500 + b"\x90"
    rows = [
        *truncations(),
        ("empty", b""),
        ("trailing byte", b"\x01\x01"),
        ("never-used byte inside", b"\x91\xc1"),
        ("frame of version 2", b"\xc1TB\x02" + bytes(60)),
        ("frame with wrong magic", b"\xc1XY\x01" + bytes(60)),
        ("frame without buffers", frame(b"\xc0")),
        (
            "frame with a non-zero reserved word",
            FRAME_MAGIC
            + struct.pack("<III", 1, 1, 1)
            + struct.pack("<QQ", 64, 1)
            + b"\xc0"
            + bytes(32),
        ),
        (
            "frame with too many buffers",
            FRAME_MAGIC + struct.pack("<III", 2**32 - 1, 1, 0) + bytes(64),
        ),
        ("frame with a head past the end", frame(large, b"\x07" * 3, head_size=10_000)),
        ("frame with a short head", frame(large, b"\x07" * 3, head_size=5)),
        ("frame with bytes after the value in the head", frame(b"\xc0\xc0", b"\x07" * 3)),
        ("buffer past the end", frame(large, b"\x07" * 3, table=[(64, 4)])),
        ("buffer offset overflows", frame(large, b"\x07" * 3, table=[(2**64 - 64, 128)])),
        ("buffer not aligned", frame(large, b"\x07" * 70, table=[(65, 2)])),
        ("buffer inside the head", frame(large, b"\x07" * 3, table=[(0, 3)])),
        ("buffer index out of range", frame(b"\xd6\x09\x00\x00\x00\x01", b"\x07" * 3)),
        ("buffer index in a plain blob", large),
        ("array buffer index out of range", frame(array_ext("|i1", [2], b"\x01"), b"\x01\x02")),
        ("array buffer index negative", frame(array_ext("|i1", [2], b"\xff"), b"\x01\x02")),
        ("array shorter than its shape", array_ext("|i1", [3], inline)),
        ("array longer than its shape", array_ext("|i1", [1], inline)),
        ("array of an unknown dtype", array_ext("|O", [2], inline)),
        ("array of big-endian items", array_ext(">i2", [1], inline)),
        ("array of a wide bool", array_ext("<b2", [1], inline)),
        ("array with a negative size", array_ext("|i1", [0xFF], inline)),
        ("array whose size overflows", overflowing()),
        (
            "array of 33 dimensions",
            b"\xc7\x2c\x02\x93\xa3|i1\xdc\x00\x21" + b"\x01" * 33 + b"\xc4\x01\x01",
        ),
        ("array without data", b"\xc7\x06\x02\x92\xa3|i1\x90"),
        ("array with text as data", array_ext("|i1", [2], b"\xa2ab")),
        ("wide integer without bytes", b"\xc7\x00\x01"),
        ("ref out of range", b"\xd6\x05\x00\x00\x00\x01"),
        ("ref of 2 bytes", b"\xd5\x05\x00\x00"),
        ("large bytes of 2 bytes", b"\xd5\x09\x00\x00"),
        ("unknown extension", b"\xd4\x63\x00"),
        ("unknown extension of MessagePack", b"\xd4\xfe\x00"),
        ("instant of 5 bytes", b"\xc7\x05\xff" + bytes(5)),
        (
            "instant with too many nanoseconds",
            b"\xc7\x0c\xff" + struct.pack(">Iq", 1_000_000_000, 0),
        ),
        (
            "instant with too many nanoseconds in 64 bits",
            b"\xd7\xff" + struct.pack(">Q", 1_000_000_000 << 34),
        ),
        ("set that is a map", b"\xd4\x03\x80"),
        ("tuple with bytes after it", b"\xd5\x04\x90\x90"),
        ("tuple longer than its extension", b"\xd4\x04\x91\x01"),
        ("actor with a short id", b"\xc7\x09\x06\x94\xc4\x01\x00\xa1a\xa1b\xc0"),
        ("actor of three members", b"\xc7\x17\x06\x93\xc4\x10" + bytes(16) + b"\xa1a\xa1b"),
        ("error that is a list", b"\xd4\x08\x90"),
        ("error without a code", b"\xd4\x08\x80"),
        ("date that is no date", b"\xc7\x0a\x0a\x92\xa4date\xa3abc"),
        ("month 13", b"\xc7\x11\x0a\x92\xa4date\xaa2024-13-01"),
        ("unknown kind of time", b"\xc7\x0a\x0a\x92\xa4year\xa32024"[:13]),
        ("str that is not UTF-8", b"\xa2\xc3\x28"),
        ("str with a surrogate", b"\xa3\xed\xa0\x80"),
        ("str with an overlong form", b"\xa2\xc0\x80"),
        ("map key that is not UTF-8", b"\x81\xa1\xff\x01"),
        ("map key that is a list", b"\x81\x90\x01"),
        ("map key that is a map", b"\x81\x80\x01"),
        ("set member that is a list", b"\xd5\x03\x91\x90"),
        ("call arguments inside a value", b"\x91\xc7\x03\x0b\x92\x90\x80"),
        ("call keyword that is an integer", b"\xc7\x05\x0b\x92\x90\x81\x01\x01"),
        ("call arguments without keywords", b"\xd5\x0b\x91\x90"),
        ("nested 501 deep", deep),
        ("tuples nested 501 deep", nested_tuples(501)),
    ]
    return [{"name": name, "refs": 1, "hex": compact_hex(data)} for name, data in rows]


def overflowing() -> bytes:
    """An array of (2^32 + 1) x (2^32 + 1) x 2 items: the product wraps around in 64 bits."""
    shape = b"\x93" + b"\xcf\x00\x00\x00\x01\x00\x00\x00\x01" * 2 + b"\x02"
    body = b"\x93\xa3|i1" + shape + b"\xc4\x00"
    return bytes([0xC7, len(body), 2]) + body


def nested_tuples(depth: int) -> bytes:
    data = b"\xd4\x04\x90"
    for _ in range(depth - 1):
        body = b"\x91" + data
        data = (
            bytes([0xC7, len(body), 4])
            if len(body) < 256
            else b"\xc8" + struct.pack(">Hb", len(body), 4)
        ) + body
    return data
