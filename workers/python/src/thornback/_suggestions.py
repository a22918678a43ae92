"""What exists, for messages about what does not."""

from __future__ import annotations

from collections.abc import Iterable

SHOWN_MAX = 12


def listing(wanted: str, available: Iterable[str]) -> str:
    """'did you mean a, b?' for close matches, otherwise what there is."""
    import difflib

    names = sorted(available)
    close = difflib.get_close_matches(wanted, names, n=3)
    if close:
        return f"did you mean {' or '.join(close)}?"
    if not names:
        return "there is none at all"
    more = f" and {len(names) - SHOWN_MAX} more" if len(names) > SHOWN_MAX else ""
    return f"there are {', '.join(names[:SHOWN_MAX])}{more}"
