r"""The little language in which the word lists say what people write. Pure.

Words are folded, so that they may be written as people spell them. Around them:

==============  ===========================================================
``word*``       any word that begins so
``(a|b c)``     one of these
``{name}``      one of the words of this name in the same file
``x?``          perhaps (after a group, a name or a word)
``(…)3``        up to three times, also with ``{name}``
``(…)+``        once to three times
``..`` ``...``  up to one word, up to three words
``^`` ``$``     the clause begins, or ends, here
``!(…)``        but none of these within the next three words
==============  ===========================================================

Gaps are short and end with the clause, so that reading stays linear.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from smsflow_plugin.audience.replies.folding import spoken

_MARKS = re.compile(r"\s*(\.{2,3}|[\^$!|()?]|\{\w+\}|(?<=[)}])[\d+]|[^\s|(){}?^$!]+)")


_TIMES = {"?": "?", "+": "{1,3}", **{str(times): f"{{0,{times}}}" for times in range(1, 10)}}


class BadPattern(ValueError):
    """A word list says something that cannot be read."""


def compile_pattern(pattern: str, names: Mapping[str, str]) -> str:
    """Return the regular expression for clauses that are written as "/ word word / word / "."""
    left = _MARKS.findall(f"({pattern})")
    expression, rest = _sequence(left, names)
    if rest:
        raise BadPattern(f"“{pattern}” closes a bracket that it has not opened.")
    return expression


def _sequence(left: list[str], names: Mapping[str, str]) -> tuple[str, list[str]]:
    parts: list[str] = []
    while left and left[0] not in ("|", ")"):
        mark, left = left[0], left[1:]
        if mark == "!":
            item, left = _item(left[0], left[1:], names)
            parts.append(rf"(?!(?:\w+ ){{0,2}}{item})")
        elif mark in _TIMES:
            parts[-1] = f"(?:{parts[-1]}){_TIMES[mark]}"
        else:
            item, left = _item(mark, left, names)
            parts.append(item)
    return "".join(parts), left


def _item(mark: str, left: list[str], names: Mapping[str, str]) -> tuple[str, list[str]]:
    if mark == "(":
        ways = []
        while True:
            way, left = _sequence(left, names)
            ways.append(way)
            if not left:
                raise BadPattern("A bracket is not closed.")
            closed, left = left[0] == ")", left[1:]
            if closed:
                return f"(?:{'|'.join(ways)})", left
    if mark.startswith("{"):
        return f"(?:{names[mark[1:-1]]})", left
    marks = {"..": r"(?:\w+ )?", "...": r"(?:\w+ ){0,3}?", "^": "(?<=/ )", "$": "(?=/)"}
    return marks.get(mark) or _word(mark), left


def _word(mark: str) -> str:
    stem = mark.endswith("*")
    words = spoken(mark.rstrip("*"))
    if not words:
        raise BadPattern(f"“{mark}” has no letters.")
    return " ".join(map(re.escape, words)) + (r"\w* " if stem else " ")
