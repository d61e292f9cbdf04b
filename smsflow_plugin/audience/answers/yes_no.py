"""Whether an answer is a yes or a no, in the words of several languages. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smsflow_plugin.audience.answers.words import (
    ALL_NO,
    ALL_YES,
    LEADING,
    NEGATING,
    NEITHER,
    NO,
    POLITE,
    THUMBS_DOWN,
    THUMBS_UP,
    UNSURE,
    YES,
    phrases,
)
from smsflow_plugin.audience.opt_in_words import says_yes
from smsflow_plugin.audience.replies.folding import fold

#: Longer answers than this say more than yes or no.
_MOST_WORDS = 12
_PLAIN_YES, _PLAIN_NO = phrases("yes|ja|si|oui"), phrases("no|nej|nein|non")
_ENDS = re.compile(r"[.!?,;:\n\r…¡¿]+|\s[-–—]+\s")
_REPEATED = re.compile(r"(\w)\1{2,}")
#: Skin colours, joiners and variants of emoji.
_SHADES = re.compile("[\U0001f3fb-\U0001f3ff\ufe0f\u200d\\s]")


def yes_or_no(body: str) -> bool | None:
    """Return True for a yes, False for a no, None for neither and for both."""
    words = squeezed(body)
    signs = _signs(body)
    if not words:
        return signs
    if len(words) > _MOST_WORDS or _begins(words, NEITHER):
        return None
    for way in _ways(words):
        if way in ALL_NO:
            return False
        if way in ALL_YES:
            return True
    yes, no = YES & set(words), NO & set(words)
    if not yes and not no:
        return None if NEGATING & set(words) or UNSURE & set(words) or "?" in body else signs
    if (yes and no) or UNSURE & set(words) or (yes and NEGATING & set(words)):
        return None
    if "?" in body and len(words) > 1 and not _only(squeezed(_first_clause(body)), YES | NO):
        return None
    return bool(yes) if _stands_out(words, yes | no) else None


def agrees(body: str) -> bool:
    """Return whether ``body`` as a whole is a yes without conditions: what agreement to texts takes."""
    return says_yes(body) and yes_or_no(body) is not False


def is_yes(word: str) -> bool:
    """Return whether a word of a menu is a plain yes."""
    return fold(word) in _PLAIN_YES


def is_no(word: str) -> bool:
    return fold(word) in _PLAIN_NO


def squeezed(body: str) -> list[str]:
    """Return the folded words of ``body``, with "yesss" and "neeej" as the words that they are."""
    return [_REPEATED.sub(r"\1", word) for word in fold(body).split()]


def _signs(body: str) -> bool | None:
    """Return what thumbs and the like say, None if there are none or if they contradict each other."""
    signs = set(_SHADES.sub("", body))
    up, down = bool(signs & THUMBS_UP), bool(signs & THUMBS_DOWN)
    return up if up != down else None


def _ways(words: list[str]) -> Iterator[str]:
    """Yield the answer as a whole: as it is, without repetitions, without politeness."""
    bare = [word for word in words if word not in POLITE]
    for some in (words, list(dict.fromkeys(words)), bare, list(dict.fromkeys(bare))):
        if some:
            yield " ".join(some)


def _begins(words: list[str], wanted: frozenset[str]) -> bool:
    bare = " ".join(word for word in words if word not in POLITE)
    return any(bare == phrase or bare.startswith(f"{phrase} ") for phrase in wanted)


def _only(words: list[str], wanted: frozenset[str]) -> bool:
    return bool(words) and set(words) <= wanted | POLITE and bool(set(words) & wanted)


def _first_clause(body: str) -> str:
    return next((part for part in _ENDS.split(body) if fold(part)), "")


def _stands_out(words: list[str], hits: frozenset[str]) -> bool:
    """Whether the yes or no is the first thing that is said, or the last, or nearly all."""
    bare = [word for word in words if word not in POLITE and word not in LEADING] or words
    return bare[0] in hits or words[-1] in hits or words[0] in hits
