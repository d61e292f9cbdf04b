"""Reads revocations from what kinds of words stand together, so that not every wording has to be listed. Pure.

Every word gets the classes that its language's book gives it under ``[classes]`` (to end, to write, a text, me, a
number, a list, not, any more …). A *frame* is a row of classes with nothing but light words between them: "end … a
text" is “stop all of those silly messages” as well as “hört auf mit dem SMS-Kram”. All words of a frame belong to one
language. The work is linear: a look-up for each word, and frames whose gaps are short.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from smsflow_plugin.audience.replies.folding import spoken

#: The classes, by their names in the books. The letters are what frames are written in.
LETTERS = {
    "end": "E",  # to stop doing something
    "write": "S",  # to text or bother somebody
    "send": "T",  # to send something
    "texts": "C",  # what is sent
    "not": "N",
    "more": "A",  # more, again, any longer
    "will": "W",  # to want, to allow
    "get": "G",  # to receive, as an infinitive
    "remove": "R",
    "take": "K",  # to take (off)
    "off": "O",
    "me": "I",
    "number": "P",
    "list": "L",
    "consent": "B",
    "revoke": "V",
    "these": "Z",  # this, anything, stuff
    "you": "U",
    "about": "D",  # what shops are written to about: orders, sizes, returns
    "hold": "H",  # until, before, yet: not now is not never
    "join": "J",  # to subscribe, to ask for
    "add": "Y",  # to put (on a list)
    "use": "F",  # to use or share (a number)
    "but": "M",  # what comes after it is another matter
    "asks": "Q",  # does, if, what happens: a question about opting out
    "light": "f",
}
#: These may stand between the words that count.
_LIGHT = "ZUIAf"
_UNKNOWN = "x"
#: No class word is longer, in words.
_LONGEST_ENTRY = 4
#: Shorter words have too many neighbours to be measured.
_SHORTEST_MISTYPED = 6

Tags = list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of one language's words, and of the beginnings of words that end in many ways."""

    words: Mapping[str, str]
    stems: Mapping[str, str]
    near: Mapping[str, str]

    def tag(self, clause: Sequence[str], known: frozenset[str]) -> Tags:
        """Return the letters of each word or idiom of ``clause``, and how many words it is long."""
        tags: Tags = []
        at = 0
        while at < len(clause):
            length, letters = self._entry(clause, at, known)
            tags.append((letters, length))
            at += length
        return tags

    def _entry(self, clause: Sequence[str], at: int, known: frozenset[str]) -> tuple[int, str]:
        for length in range(min(_LONGEST_ENTRY, len(clause) - at), 0, -1):
            if letters := self.words.get(" ".join(clause[at : at + length])):
                return length, letters
        word = clause[at]
        for end in range(len(word), 3, -1):
            if letters := self.stems.get(word[:end]):
                return 1, letters
        if len(word) >= _SHORTEST_MISTYPED and word not in known:
            for form in (word, *_one_letter_less(word)):
                if letters := self.near.get(form) or (len(form) >= _SHORTEST_MISTYPED and self.words.get(form)):
                    return 1, letters
        return 1, _UNKNOWN


def classes(entries: Mapping[str, str], not_mistyped: frozenset[str]) -> Classes:
    """Read a book's ``[classes]``: words by class, ``_`` for a space inside of an idiom, ``*`` for any ending."""
    words: dict[str, str] = {}
    stems: dict[str, str] = {}
    for name, text in entries.items():
        for entry in text.split():
            plain = " ".join(spoken(entry.rstrip("*")))
            into = stems if entry.endswith("*") else words
            into[plain] = into.get(plain, "") + LETTERS[name]
    near: dict[str, str] = {}
    for word, letters in words.items():
        if len(word) >= _SHORTEST_MISTYPED and " " not in word and letters not in ("f", "D", "Q", "H"):
            for form in (word, *_one_letter_less(word)):
                if form not in words and form not in not_mistyped:
                    near.setdefault(form, letters)
    for form in not_mistyped:
        words.setdefault(form, _UNKNOWN)
    return Classes(words, stems, near)


def _one_letter_less(word: str) -> Iterator[str]:
    """Two words that share one of these are at most one mistake or swap apart. The first letter is never wrong."""
    return (word[:at] + word[at + 1 :] for at in range(1, len(word)))


# Frames --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Frame:
    """``row``: classes, ``_3`` for up to three light words, ``|`` in brackets, ``^`` and ``$`` for the clause's ends.

    ``turned``: a negation before it turns it round. ``told``: so does “you” or “I” before it, which tells a story
    (“you never text me”). ``short``: only in texts that are about nothing else.
    """

    name: str
    row: str
    turned: bool = False
    told: bool = False
    short: bool = False


FRAMES = (
    Frame("end writing", "E _3 (S|C)", turned=True),
    Frame("end sending", "E _2 T _3 (C|I|Z|A|$)", turned=True),
    Frame("end getting", "E _2 G _3 (C|Z|A|$)", turned=True),
    Frame("do not write", "N _3 S _2 (I|P|A|Z|C|$)", told=True),
    Frame("write no more", "S _3 N _1 (A|C|I|Z|$)", told=True),
    Frame("do not send", "N _3 T _3 (A|C|$)", told=True),
    Frame("do not send these", "N _2 T _2 Z _1 $", told=True),
    Frame("send no more", "T _3 N _1 (A|C|$)", told=True),
    Frame("do not want texts", "N _1 W _4 (C|S)"),
    Frame("do not want to get", "N _1 W _4 (G|T) _3 (C|Z|A|U|$)", short=True),
    Frame("do not want to get texts", "N _1 W _4 (G|T) _3 C"),
    Frame("want to get no texts", "W _3 N _3 (G|T) _3 C"),
    Frame("want no texts", "W _3 N _2 (C|S)"),
    Frame("want to get no more", "W _3 N _2 (A _2 G|G _2 A|A _1 T)", short=True),
    Frame("do not want these", "N _1 W _2 Z _2 A", short=True),
    Frame("want these no more", "W _3 Z _2 N _1 A", short=True),
    Frame("want texts no more", "W _3 C _2 N _1 A"),
    Frame("no more texts", "N _1 A _2 C"),
    Frame("texts no more", "N _2 C _2 A"),
    Frame("no texts", "^ _2 N _2 C _2 $"),
    Frame("remove me", "R _2 (I|P|L) _1 (O|$|f|L)", turned=True),
    Frame("remove my number", "R _3 P", turned=True),
    Frame("take me off", "K _2 (I|P) _2 O _3 (L|Z|C|$)", turned=True),
    Frame("off your list", "(I|W|P) _3 O _3 L", turned=True),
    Frame("revoke consent", "V _5 B", turned=True),
    Frame("no consent", "N _3 (W|G|T|f) _2 B"),
    Frame("without consent", "N _3 B"),
    Frame("number removed", "P _2 R _1 $", turned=True),
    Frame("do not add me", "N _2 Y _2 (P _3|_3) (L|C)"),
    Frame("do not use my number", "N _2 F _2 P", told=True),
    Frame("no use for texts", "N F _2 (C|S)"),
    Frame("not on your list", "(P|I) _3 N _3 L"),
    Frame("never joined", "N _2 J _3 (Z|C)"),
    Frame("do not want to join", "N _2 W _3 J"),
    Frame("texts have to end", "C _3 E _1 $", turned=True),
)


def _compiled(row: str) -> re.Pattern[str]:
    parts = []
    for mark in re.findall(r"_\d|[A-Za-z]|[|()^$]", row):
        if mark.startswith("_"):
            parts.append(rf"(?:\w*[{_LIGHT}]\w* ){{0,{mark[1]}}}?")
        elif mark.isalpha():
            parts.append(rf"\w*{mark}\w* ")
        elif mark in "()|":
            parts.append("(?:" if mark == "(" else mark)
        else:
            parts.append("(?<=/ )" if mark == "^" else "(?=/)")
    return re.compile("(?<= )" + "".join(parts))


_ROWS = tuple((frame, _compiled(frame.row)) for frame in FRAMES)
#: Words after a frame that can still turn it round: “remove my number from the order”.
_AFTER = 5
#: Words before it: “please never ever remove me”.
_BEFORE = 3
#: The text around a short frame has no more words than this.
_SHORT = 12


def about_something_else(
    said: Sequence[str], after: Sequence[str], languages: Sequence[Classes], known: frozenset[str]
) -> bool:
    """Whether a phrase is about an order or the like, and not about texts: “stop sending” … “me empty boxes”."""
    for language in languages:
        but = next((at for at, word in enumerate(after) if "M" in language.words.get(word, "")), _AFTER)
        tags = [letters for letters, _length in language.tag([*said, *after[: min(but, _AFTER)]], known)]
        spoken_here = 3 * tags.count(_UNKNOWN) <= len(tags)
        kinds = {letter for letters in tags for letter in letters}
        if spoken_here and "H" in kinds:
            return True
        if spoken_here and "D" in kinds and not kinds & set("SCL"):
            return True
    return False


def ends_or_removes(word: str, languages: Sequence[Classes]) -> bool:
    return any(set("ER") & set(language.words.get(word, "")) for language in languages)


def revocation(parts: Sequence[Sequence[str]], languages: Sequence[Classes], known: frozenset[str]) -> str:
    """Return what in ``parts`` revokes, or nothing."""
    for language in languages:
        tagged = [language.tag(part, known) for part in parts]
        about = any("D" in letters for tags in tagged for letters, _length in tags)
        for part, tags in zip(parts, tagged, strict=True):
            if found := _frame(tags, short=not about and sum(map(len, parts)) <= _SHORT):
                name, start, end = found
                before, words = (sum(length for _letters, length in tags[:at]) for at in (start, end))
                return f"{name}: {' '.join(part[before:words])}"
    return ""


def _frame(tags: Tags, short: bool) -> tuple[str, int, int] | None:
    letters = [letters for letters, _length in tags]
    if sum(1 for letter in letters if not set(letter) <= {"f", "x"}) < 2:
        return None
    row = "/ " + " ".join(letters) + " / "
    for frame, pattern in _ROWS:
        if frame.short and not short:
            continue
        for match in pattern.finditer(row):
            start, end = (row.count(" ", 0, at) - 1 for at in (match.start(), match.end()))
            if not _otherwise(frame, letters, start, end):
                return frame.name, start, end
    return None


def _otherwise(frame: Frame, letters: Sequence[str], start: int, end: int) -> bool:
    """Whether what stands around a frame makes it mean something else."""
    if any(set(letter) & set("DH") for letter in letters[end : end + _AFTER]):
        return True
    before = letters[max(0, start - _BEFORE) : start]
    if frame.turned and any("N" in letter for letter in before):
        return True
    if frame.told and before and "U" in before[-1]:
        return True
    if any("Q" in letter for letter in letters[:start]):
        return True
    got = any("G" in letter for letter in letters) and not any("W" in letter for letter in letters)
    return frame.name in ("no more texts", "texts no more", "no texts") and got
