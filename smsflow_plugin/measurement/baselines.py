"""Whether a flow does better or worse than it used to, or whether that can be chance.

A flow is compared with nothing but itself: with its own four weeks before. Nobody knows what other shops' welcome
flows do, and what they do would say little about this one.

Clicks and opt-outs are those of the texts of the days, of each delivered text. Orders and revenue are those *placed* in
the days, of each text delivered in them: whoever got a text yesterday may order tomorrow, so the orders of the last
days' texts are not all there yet, and every week would look worse than the ones before.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.db.models import Sum

from smsflow_plugin.measurement.figures import ZERO, Period
from smsflow_plugin.measurement.models import FlowStat
from smsflow_plugin.measurement.statistics import Interval, newcombe, student_quantile

#: So many days before a period are what a flow uses to do.
BASELINE_DAYS = 28
#: Many figures are looked at each week: of a hundred that have not changed, one is called changed.
CONFIDENCE = 0.99
#: With fewer delivered texts, or orders for what is about money, nothing is compared.
ENOUGH_TEXTS, ENOUGH_ORDERS = 100, 30

_COUNTED = ("sent", "delivered", "clicked", "opted_out", "ordered", "earned", "cost", "pending")


class Figure(StrEnum):
    CLICKS = "click_rate"
    CONVERSION = "conversion_rate"
    OPT_OUTS = "opt_out_rate"
    REVENUE = "revenue_per_text"
    DELIVERY = "delivery_rate"


_PART = {
    Figure.CLICKS: "clicked", Figure.CONVERSION: "ordered", Figure.OPT_OUTS: "opted_out", Figure.DELIVERY: "delivered",
}  # fmt: skip


class Change(StrEnum):
    """``CHANCE``: there may be no difference at all. ``UNKNOWN``: there are too few texts or orders to say."""

    BETTER = "better"
    WORSE = "worse"
    CHANCE = "chance"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Day:
    """Texts of one day and what came of them; ``ordered`` and ``earned`` are of the orders placed on it."""

    sent: int = 0
    delivered: int = 0
    clicked: int = 0
    opted_out: int = 0
    ordered: int = 0
    earned: Decimal = ZERO
    cost: Decimal = ZERO
    pending: int = 0

    def __add__(self, other: Day) -> Day:
        return Day(*(getattr(self, name) + getattr(other, name) for name in _COUNTED))


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure now and before. Rates are shares, money is in the store's currency; None where nobody knows.

    ``interval`` is that of the difference, now less before.
    """

    figure: Figure
    now: float | None
    before: float | None
    interval: Interval | None = None

    @property
    def change(self) -> Change:
        if self.interval is None:
            return Change.UNKNOWN
        if 0 in self.interval:
            return Change.CHANCE
        more = self.interval.low > 0
        return Change.BETTER if more != (self.figure is Figure.OPT_OUTS) else Change.WORSE


def compare(figure: Figure, before: Sequence[Day], now: Sequence[Day]) -> Comparison:
    """Compare a figure of some days with that of the days before. Pure."""
    if figure is Figure.REVENUE:
        return _revenue(before, now)
    earlier, later = total(before), total(now)
    pairs = [(_successes(figure, day), _trials(figure, day)) for day in (earlier, later)]
    enough = all(texts >= ENOUGH_TEXTS for _part, texts in pairs)
    rates = [successes / texts if texts else None for successes, texts in pairs]
    return Comparison(figure, rates[1], rates[0], newcombe(*pairs, CONFIDENCE) if enough else None)


def compare_all(before: Sequence[Day], now: Sequence[Day]) -> dict[Figure, Comparison]:
    return {figure: compare(figure, before, now) for figure in Figure}


def total(days: Iterable[Day]) -> Day:
    return sum(days, Day())


def _successes(figure: Figure, day: Day) -> int:
    # a text may bring two orders
    return min(int(getattr(day, _PART[figure])), _trials(figure, day))


def _trials(figure: Figure, day: Day) -> int:
    """Return of how many texts a rate is: of those delivered, or of those of which something is known."""
    return day.sent - day.pending if figure is Figure.DELIVERY else day.delivered


def _revenue(before: Sequence[Day], now: Sequence[Day]) -> Comparison:
    """Compare money for each text, with an interval by how much it differs from day to day (Welch)."""
    (old, old_error, old_days), (new, new_error, new_days) = _per_text(before), _per_text(now)
    orders = min(total(before).ordered, total(now).ordered)
    error = old_error + new_error
    if old is None or new is None or orders < ENOUGH_ORDERS or min(old_days, new_days) < 3 or not error:
        return Comparison(Figure.REVENUE, new, old)
    freedom = error**2 / (old_error**2 / (old_days - 1) + new_error**2 / (new_days - 1))
    half = student_quantile((1 + CONFIDENCE) / 2, freedom) * math.sqrt(error)
    return Comparison(Figure.REVENUE, new, old, Interval(new - old - half, new - old + half))


def _per_text(days: Sequence[Day]) -> tuple[float | None, float, int]:
    """Return money for each text, the variance of that, and of how many days it is made."""
    texts, money = sum(day.delivered for day in days), float(sum((day.earned for day in days), ZERO))
    used = [day for day in days if day.delivered or day.earned]
    if not texts:
        return None, 0.0, 0
    rate = money / texts
    squares = sum((float(day.earned) - rate * day.delivered) ** 2 for day in used)
    count = len(used)
    return rate, squares * count / max(count - 1, 1) / texts**2, count


# From the roll-ups -------------------------------------------------------------------------------

#: Days of a flow.
Days = Mapping[date, Day]


def days_of(store_ids: Collection[int], period: Period, flow_id: int | None = None) -> dict[int, dict[int, Days]]:
    """Return the days of these stores' flows by store and flow; 0 is what no flow sent. One query."""
    stats = FlowStat.objects.filter(store_id__in=store_ids, day__range=(period.first, period.last))
    if flow_id is not None:
        stats = stats.filter(flow_id=flow_id)
    sums: dict[str, Any] = {f"sum_{name}": Sum(name) for name in _COUNTED}
    rows = stats.order_by().values_list("store_id", "flow_id", "day").annotate(**sums)
    found: dict[int, dict[int, dict[date, Day]]] = defaultdict(lambda: defaultdict(dict))
    for store_id, flow, day, *counts in rows:
        found[store_id][flow][day] = Day(*counts)
    return {store_id: dict(flows) for store_id, flows in found.items()}


def within(days: Days, period: Period) -> list[Day]:
    """Return the days of a period, those on which nothing happened among them."""
    return [days.get(day, Day()) for day in period.days()]


def baseline_of(period: Period) -> Period:
    """Return the four weeks before a period."""
    return Period(period.first - timedelta(days=BASELINE_DAYS), period.first - timedelta(days=1))


def of_flow(store_id: int, flow_id: int, period: Period) -> dict[Figure, Comparison]:
    """Return how a flow did in a period, beside its own four weeks before. One query."""
    before = baseline_of(period)
    days = days_of([store_id], Period(before.first, period.last), flow_id).get(store_id, {}).get(flow_id, {})
    return compare_all(within(days, before), within(days, period))
