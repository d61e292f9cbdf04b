"""What an order comes to, by all that has been heard of it, in whatever order it was heard. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

CREATED, PAID, EDITED, REFUNDED, CANCELLED = (
    "order_created", "order_paid", "order_edited", "order_refunded", "order_cancelled",
)  # fmt: skip

#: Kinds of event that change what an order comes to. An index names them in this order.
KINDS = (CANCELLED, CREATED, EDITED, PAID, REFUNDED)

ZERO = Decimal(0)
_STEP = Decimal("0.01")
#: The largest amount that a column takes; whoever writes more has made a typing error.
_MOST = Decimal("999999999999.99")


@dataclass(frozen=True, slots=True)
class Fact:
    """An event about an order. Money as the event has it: any text, or nothing."""

    pk: int
    kind: str
    at: datetime
    contact_id: int | None
    total: Any = None
    currency: Any = None
    refunded: Any = None
    codes: Any = None


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it stands. ``blank``: what it came to was taken away when its time was over, and nobody knows it."""

    at: datetime
    contact_id: int | None
    currency: str
    total: Decimal = ZERO
    refunded: Decimal = ZERO
    cancelled: bool = False
    codes: tuple[str, ...] = ()
    blank: bool = False

    @property
    def revenue(self) -> Decimal:
        """What is left: nothing of a cancelled order, and never less than nothing."""
        return ZERO if self.cancelled else max(self.total - self.refunded, ZERO)


def order_of(facts: Iterable[Fact], currency: str) -> Order | None:
    """Return the order that ``facts`` tell of, None while nobody has said that it was placed.

    Its total is what was last said of it, for an order may be edited before it is paid. Refunds are told of one by
    one, and add up.

    :param currency: the store's, for orders that name none.
    """
    known = sorted(facts, key=lambda fact: (fact.at, fact.kind, fact.pk))
    placed = next((fact for fact in known if fact.kind == CREATED), None)
    if placed is None:
        return None
    totals = [(fact.at >= placed.at, fact) for fact in known if fact.kind in (CREATED, PAID, EDITED)]
    said = [amount for later, fact in totals if later and (amount := money(fact.total)) is not None]
    codes = [code for fact in known if fact.kind in (CREATED, PAID) for code in _texts(fact.codes)]
    return Order(
        placed.at,
        placed.contact_id,
        str(placed.currency or currency)[:3],
        said[-1] if said else ZERO,
        min(sum((money(fact.refunded) or ZERO for fact in known if fact.kind == REFUNDED), ZERO), _MOST),
        any(fact.kind == CANCELLED for fact in known),
        tuple(dict.fromkeys(codes)),
        blank=placed.total is None and placed.currency is None,
    )


def money(value: Any) -> Decimal | None:
    """Return an amount of money, rounded to cents; None for what is none."""
    if value is None or isinstance(value, bool | Mapping | list):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return min(amount, _MOST).quantize(_STEP) if amount.is_finite() and amount >= 0 else None


def _texts(values: Any) -> list[str]:
    return [text for text in values if isinstance(text, str) and text.strip()] if isinstance(values, list) else []
