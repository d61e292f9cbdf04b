"""The one number that an answer holds: "9", "a 9, thanks", "nine out of ten", "9/10!!". Pure."""

from __future__ import annotations

import re
import unicodedata

from smsflow_plugin.audience.answers.words import (
    LEADING,
    NEGATING,
    ONES,
    ORDINARY,
    OUT_OF,
    POINTS,
    POLITE,
    UNITS,
    number_words,
)
from smsflow_plugin.audience.replies.folding import fold

#: No answer of so many words is read for a number that is written as a word.
_MOST_WORDS = 10
#: Letters before a number in which a "not" may stand.
_LOOK_BACK = 40
# neither half of a date, a time, a decimal, a word or "7/10"
_NUMBER = re.compile(r"(?<![\w.,:/-])(?<![:/]\s)-?\d{1,6}(?!\w)(?!\s*[:/]\s*\d)(?![.,]\d)")
_SPAN = re.compile(r"\d\s*[-‐-―−~]\s*\d")
_OUT_OF = "|".join(["/", *sorted(map(re.escape, OUT_OF), key=len, reverse=True)])
_SCALE = re.compile(rf"(?<![\w.,:/-])(\d{{1,6}})\s*(?:{_OUT_OF})\s*(\d{{1,6}})(?!\w|[.,:/-]\d|\s*[/:]\s*\d)")
_WORD_AFTER = re.compile(r"\s*([^\W\d_]+|[%‰°$€£])")
_MONEY_BEFORE = re.compile(r"[$€£]\s*$")
_EMOJI_DIGITS = str.maketrans({"\ufe0f": "", "\u20e3": "", "\u2044": "/", "🔟": " 10 "})
_STARS = frozenset("⭐★🌟")
_AROUND = POLITE | LEADING | POINTS | ONES | ORDINARY


def only_number(body: str, language: str = "", top: int | None = None) -> int | None:
    """Return the one whole number in ``body``; None if there is none, or more than one.

    ``language`` is the person's. ``top`` is the highest number that was asked for: "9/10" is 9 where that is 10,
    and nothing elsewhere. A number as a word counts only where it is the whole answer, give or take politeness.
    """
    text = unicodedata.normalize("NFKC", body.translate(_EMOJI_DIGITS)).translate(_EMOJI_DIGITS).casefold()
    stars = text.replace(" ", "")
    if stars and set(stars) <= _STARS:
        return len(stars)
    if any(character.isdigit() for character in text):
        return _in_digits(text, language, top)
    return _in_words(fold(text).split(), language, top)


def _in_digits(text: str, language: str, top: int | None) -> int | None:
    text = _SCALE.sub(lambda found: f"{found[1]} " if int(found[2]) == top else found[0], text)
    if _SPAN.search(text):
        return None
    found: set[int] = set()
    for match in _NUMBER.finditer(text):
        if _negated(text[max(0, match.start() - _LOOK_BACK) : match.start()]):
            return None
        if not _counts_something(text, match):
            found.add(int(match[0]))
    if len(found) != 1:
        return None
    number = found.pop()
    others = _said(fold(text).split(), language, top) - {number}
    return None if others else number


def _negated(before: str) -> bool:
    return bool(NEGATING & set(fold(before).split()[-2:]))


def _counts_something(text: str, match: re.Match[str]) -> bool:
    """Whether the number is one of days, dollars or percent, and so no answer."""
    after = _WORD_AFTER.match(text, match.end())
    unit = after is not None and (fold(after[1]) in UNITS or not after[1].isalpha())
    return unit or _MONEY_BEFORE.search(text[max(0, match.start() - 3) : match.start()]) is not None


def _said(words: list[str], language: str, top: int | None) -> set[int]:
    """Return the numbers that stand there as words and can mean nothing else."""
    return {number for word, number in _spelled(words, language, top) if word not in ORDINARY}


def _spelled(words: list[str], language: str, top: int | None) -> list[tuple[str, int]]:
    """Return the words that are numbers, with the top of the scale behind one left out."""
    known = number_words(language)
    found = []
    for place, word in enumerate(words):
        if word not in known:
            continue
        before = {" ".join(words[max(0, place - length) : place]) for length in (1, 2)}
        if known[word] == top and before & OUT_OF and place >= 2:
            continue
        found.append((word, known[word]))
    return found


def _in_words(words: list[str], language: str, top: int | None) -> int | None:
    if len(words) > _MOST_WORDS:
        return None
    words = re.sub(r"\bdix (sept|huit|neuf)\b", r"dix_\1", " ".join(words)).split()
    spelled = _spelled(words, language, top)
    known = number_words(language)
    if not spelled or any(word not in known and word not in _AROUND and word not in OUT_OF for word in words):
        rest = [word for word in words if word not in known and word not in _AROUND]
        if not spelled or " ".join(rest) not in OUT_OF:
            return None
    clear = {number for word, number in spelled if word not in ORDINARY}
    numbers = clear or {number for _word, number in spelled}
    return numbers.pop() if len(numbers) == 1 else None
