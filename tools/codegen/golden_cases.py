"""The values of the golden vectors, in the tagged notation of test/conformance/golden/README.md."""

from __future__ import annotations

from typing import Any

from golden_arrays import arrays
from golden_values import Case, case, integer, text


def scalars() -> list[Case]:
    edges = [
        0,
        1,
        127,
        128,
        255,
        256,
        65535,
        65536,
        2**31 - 1,
        2**31,
        2**32 - 1,
        2**32,
        2**53 - 1,
        2**53,
        2**53 + 1,
    ]
    edges += [
        2**63 - 1,
        2**63,
        2**64 - 1,
        2**64,
        2**71 - 1,
        2**71,
        2**127 - 1,
        2**127,
        2**200,
        10**100,
    ]
    negative = [
        -1,
        -32,
        -33,
        -128,
        -129,
        -32768,
        -32769,
        -(2**31),
        -(2**31) - 1,
        -(2**53) + 1,
        -(2**53),
        -(2**53) - 1,
    ]
    negative += [
        -(2**63),
        -(2**63) - 1,
        -(2**64),
        -(2**71),
        -(2**71) - 1,
        -(2**127),
        -(2**127) - 1,
        -(10**100),
    ]
    cases = [
        case("null", {"null": None}),
        case("false", {"bool": False}),
        case("true", {"bool": True}),
    ]
    cases += [case(f"int {value}", integer(value)) for value in edges + negative]
    floats = [
        "0.5",
        "-0.0",
        "nan",
        "inf",
        "-inf",
        "3.141592653589793",
        "5e-324",
        "2.2250738585072014e-308",
        "-0.1",
    ]
    floats += ["1.7976931348623157e+308", "9007199254740992.0", "1e+21"]
    cases += [case(f"float {value}", {"float": value}) for value in floats]
    for value in (1, 0, -3, 2**53 - 1):
        # JavaScript has one number type, and its whole numbers are written as integers.
        seen = {"as": integer(value), "write": "no"}
        cases.append(case(f"whole float {value}", {"float": f"{value}.0"}, typescript=seen))
    return cases


def text_and_bytes() -> list[Case]:
    strings = {
        "empty": "",
        "ascii": "abc",
        "latin": "naïve café",
        "greek": "Ωμέγα",
        "cjk": "漢字かな",
        "emoji": "🦈👩‍🔬",
        "nul inside": "a\0b",
        "escapes": '"\\\n\t\u2028',
        "byte order mark": "\ufeffx",
        "last scalar": "\U0010ffff",
    }
    cases = [case(f"str {name}", text(value)) for name, value in strings.items()]
    cases += [
        case(f"str {count} bytes", {"str": {"repeat": "a", "count": count}})
        for count in (31, 32, 255, 256, 65535, 65536)
    ]
    cases.append(case("str long unicode", {"str": {"repeat": "é漢🦈", "count": 64}}))
    cases += [
        case("bytes empty", {"bytes": ""}),
        case("bytes each value", {"bytes": bytes(range(256)).hex()}),
    ]
    for count in (1, 255, 256, 4095, 4096):
        cases.append(case(f"bytes {count} inline", {"bytes": f"a5*{count}"}))
    for count in (4097, 8192, 65537):
        cases.append(case(f"bytes {count} out of band", {"bytes": f"5a*{count}"}))
    both = {"list": [{"bytes": "01*4097"}, {"bytes": "02*16"}, {"bytes": "03*5000"}]}
    cases.append(case("bytes two out of band, one inline", both))
    return cases


def containers() -> list[Case]:
    one, two, letter = integer(1), integer(2), text("a")
    cases = [
        case("list empty", {"list": []}),
        case("list mixed", {"list": [one, letter, {"null": None}, {"bool": True}]}),
    ]
    cases += [
        case(f"list {count}", {"list": {"repeat": integer(7), "count": count}})
        for count in (15, 16, 65535, 65536)
    ]
    cases += [case("map empty", {"map": []}), case("map one", {"map": [[letter, one]]})]
    for count in (15, 16):
        cases.append(
            case(f"map {count}", {"map": [[text(f"k{i}"), integer(i)] for i in range(count)]})
        )
    cases.append(
        case(
            "map __proto__ key",
            {"map": [[text("__proto__"), {"map": [[text("x"), one]]}], [letter, two]]},
        )
    )
    cases.append(
        case("map empty and unicode keys", {"map": [[text(""), one], [text("ключ"), two]]})
    )
    keys = [
        one,
        {"float": "0.5"},
        {"bytes": "00ff"},
        integer(2**64),
        {"null": None},
        {"bool": True},
    ]
    for key in keys:
        kind = next(iter(key))
        cases.append(case(f"map {kind} {key[kind]} key", {"map": [[key, letter]]}))
    cases.append(case("map tuple key", {"map": [[{"tuple": [one, letter]}, two]]}))
    cases.append(case("map mixed keys", {"map": [[one, letter], [letter, one]]}))
    cases += [case("set empty", {"set": []}), case("set one", {"set": [one]})]
    many = {"set": [one, letter, {"null": None}, {"float": "2.5"}]}
    cases.append(case("set many", many, python={"write": "any-order"}))
    cases.append(case("set of tuples", {"set": [{"tuple": [one, two]}]}))
    cases += [case("tuple empty", {"tuple": []}), case("tuple one", {"tuple": [one]})]
    for count in (3, 7, 15, 16):  # bodies of 4, 8, 16 bytes have the fixext form, 19 bytes has not
        cases.append(case(f"tuple {count}", {"tuple": [one] * count}))
    for size in (242, 252, 253, 65533):  # around the limits of ext 8 and ext 16
        value = {"tuple": [{"str": {"repeat": "t", "count": size}}]}
        cases.append(case(f"tuple of a string of {size}", value))
    nested = {
        "map": [
            [
                text("rows"),
                {"list": [{"tuple": [one, {"set": [letter]}]}, {"map": [[letter, {"list": []}]]}]},
            ]
        ]
    }
    cases.append(case("nested containers", nested))
    cases.append(case("list nested 500 deep", {"nested_lists": 500}))
    return cases


def truncated(seconds: int, nanoseconds: int, unit: int) -> Any:
    return {
        "as": {"instant": {"seconds": str(seconds), "nanoseconds": nanoseconds // unit * unit}},
        "write": "no",
    }


def times() -> list[Case]:
    moments = {
        "epoch": (0, 0),
        "32-bit end": (2**32 - 1, 0),
        "past 32 bits": (2**32, 0),
        "millisecond": (1700000000, 123000000),
        "34-bit end": (2**34 - 1, 999000000),
        "past 34 bits": (2**34, 0),
        "before epoch": (-1, 0),
        "half before epoch": (-1, 500000000),
        "year 1": (-62135596800, 0),
        "year 9999": (253402300799, 0),
    }
    cases = []
    for name, (seconds, nanoseconds) in moments.items():
        cases.append(
            case(
                f"instant {name}",
                {"instant": {"seconds": str(seconds), "nanoseconds": nanoseconds}},
            )
        )
    for seconds, nanoseconds in ((1700000000, 123456000), (-5, 1000), (1700000000, 123456789)):
        rules = {"typescript": truncated(seconds, nanoseconds, 1_000_000)}
        if nanoseconds % 1000:
            rules["python"] = truncated(seconds, nanoseconds, 1_000)
        value = {"instant": {"seconds": str(seconds), "nanoseconds": nanoseconds}}
        cases.append(case(f"instant {seconds} and {nanoseconds} ns", value, **rules))
    texts = {
        "datetime": ["2024-02-29T12:34:56", "2024-02-29T12:34:56.000001", "0001-01-01T00:00:00"],
        "date": ["2024-02-29", "9999-12-31"],
        "time": ["00:00:00", "23:59:59.999999"],
        "duration": ["PT0S", "PT1.500000S", "-PT0.000001S", "PT86400S", "-PT90061.250000S"],
    }
    for kind, values in texts.items():
        cases += [case(f"{kind} {value}", {kind: value}) for value in values]
    finer = {"as": {"time": "01:02:03.123456"}, "write": "no"}
    cases.append(case("time with nanoseconds", {"time": "01:02:03.123456789"}, python=finer))
    return cases


ACTOR = {
    "id": "000102030405060708090a0b0c0d0e0f",
    "language": "python",
    "class": "counters:Counter",
    "methods": ["add", "get"],
}


def references() -> list[Case]:
    anonymous = {**ACTOR, "language": "typescript", "class": "./web.ts:Größe", "methods": None}
    many = [{"ref": index} for index in range(20)]
    return [
        case("ref", {"ref": 0}, refs=1),
        case("refs", {"list": many}, refs=20),
        case("ref inside", {"map": [[text("x"), {"list": [{"tuple": [{"ref": 0}]}]}]]}, refs=1),
        case("actor", {"actor": ACTOR}),
        case("actor without methods", {"actor": anonymous}),
        case("actor inside", {"list": [{"map": [[text("a"), {"actor": ACTOR}]]}]}),
        case(
            "call arguments",
            {
                "arguments": {
                    "positional": [integer(1), text("a")],
                    "keywords": [["warm", {"bool": True}]],
                }
            },
        ),
        case(
            "call keywords only",
            {"arguments": {"positional": [], "keywords": [["a", integer(1)], ["b", {"ref": 0}]]}},
            refs=1,
        ),
        case(
            "call plain arguments",
            {"list": [integer(1), text("a"), {"map": [[text("warm"), {"bool": True}]]}]},
        ),
        # pickle.dumps(complex(1, 2), protocol=5). Writers differ: only reading is checked.
        case(
            "python object",
            {
                "python_object": [
                    "8005952e000000000000008c086275696c74696e73948c07636f6d706c657894939447"
                    "3ff0000000000000474000000000000000869452942e"
                ]
            },
            typescript={"read": "refused", "write": "no"},
            python={"write": "no"},
        ),
    ]


def errors() -> list[Case]:
    trace = (
        'Traceback (most recent call last):\n  File "scoring.py", line 3, in score\n'
        '    raise ValueError("bad")\nValueError: bad\n'
    )
    value = {
        "code": "REMOTE_ERROR",
        "name": "ValueError",
        "message": "bad",
        "stack": trace,
        "language": "python",
    }
    key = {
        "code": "REMOTE_ERROR",
        "name": "KeyError",
        "message": "'x'",
        "stack": "KeyError: 'x'\n",
        "language": "python",
    }
    script = {
        "code": "REMOTE_ERROR",
        "name": "TypeError",
        "message": "x is not a function",
        "language": "typescript",
        "stack": "TypeError: x is not a function\n    at score (scoring.ts:3:9)",
    }
    dead = {
        "code": "ACTOR_DIED",
        "name": "ActorDiedError",
        "message": "actor counters:Counter died: killed by SIGKILL",
        "language": "engine",
        "data": {"map": [[text("signal"), integer(9)]]},
    }
    return [
        case("error", {"error": value}),
        case("error with cause", {"error": {**value, "cause": {"error": key}}}),
        case(
            "error with cause from another language",
            {"error": {**value, "cause": {"error": {**script, "cause": {"error": key}}}}},
        ),
        case("error of the engine", {"error": dead}),
        case("error bare", {"error": {"code": "REMOTE_ERROR", "name": "Error", "message": ""}}),
        case("error as a value", {"list": [{"error": key}, integer(1)]}),
    ]


FILES = {
    "scalars": scalars,
    "text-and-bytes": text_and_bytes,
    "containers": containers,
    "times": times,
    "arrays": arrays,
    "references": references,
    "errors": errors,
}
