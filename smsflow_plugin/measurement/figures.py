"""What the screens read: figures of a period, summed up from what ``rollups`` has counted. One query each, and one for
all that a page reads (``together``).

Rates are not here but in ``rates``, which knows when there is too little to name one. ``orders`` and ``revenue``
belong to the texts of the period, whenever their orders came; ``ordered`` and ``earned`` are orders of the period,
whenever their texts went. What is credited to a text at all stands in ``attribution.rules``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import BigIntegerField, CharField, DateField, F, Field, Q, QuerySet, Sum, Value
from django.db.models.functions import Cast

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

    What is for each of something is None where there is nothing to divide by: nobody knows it, which is not zero.
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
    def revenue_per_text(self) -> Decimal | None:
        """Money for each delivered text."""
        return _per(self.revenue, self.delivered)

    @property
    def average_order(self) -> Decimal | None:
        return _per(self.revenue, self.orders)

    @property
    def spend(self) -> Decimal | None:
        """What the texts cost; None if some were sent and none of them has a price: nobody knows then."""
        return None if self.sent and not self.cost else self.cost

    @property
    def return_on_spend(self) -> float | None:
        """What came back for each unit of money, less that unit: 3.0 means that four were earned for one."""
        return float((self.revenue - self.cost) / self.cost) if self.cost else None

    @property
    def seconds_to_click(self) -> float | None:
        """From the moment a text left to its first click, on average."""
        return self.click_seconds / self.clicked if self.clicked else None


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


#: The counters' names, which are those of the columns.
COUNTERS = tuple(field.name for field in fields(Figures))
EVENTS = tuple(field.name for field in fields(People))

#: To which unit money is counted, as its columns hold it.
_SMALLEST = {"cost": Decimal("0.00001"), "revenue": Decimal("0.01"), "earned": Decimal("0.01")}


#: What rows can be told apart by, with the type of each: not every database takes a bare NULL for all of them.
_KEYS: dict[str, Field[Any, Any]] = {
    "store_id": BigIntegerField(), "flow_id": BigIntegerField(), "version_id": BigIntegerField(), "day": DateField(),
    "step": CharField(), "variant": CharField(),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """Rows of ``FlowStat`` or ``StoreStat``, to be summed up for each value of ``by``, or of all of these."""

    rows: QuerySet[Any, Any]
    by: tuple[str, ...]

    def summed(self, place: int) -> QuerySet[Any, Any]:
        """Return the sums, with the same columns whichever the table: ``place``, the keys, and ``COUNTERS``."""
        keys = {f"by_{name}": F(name) if name in self.by else Cast(None, kind) for name, kind in _KEYS.items()}
        taken = _PLACES if self.rows.model is StoreStat else dict(zip(COUNTERS, COUNTERS, strict=True))
        sums = {f"sum_{slot}": Sum(taken[slot]) if slot in taken else _nothing(slot) for slot in COUNTERS}
        return self.rows.order_by().annotate(place=Value(place), **keys).values_list("place", *keys).annotate(**sums)

    def result(self, values: Sequence[Any]) -> Any:
        """Return what ``summed`` has read of a row, as ``Figures`` or ``People``."""
        named = {name: _counted(name, value) for name, value in zip(COUNTERS, values, strict=True)}
        if self.rows.model is StoreStat:
            return People(**{name: named[slot] for slot, name in _PLACES.items()})
        return Figures(**named)


#: In which of the columns of ``Figures`` those of ``People`` are read. Money is only in that of money.
_PLACES = {
    "entered": "opted_in", "finished": "opted_out", "queued": "received", "clicked": "robots", "orders": "orders",
    "revenue": "revenue", "failed": "unsent",
}  # fmt: skip


def together(*readings: Reading) -> list[dict[Any, Any]]:
    """Return the figures of each reading by its key, with one query for all of them.

    Keys are values, or tuples of them where a reading goes by several.
    """
    first, *others = (reading.summed(place) for place, reading in enumerate(readings))
    found: list[dict[Any, Any]] = [{} for _reading in readings]
    names = list(_KEYS)
    for place, *values in first.union(*others, all=True) if others else first:
        reading = readings[place]
        keys = tuple(values[names.index(name)] for name in reading.by)
        found[place][keys if len(keys) > 1 else keys[0]] = reading.result(values[len(names) :])
    return found


def stores_in(periods: Mapping[int, Period]) -> Reading:
    """Read the figures of stores, each in its own period, by store."""
    return Reading(FlowStat.objects.filter(_each(periods)), ("store_id",))


def people_in(periods: Mapping[int, Period]) -> Reading:
    """Read what happened in stores, each in its own period, by store."""
    return Reading(StoreStat.objects.filter(_each(periods)), ("store_id",))


def days_in(store_id: int, period: Period, flow_id: int | None = None) -> Reading:
    """Read the figures of a store, or of one of its flows, by day."""
    stats = _stats(store_id, period)
    return Reading(stats if flow_id is None else stats.filter(flow_id=flow_id), ("day",))


def flow_days_in(store_id: int, period: Period, flow_ids: Collection[int]) -> Reading:
    """Read the figures of some flows by flow and day."""
    return Reading(_stats(store_id, period).filter(flow_id__in=flow_ids), ("flow_id", "day"))


def people_days_in(store_id: int, period: Period) -> Reading:
    """Read what happened in a store by day."""
    rows = StoreStat.objects.filter(store_id=store_id, day__range=(period.first, period.last))
    return Reading(rows, ("day",))


def flows_in(store_id: int, period: Period) -> Reading:
    """Read the figures by flow; 0 stands for texts of no flow: answers, what staff wrote."""
    return Reading(_stats(store_id, period), ("flow_id",))


def parts_in(store_id: int, flow_id: int, period: Period) -> Reading:
    """Read a flow's figures by version, step and variant; the step "" stands for the people in the flow, who entered,
    finished and left, the variant "" for texts that had none."""
    return Reading(_stats(store_id, period).filter(flow_id=flow_id), ("version_id", "step", "variant"))


def summed(parts: Mapping[tuple[Any, ...], Figures], place: int) -> dict[Any, Figures]:
    """Return figures by one of their keys, the one at ``place``, whatever the others are."""
    found: dict[Any, Figures] = {}
    for key, figures in sorted(parts.items()):
        found[key[place]] = found.get(key[place], Figures()) + figures
    return found


def people(store_ids: Collection[int], period: Period) -> dict[int, People]:
    """Return what happened in each of these stores."""
    [found] = together(people_in(dict.fromkeys(store_ids, period)))
    return {pk: found.get(pk, People()) for pk in store_ids}


def _stats(store_id: int, period: Period) -> QuerySet[FlowStat, FlowStat]:
    return FlowStat.objects.filter(store_id=store_id, day__range=(period.first, period.last))


def _each(periods: Mapping[int, Period]) -> Q:
    """Return the condition for rows of these stores, each in its period: few periods, for days begin by the clock."""
    stores: dict[Period, list[int]] = {}
    for pk, period in periods.items():
        stores.setdefault(period, []).append(pk)
    none = Q(pk__in=[])
    return reduce(or_, (Q(store_id__in=ids, day__range=(one.first, one.last)) for one, ids in stores.items()), none)


def _nothing(slot: str) -> Cast:
    return Cast(0, FlowStat._meta.get_field(slot))


def _counted(name: str, value: Any) -> Any:
    # SQLite adds money up as floats: 30.1700999999999
    return value.quantize(_SMALLEST[name]) if name in _SMALLEST else value


def _per(money: Decimal, count: int) -> Decimal | None:
    return money / count if count else None
