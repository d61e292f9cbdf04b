"""Discounts in words: what was given, why another was not, and what was bought with it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from smsflow_plugin.governance.incentives import Why, number
from smsflow_plugin.governance.rules import Verdict

#: So many characters of a code are shown to those who may not read it.
SHOWN = 3


def decision_on_discount(decision: Mapping[str, Any]) -> str:
    """Say what a decision (its columns, as a mapping) on a discount decided."""
    if decision["verdict"] == Verdict.ALLOW:
        return _("No new code: the person holds one that is as good, and gets it again.")
    notes = next((note for note in decision["notes"] or () if isinstance(note, Mapping)), {})
    return _("No discount: %(reason)s.") % {"reason": why_not(notes)}


def why_not(notes: Mapping[str, Any]) -> str:
    """Say why a discount was refused, without a full stop."""
    values = {key: value for key, value in notes.items() if isinstance(value, str | int)}
    for name in ("wanted", "last"):
        values[name] = of_note(str(notes.get(name) or ""))
    for name in ("left", "floor"):
        values[name] = _number(notes.get(name))
    match notes.get("why"):
        case Why.COUNT:
            limit = int(values.get("limit", 0))
            days = ngettext("in %(days)d day", "in %(days)d days", int(values.get("days", 0)))
            return ngettext(
                "the rules allow %(limit)d for one person %(in_days)s",
                "the rules allow %(limit)d for one person %(in_days)s",
                limit,
            ) % {"limit": limit, "in_days": days % {"days": int(values.get("days", 0))}}
        case Why.ESCALATION:
            return _("%(wanted)s is more than the last one (%(last)s), and the person bought with that") % values
        case Why.MARGIN:
            return _("%(wanted)s would leave %(left)s %% of the order, and the rules ask for %(floor)s %%") % values
        case Why.MARGIN_UNKNOWN:
            return _("nobody knows what %(wanted)s would leave of the order; the rules ask for %(floor)s %%") % values
    return _("the rules for discounts allow none")


def of_note(short: str) -> str:
    """Return a discount in words that notes hold in short: "percent 10"."""
    kind, _space, amount = short.partition(" ")
    return discount_words(kind, number(amount))


def discount_words(kind: str, amount: Decimal | None) -> str:
    """Return a discount in words: "10 %", "5", "free shipping"."""
    if kind == "shipping":
        return _("free shipping")
    text = _number(amount)
    return _("%(number)s %%") % {"number": text} if kind == "percent" else text


def _number(value: Any) -> str:
    found = number(value)
    return "–" if found is None else number_format(f"{found.normalize():f}")


def redeemed_sentence(row: Mapping[str, Any]) -> str:
    """Say what was bought with a discount (its columns, as a mapping)."""
    if row["order_value"] is None:
        return ""
    return _("The order came to %(value)s %(currency)s.") % {
        "value": number_format(row["order_value"]),
        "currency": row["order_currency"],
    }


def masked(code: str) -> str:
    """Return a code as those see it who may not read it."""
    return f"{code[:SHOWN]}…" if code else ""
