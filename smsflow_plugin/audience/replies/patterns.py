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

_TOKEN = re.compile(r"\s*(\.{2,3}|[\^$!|()?]|\{\w+\}|(?<=[)}])[\d+]|[^\s|(){}?^$!]+)")


_TIMES = {"?": "?", "+": "{1,3}", **{str(times): f"{{0,{times}}}" for times in range(1, 10)}}


class BadPattern(ValueError):
    """A word list says something that cannot be read."""


def compile_pattern(pattern: str, names: Mapping[str, str]) -> str:
    """Return the regular expression for clauses that are written as "/ word word / word / "."""
    tokens = _TOKEN.findall(f"({pattern})")
    expression, rest = _sequence(tokens, names)
    if rest:
        raise BadPattern(f"“{pattern}” closes a bracket that it has not opened.")
    return expression


def _sequence(tokens: list[str], names: Mapping[str, str]) -> tuple[str, list[str]]:
    parts: list[str] = []
    while tokens and tokens[0] not in ("|", ")"):
        token, tokens = tokens[0], tokens[1:]
        if token == "!":
            item, tokens = _item(tokens[0], tokens[1:], names)
            parts.append(rf"(?!(?:\w+ ){{0,2}}{item})")
        elif token in _TIMES:
            parts[-1] = f"(?:{parts[-1]}){_TIMES[token]}"
        else:
            item, tokens = _item(token, tokens, names)
            parts.append(item)
    return "".join(parts), tokens


def _item(token: str, tokens: list[str], names: Mapping[str, str]) -> tuple[str, list[str]]:
    if token == "(":
        ways = []
        while True:
            way, tokens = _sequence(tokens, names)
            ways.append(way)
            if not tokens:
                raise BadPattern("A bracket is not closed.")
            closed, tokens = tokens[0] == ")", tokens[1:]
            if closed:
                return f"(?:{'|'.join(ways)})", tokens
    if token.startswith("{"):
        return f"(?:{names[token[1:-1]]})", tokens
    marks = {"..": r"(?:\w+ )?", "...": r"(?:\w+ ){0,3}?", "^": "(?<=/ )", "$": "(?=/)"}
    return marks.get(token) or _word(token), tokens


def _word(token: str) -> str:
    stem = token.endswith("*")
    words = spoken(token.rstrip("*"))
    if not words:
        raise BadPattern(f"“{token}” has no letters.")
    return " ".join(map(re.escape, words)) + (r"\w* " if stem else " ")
