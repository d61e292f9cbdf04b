"""Which of some answers to choose from a person means: "B)", "option b", "the second one", "b, sorry". Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from smsflow_plugin.audience.answers.spelling import meant
from smsflow_plugin.audience.answers.words import (
    LAST,
    LEADING,
    NAMING,
    NO_LETTER_BEFORE,
    ONES,
    ORDINARY,
    POLITE,
    TURNING,
    WAVERING,
    number_words,
    ordinals,
)
from smsflow_plugin.audience.answers.yes_no import is_no, is_yes, squeezed, yes_or_no
from smsflow_plugin.audience.replies.folding import fold, unboxed

#: Longer answers than this tell a story: no word in them chooses anything.
_MOST_WORDS = 12
#: Words of a menu that may stand anywhere in an answer have so many letters at least.
_SHORTEST_INSIDE = 4
_WORDS_OF_ONE_LETTER = frozenset("aeioundsyjk")
_ENDS = re.compile(r"\.(?=\s|$)|[,:](?!\d)|[!?;)\n\r…¡¿]+|\s[-–—]+\s*|[-–—]+\s")
_EMOJI = str.maketrans({"\ufe0f": "", "\u20e3": " ", "🔟": " 10 "})


@dataclass(frozen=True, slots=True)
class Menu:
    """The answers to choose from, in their order: of each the folded words that choose it."""

    options: Sequence[frozenset[str]]

    def said(self, body: str) -> int | None:
        """Return the place of the option whose word is the whole of ``body``, give or take politeness."""
        words = fold(body).split()
        for way in (words, [word for word in words if word not in POLITE]):
            for place, option in enumerate(self.options):
                if way and " ".join(way) in option:
                    return place
        return None

    def meant(self, body: str, language: str = "") -> int | None:
        """Return the place of the one option that ``body`` means in other words; None if there is none, or more.

        An option that is named is chosen, whatever else is said, unless there is a "but" or an "or". A word of an
        option inside a longer answer counts only where no "not" stands beside it.
        """
        body = unboxed(unicodedata.normalize("NFKC", body.translate(_EMOJI)))
        words = squeezed(body)
        if not self._holds(words, WAVERING):
            named = self._named(body, words, language)
            if named:
                return named.pop() if len(named) == 1 and not self._mentioned(words, 3) - named else None
        if (agreed := self._by_consent(body)) is not None:
            return agreed
        if self._holds(words, TURNING) or len(words) > _MOST_WORDS or "?" in body:
            return None
        inside = self._mentioned(words, _SHORTEST_INSIDE)
        if inside:
            return inside.pop() if len(self._mentioned(words, 3)) == 1 else None
        return self._mistyped(words)

    def _holds(self, words: Sequence[str], wanted: frozenset[str]) -> bool:
        text = f" {' '.join(words)} "
        return any(f" {word} " in text for word in wanted - self._labels)

    def _named(self, body: str, words: list[str], language: str) -> set[int]:
        """Return the options that a clause of the answer is, or that it begins with."""
        places = {place for clause in _ENDS.split(body) if (place := self._clause(clause, language)) is not None}
        return places or (self._first_letter(words) if len(words) <= _MOST_WORDS else places)

    @property
    def _labels(self) -> frozenset[str]:
        return frozenset().union(*self.options)

    def _clause(self, clause: str, language: str) -> int | None:
        """Return the option that a clause is, once what says nothing is taken away."""
        words = [word for word in squeezed(clause) if word not in POLITE]
        leading = (LEADING | NAMING) - self._labels
        bare = [word for word in words if word not in leading]
        for way in (words, bare, self._without_ones(bare)):
            if not way or (place := self._label(way, language)) is None:
                continue
            # "I want to" is no answer where Danes may write "to" for 2; "option to" is one
            if not ORDINARY & set(way) or len(way) == len(words) or leading & set(words) <= NAMING:
                return place
        return None

    def _without_ones(self, words: list[str]) -> list[str]:
        """Return "second" for "second one". Where "one" or "a" is an option itself only a place in the row is left."""
        rest = [word for word in words if word not in ONES]
        places = LAST | ordinals().keys()
        return rest if set(rest) <= places or not ONES & self._labels & set(words) else []

    def _first_letter(self, words: list[str]) -> set[int]:
        """Return the option of "B can't make it": its letter comes first, and is no word of its own."""
        first, following = words[0] if words else "", words[1] if len(words) > 1 else ""
        if len(first) != 1 or not first.isalpha() or first in _WORDS_OF_ONE_LETTER or following in NO_LETTER_BEFORE:
            return set()
        return {place for place, option in enumerate(self.options) if first in option}

    def _label(self, words: list[str], language: str) -> int | None:
        text = " ".join(words)
        for place, option in enumerate(self.options):
            if text in option:
                return place
        if len(words) != 1:
            return None
        if text in LAST:
            return len(self.options) - 1
        ordinal = ordinals().get(text)
        if ordinal is not None:
            return self._at(ordinal) if not self._numbered or self._with(str(ordinal)) == ordinal - 1 else None
        number = int(text) if text.isdecimal() and len(text) < 4 else number_words(language).get(text)
        if number is not None:
            return self._with(str(number)) if self._numbered else self._at(number) if self._lettered else None
        if self._counted and len(text) == 1 and "a" <= text <= "j":
            return self._at(ord(text) - ord("a") + 1)
        return None

    def _at(self, number: int) -> int | None:
        return number - 1 if 1 <= number <= len(self.options) else None

    def _with(self, label: str) -> int | None:
        return next((place for place, option in enumerate(self.options) if label in option), None)

    @property
    def _numbered(self) -> bool:
        """Whether any option is called by a number: then numbers are names, and no places."""
        return any(word.isdecimal() for word in self._labels)

    @property
    def _counted(self) -> bool:
        """Whether the options are 1, 2, 3 in their order."""
        return len(self.options) > 1 and all(str(n) in option for n, option in enumerate(self.options, 1))

    @property
    def _lettered(self) -> bool:
        """Whether the options are A, B, C in their order."""
        return len(self.options) > 1 and all(chr(ord("a") + n) in option for n, option in enumerate(self.options))

    def _by_consent(self, body: str) -> int | None:
        """Return the option with the plain yes or no in it that ``body`` says in another way: “yep”, 👍."""
        said = yes_or_no(body)
        if said is None:
            return None
        own = [place for place, option in enumerate(self.options) if any(map(is_yes if said else is_no, option))]
        return own[0] if len(own) == 1 else None

    def _mentioned(self, words: Iterable[str], shortest: int) -> set[int]:
        """Return the options of which a word of so many letters stands in the answer."""
        text = f" {' '.join(words)} "
        return {
            place
            for place, option in enumerate(self.options)
            if any(len(word) >= shortest and f" {word} " in text for word in option - ORDINARY)
        }

    def _mistyped(self, words: Sequence[str]) -> int | None:
        bare = [word for word in words if word not in POLITE and word not in LEADING]
        if len(bare) != 1:
            return None
        right = meant(bare[0], self._labels)
        places = [place for place, option in enumerate(self.options) if right in option]
        return places[0] if right is not None and len(places) == 1 else None
