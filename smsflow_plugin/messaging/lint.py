"""Looks at copy as an editor would: what costs money, gets a text filtered, or keeps people from reading it.

Hints never stop anybody. They are about the copy as it is written, markup included;
``parts`` tells what it comes to.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from smsflow_plugin.messaging.lint_words import FREE, PROHIBITED, SHORTENERS, Topic
from smsflow_plugin.messaging.parts import GSM, Parts
from smsflow_plugin.messaging.stuck_addresses import LINK_NAME, OUTPUT

#: What a text should have said by then.
FIRST_WORDS = 10
#: Letters below which capitals are no shouting: "OK", "VIP".
SHOUTING_LETTERS = 12
SHOUTING_SHARE = 0.5

_MARKUP = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_LINK = re.compile(
    r"https?://[^\s<>\"'{}|]+|(?<![@\w.])(?:[\w-]+\.)+(?:com|net|org|io|co|shop|store|link|ly|me|gl|gd)/\S+", re.I
)
_ADDRESS = re.compile(r"https?://(\d{1,3}(?:\.\d{1,3}){3})")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d[\d.,]*\s?%?|\{\{.*?\}\}", re.DOTALL)
_WORTH = re.compile(r"\d|%|[€£$¥]|\b(?:kr|usd|eur|dkk|gbp)\b", re.I)
_MANY_MARKS = re.compile(r"[!?]{3,}|\${3,}|€{3,}")


@dataclass(frozen=True, slots=True)
class Hint:
    """One piece of advice. ``code`` is its name; it is about ``text[start:end]``, nothing of it if both are 0."""

    code: str
    message: str
    start: int = 0
    end: int = 0


def lint(
    text: str,
    language: str,
    *,
    marketing: bool = True,
    optional: Collection[str] = (),
    has_fallback: bool = False,
    parts: Parts | None = None,
) -> list[Hint]:
    """Return the hints about ``text``, the weightiest first.

    :param language: of the text: "da", "en-GB". Words of an unknown language are read as English.
    :param marketing: whether it promotes something; news about an order need not.
    :param optional: the names that some people lack.
    :param has_fallback: whether another text stands in when a value is missing.
    :param parts: what the text takes for most people, if that is known.
    """
    base = language.replace("_", "-").partition("-")[0]
    hints = [*_shorteners(text), *_prohibited(text, base)]
    if not has_fallback:
        hints += _missing(text, optional)
    hints += _links(text)
    hints += _dear(parts)
    if marketing:
        hints += _late(text, base)
    hints += _shouting(text)
    return hints


def _shorteners(text: str) -> Iterator[Hint]:
    for found in _LINK.finditer(text):
        host = re.sub(r"^https?://|^www\.", "", found[0].casefold()).partition("/")[0]
        if host.removeprefix("www.") in SHORTENERS:
            message = _("Phone networks often block links of public shorteners such as %(host)s. Use the store's own.")
            yield Hint("shortener", message % {"host": host}, found.start(), found.end())
        elif _ADDRESS.match(found[0]):
            message = _("Phone networks often block links to a bare number. Use the store's own address.")
            yield Hint("shortener", message, found.start(), found.end())


def _prohibited(text: str, language: str) -> Iterator[Hint]:
    bare = _blanked(text)
    seen: set[Topic] = set()
    for code in dict.fromkeys((language, "en")):
        for topic, pattern in PROHIBITED.get(code, {}).items():
            found = pattern.search(bare)
            if found and topic not in seen:
                seen.add(topic)
                yield Hint(
                    "prohibited",
                    _("“%(word)s” sounds like %(topic)s: networks filter such texts, or want proof of age.")
                    % {"word": found[0], "topic": topic.label},
                    found.start(),
                    found.end(),
                )


def _missing(text: str, optional: Collection[str]) -> Iterator[Hint]:
    for found in OUTPUT.finditer(text):
        if found[1] in optional and not re.search(r"\|\s*default\b", found[0]):
            message = _("Some people have no “%(name)s”. Add words for them: | default: '…', or another text.")
            yield Hint("missing_fallback", message % {"name": found[1]}, found.start(), found.end())


def _links(text: str) -> Iterator[Hint]:
    links = [(found.start(), found.end()) for found in _LINK.finditer(_blanked(text))]
    links += [(found.start(), found.end()) for found in OUTPUT.finditer(text) if LINK_NAME.search(found[1])]
    if len(links) > 1:
        start, end = sorted(links)[1]
        yield Hint("many_calls", _("One link is enough: a second thing to do halves the answers."), start, end)


def _dear(parts: Parts | None) -> Iterator[Hint]:
    if parts is None or parts.parts < 2:
        return
    room = 160 if parts.encoding == GSM else 70
    over = parts.units - room
    first = _("This text takes %(parts)d parts and costs %(parts)d times as much as one of a single part.") % {
        "parts": parts.parts
    }
    if parts.forced_by and parts.units <= 160:
        characters = " ".join(parts.forced_by[:5])
        second = _("Without %(characters)s it would be one part.") % {"characters": characters}
    else:
        second = ngettext("%(over)d character less would save that.", "%(over)d characters less would save that.", over)
        second %= {"over": over}
    yield Hint("many_parts", f"{first} {second}")


def _late(text: str, language: str) -> Iterator[Hint]:
    words = list(_WORD.finditer(text))
    if len(words) <= FIRST_WORDS:
        return
    beginning = text[: words[FIRST_WORDS - 1].end()]
    free = FREE.get(language, FREE["en"])
    # a name is a greeting, anything else that is filled in is news about the person's own things
    filled = [found[1] for found in OUTPUT.finditer(beginning) if not found[1].startswith(("contact.", "store."))]
    if filled or _WORTH.search(_MARKUP.sub(" ", beginning)) or free.search(beginning):
        return
    message = _("Say what is in it for the reader within the first ten words: phones show no more of it.")
    yield Hint("late_value", message, 0, words[FIRST_WORDS - 1].end())


def _shouting(text: str) -> Iterator[Hint]:
    bare = _LINK.sub(" ", _MARKUP.sub(" ", text))
    letters = [character for character in bare if character.isalpha()]
    capitals = sum(character.isupper() for character in letters)
    if len(letters) >= SHOUTING_LETTERS and capitals / len(letters) > SHOUTING_SHARE:
        yield Hint("all_caps", _("Most of this is in capitals. It reads like shouting, and filters take it for spam."))
    elif found := _MANY_MARKS.search(bare):
        yield Hint("all_caps", _("“%(marks)s” looks like spam to filters.") % {"marks": found[0]})


def _blanked(text: str) -> str:
    """Return ``text`` with its markup as spaces, so that positions stay."""
    return _MARKUP.sub(lambda found: " " * len(found[0]), text)
