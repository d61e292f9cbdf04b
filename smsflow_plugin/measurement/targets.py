"""What a flow is to reach, and whether it does: yes, no, or that nobody can tell yet. The judging is pure.

Targets stand in the flow's form, but are no part of its program: changing one makes no version, and asks nothing of the
people inside. They count from when the form is published.

Figures are those of ``baselines``: clicks and opt-outs of the texts of the days, orders and revenue *placed* in the
days for each text that was delivered in them. A flow misses its target only if chance hardly explains it: the whole
interval lies on the wrong side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from smsflow_plugin.measurement.baselines import (
    CONFIDENCE,
    ENOUGH_ORDERS,
    ENOUGH_TEXTS,
    Figure,
    money_per_text,
    successes,
    total,
    trials,
)
from smsflow_plugin.measurement.figures import Figures, Period
from smsflow_plugin.measurement.statistics import Interval, student_quantile, wilson

#: Wherever nobody chooses days, so many whole ones are looked at.
TARGET_DAYS = 28

#: The column of ``Flow`` that holds each target: percent, but money for money.
FIELDS = {
    Figure.CONVERSION: "target_conversion",
    Figure.REVENUE: "target_revenue",
    Figure.CLICKS: "target_clicks",
    Figure.OPT_OUTS: "target_opt_outs",
}

#: What is read of a flow to list it beside its targets.
LISTED = ("store_id", "name", "live", "paused_at", *FIELDS.values())


class Aiming(Protocol):
    """A flow with its targets; None where it has none."""

    target_conversion: Decimal | None
    target_revenue: Decimal | None
    target_clicks: Decimal | None
    target_opt_outs: Decimal | None


class Standing(StrEnum):
    REACHED = "reached"
    MISSED = "missed"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Held:
    """A figure held to its target. Rates are shares, money is in the store's currency; None where nobody knows.

    ``interval`` is that of the figure, None if there are too few texts or orders to say.
    """

    figure: Figure
    target: float
    now: float | None
    interval: Interval | None = None

    @property
    def is_ceiling(self) -> bool:
        """Whether the figure is to stay below the target."""
        return self.figure is Figure.OPT_OUTS

    @property
    def standing(self) -> Standing:
        if self.interval is None:
            return Standing.OPEN
        above, below = self.interval.low >= self.target, self.interval.high < self.target
        if self.is_ceiling:
            above, below = self.interval.low > self.target, self.interval.high <= self.target
        if not (above or below):
            return Standing.OPEN
        return Standing.REACHED if above != self.is_ceiling else Standing.MISSED


def targets_of(flow: Aiming) -> dict[Figure, float]:
    """Return what a flow is to reach: shares, and money for each text."""
    found = {}
    for figure, name in FIELDS.items():
        value = getattr(flow, name)
        if value is not None:
            found[figure] = float(value) if figure is Figure.REVENUE else float(value) / 100
    return found


def held_to(targets: dict[Figure, float], days: Sequence[Figures]) -> list[Held]:
    """Return the figures of some days of a flow, each held to its target."""
    sums = total(days)
    return [
        _money(target, days) if figure is Figure.REVENUE else _rate(figure, target, sums)
        for figure, target in targets.items()
    ]


def missed(held: Sequence[Held]) -> list[Held]:
    return [one for one in held if one.standing is Standing.MISSED]


def days_for(today: date) -> Period:
    """Return the whole days that are looked at wherever nobody chooses any: today is not over yet."""
    return Period(today - timedelta(days=TARGET_DAYS), today - timedelta(days=1))


def _rate(figure: Figure, target: float, sums: Figures) -> Held:
    part, whole = successes(figure, sums), trials(figure, sums)
    if whole < ENOUGH_TEXTS:
        return Held(figure, target, None)
    return Held(figure, target, part / whole, wilson(part, whole, CONFIDENCE))


def _money(target: float, days: Sequence[Figures]) -> Held:
    rate, variance, count = money_per_text(days)
    if rate is None or total(days).ordered < ENOUGH_ORDERS or count < 3 or not variance:
        return Held(Figure.REVENUE, target, rate)
    half = student_quantile((1 + CONFIDENCE) / 2, count - 1) * math.sqrt(variance)
    return Held(Figure.REVENUE, target, rate, Interval(rate - half, rate + half))
