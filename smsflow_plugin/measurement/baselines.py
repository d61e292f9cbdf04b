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
from enum import StrEnum
from typing import Any

from django.db.models import Sum

from smsflow_plugin.measurement.figures import ZERO, Figures, Period
from smsflow_plugin.measurement.models import FlowStat
from smsflow_plugin.measurement.statistics import Interval, newcombe, student_quantile

#: So many days before a period are what a flow uses to do.
BASELINE_DAYS = 28
#: Many figures are looked at each week: of a hundred that have not changed, one is called changed.
CONFIDENCE = 0.99
#: With fewer delivered texts, or orders for what is about money, nothing is compared.
ENOUGH_TEXTS, ENOUGH_ORDERS = 100, 30

#: What of a day's figures is compared, or told beside it.
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


def compare(figure: Figure, before: Sequence[Figures], now: Sequence[Figures]) -> Comparison:
    """Compare a figure of some days with that of the days before. Pure."""
    if figure is Figure.REVENUE:
        return _revenue(before, now)
    earlier, later = total(before), total(now)
    pairs = [(successes(figure, day), trials(figure, day)) for day in (earlier, later)]
    enough = all(texts >= ENOUGH_TEXTS for _part, texts in pairs)
    rates = [part / whole if whole else None for part, whole in pairs]
    return Comparison(figure, rates[1], rates[0], newcombe(*pairs, CONFIDENCE) if enough else None)


def compare_all(before: Sequence[Figures], now: Sequence[Figures]) -> dict[Figure, Comparison]:
    return {figure: compare(figure, before, now) for figure in Figure}


def total(days: Iterable[Figures]) -> Figures:
    return sum(days, Figures())


def successes(figure: Figure, day: Figures) -> int:
    # a text may bring two orders
    return min(int(getattr(day, _PART[figure])), trials(figure, day))


def trials(figure: Figure, day: Figures) -> int:
    """Return of how many texts a rate is: of those delivered, or of those of which something is known."""
    return day.sent - day.pending if figure is Figure.DELIVERY else day.delivered


def _revenue(before: Sequence[Figures], now: Sequence[Figures]) -> Comparison:
    """Compare money for each text, with an interval by how much it differs from day to day (Welch)."""
    (old, old_error, old_days), (new, new_error, new_days) = money_per_text(before), money_per_text(now)
    orders = min(total(before).ordered, total(now).ordered)
    error = old_error + new_error
    if old is None or new is None or orders < ENOUGH_ORDERS or min(old_days, new_days) < 3 or not error:
        return Comparison(Figure.REVENUE, new, old)
    freedom = error**2 / (old_error**2 / (old_days - 1) + new_error**2 / (new_days - 1))
    half = student_quantile((1 + CONFIDENCE) / 2, freedom) * math.sqrt(error)
    return Comparison(Figure.REVENUE, new, old, Interval(new - old - half, new - old + half))


def money_per_text(days: Sequence[Figures]) -> tuple[float | None, float, int]:
    """Return money for each text, its variance by how the days differ, and of how many days it is made."""
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
Days = Mapping[date, Figures]


def days_of(store_ids: Collection[int], period: Period) -> dict[int, dict[int, Days]]:
    """Return the days of these stores' flows by store and flow; 0 is what no flow sent. One query."""
    stats = FlowStat.objects.filter(store_id__in=store_ids, day__range=(period.first, period.last))
    sums: dict[str, Any] = {f"sum_{name}": Sum(name) for name in _COUNTED}
    rows = stats.order_by().values_list("store_id", "flow_id", "day").annotate(**sums)
    found: dict[int, dict[int, dict[date, Figures]]] = defaultdict(lambda: defaultdict(dict))
    for store_id, flow, day, *counts in rows:
        found[store_id][flow][day] = Figures(**dict(zip(_COUNTED, counts, strict=True)))
    return {store_id: dict(flows) for store_id, flows in found.items()}


def within(days: Days, period: Period) -> list[Figures]:
    """Return the days of a period, those on which nothing happened among them."""
    return [days.get(day, Figures()) for day in period.days()]


def baseline_of(period: Period) -> Period:
    """Return the four weeks before a period."""
    return Period(period.first - timedelta(days=BASELINE_DAYS), period.first - timedelta(days=1))


def of_flow(days: Days, period: Period) -> dict[Figure, Comparison]:
    """Return how a flow did in a period, beside its own four weeks before. Pure: ``days`` hold both."""
    return compare_all(within(days, baseline_of(period)), within(days, period))
