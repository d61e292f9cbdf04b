"""Puts short addresses in place of the web addresses in a text. Pure.

A short address is different for every person, so it is a slot of the text: texts of one template still
share a gateway call.
"""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass

from smsflow_plugin.messaging.addresses import Host, find, host_of

ALPHABET = string.digits + string.ascii_letters
#: 62⁸ codes: nobody guesses one, and a million of them are hardly ever twice the same.
LENGTH = 8
#: What stands in previews, where nobody clicks.
EXAMPLE_CODE = "aB3dE6gH"

#: A piece of a text, and whether it came from the data: as in ``messaging.copy``.
Piece = tuple[str, bool]


def new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def example_code() -> str:
    return EXAMPLE_CODE


@dataclass(frozen=True, slots=True)
class Shortener:
    """How one store's addresses are shortened.

    ``base`` is what stands in front of a code. ``allows`` says to which hosts links may lead; all other
    addresses, and those that begin with one of ``stays``, are left as they are written. What ``pages`` matches as a
    whole is shortened all the same: the store's landing pages.
    """

    base: str
    allows: Callable[[Host], bool]
    stays: tuple[str, ...] = ()
    code: Callable[[], str] = new_code
    pages: re.Pattern[str] | None = None

    def shorten(self, pieces: list[Piece], links: dict[str, str]) -> list[Piece]:
        """Return ``pieces`` with short addresses; note in ``links`` the code of each address that was replaced.

        An address may span literals and data. One that stands twice in a text is one link.
        """
        text = "".join(piece for piece, _slot in pieces)
        spans = [(start, end) for start, end in find(text) if self._is_ours(text[start:end])]
        if not spans:
            return pieces
        shortened: list[Piece] = []
        end = 0
        for start, stop in spans:
            shortened += cut(pieces, end, start)
            target = text[start:stop]
            code = links.get(target) or links.setdefault(target, self.code())
            shortened.append((f"{self.base}{code}", True))
            end = stop
        return shortened + cut(pieces, end, len(text))

    def _is_ours(self, address: str) -> bool:
        host = host_of(address)
        if host is not None and self.pages is not None and self.pages.fullmatch(address):
            return True
        return host is not None and not address.startswith((*self.stays, self.base)) and self.allows(host)


def shortening(
    shortener: Shortener | None, links: dict[str, str] | None = None
) -> Callable[[list[Piece]], list[Piece]] | None:
    """Return what ``copy.compose`` takes: None for a store that leaves addresses as they are."""
    if shortener is None:
        return None
    noted: dict[str, str] = {} if links is None else links
    return lambda pieces: shortener.shorten(pieces, noted)


def cut(pieces: list[Piece], start: int, end: int) -> list[Piece]:
    """Return what ``pieces`` hold of the text from ``start`` to ``end``."""
    found = []
    at = 0
    for piece, slot in pieces:
        part = piece[max(start - at, 0) : max(end - at, 0)]
        if part:
            found.append((part, slot))
        at += len(piece)
    return found
