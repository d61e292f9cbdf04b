"""May this person be given a discount now? Pure: no Django, no clock, no database.

Asked before a code is made, with everything that the person was given in the store's flows
before. What is refused leaves a reason with its values, and the text goes without a discount.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from smsflow_plugin.governance.policy import PolicyRules

KINDS = ("percent", "amount", "shipping")

#: A code that ends so much earlier than a new one would is as good as that: the text may say how long it lasts.
ABOUT_AS_LONG = timedelta(days=1)

_ALL = Decimal(100)


class Why(StrEnum):
    """What stands under "why" in the notes of a decision on a discount. Stored for ever, so never rename one."""

    #: As many as the rules allow have been given.
    COUNT = "count"
    #: Bigger than the last one, which was used: who buys with 10 percent need not be offered 20.
    ESCALATION = "escalation"
    #: Less would be left of the order than the rules demand.
    MARGIN = "margin"
    #: The rules demand a margin, but nobody knows what the order will come to, or what the store earns.
    MARGIN_UNKNOWN = "margin_unknown"
    #: No refusal: the person holds a code that is as good.
    REUSED = "reused"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The discount that a step wants to give.

    ``order_value`` is what the order will probably come to, in the store's currency, None if nothing tells.
    """

    kind: str
    amount: Decimal
    minimum: Decimal | None = None
    valid_days: int = 7
    order_value: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """A discount that the person was given, or is about to be: then it has no ``code`` yet."""

    kind: str
    amount: Decimal
    at: datetime
    valid_until: datetime | None = None
    minimum: Decimal | None = None
    code: str = ""
    redeemed: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """What the rules say: make a code, give ``reuse`` again, or none at all. ``notes`` is plain JSON."""

    allowed: bool
    reuse: Given | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)


def decide_discount(wanted: Wanted, ledger: Sequence[Given], rules: PolicyRules, now: datetime) -> Offer:
    """Return what ``rules`` say to ``wanted`` at ``now``. ``ledger`` is what the person was given, in any order.

    A code that the person holds already is no new discount, so no rule speaks of it. Everything given within
    ``discount_days`` counts, whether it was used, has run out or is still being made: it was an offer.
    """
    held = _held(wanted, ledger, now)
    if held is not None:
        return Offer(True, held, {"why": Why.REUSED.value})
    since = now - timedelta(days=rules.discount_days)
    lately = sorted((given for given in ledger if given.at > since), key=lambda given: given.at)
    notes = _too_many(lately, rules) or _too_big(wanted, lately, rules) or _too_dear(wanted, rules)
    return Offer(notes is None, None, notes or {})


def _held(wanted: Wanted, ledger: Iterable[Given], now: datetime) -> Given | None:
    """Return the code that the person holds and that does all that the new one would, the one that lasts longest."""
    lasting = now + timedelta(days=wanted.valid_days) - ABOUT_AS_LONG
    fit = [
        given
        for given in ledger
        if given.code
        and not given.redeemed
        and given.valid_until is not None
        and given.valid_until > now
        and given.valid_until >= lasting
        and (given.minimum or 0) <= (wanted.minimum or 0)
        and _is_as_good(given, wanted)
    ]
    return max(fit, key=lambda given: (given.valid_until, given.at), default=None)


def _too_many(lately: Sequence[Given], rules: PolicyRules) -> Mapping[str, Any] | None:
    if rules.discounts is None or len(lately) < rules.discounts:
        return None
    return {
        "why": Why.COUNT.value,
        "limit": rules.discounts,
        "days": rules.discount_days,
        "given": len(lately),
    }


def _too_big(wanted: Wanted, lately: Sequence[Given], rules: PolicyRules) -> Mapping[str, Any] | None:
    last = lately[-1] if lately else None
    if not rules.escalate_unredeemed or last is None or not last.redeemed or _is_as_good(last, wanted):
        return None
    return {"why": Why.ESCALATION.value, "last": worded(last.kind, last.amount), **_named(wanted)}


def _is_as_good(given: Given, wanted: Wanted) -> bool:
    """Return whether what was given is worth at least as much. What cannot be compared is not."""
    if given.kind == wanted.kind:
        return given.amount >= wanted.amount
    one, other = (_off(kind, amount, wanted.order_value) for kind, amount in _pair(given, wanted))
    return one is not None and other is not None and one >= other


def _pair(given: Given, wanted: Wanted) -> tuple[tuple[str, Decimal], tuple[str, Decimal]]:
    return (given.kind, given.amount), (wanted.kind, wanted.amount)


def _off(kind: str, amount: Decimal, order_value: Decimal | None) -> Decimal | None:
    """Return what a discount takes off an order, None if nobody knows."""
    if kind == "amount":
        return amount
    return order_value * amount / _ALL if kind == "percent" and order_value is not None else None


def _too_dear(wanted: Wanted, rules: PolicyRules) -> Mapping[str, Any] | None:
    """Object if less is left than the floor. What a parcel costs is no part of the margin of goods."""
    if rules.margin_floor is None or wanted.kind == "shipping":
        return None
    percent = wanted.amount if wanted.kind == "percent" else _percent(wanted)
    if rules.gross_margin is None or percent is None:
        return {"why": Why.MARGIN_UNKNOWN.value, "floor": str(rules.margin_floor), **_named(wanted)}
    left = rules.gross_margin - percent
    if left >= rules.margin_floor:
        return None
    left = left.quantize(Decimal("0.01"))
    return {"why": Why.MARGIN.value, "left": str(left), "floor": str(rules.margin_floor), **_named(wanted)}


def _percent(wanted: Wanted) -> Decimal | None:
    """Return how many percent of the order an amount is: of what it will come to, or else of the least that it must."""
    values = [value for value in (wanted.order_value, wanted.minimum) if value]
    return wanted.amount / max(values) * _ALL if values else None


def _named(wanted: Wanted) -> Mapping[str, str]:
    return {"wanted": worded(wanted.kind, wanted.amount)}


def worded(kind: str, amount: Decimal) -> str:
    """Return a discount in short, as the notes hold it: "percent 10", "shipping"."""
    return kind if kind == "shipping" else f"{kind} {amount.normalize():f}"


def number(value: Any) -> Decimal | None:
    """Return an amount that somebody wrote into a step or that came with an event, None if it is none."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None


def code_key(code: str) -> str:
    """Return a code as shops compare it: whether letters are capitals does not matter."""
    return code.strip().casefold()[:100]
