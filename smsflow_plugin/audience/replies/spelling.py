"""Puts words right that people type in a hurry, in anger or on purpose. Pure.

There is no edit distance: "shop", "step", "send" and "top" are one letter away from STOP. What people mistype often
stands in tables, and only one word is long enough to be measured.
"""

from __future__ import annotations

import re
from itertools import groupby

from smsflow_plugin.audience.replies.lexicon import Lexicon

_LEET = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "$": "s", "@": "a", "!": "i"})
_DISGUISED = re.compile(r"(?<![\w$@*])(?=[\w$@!*]*[^\W\d_])(?=[\w$@!*]*[\d$@!*])[\w$@!*]*[\w$@*](?![\w$@*])")
_STARRED = {
    "f*ck": "fuck", "f**k": "fuck", "f***": "fuck", "f*": "fuck", "f**": "fuck", "fu*k": "fuck", "fuc*": "fuck",
    "f*cking": "fucking", "f**king": "fucking", "f***ing": "fucking", "f*ing": "fucking", "f**ing": "fucking",
    "sh*t": "shit", "s**t": "shit", "b*tch": "bitch", "a**hole": "asshole", "st*p": "stop", "s*op": "stop",
    "sto*": "stop", "s**p": "stop", "*stop*": "stop", "*stop": "stop", "stop*": "stop",
}  # fmt: skip
_LONG = "unsubscribe"
#: Words that people write together with the next one: "stoptexting", "unsubscribeme".
_RUN_TOGETHER = ("unsubscribe", "please", "stop")


def undisguised(text: str, lexicon: Lexicon) -> str:
    """Return ``text`` (in lower case) with "st0p", "$top" and "f**k" as the words that they stand for."""

    def plain(match: re.Match[str]) -> str:
        word = match.group()
        if word in _STARRED:
            return _STARRED[word]
        letters = word.translate(_LEET)
        known = letters in lexicon.vocabulary and not letters.isdigit()
        return letters if known and len(letters) > 2 else word

    return _DISGUISED.sub(plain, text)


def corrected(words: list[str], lexicon: Lexicon) -> list[str]:
    """Return the words as they were meant: typing mistakes put right, letters joined that were spaced out."""
    return [right for word in _joined(words, lexicon) for right in _correct(word, lexicon).split()]


def _joined(words: list[str], lexicon: Lexicon) -> list[str]:
    """S T O P, however it is spaced out."""
    joined: list[str] = []
    for single, group in groupby(words, key=lambda word: len(word) == 1):
        run = list(group)
        whole = "".join(run)
        if single and len(run) > 2:
            joined += _split(whole, lexicon) or run
        else:
            joined += run
    return joined


def _split(letters: str, lexicon: Lexicon) -> list[str]:
    """Return the known words that ``letters`` are, from left to right: "stopit", "stopstop"."""
    if letters in lexicon.vocabulary or letters in lexicon.typos:
        return [letters]
    for end in range(min(len(letters), 14), 3, -1):
        if letters[:end] in lexicon.messages:
            rest = letters[end:]
            following = _split(rest, lexicon) if rest else []
            if following or not rest:
                return [letters[:end], *following]
    return []


def _correct(word: str, lexicon: Lexicon) -> str:
    if lexicon.typos.get(word) == _LONG:
        return _LONG
    if word in lexicon.vocabulary:
        return word
    if word in lexicon.typos:
        return lexicon.typos[word]
    for times in (2, 1):
        short = re.sub(r"(\w)\1{2,}", lambda match, times=times: match.group(1) * times, word)  # type: ignore[misc]
        if short != word and short in lexicon.vocabulary:
            return short
        if short != word and short in lexicon.typos:
            return lexicon.typos[short]
    if word.endswith("in") and f"{word}g" in lexicon.vocabulary:
        return f"{word}g"  # blowin, textin
    for head in _RUN_TOGETHER:
        if word.startswith(head) and len(word) > len(head) + 1 and word[len(head) :] in lexicon.vocabulary:
            return f"{head} {word[len(head) :]}"
    if _nearly_unsubscribe(word):
        return _LONG
    return word


def _nearly_unsubscribe(word: str) -> bool:
    """Whether a long word is UNSUBSCRIBE with at most two mistakes. "Subscribe" begins otherwise."""
    if not 8 <= len(word) <= 14 or word[0] not in "un" or word.endswith(("ed", "er", "ers")):
        return False
    return _distance(word, _LONG) <= 2


def _distance(one: str, other: str) -> int:
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]
