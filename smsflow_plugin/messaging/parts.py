"""How many parts a text costs, and which characters make it dearer. Pure: no Django.

A text in the GSM alphabet holds 160 septets, or 153 in each part of several. One
character outside of it turns the whole text into UCS-2: 70 UTF-16 units, or 67.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

GSM = "GSM-7"
UCS2 = "UCS-2"

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: These take two septets each.
EXTENSION = "\f^{}\\[~]|€"

_NOT_GSM = re.compile(f"[^{re.escape(BASIC + EXTENSION)}]")
_EXTENSION = re.compile(f"[{re.escape(EXTENSION)}]")
_BEYOND_BMP = re.compile("[\U00010000-\U0010ffff]")

# What word processors, shop systems and number formats put in without being asked.
# No letter stands here: a name is never spelt differently to save money.
_PLAIN = {
    "'": "‘’‚‛′ʹʼ`´‹›",
    '"': "“”„‟″«»",
    "-": "‐‑‒–—―−•‣⁃",
    " ": "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "\n": "\u0085\u2028\u2029",
    "": (
        "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
        "\u2060\u2066\u2067\u2068\u2069\ufe0e\ufe0f\ufeff"
    ),
    "...": "…",
    "/": "⁄∕",
    "x": "×",
    "TM": "™",
}
# Letters that have no accent to take off. Only for what a person changes with a click of their own.
_LETTERS = {
    "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "TH", "ı": "i",
    "ẞ": "ß",
}  # fmt: skip
#: Categories of symbols, and of what modifies them: they can go without changing a word.
_SYMBOLS = ("So", "Sk", "Mn", "Me", "Cf", "Co")
_TO_PLAIN = {ord(character): plain for plain, characters in _PLAIN.items() for character in characters}


@dataclass(frozen=True, slots=True)
class Parts:
    """What a text costs to send.

    ``units`` are septets or UTF-16 units, ``characters`` are code points. ``forced_by``
    are the characters outside of the GSM alphabet, in order of first appearance.
    """

    encoding: str
    parts: int
    characters: int
    units: int
    forced_by: tuple[str, ...] = ()


def count_parts(text: str) -> Parts:
    """Return encoding and number of parts of ``text``; an empty text has none."""
    foreign = _NOT_GSM.findall(text)
    if foreign:
        units = len(text) + len(_BEYOND_BMP.findall(text))
        number = _number(units, text, _BEYOND_BMP, single=70, each=67)
        return Parts(UCS2, number, len(text), units, tuple(dict.fromkeys(foreign)))
    units = len(text) + len(_EXTENSION.findall(text))
    return Parts(GSM, _number(units, text, _EXTENSION, single=160, each=153), len(text), units)


def to_gsm(text: str) -> str:
    """Return ``text`` with typographic characters made plain, if that brings all of it into the GSM alphabet.

    Otherwise nothing is gained, and the text is returned as it is.
    """
    if not _NOT_GSM.search(text):
        return text
    plain = to_plain(text)
    return text if _NOT_GSM.search(plain) else plain


def to_plain(text: str) -> str:
    """Return ``text`` with every typographic character made plain, whatever else it holds."""
    return unicodedata.normalize("NFC", text).translate(_TO_PLAIN)


def stand_in(character: str) -> str | None:
    """Return what a person may put in place of ``character`` to keep a text in the GSM alphabet.

    "" leaves it out (emoji, invisible characters); None says that nothing does (other scripts).
    """
    if (plain := _TO_PLAIN.get(ord(character))) is not None:
        return plain
    if (letters := _LETTERS.get(character)) is not None:
        return letters
    base = unicodedata.normalize("NFD", character)[0]
    if base != character:
        return base if base in BASIC else None
    return "" if unicodedata.category(character) in _SYMBOLS else None


def tables() -> dict[str, object]:
    """Return what the counter in the browser needs to come to the same result."""
    plain = {character: plain for plain, characters in _PLAIN.items() for character in characters}
    return {"basic": BASIC, "extension": EXTENSION, "plain": plain, "letters": _LETTERS}


def _number(units: int, text: str, double: re.Pattern[str], *, single: int, each: int) -> int:
    if units <= single:
        return 1 if units else 0
    if units == len(text):
        return -(-units // each)
    return _packed((2 if double.match(character) else 1 for character in text), each)


def _packed(widths: Iterable[int], each: int) -> int:
    """Return the parts needed when no character may be cut in two."""
    parts, used = 1, 0
    for width in widths:
        if used + width > each:
            parts, used = parts + 1, 0
        used += width
    return parts
