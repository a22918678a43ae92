"""An independent writer of the value format, used only to make the golden vectors.

It turns the tagged JSON description of a value (see test/conformance/golden/README.md) into the
bytes of its blob. It shares no code with any SDK on purpose: the golden bytes check the codecs, so
no codec may have produced them. It favours being obvious over being fast.
"""

from __future__ import annotations

import re
import struct
from typing import Any

INLINE_ARRAY_BYTES_MAX = 512
INLINE_BYTES_MAX = 4096
ALIGNMENT = 64
FRAME_MAGIC = b"\xc1TB\x01"

Description = dict[str, Any]


def expand_hex(text: str) -> bytes:
    """Reads the hex notation of the vectors: blank-separated tokens, `61*300` repeats one."""
    out = b""
    for token in text.split():
        digits, _, count = token.partition("*")
        out += bytes.fromhex(digits) * int(count or 1)
    return out


def compact_hex(data: bytes) -> str:
    """Writes the hex notation of the vectors; runs of 24 equal bytes or more are shortened."""
    text = re.sub(
        r"(?s)(.)\1{23,}",
        lambda run: f" {ord(run.group(1)):02x}*{len(run.group(0))} ",
        data.decode("latin-1"),
    )
    parts = re.split(r"( [0-9a-f]{2}\*\d+ )", text)
    return " ".join(
        part.strip() if index % 2 else part.encode("latin-1").hex()
        for index, part in enumerate(parts)
        if part
    )


def repeated(value: Any) -> Any:
    """Expands `{"repeat": x, "count": n}`, the short form of long strings and lists."""
    if isinstance(value, dict):
        item = value["repeat"]
        return item * value["count"] if isinstance(item, str) else [item] * value["count"]
    return value


def sized(count: int, fixed: tuple[int, int] | None, *forms: tuple[int, int, str]) -> bytes:
    """The shortest header for a length; a form is (largest count, lead byte, struct format)."""
    if fixed and count <= fixed[0]:
        return bytes([fixed[1] | count])
    for largest, lead, layout in forms:
        if count <= largest:
            return bytes([lead]) + struct.pack(layout, count)
    raise ValueError(f"length {count} has no MessagePack form")


U8, U16, U32 = 0xFF, 0xFFFF, 0xFFFF_FFFF


def write_integer(value: int) -> bytes:
    if 0 <= value < 128 or -32 <= value < 0:
        return struct.pack(">b", value)
    positive = ((8, 0xCC, ">B"), (16, 0xCD, ">H"), (32, 0xCE, ">I"), (64, 0xCF, ">Q"))
    negative = ((8, 0xD0, ">b"), (16, 0xD1, ">h"), (32, 0xD2, ">i"), (64, 0xD3, ">q"))
    for bits, lead, layout in positive if value >= 0 else negative:
        if (value < 1 << bits) if value >= 0 else (value >= -1 << (bits - 1)):
            return bytes([lead]) + struct.pack(layout, value)
    size = 1
    while not -1 << (8 * size - 1) <= value < 1 << (8 * size - 1):
        size += 1
    return write_extension(1, value.to_bytes(size, "big", signed=True))


def write_string(text: str) -> bytes:
    data = text.encode()
    return (
        sized(len(data), (31, 0xA0), (U8, 0xD9, ">B"), (U16, 0xDA, ">H"), (U32, 0xDB, ">I")) + data
    )


def write_bin(data: bytes) -> bytes:
    return sized(len(data), None, (U8, 0xC4, ">B"), (U16, 0xC5, ">H"), (U32, 0xC6, ">I")) + data


def write_array(items: list[bytes]) -> bytes:
    return sized(len(items), (15, 0x90), (U16, 0xDC, ">H"), (U32, 0xDD, ">I")) + b"".join(items)


def write_map(pairs: list[tuple[bytes, bytes]]) -> bytes:
    header = sized(len(pairs), (15, 0x80), (U16, 0xDE, ">H"), (U32, 0xDF, ">I"))
    return header + b"".join(key + value for key, value in pairs)


def write_extension(code: int, body: bytes) -> bytes:
    tag = struct.pack(">b", code)
    fixed = {1: 0xD4, 2: 0xD5, 4: 0xD6, 8: 0xD7, 16: 0xD8}.get(len(body))
    if fixed is not None:
        return bytes([fixed]) + tag + body
    return (
        sized(len(body), None, (U8, 0xC7, ">B"), (U16, 0xC8, ">H"), (U32, 0xC9, ">I")) + tag + body
    )


def write_instant(seconds: int, nanoseconds: int) -> bytes:
    if nanoseconds == 0 and 0 <= seconds < 1 << 32:
        return write_extension(-1, struct.pack(">I", seconds))
    if 0 <= seconds < 1 << 34:
        return write_extension(-1, struct.pack(">Q", nanoseconds << 34 | seconds))
    return write_extension(-1, struct.pack(">Iq", nanoseconds, seconds))


ERROR_KEYS = ("code", "name", "message", "stack", "language", "cause", "data")
LOCAL_TIMES = ("datetime", "date", "time", "duration")


class Writer:
    """Writes one blob; numbers its buffers in the order in which the head names them."""

    def __init__(self) -> None:
        self.buffers: list[bytes] = []

    def blob(self, value: Description) -> bytes:
        head = self.value(value)
        if not self.buffers:
            return head
        offset = 16 + 16 * len(self.buffers) + len(head)
        table, tail = b"", b""
        for data in self.buffers:
            padding = -offset % ALIGNMENT
            table += struct.pack("<QQ", offset + padding, len(data))
            tail += bytes(padding) + data
            offset += padding + len(data)
        return (
            FRAME_MAGIC + struct.pack("<III", len(self.buffers), len(head), 0) + table + head + tail
        )

    def values(self, items: list[Description]) -> bytes:
        return write_array([self.value(item) for item in items])

    def buffer(self, data: bytes) -> int:
        self.buffers.append(data)
        return len(self.buffers) - 1

    def value(self, description: Description) -> bytes:
        [(kind, value)] = description.items()
        if kind in LOCAL_TIMES:
            return write_extension(10, write_array([write_string(kind), write_string(value)]))
        return getattr(self, "write_" + kind)(value)

    def write_null(self, _: None) -> bytes:
        return b"\xc0"

    def write_bool(self, value: bool) -> bytes:
        return b"\xc3" if value else b"\xc2"

    def write_int(self, digits: str) -> bytes:
        return write_integer(int(digits))

    def write_float(self, text: str) -> bytes:
        return b"\xcb" + struct.pack(">d", float(text))

    def write_str(self, text: Any) -> bytes:
        return write_string(repeated(text))

    def write_bytes(self, text: str) -> bytes:
        data = expand_hex(text)
        if len(data) > INLINE_BYTES_MAX:
            return write_extension(9, struct.pack(">I", self.buffer(data)))
        return write_bin(data)

    def write_list(self, items: Any) -> bytes:
        return self.values(repeated(items))

    def write_nested_lists(self, depth: int) -> bytes:
        return b"\x91" * (depth - 1) + b"\x90"

    def write_map(self, pairs: list[list[Description]]) -> bytes:
        return write_map([(self.value(key), self.value(value)) for key, value in pairs])

    def write_set(self, items: list[Description]) -> bytes:
        return write_extension(3, self.values(items))

    def write_tuple(self, items: list[Description]) -> bytes:
        return write_extension(4, self.values(items))

    def write_instant(self, value: Description) -> bytes:
        return write_instant(int(value["seconds"]), value["nanoseconds"])

    def write_ndarray(self, value: Description) -> bytes:
        data = expand_hex(value["hex"])
        inline = len(data) <= INLINE_ARRAY_BYTES_MAX
        body = write_bin(data) if inline else write_integer(self.buffer(data))
        shape = write_array([write_integer(size) for size in value["shape"]])
        return write_extension(2, write_array([write_string(value["dtype"]), shape, body]))

    def write_ref(self, index: int) -> bytes:
        return write_extension(5, struct.pack(">I", index))

    def write_actor(self, value: Description) -> bytes:
        methods = value["methods"]
        names = (
            b"\xc0" if methods is None else write_array([write_string(name) for name in methods])
        )
        head = [
            write_bin(bytes.fromhex(value["id"])),
            write_string(value["language"]),
            write_string(value["class"]),
        ]
        return write_extension(6, write_array([*head, names]))

    def write_python_object(self, parts: list[str]) -> bytes:
        items = []
        for index, data in enumerate(map(expand_hex, parts)):
            inline = len(data) <= (INLINE_ARRAY_BYTES_MAX if index else INLINE_BYTES_MAX)
            items.append(write_bin(data) if inline else write_integer(self.buffer(data)))
        return write_extension(7, write_array(items))

    def write_error(self, value: Description) -> bytes:
        pairs: list[tuple[bytes, bytes]] = []
        for key in ERROR_KEYS:
            item = value.get(key)
            if item is not None:
                encoded = write_string(item) if isinstance(item, str) else self.value(item)
                pairs.append((write_string(key), encoded))
        return write_extension(8, write_map(pairs))

    def write_arguments(self, value: Description) -> bytes:
        keywords = [(write_string(name), self.value(item)) for name, item in value["keywords"]]
        return write_extension(
            11, write_array([self.values(value["positional"]), write_map(keywords)])
        )
