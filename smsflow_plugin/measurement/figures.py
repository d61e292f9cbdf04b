"""What the screens read: figures of a period, summed up from what ``rollups`` has counted. One query each.

Rates go by what was delivered, and are None where nothing was: nobody knows them, which is not zero. ``orders`` and
``revenue`` belong to the texts of the period, whenever their orders came; ``ordered`` and ``earned`` are orders of the
period, whenever their texts went. What is credited to a text at all stands in ``attribution.rules``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet, Sum

from smsflow_plugin.measurement.models import FlowStat, StoreStat

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Period:
    """Days on the stores' own clocks, ``first`` and ``last`` among them."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError("A period ends on its first day at the earliest.")

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def before(self) -> Period:
        """Return as many days as these, just before them."""
        return Period(self.first - timedelta(days=len(self)), self.first - timedelta(days=1))

    def days(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in range(len(self)))


def last_days(count: int, today: date) -> Period:
    """Return the last ``count`` days, today among them. ``today`` is the store's own."""
    return Period(today - timedelta(days=count - 1), today)


@dataclass(frozen=True, slots=True)
class Figures:
    """Texts and what came of them. The counters are those of ``FlowStat``; money is in the store's currency.

    Rates are shares (0.25, not 25), and None where there is nothing to divide by.
    """

    entered: int = 0
    finished: int = 0
    left: int = 0
    queued: int = 0
    sent: int = 0
    pending: int = 0
    delivered: int = 0
    failed: int = 0
    expired: int = 0
    clicked: int = 0
    click_seconds: int = 0
    replied: int = 0
    opted_out: int = 0
    parts: int = 0
    cost: Decimal = ZERO
    orders: int = 0
    revenue: Decimal = ZERO
    ordered: int = 0
    earned: Decimal = ZERO

    def __add__(self, other: Figures) -> Figures:
        return Figures(**{name: getattr(self, name) + getattr(other, name) for name in COUNTERS})

    @property
    def delivery_rate(self) -> float | None:
        """Delivered, of the texts of which something is known."""
        return _share(self.delivered, self.sent - self.pending)

    @property
    def click_rate(self) -> float | None:
        """Texts that a person clicked. Robots and previews are none."""
        return _share(self.clicked, self.delivered)

    @property
    def reply_rate(self) -> float | None:
        return _share(self.replied, self.delivered)

    @property
    def opt_out_rate(self) -> float | None:
        return _share(self.opted_out, self.delivered)

    @property
    def conversion_rate(self) -> float | None:
        """Orders of these texts for each that was delivered. A text may bring more than one."""
        return _share(self.orders, self.delivered)

    @property
    def revenue_per_text(self) -> Decimal | None:
        """Money for each delivered text."""
        return _per(self.revenue, self.delivered)

    @property
    def average_order(self) -> Decimal | None:
        return _per(self.revenue, self.orders)

    @property
    def cost_per_text(self) -> Decimal | None:
        """What a text that the gateway took has cost, on average."""
        return _per(self.cost, self.sent)

    @property
    def return_on_spend(self) -> float | None:
        """What came back for each unit of money, less that unit: 3.0 means that four were earned for one."""
        return float((self.revenue - self.cost) / self.cost) if self.cost else None

    @property
    def seconds_to_click(self) -> float | None:
        """From the moment a text left to its first click, on average."""
        return _share(self.click_seconds, self.clicked)


@dataclass(frozen=True, slots=True)
class People:
    """What happened in a store apart from its texts. The counters are those of ``StoreStat``.

    ``orders`` and ``revenue`` are the whole shop's, whoever is credited with them.
    """

    opted_in: int = 0
    opted_out: int = 0
    received: int = 0
    robots: int = 0
    orders: int = 0
    revenue: Decimal = ZERO
    unsent: int = 0

    def __add__(self, other: People) -> People:
        return People(**{name: getattr(self, name) + getattr(other, name) for name in EVENTS})

    @property
    def growth(self) -> int:
        """By how many people the list has grown."""
        return self.opted_in - self.opted_out

    @property
    def average_order(self) -> Decimal | None:
        return _per(self.revenue, self.orders)


#: The counters' names, which are those of the columns.
COUNTERS = tuple(field.name for field in fields(Figures))
EVENTS = tuple(field.name for field in fields(People))

#: To which unit money is counted, as its columns hold it.
_SMALLEST = {"cost": Decimal("0.00001"), "revenue": Decimal("0.01"), "earned": Decimal("0.01")}


def of_stores(
    store_ids: Collection[int], period: Period, *, classes: Collection[str] | None = None
) -> dict[int, Figures]:
    """Return the figures of each of these stores.

    :param classes: count texts of these classes only ("marketing", "service", "optin", "reply"); without, all texts,
        and the people in flows as well.
    """
    found = _by(_stats(store_ids, period, classes), "store_id")
    return {pk: found.get(pk, Figures()) for pk in store_ids}


def by_day(
    store_id: int, period: Period, flow_id: int | None = None, *, classes: Collection[str] | None = None
) -> dict[date, Figures]:
    """Return the figures of each day, in order and without gaps: of one flow, or of the whole store."""
    stats = _stats([store_id], period, classes)
    found = _by(stats if flow_id is None else stats.filter(flow_id=flow_id), "day")
    return {day: found.get(day, Figures()) for day in period.days()}


def by_flow(store_id: int, period: Period) -> dict[int, Figures]:
    """Return the figures by flow; 0 stands for texts of no flow: answers, what staff wrote."""
    return _by(_stats([store_id], period), "flow_id")


def by_step(store_id: int, flow_id: int, period: Period, version: int | None = None) -> dict[str, Figures]:
    """Return a flow's figures by step; "" stands for the people in the flow, who entered, finished, left."""
    return _by(_of_flow(store_id, flow_id, period, version), "step")


def by_variant(
    store_id: int, flow_id: int, step: str, period: Period, version: int | None = None
) -> dict[str, Figures]:
    """Return the figures of one step by variant; "" stands for texts that had none."""
    return _by(_of_flow(store_id, flow_id, period, version).filter(step=step), "variant")


def by_version(store_id: int, flow_id: int, period: Period) -> dict[int, Figures]:
    """Return a flow's figures by version."""
    return _by(_of_flow(store_id, flow_id, period, None), "version_id")


def people(store_ids: Collection[int], period: Period) -> dict[int, People]:
    """Return what happened in each of these stores."""
    found = _people_by(store_ids, period, "store_id")
    return {pk: found.get(pk, People()) for pk in store_ids}


def people_by_day(store_id: int, period: Period) -> dict[date, People]:
    """Return what happened in a store on each day, in order and without gaps."""
    found = _people_by([store_id], period, "day")
    return {day: found.get(day, People()) for day in period.days()}


def _stats(
    store_ids: Collection[int], period: Period, classes: Collection[str] | None = None
) -> QuerySet[FlowStat, FlowStat]:
    stats = FlowStat.objects.filter(store_id__in=store_ids, day__range=(period.first, period.last))
    return stats if classes is None else stats.filter(message_class__in=classes)


def _of_flow(store_id: int, flow_id: int, period: Period, version: int | None) -> QuerySet[FlowStat, FlowStat]:
    stats = _stats([store_id], period).filter(flow_id=flow_id)
    return stats if version is None else stats.filter(version_id=version)


def _by(stats: QuerySet[FlowStat, FlowStat], column: str) -> dict[Any, Figures]:
    sums = {f"sum_{name}": Sum(name) for name in COUNTERS}
    rows = stats.order_by(column).values(column).annotate(**sums)
    return {row[column]: figures_of(row) for row in rows}


def _people_by(store_ids: Collection[int], period: Period, column: str) -> dict[Any, People]:
    stats = StoreStat.objects.filter(store_id__in=store_ids, day__range=(period.first, period.last))
    rows = stats.order_by(column).values(column).annotate(**{f"sum_{name}": Sum(name) for name in EVENTS})
    return {row[column]: People(**_sums(row, EVENTS)) for row in rows}


def figures_of(row: Mapping[str, Any]) -> Figures:
    """Return what a row of sums, named "sum_<counter>", comes to."""
    return Figures(**_sums(row, COUNTERS))


def _sums(row: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    # SQLite adds money up as floats: 30.1700999999999
    return {
        name: row[f"sum_{name}"].quantize(_SMALLEST[name]) if name in _SMALLEST else row[f"sum_{name}"]
        for name in names
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _per(money: Decimal, count: int) -> Decimal | None:
    return money / count if count else None
