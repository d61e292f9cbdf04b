"""A second opinion on what the rules leave: does it sound like an opt-out? Pure.

``learned.txt`` holds what each trait of a text (its words, rows of two and three words, the kinds of words of
``grammar.py`` in a row, a question mark …) weighs for an opt-out, as tools/train_replies.py learnt it from the labelled
sets. The score is the sum of the weights. It is linear, so that ``because`` can name the words that weighed most.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from smsflow_plugin.audience.replies.lexicon import Lexicon

_BIAS = "bias"
#: Traits of a text of this many count in full; of a longer one less, so that length alone proves nothing.
_FULL = 20
#: Words that are looked at: whoever wants no more texts says so early.
_MOST_WORDS = 120
_STEM = 4
_DIGIT = re.compile(r"\d")
#: How many traits ``because`` names.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Sound:
    """How much a text sounds like an opt-out, in log odds, and the words that weighed most."""

    score: float
    words: str


def sound(parts: Sequence[Sequence[str]], plain: str, words: Lexicon) -> Sound:
    """Weigh a text. ``parts``: its clauses in folded words; ``plain``: the text in lower case."""
    found = traits(parts, plain, words)
    known = weights()
    weighed = [(known[trait], trait) for trait in found if trait in known]
    score = known.get(_BIAS, 0.0) + scale(len(found)) * math.fsum(weight for weight, _trait in weighed)
    most = sorted(
        (-weight, trait) for weight, trait in weighed if weight > 0 and trait[0] not in "#!<" and "*" not in trait
    )
    return Sound(score, ", ".join(trait.removesuffix(" >") for _weight, trait in most[:_NAMED]))


def scale(count: int) -> float:
    return 1 / math.sqrt(max(1.0, count / _FULL))


def traits(parts: Sequence[Sequence[str]], plain: str, words: Lexicon) -> list[str]:
    """Return what can weigh: words, ``stem*``, ``two words``, ``a _ gap``, ``#`` kinds of words, ``!`` signs."""
    short = _first(parts)
    found: set[str] = set()
    for part in short:
        found.update(part)
        found.update(word[:_STEM] + "*" for word in part if len(word) > _STEM)
        row = ["<", *part, ">"]
        found.update(" ".join(row[at : at + 2]) for at in range(len(row) - 1))
        for at in range(len(row) - 2):
            found.add(" ".join(row[at : at + 3]))
            found.add(f"{row[at]} _ {row[at + 2]}")
    for kinds in _kinds(short, words):
        row = ["<", *kinds, ">"]
        for length in (1, 2, 3):
            found.update("#" + "".join(row[at : at + length]) for at in range(len(row) - length + 1))
    return sorted(found | _signs(short, plain, words))


def _first(parts: Sequence[Sequence[str]]) -> list[list[str]]:
    left = _MOST_WORDS
    short: list[list[str]] = []
    for part in parts:
        if left <= 0:
            break
        short.append(list(part[:left]))
        left -= len(part)
    return short


def _kinds(parts: Sequence[Sequence[str]], words: Lexicon) -> list[list[str]]:
    """Return the kinds of words of each clause, in the language that knows most of them; light words left out."""
    ways = ([language.tag(part, words.vocabulary) for part in parts] for language in words.grammar)
    tagged = min(ways, key=lambda tags: sum(letters == "x" for tag in tags for letters, _length in tag))
    return [[min(set(letters) - {"f"}, default="f") for letters, _length in tag if letters != "f"] for tag in tagged]


def _signs(parts: Sequence[Sequence[str]], plain: str, words: Lexicon) -> set[str]:
    count = sum(map(len, parts))
    marked = "/ " + "".join(" ".join(part) + " / " for part in parts)
    signs = {
        "!question": "?" in plain or "？" in plain,
        "!digits": _DIGIT.search(plain) is not None,
        "!no first": bool(parts) and parts[0][0] in words.no,
        "!keyword": words.strong.search(marked) is not None,
    }
    return {f"!length {min(5, count.bit_length())}", *(sign for sign, there in signs.items() if there)}


@cache
def weights() -> Mapping[str, float]:
    """Read the weights, once in a process, and only where a reply is read."""
    text = files("smsflow_plugin.audience.replies").joinpath("learned.txt").read_text("utf-8")
    rows = (line.rpartition("\t") for line in text.splitlines() if not line.startswith("//"))
    return {trait: int(weight) / 100 for trait, _tab, weight in rows}
