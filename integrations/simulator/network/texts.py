"""What a text becomes on its way to one phone: its number, its words, its parts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

MSISDN = re.compile(r"\+?([1-9]\d{6,14})")
PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")

# GSM 03.38, written from the standard. The stand-in must not share code with what it is there to test.
GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = frozenset("\f^{}\\[~]|€")


class UnmatchedParameter(Exception):
    """The body asks for a value that this phone does not have and that has no default."""


def msisdn(number: str) -> str | None:
    """Return the number without its "+", or None if it is none."""
    match = MSISDN.fullmatch(number)
    return match[1] if match else None


def render(body: str, parameters: Mapping[str, Mapping[str, str]], phone: str) -> str:
    """Fill in ``${key}``, once: what a value holds is not looked at again.

    :raises UnmatchedParameter: as Sinch does for any ``${…}`` that has no value.
    """

    def value(match: re.Match[str]) -> str:
        values = parameters.get(match[1], {})
        for name in (phone, f"+{phone}", "default"):
            if name in values:
                return values[name]
        raise UnmatchedParameter(match[1])

    return PLACEHOLDER.sub(value, body)


def parts_of(body: str) -> tuple[int, str]:
    """Return how many parts the text takes on the air, and its encoding as Sinch names it."""
    if all(character in GSM or character in GSM_EXTENDED for character in body):
        sizes = (2 if character in GSM_EXTENDED else 1 for character in body)
        return _parts(sizes, single=160, joined=153), "GSM"
    sizes = (2 if ord(character) > 0xFFFF else 1 for character in body)
    return _parts(sizes, single=70, joined=67), "UNICODE"


def _parts(sizes: Iterable[int], *, single: int, joined: int) -> int:
    """Fill parts one after the other; a character of two units is never cut in half."""
    sizes = list(sizes)
    if sum(sizes) <= single:
        return 1
    parts, room = 1, joined
    for size in sizes:
        if size > room:
            parts, room = parts + 1, joined
        room -= size
    return parts
