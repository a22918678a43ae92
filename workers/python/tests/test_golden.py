"""The codec against the golden bytes of the value format, both directions."""

from __future__ import annotations

from typing import Any

import pytest
from golden import build, cases, names, ref_table, same, unhex
from thornback import ProtocolError, _native

VALUES = [name for name in names() if name not in ("accepted", "malformed")]


def ids(case: dict[str, Any]) -> str:
    return case["name"]


def all_cases(*files: str) -> list[dict[str, Any]]:
    return [case for name in files for case in cases(name)]


@pytest.mark.parametrize("case", all_cases(*VALUES, "accepted"), ids=ids)
def test_reads(case: dict[str, Any]) -> None:
    refs = ref_table(case.get("refs", 0))
    if "arguments" in case["value"]:
        expected = case["value"]["arguments"]
        positional = [build(item, refs) for item in expected["positional"]]
        keywords = {name: build(item, refs) for name, item in expected["keywords"]}
        items, count, found = _native.decode(unhex(case["hex"]), refs, True)
        assert same(list(items[:count]), positional)
        assert same(dict(zip(found or (), items[count:], strict=True)), keywords)
        return
    seen = case.get("python", {}).get("as", case["value"])
    assert same(_native.decode(unhex(case["hex"]), refs, False), build(seen, refs))


@pytest.mark.parametrize("case", all_cases(*VALUES), ids=ids)
def test_writes(case: dict[str, Any]) -> None:
    rules = case.get("python", {})
    if rules.get("write") == "no" and "echo" not in rules:
        pytest.skip("Python writes no such bytes")
    refs = ref_table(case.get("refs", 0))
    if "arguments" in case["value"]:
        content = case["value"]["arguments"]
        positional = tuple(build(item, refs) for item in content["positional"])
        keywords = {name: build(item, refs) for name, item in content["keywords"]}
        assert _native.encode_call(positional, keywords, "python") == unhex(case["hex"])
        return
    value = build(rules.get("as", case["value"]), refs)
    blob, table = _native.encode(value, "python", refs)
    expected = unhex(rules.get("echo", case["hex"]))
    if rules.get("write") == "any-order":
        assert sorted(blob) == sorted(expected)
        assert same(_native.decode(blob, refs, False), value)
    else:
        assert blob == expected
    assert len(table) == len(refs)


@pytest.mark.parametrize("case", all_cases("malformed"), ids=ids)
@pytest.mark.parametrize("call", [False, True], ids=["value", "call"])
def test_refuses(case: dict[str, Any], call: bool) -> None:
    with pytest.raises(ProtocolError):
        _native.decode(unhex(case["hex"]), ref_table(case["refs"]), call)
