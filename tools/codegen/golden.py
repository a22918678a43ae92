"""Writes the golden vectors of the value format (`--check` only compares)."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from golden_cases import FILES
from golden_raw import accepted, malformed
from golden_writer import Writer, compact_hex

FOLDER = Path(__file__).parents[2] / "test" / "conformance" / "golden" / "v1"


def with_bytes(case: dict[str, Any]) -> dict[str, Any]:
    """Adds the blob of a case, and what a language that sees another value would send back."""
    out = {
        "name": case["name"],
        "value": case["value"],
        "hex": compact_hex(Writer().blob(case["value"])),
    }
    out.update({key: item for key, item in case.items() if key not in out})
    for language in ("typescript", "python"):
        seen = case.get(language, {}).get("as")
        if seen is not None:
            out[language] = {**case[language], "echo": compact_hex(Writer().blob(seen))}
    return out


def document(cases: list[dict[str, Any]]) -> str:
    names = [case["name"] for case in cases]
    assert len(names) == len(set(names)), "two cases share a name"
    rows = ",\n".join("  " + json.dumps(case, ensure_ascii=False) for case in cases)
    return f'{{"format": 1, "cases": [\n{rows}\n]}}\n'


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="fail if a committed file differs, write nothing"
    )
    check = parser.parse_args().check
    documents = {
        name: document([with_bytes(case) for case in make()]) for name, make in FILES.items()
    }
    documents |= {"accepted": document(accepted()), "malformed": document(malformed())}
    FOLDER.mkdir(parents=True, exist_ok=True)
    stale = []
    for name, text in documents.items():
        path = FOLDER / f"{name}.json"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
            if not check:
                path.write_text(text, encoding="utf-8")
    if check and stale:
        print(f"stale: {', '.join(stale)}; run: python3 tools/codegen/golden.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
