"""Figures that are compared, or held to a target, in words."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from smsflow_plugin.measurement import figure_words
from smsflow_plugin.measurement.baselines import Change, Comparison, Figure
from smsflow_plugin.measurement.figure_words import percent
from smsflow_plugin.measurement.statistics import Interval
from smsflow_plugin.measurement.targets import TARGET_DAYS, Held, Standing
from smsflow_plugin.measurement.verdicts import between

NAMES = {
    Figure.CONVERSION: gettext_lazy("Orders for each text"),
    Figure.REVENUE: gettext_lazy("Revenue for each text"),
    Figure.CLICKS: gettext_lazy("Clicked"),
    Figure.OPT_OUTS: gettext_lazy("Opted out"),
    Figure.DELIVERY: gettext_lazy("Delivered"),
}

_STANDINGS = {
    Standing.REACHED: gettext_lazy("Reached"),
    Standing.MISSED: gettext_lazy("Below target"),
    Standing.OPEN: gettext_lazy("Cannot be told yet"),
}
_CEILINGS = {
    Standing.REACHED: gettext_lazy("Kept"),
    Standing.MISSED: gettext_lazy("Above the ceiling"),
    Standing.OPEN: gettext_lazy("Cannot be told yet"),
}


def value(figure: Figure, amount: float | None, currency: str) -> str:
    """Return a figure's value: a rate in percent, or money."""
    return money(amount, currency) if figure is Figure.REVENUE else percent(amount)


def note(of: Comparison, currency: str = "") -> str:
    """Say whether a difference can be chance, with its interval."""
    if of.interval is None:
        return _("Too little to compare.")
    if of.figure is Figure.REVENUE:
        low, high = (_signed_money(value, currency) for value in (of.interval.low, of.interval.high))
        span = _("%(low)s to %(high)s") % {"low": low, "high": high}
    else:
        span = _("%(interval)s points") % {"interval": between(of.interval)}
    words = {
        Change.CHANCE: _("Can be chance (%(span)s)."),
        Change.BETTER: _("Better, and hardly by chance (%(span)s)."),
        Change.WORSE: _("Worse, and hardly by chance (%(span)s)."),
    }[of.change]
    return words % {"span": span}


def standing(held: Held) -> str:
    """Return in a word or two whether a target is reached."""
    return str((_CEILINGS if held.is_ceiling else _STANDINGS)[held.standing])


def target(held: Held, currency: str) -> str:
    words = _("at most %(value)s") if held.is_ceiling else _("at least %(value)s")
    return words % {"value": value(held.figure, held.target, currency)}


def with_interval(held: Held, currency: str) -> str:
    """Return a figure with the interval in which it lies, where anybody knows it."""
    now = value(held.figure, held.now, currency)
    return f"{now} ({_span(held.figure, held.interval, currency)})" if held.interval else now


def missed(flow: str, held: Sequence[Held], currency: str) -> str:
    """Say which targets a flow misses, in the days in which that is looked at."""
    head = ngettext(
        "“%(flow)s” has missed a target in the last %(days)d days.",
        "“%(flow)s” has missed targets in the last %(days)d days.",
        len(held),
    )
    told = [
        _("%(figure)s: %(now)s, wanted is %(target)s.")
        % {"figure": NAMES[one.figure], "now": with_interval(one, currency), "target": target(one, currency)}
        for one in held
    ]
    return " ".join([head % {"flow": flow, "days": TARGET_DAYS}, *told])


def money(amount: Decimal | float | None, currency: str) -> str:
    return figure_words.money(None if amount is None else Decimal(str(amount)), currency)


def _span(figure: Figure, of: Interval, currency: str) -> str:
    low, high = (value(figure, end, currency) for end in (of.low, of.high))
    return _("%(low)s to %(high)s") % {"low": low, "high": high}


def _signed_money(amount: float, currency: str) -> str:
    return f"{'−' if amount < 0 else '+'}{money(abs(amount), currency)}"
