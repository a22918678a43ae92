"""The rows of proto/values.md for Python, beyond what the golden vectors say."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import random
import threading
from typing import Any

import numpy as np
import pytest
from golden import same
from thornback import ProtocolError, SerializationError, _native


def through(value: Any, language: str = "python") -> Any:
    return _native.decode(_native.encode(value, language, [])[0], [], False)


class Colour(enum.Enum):
    RED = 1


class Text(str): ...


@dataclasses.dataclass
class Row:
    x: int


Pair = collections.namedtuple("Pair", "left right")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (bytearray(b"ab"), b"ab"),
        (memoryview(b"ab"), b"ab"),
        (memoryview(b"abcd")[::2], b"ac"),
        (frozenset({1}), {1}),
        ({frozenset({1})}, {frozenset({1})}),
        ({frozenset({1}): 2}, {frozenset({1}): 2}),
        (np.float64(0.5), 0.5),
        (np.float32(0.5), 0.5),
        (np.float16(0.5), 0.5),
        (np.int8(-5), -5),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.bool_(True), True),
        (np.str_("x"), "x"),
        (collections.OrderedDict(a=1), {"a": 1}),
        (collections.defaultdict(int, a=1), {"a": 1}),
        (collections.Counter("aa"), {"a": 2}),
        (dt.datetime(2024, 1, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=2))),
         dt.datetime(2024, 1, 1, 10, tzinfo=dt.timezone.utc)),
        ({1: "a", "1": "b", (1, 2): "c", None: 0}, {1: "a", "1": "b", (1, 2): "c", None: 0}),
    ],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("language", ["python", "typescript", ""])
def test_becomes(value: Any, expected: Any, language: str) -> None:
    back = through(value, language)
    assert same(back, expected)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24).reshape(2, 3, 4)[:, ::2, 1:],
        np.arange(5000).reshape(50, 100).T,
        np.arange(5000)[::-1],
        np.arange(5000, dtype=">u2"),
        np.asfortranarray(np.arange(6000.0).reshape(60, 100)),
        np.zeros((3, 0, 2)),
        np.array(1 + 2j),
        np.array(7, dtype=">i8"),
        np.broadcast_to(np.float32(3), (100, 20)),
        np.array([True, False] * 400),
    ],
    ids=lambda a: f"{a.dtype}{a.shape}",
)
def test_arrays(array: np.ndarray[Any, Any]) -> None:
    back = through(array, "typescript")
    assert back.dtype == array.dtype.newbyteorder("<")
    assert back.shape == array.shape
    assert np.array_equal(back, array)
    assert not back.flags.writeable


@pytest.mark.parametrize(
    "value",
    [
        complex(1, 2),
        decimal.Decimal("1.5"),
        Colour.RED,
        Text("x"),
        Pair(1, 2),
        Row(3),
        range(3),
        dt.time(1, 2, tzinfo=dt.timezone.utc),
        np.array(["a", "b"]),
        np.array([1, None], dtype=object),
        np.array(["2024-01-01"], dtype="datetime64[D]"),
        np.datetime64("2024-01-01"),
        np.timedelta64(5, "s"),
        np.longdouble(1.5),
        np.complex64(1j),
    ],
    ids=repr,
)
def test_python_only(value: Any) -> None:
    back = through([value])[0]
    assert type(back) is type(value)
    assert np.array_equal(back, value) if isinstance(value, np.ndarray) else back == value
    with pytest.raises(SerializationError, match=r"value\['k'\]\[0\] cannot be sent: .*TypeScript"):
        _native.encode({"k": [value]}, "typescript", [])


def test_buffers_of_pickles_travel_out_of_band() -> None:
    array = np.arange(10_000, dtype=np.float64)
    blob, _ = _native.encode(Row(array), "python", [])  # pyright: ignore[reportArgumentType]
    assert blob[:4] == b"\xc1TB\x01"
    assert len(blob) < array.nbytes + 2000
    assert np.array_equal(_native.decode(blob, [], False).x, array)


@pytest.mark.parametrize("value", [threading.Lock(), (i for i in ()), [{"a": threading.Lock()}]])
def test_what_cannot_be_pickled_is_named(value: Any) -> None:
    with pytest.raises(SerializationError, match="cannot be pickled"):
        _native.encode(value, "python", [])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": ["\ud800"]}, r"value\['a'\]\[0\] .*surrogate"),
        ([2 ** (8 * 65535)], r"value\[0\] .*65535"),
        ({"k": {ValueError("x")}}, r"value\['k'\]"),
        ({ValueError("x"): 1}, r"value\[\?\]"),
    ],
    ids=["surrogate", "wide", "member", "key"],
)
def test_refused(value: Any, text: str) -> None:
    with pytest.raises(SerializationError, match=text):
        _native.encode(value, "python", [])


def test_depth() -> None:
    for make in (lambda v: [v], lambda v: (v,), lambda v: {"k": v}):
        value: Any = None
        for _ in range(500):
            value = make(value)
        assert through(value) == value
        with pytest.raises(SerializationError, match="deeper than 500"):
            _native.encode(make(value), "python", [])
    cycle: dict[str, Any] = {}
    cycle["me"] = [cycle]
    with pytest.raises(SerializationError, match=r"\['me'\]\[0\].*contains itself"):
        _native.encode(cycle, "python", [])


def test_containers_that_change_while_they_are_sent() -> None:
    items: list[Any] = [1, 2]

    class Shrinks:
        def __reduce__(self) -> Any:
            items.clear()
            return int, (1,)

    items.insert(0, Shrinks())
    with pytest.raises(SerializationError, match="changed"):
        _native.encode(items, "python", [])


SAMPLES: list[Any] = [
    {"a": [1, 2.5, None, True, "text"], "b": (1, {2, 3}), "c": b"x" * 5000},
    [np.arange(200), np.zeros((0, 3)), np.arange(10.0)],
    {"t": dt.datetime(2024, 1, 1), "d": dt.timedelta(seconds=5), "i": 2**100, (1, 2): -(2**70)},
    [ValueError("bad"), Row(1), dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc)],
]


def mutations(blob: bytes, chance: random.Random) -> bytes:
    out = bytearray(blob)
    for _ in range(chance.randint(1, 4)):
        kind = chance.randrange(4)
        position = chance.randrange(len(out)) if out else 0
        if kind == 0 and out:
            out[position] = chance.randrange(256)
        elif kind == 1:
            del out[position : position + chance.randint(1, 8)]
        elif kind == 2:
            out[position:position] = chance.randbytes(chance.randint(1, 8))
        else:
            out = out[: chance.randrange(len(out) + 1)]
    return bytes(out)


@pytest.mark.parametrize("seed", range(20))
def test_damaged_blobs_are_values_or_errors(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(400):
        sample = chance.choice(SAMPLES[:3])  # not pickles: those run code by design
        blob = mutations(_native.encode(sample, "python", [])[0], chance)
        for call in (False, True):
            try:
                _native.decode(blob, [], call)
            except (ProtocolError, SerializationError):
                pass


@pytest.mark.parametrize("seed", range(5))
def test_random_bytes_are_values_or_errors(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(3000):
        blob = chance.randbytes(chance.randint(0, 40))
        if 7 in blob:  # the extension of pickles
            continue
        try:
            _native.decode(blob, [], False)
        except (ProtocolError, SerializationError):
            pass


@pytest.mark.parametrize("seed", range(5))
def test_random_values_come_back(seed: int) -> None:
    chance = random.Random(seed)

    def make(depth: int) -> Any:
        kinds = 10 if depth > 0 else 7
        match chance.randrange(kinds):
            case 0:
                return chance.choice([None, True, False])
            case 1:
                return chance.randint(-(2 ** chance.randint(0, 90)), 2 ** chance.randint(0, 90))
            case 2:
                return chance.choice([0.5, -0.0, float("inf"), chance.random()])
            case 3:
                return "".join(chance.choices("aé漢🦈", k=chance.randint(0, 40)))
            case 4:
                return chance.randbytes(chance.choice([0, 3, 300, 5000]))
            case 5:
                dtype = chance.choice(["f4", "i8", "u1", "c16", "?"])
                return np.zeros(chance.randint(0, 300), dtype=dtype)
            case 6:
                return dt.timedelta(microseconds=chance.randint(-(10**15), 10**15))
            case 7:
                return [make(depth - 1) for _ in range(chance.randint(0, 20))]
            case 8:
                return tuple(make(depth - 1) for _ in range(chance.randint(0, 5)))
            case _:
                return {f"k{i}": make(depth - 1) for i in range(chance.randint(0, 20))}

    for _ in range(100):
        value = make(4)
        assert same(through(value, "typescript"), value)
