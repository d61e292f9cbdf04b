"""Finds web addresses in copy that stand side by side without a blank: together they lead nowhere. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: What prints a value, by the name of the value.
OUTPUT = re.compile(r"\{\{-?\s*([^|}\s]+)[^}]*?\}\}", re.DOTALL)
#: Names whose values are addresses.
LINK_NAME = re.compile(r"(?:^|[._])(?:url|link|[a-z]*_url)$")

# tags, blanks, brackets and quotation marks end an address
_RUN = re.compile(r"(?:\{\{.*?\}\}|(?!\{%)[^\s<>\"'“”()\[\]|])+", re.DOTALL)
_TAG = re.compile(r"\{%.*?%\}", re.DOTALL)
_START = re.compile(r"\{\{.*?\}\}|https?://", re.DOTALL | re.IGNORECASE)


def stuck_addresses(source: str) -> Iterator[tuple[int, str]]:
    """Return where the second of two such addresses begins, and the words of both."""
    plain = _TAG.sub(lambda found: " " * len(found[0]), source)
    for run in _RUN.finditer(plain):
        starts = [found.start() for found in _START.finditer(run[0]) if _is_address(found[0])]
        for at in starts[1:]:
            # an address that is handed to another as a value: https://shop.example/?next=https://…
            if run[0][at - 1] != "=":
                yield run.start() + at, run[0]
                break


def _is_address(piece: str) -> bool:
    named = OUTPUT.fullmatch(piece)
    return LINK_NAME.search(named[1]) is not None if named else not piece.startswith("{{")
