"""Turns copy and a person's data into the text that is sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from smsflow_plugin.messaging.liquid_context import MissingValue
from smsflow_plugin.messaging.liquid_environment import MAX_OUTPUT, CopyError, compile_copy, render_pieces
from smsflow_plugin.messaging.parts import Parts, count_parts, to_gsm, to_plain

__all__ = ["Composed", "CopyError", "MissingValue", "Rendered", "Slot", "compose", "render"]

#: [start, end) in the text.
Slot = tuple[int, int]

#: A piece of the text, and whether it came from the data.
Piece = tuple[str, bool]

MARKETING = "marketing"

#: Classes of text that name the brand and say how to opt out.
DRESSED = (MARKETING, "optin")

OPT_OUT_WORDS = {
    "en": "Reply STOP to opt out.",
    "da": "Svar STOP for at afmelde.",
    "de": "Antworte STOP zum Abmelden.",
    "es": "Responde STOP para darte de baja.",
    "fr": "Répondez STOP pour vous désabonner.",
}

# STOP in capitals with a word that tells what to do with it, or a word for leaving: "NON-STOP SALE" is neither.
_SAYS_OPT_OUT = re.compile(
    r"\b(?i:reply|text|txt|send|svar|skriv|antworte|antworten|antwort|sende|mit|responde|responda|env[ií]a|"
    r"r[ée]pondez|r[ée]ponds|envoyez|envoyer)\s+[\"'“]?STOP\b"
    r"|\bSTOP[\"'”]?\s*(?:=|\b(?i:to|2|for|zum|um|para|pour|au|to end)\b|\d{4,6}\b)"
    r"|\b(?i:unsubscribe|opt[ -]out|afmeld\w*|abmelden|abbestellen|d[ée]sabonner|d[ée]sinscrire|darte de baja)\b"
)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text; ``slots`` are the spans that came from the data, in order.

    Texts of one template that are equal outside of their slots can share a gateway
    call. Copy with tags has no slots: its text differs as a whole.
    """

    text: str
    slots: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class Composed:
    """A text ready to send. ``used_fallback`` says that the first copy lacked a value."""

    text: str
    slots: tuple[Slot, ...]
    parts: Parts
    used_fallback: bool = False


def render(source: str, context: Mapping[str, object], *, language: str = "") -> Rendered:
    """Fill ``context`` into ``source``.

    :raises MissingValue: if it prints a value that is not known and has no default.
    :raises CopyError: if the copy is not valid or cannot be filled in.
    """
    return _joined(render_pieces(compile_copy(source), context, language=language))


def compose(
    texts: Mapping[str, str],
    fallback: Mapping[str, str],
    language: str,
    context: Mapping[str, object],
    *,
    brand: str,
    message_class: str,
    add_opt_out: bool,
    main_language: str = "",
    shorten: Callable[[list[Piece]], list[Piece]] | None = None,
) -> Composed:
    """Return the text for one person: their language, the brand in front, the opt-out words at the end.

    ``main_language`` is that of the copy without a language, which everybody gets whose
    own is not there: the opt-out words must be in the language of the text.

    ``shorten`` puts short addresses in place of long ones, before anything is counted; it is
    called once, with the text that is taken.

    :raises MissingValue: if a value is not known and no fallback does without it.
    :raises CopyError: if the copy is not valid, or there is none.
    """
    used = texts
    try:
        pieces = _pieces(texts, language, context)
    except MissingValue:
        if not in_language(fallback, language):
            raise
        pieces = _pieces(fallback, language, context)
        used = fallback
    pieces = _trimmed(pieces)
    if message_class in DRESSED:
        written_in = language if _key(used, language) else main_language or language
        pieces = _dressed(pieces, brand, _opt_out_words(written_in) if add_opt_out else "")
    if shorten is not None:
        pieces = shorten(pieces)
    rendered = _joined(pieces)
    return Composed(rendered.text, rendered.slots, count_parts(rendered.text), used is fallback)


def in_language(texts: Mapping[str, str], language: str) -> str:
    """Return the text in ``language``, else in its base ("en" of "en-GB"), else the one without a language."""
    return texts.get(_key(texts, language), "")


def _key(texts: Mapping[str, str], language: str) -> str:
    for candidate in (language, language.replace("_", "-").partition("-")[0]):
        if texts.get(candidate):
            return candidate
    return ""


def _trimmed(pieces: list[Piece]) -> list[Piece]:
    """Return ``pieces`` without white space at the end, which an empty value leaves behind."""
    kept = list(pieces)
    while kept:
        text, slot = kept[-1]
        if slot and text:
            break
        kept.pop()
        if text.rstrip():
            kept.append((text.rstrip(), slot))
            break
    return kept


def _pieces(texts: Mapping[str, str], language: str, context: Mapping[str, object]) -> list[Piece]:
    source = in_language(texts, language)
    if not source:
        raise CopyError(_("There is no text in the language “%(language)s”.") % {"language": language})
    return render_pieces(compile_copy(source), context, language=language)


def _dressed(pieces: list[Piece], brand: str, opt_out: str) -> list[Piece]:
    """Return ``pieces`` with what every marketing text must say, unless it says so already."""
    text = "".join(piece for piece, _slot in pieces)
    literal = "\n".join(piece for piece, slot in pieces if not slot)
    dressed = list(pieces)
    if brand and not to_plain(text).casefold().startswith(to_plain(brand).casefold()):
        dressed.insert(0, (f"{brand}: ", False))
    if opt_out and not _SAYS_OPT_OUT.search(literal):
        dressed.append((f"\n{opt_out}", False))
    return dressed


def _opt_out_words(language: str) -> str:
    return in_language({**OPT_OUT_WORDS, "": OPT_OUT_WORDS["en"]}, language)


def _joined(pieces: list[Piece]) -> Rendered:
    """Join ``pieces``, with typographic characters made plain where that pays, and no gateway parameters."""
    text = "".join(piece for piece, _slot in pieces)
    if len(text) > MAX_OUTPUT:
        raise CopyError(_("The text becomes longer than %(limit)d characters.") % {"limit": MAX_OUTPUT})
    plain = to_gsm(text)
    if plain != text:
        text, pieces = _changed(plain, pieces, to_plain)
    if "${" in text:
        # the gateway would take it for the name of a parameter
        text, pieces = _changed(text.replace("${", "$ {"), pieces, lambda piece: piece.replace("${", "$ {"))
    return Rendered(text, _slots(pieces))


def _changed(text: str, pieces: list[Piece], change: Callable[[str], str]) -> tuple[str, list[Piece]]:
    """Return ``text`` with its pieces changed in the same way; as one piece where a change spans two of them."""
    changed = [(change(piece), slot) for piece, slot in pieces]
    if "".join(piece for piece, _slot in changed) != text:
        return text, [(text, False)]
    return text, changed


def _slots(pieces: list[Piece]) -> tuple[Slot, ...]:
    """Return the spans of the data. Neighbours become one, and so does a dollar sign in front.

    A dollar sign left outside would stand before the gateway's own ``${p0}``.
    """
    slots: list[Slot] = []
    end = 0
    previous = ""
    for piece, slot in pieces:
        start, end = end, end + len(piece)
        if slot:
            start -= len(previous) - len(previous.rstrip("$"))
            if slots and slots[-1][1] == start:
                start = slots.pop()[0]
            slots.append((start, end))
        previous = "" if slot else piece
    return tuple(slots)
