"""Makes texts comparable: no accents, no punctuation, no capitals, no tricks with the alphabet. Pure."""

from __future__ import annotations

import re
import unicodedata

#: No reply is longer; what comes after is not read, so that no text can cost much.
LONGEST = 4000

_LETTERS = str.maketrans({"æ": "ae", "ø": "o", "œ": "oe", "ł": "l", "đ": "d", "ı": "i", "ß": "ss"})
_APOSTROPHE = re.compile("['’‘`´ʼ]")
_NO_WORD = re.compile(r"[\W_]+")
#: French and Italian words that lean on the next one: l'arrêt, d'envoyer, qu'on, dell'elenco.
_ELIDED = re.compile(r"\b([cdjlmnst]|qu|dell|nell|dall|sull|all|un)['’‘`´ʼ](?=[^\W\d_]{2})", re.IGNORECASE)
_ENDS = re.compile(r"[.!?;,:\n\r…¡¿。！？；，、؟،]+|\s[-–—]+\s|—")
_FULL_STOP_INSIDE = re.compile(r"(?<=\b\w)[.\-_*/](?=\w\b)")

#: Letters in boxes that no normalisation knows: 🇸 and 🅢 and 🆂.
_BOXED = {start + index: chr(ord("a") + index) for start in (0x1F1E6, 0x1F150, 0x1F170, 0x1F130) for index in range(26)}
#: Cyrillic and Greek letters that look like Latin ones, for words that mix the alphabets.
_LOOKALIKES = str.maketrans("аеорсухіѕјтмкнвοερτυικα", "aeopcyxisjtmkhboeptuika")
_LATIN = re.compile(r"[a-z]")


def fold(text: str) -> str:
    """Return ``text`` as plain lower-case words: no accents, punctuation or emoji. Folding twice changes nothing."""
    folded = _fold_once(text)
    for _again in range(3):
        if (more := _fold_once(folded)) == folded:
            break
        folded = more
    return folded


def _fold_once(text: str) -> str:
    lower = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).translate(_LETTERS)
    bare = "".join(c for c in unicodedata.normalize("NFD", lower) if unicodedata.category(c) not in ("Mn", "Cf"))
    whole = unicodedata.normalize("NFC", bare)
    return _NO_WORD.sub(" ", _APOSTROPHE.sub("", whole)).strip()


def clauses(text: str) -> list[list[str]]:
    """Return the folded words of each clause of ``text``: what stands between two marks of punctuation."""
    plain = unboxed(text)
    plain = _FULL_STOP_INSIDE.sub(" ", plain)
    parts = [spoken(part) for part in _ENDS.split(plain)]
    return [part for part in parts if part]


def spoken(text: str) -> list[str]:
    """Return the folded words of ``text``, with elided articles apart and look-alike letters put right."""
    return [_plain_alphabet(word) for word in fold(_ELIDED.sub(r"\1 ", text)).split()]


def unboxed(text: str) -> str:
    return text.translate(_BOXED)


def _plain_alphabet(word: str) -> str:
    return word.translate(_LOOKALIKES) if _LATIN.search(word) and not word.isascii() else word
