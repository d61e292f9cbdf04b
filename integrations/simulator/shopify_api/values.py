"""How Shopify writes ids, times and money. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

_GID = re.compile(r"gid://shopify/([A-Za-z]+)/(\d+)(?:\?.*)?")


class NotAnId(ValueError):
    """The text is no id of Shopify's."""


def gid(kind: str, number: int | str) -> str:
    return f"gid://shopify/{kind}/{number}"


def read_gid(text: str) -> tuple[str, int]:
    """Return what an id is of, and its number.

    :raises NotAnId: if it is none.
    """
    found = _GID.fullmatch(text)
    if found is None:
        raise NotAnId(f"Invalid global id '{text}'")
    return found[1], int(found[2])


def number_of(text: str, *kinds: str) -> int | None:
    """Return the number in an id of one of these kinds; None for one of another kind.

    :raises NotAnId: if it is no id at all.
    """
    kind, number = read_gid(text)
    return number if kind in kinds else None


def iso(seconds: float) -> str:
    """Write a time as the Admin API does: UTC, whole seconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def seconds_of(text: str) -> float:
    """Read a date or a time; one without a zone is UTC.

    :raises ValueError: if it is neither.
    """
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def money(amount: Decimal) -> str:
    """Write an amount as GraphQL does: no needless noughts, but one digit behind the point."""
    text = f"{amount:.2f}"
    return text[:-1] if text.endswith("0") else text
