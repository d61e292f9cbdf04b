"""Which codes may lie in one pool, and the discount in Shopify that they hang on. Pure."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

#: Letters and digits that nobody mistakes for each other on a phone.
LETTERS = "ABCDEFGHJKLMNPQRTUVWXY346789"
#: 28 to the power of 9 is ten billion times a thousand: guessing one of 250 takes forty billion tries.
LENGTH = 9

_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
#: A code is valid a little longer than was promised: as long as its pool is given out, and this at the most.
LONGEST = 30


@dataclass(frozen=True, slots=True)
class Definition:
    """A discount and its rules: whoever asks for the same gets a code of the same pool."""

    kind: str
    amount: Decimal
    minimum: Decimal | None
    valid_days: int
    prefix: str

    @property
    def key(self) -> str:
        minimum = f"{self.minimum:.2f}" if self.minimum else ""
        return sha256(f"{self.kind}|{self.amount:.2f}|{minimum}|{self.valid_days}|{self.prefix}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Stretch:
    """For how long the codes of one pool are given out, and till when they are valid."""

    number: int
    starts_at: datetime
    until: datetime
    ends_at: datetime


def definition(kind: str, amount: Decimal, minimum: Decimal | None, lasts: timedelta, prefix: str) -> Definition:
    days = max(1, -(-lasts // timedelta(days=1)))
    return Definition(kind, amount, minimum, int(days), clean_prefix(prefix))


def clean_prefix(prefix: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", prefix.upper())[:20]


def stretch(valid_days: int, now: datetime) -> Stretch:
    """Return the stretch that ``now`` lies in. It is as long as the codes are valid, and a month at the most.

    So every code lasts as long as was promised, and twice as long at the most.
    """
    length = timedelta(days=min(max(valid_days, 1), LONGEST))
    number = (now - _EPOCH) // length
    starts_at = _EPOCH + number * length
    until = starts_at + length
    return Stretch(int(number), starts_at, until, until + timedelta(days=valid_days))


def new_codes(prefix: str, count: int) -> list[str]:
    """Return codes that nobody can guess, no two alike."""
    found: dict[str, None] = {}
    while len(found) < count:
        code = "".join(secrets.choice(LETTERS) for _place in range(LENGTH))
        found[f"{prefix}-{code}" if prefix else code] = None
    return list(found)


def parent(wanted: Definition, code: str, starts_at: datetime, ends_at: datetime, currency: str) -> dict[str, Any]:
    """Return what makes the parent discount: ``DiscountCodeBasicInput`` or ``DiscountCodeFreeShippingInput``.

    ``code`` is its first code. Each code can be used once, and each customer can use one of them.
    """
    given: dict[str, Any] = {
        "title": title(wanted, starts_at, currency),
        "code": code,
        "startsAt": _time(starts_at),
        "endsAt": _time(ends_at),
        "usageLimit": 1,
        "appliesOncePerCustomer": True,
        "context": {"all": "ALL"},
    }
    if wanted.minimum:
        given["minimumRequirement"] = {"subtotal": {"greaterThanOrEqualToSubtotal": f"{wanted.minimum:.2f}"}}
    if wanted.kind == "shipping":
        return {**given, "destination": {"all": True}}
    value: dict[str, Any] = {"percentage": float(wanted.amount / 100)}
    if wanted.kind == "amount":
        value = {"discountAmount": {"amount": f"{wanted.amount:.2f}", "appliesOnEachItem": False}}
    return {**given, "customerGets": {"value": value, "items": {"all": True}}}


def title(wanted: Definition, starts_at: datetime, currency: str) -> str:
    """Return the name that the merchant sees in Shopify."""
    amount = f"{wanted.amount.normalize():f}"
    what = {"percent": f"{amount} %", "amount": f"{amount} {currency}"}.get(wanted.kind, "free shipping")
    parts = ["SMSFlow", wanted.prefix, what, f"{wanted.valid_days} d", f"{starts_at:%Y-%m-%d}"]
    return " · ".join(part for part in parts if part)


def sorted_out(nodes: Iterable[Any]) -> tuple[set[str], dict[str, str]]:
    """Return which of the codes that were added are there, and what Shopify says to the others."""
    there: set[str] = set()
    refused: dict[str, str] = {}
    for node in nodes:
        code = str(node.get("code") or "").upper() if isinstance(node, dict) else ""
        errors = node.get("errors") if code else None
        if errors:
            refused[code] = "; ".join(str(error.get("message") or "") for error in errors if isinstance(error, dict))
        elif code:
            there.add(code)
    return there, refused


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
