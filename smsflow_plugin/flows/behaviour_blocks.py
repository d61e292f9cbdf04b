"""Rules about what people did: engaged, overdue, among the best customers. What they compile to, and how they read.

Beside each rule stands its own condition of ``audience.filters``, so that a person can see what the word means.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from wagtail import blocks

from smsflow_plugin.audience.behaviour import SHARES
from smsflow_plugin.audience.filters import Condition
from smsflow_plugin.events.kinds import Keyword
from smsflow_plugin.flows.problems import Path

Report = Callable[[Path, str], None]

BEHAVIOUR = _("How people behave")
#: As long as events are asked for in any rule.
MOST_DAYS = 366
#: Per cent of the usual interval (no less than the interval itself), and days without one.
LEAST_PERCENT, MOST_PERCENT, LONGEST = 100, 1_000, 3_650
MOST_MONEY, MOST_ORDERS = 10**9, 100_000
SPENT, ORDERS, BEST = "spent", "orders", "best"


def _is_block() -> blocks.ChoiceBlock:
    return blocks.ChoiceBlock(choices=[("yes", _("is")), ("no", _("is not"))], default="yes", label=_("The person"))


class EngagedBlock(blocks.StructBlock):
    """Whether somebody has clicked, answered or ordered lately."""

    within = _is_block()
    days = blocks.IntegerBlock(min_value=1, max_value=MOST_DAYS, default=90, label=_("In the last … days"))

    class Meta:
        icon = "pick"
        label = _("Engaged")
        label_format = "{within} {days}"
        group = BEHAVIOUR
        description = _("Has clicked a link, written a text (other than STOP) or ordered.")


class OverdueBlock(blocks.StructBlock):
    """Whether a customer has not ordered for longer than usual."""

    within = _is_block()
    percent = blocks.IntegerBlock(
        min_value=LEAST_PERCENT,
        max_value=MOST_PERCENT,
        default=150,
        label=_("Per cent of their usual interval"),
        help_text=_("That is the median of the time between their own last orders. 150: half as long again."),
    )
    days = blocks.IntegerBlock(
        min_value=1,
        max_value=LONGEST,
        default=180,
        label=_("Or days"),
        help_text=_("For whoever has ordered once and has no interval yet."),
    )

    class Meta:
        icon = "history"
        label = _("Lapsing")
        label_format = "{within} {percent} {days}"
        group = BEHAVIOUR
        description = _("Was a customer, and has not ordered for longer than usual.")


class VipBlock(blocks.StructBlock):
    """Whether somebody is among the best customers."""

    within = _is_block()
    by = blocks.ChoiceBlock(
        choices=[
            (SPENT, _("has spent at least")),
            (ORDERS, _("has ordered at least so many times")),
            (BEST, _("is among the best … per cent by what they spent")),
        ],
        default=BEST,
        label=_("Who"),
    )
    amount = blocks.IntegerBlock(
        min_value=1,
        max_value=MOST_MONEY,
        default=10,
        label=_("How much"),
        help_text=_("Money in the store's currency, orders, or per cent. Who the best are is counted once a day."),
    )

    class Meta:
        icon = "pick"
        label = _("Good customer (VIP)")
        label_format = "{within} {by} {amount}"
        group = BEHAVIOUR
        description = _("Has spent much, orders often, or is among the best of the store's customers.")


def behaviour_rules() -> list[tuple[str, blocks.Block]]:
    """Return one instance of each rule."""
    return [("engaged", EngagedBlock()), ("overdue", OverdueBlock()), ("vip", VipBlock())]


# What they compile to ------------------------------------------------------------------------


def _number(value: Any, name: str, low: int, high: int, path: Path, report: Report) -> int:
    """Return the number of a field, or the least that makes sense after reporting it."""
    number = value.get(name)
    if isinstance(number, int) and not isinstance(number, bool) and low <= number <= high:
        return number
    words = {"low": low, "high": high}
    report((*path, name), _g("Give a number from %(low)s to %(high)s.") % words)
    return low


def engaged(days: int) -> Condition:
    """Return the condition of having clicked, written (but not to opt out) or ordered within ``days``."""
    wrote = [{"path": "keyword", "op": "ne", "value": Keyword.STOP.value}]
    return {
        "any": [
            {"event": "link_clicked", "hours": 24 * days},
            {"event": "message_received", "hours": 24 * days, "where": wrote},
            {"field": "last_order_at", "op": "within_days", "value": days},
        ]
    }


def _engaged(value: Any, path: Path, report: Report) -> Condition:
    return engaged(_number(value, "days", 1, MOST_DAYS, path, report))


def _overdue(value: Any, path: Path, report: Report) -> Condition:
    percent = _number(value, "percent", LEAST_PERCENT, MOST_PERCENT, path, report)
    return {"overdue": {"percent": percent, "days": _number(value, "days", 1, LONGEST, path, report)}}


def _vip(value: Any, path: Path, report: Report) -> Condition:
    match value.get("by"):
        case "spent":
            spent = _number(value, "amount", 1, MOST_MONEY, path, report)
            return {"field": "total_spent", "op": "ge", "value": str(spent)}
        case "orders":
            orders = _number(value, "amount", 1, MOST_ORDERS, path, report)
            return {"field": "orders_count", "op": "ge", "value": str(orders)}
        case "best":
            return {"top_spender": _number(value, "amount", SHARES[0], SHARES[-1], path, report)}
    report((*path, "by"), _g("Say who is meant."))
    return {"any": []}


_COMPILERS = {"engaged": _engaged, "overdue": _overdue, "vip": _vip}


def compile_rule(kind: str, value: Any, path: Path, report: Report) -> Condition | None:
    """Return the condition of one of these rules, None if it is another kind of rule."""
    compiler = _COMPILERS.get(kind)
    if compiler is None:
        return None
    condition = compiler(value, path, report)
    return {"not": condition} if value.get("within") == "no" else condition


# How they read -------------------------------------------------------------------------------


def _describe_engaged(value: Any) -> str:
    no = value.get("within") == "no"
    sentence = _g("not engaged in the last %(days)s days") if no else _g("engaged in the last %(days)s days")
    return sentence % {"days": value.get("days") or "…"}


def _describe_overdue(value: Any) -> str:
    no = value.get("within") == "no"
    sentence = (
        _g("not lapsing (after %(percent)s %% of their usual interval, or %(days)s days)")
        if no
        else _g("lapsing (after %(percent)s %% of their usual interval, or %(days)s days)")
    )
    return sentence % {"percent": value.get("percent") or "…", "days": value.get("days") or "…"}


def _describe_vip(value: Any) -> str:
    no = value.get("within") == "no"
    sentences = {
        SPENT: (_g("has spent at least %(amount)s"), _g("has spent less than %(amount)s")),
        ORDERS: (_g("has ordered at least %(amount)s times"), _g("has ordered less than %(amount)s times")),
        BEST: (
            _g("among the best %(amount)s per cent by what they spent"),
            _g("not among the best %(amount)s per cent by what they spent"),
        ),
    }
    return sentences.get(str(value.get("by")), ("…", "…"))[no] % {"amount": value.get("amount") or "…"}


DESCRIPTIONS: dict[str, Callable[[Any], str]] = {
    "engaged": _describe_engaged,
    "overdue": _describe_overdue,
    "vip": _describe_vip,
}
