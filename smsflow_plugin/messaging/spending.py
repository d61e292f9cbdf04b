"""What texts cost: priced and counted when they are queued, given back when they turn out not to go.

Budgets are asked of ``SpendDay``, a row for each store and day. Whoever queues texts adds them there in the same
transaction; the row stays locked until its end, so that of several workers each sees what the others have spent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Case, Count, DecimalField, F, Q, Sum, Value, When
from django.db.models.functions import Coalesce, TruncDate

from smsflow_plugin import bulk
from smsflow_plugin.audience.number_countries import country_of
from smsflow_plugin.governance.prices import prices_of
from smsflow_plugin.governance.spend import NOTHING, Prices, day_of, price_of
from smsflow_plugin.messaging.models import Message, SpendDay
from smsflow_plugin.stores.changes import note_days
from smsflow_plugin.stores.models import Store

#: Columns of a message that say what it costs.
COLUMNS = ("cost", "country", "spent")

#: So many days back the nightly count goes: older texts change no more.
RECOUNTED = 3

_AMOUNTS = ("marketing", "total", "texts", "parts", "unpriced")
_MARKETING = Message.Class.MARKETING.value
#: States of texts that will not go any more. Those that the gateway had before have a time of that.
_OVER = (Message.State.CANCELLED.value, Message.State.EXPIRED.value, Message.State.FAILED.value)
_NEVER_WENT = Q(state__in=_OVER, accepted_at__isnull=True)


class Priced(NamedTuple):
    """What one text costs, and the country by which that goes. The values of ``COLUMNS`` in a message's row."""

    cost: Decimal | None
    country: str
    spent: bool = True


def priced(prices: Prices, number: str, parts: int, *, country: str = "") -> Priced:
    """Return what a text to ``number`` costs. ``country`` is that of the person, for numbers that tell nothing."""
    found = country_of(number) or country.upper()[:2]
    return Priced(price_of(prices, found, parts), found)


@dataclass(frozen=True, slots=True)
class Spent:
    """What a few texts of one store and day come to."""

    marketing: Decimal = NOTHING
    total: Decimal = NOTHING
    texts: int = 0
    parts: int = 0
    unpriced: int = 0

    def plus(self, cost: Decimal | None, parts: int, *, marketing: bool) -> Spent:
        paid = cost or NOTHING
        return Spent(
            self.marketing + (paid if marketing else NOTHING),
            self.total + paid,
            self.texts + 1,
            self.parts + parts,
            self.unpriced + (cost is None),
        )

    def negative(self) -> Spent:
        return Spent(-self.marketing, -self.total, -self.texts, -self.parts, -self.unpriced)


#: What is to be counted, by store and day.
Spends = Mapping[tuple[int, date], Spent]


def add(spends: Spends) -> dict[tuple[int, date], Decimal]:
    """Count ``spends``, and return what marketing has come to on each of the days, by store and day.

    Two statements. The days stay locked until the end of the transaction.
    """
    rows = [(*key, *(getattr(spent, name) for name in _AMOUNTS)) for key, spent in sorted(spends.items())]
    note_days(spends.keys())
    written = bulk.add(SpendDay, ("store_id", "day"), _AMOUNTS, rows, returning=("store_id", "day", "marketing"))
    return {(store_id, day): marketing for store_id, day, marketing in written}


def count_texts(texts: Iterable[tuple[int, str, str, Decimal | None, int]], now: datetime) -> None:
    """Count texts that were queued now: (store id, its time zone, class, cost, parts)."""
    spends: dict[tuple[int, date], Spent] = defaultdict(Spent)
    for store_id, zone, message_class, cost, parts in texts:
        key = store_id, day_of(now, zone).date
        spends[key] = spends[key].plus(cost, parts, marketing=message_class == _MARKETING)
    add(spends)


def price_list(stores: Collection[Store]) -> Callable[[int, str, int, str], Priced]:
    """Return what prices a text of one of ``stores``: (store id, number, parts, the person's country)."""
    tables = prices_of(stores)

    def price(store_id: int, number: str, parts: int, country: str) -> Priced:
        return priced(tables.get(store_id, {}), number, parts, country=country)

    return price


@transaction.atomic
def give_back(limit: int = 1000) -> int:
    """Take texts that will not go any more out of what was spent; return how many.

    Whoever cancels texts need not think of their money: this looks for them once a minute.
    """
    refunds = Message.objects.filter(_NEVER_WENT, spent=True).order_by("pk")
    found = list(refunds.values_list("pk", "store_id", "queued_at")[:limit])
    if not found:
        return 0
    zones = dict(Store.objects.filter(pk__in={store_id for _pk, store_id, _at in found}).values_list("pk", "timezone"))
    # the days before the texts, as the nightly count has it
    _lock({(store_id, day_of(at, zones[store_id]).date) for _pk, store_id, at in found})
    rows = list(
        refunds.filter(pk__in=[row[0] for row in found])
        .select_for_update(skip_locked=True)
        .values_list("pk", "store_id", "queued_at", "message_class", "cost", "parts")
    )
    spends: dict[tuple[int, date], Spent] = defaultdict(Spent)
    for _pk, store_id, queued_at, message_class, cost, parts in rows:
        key = store_id, day_of(queued_at, zones[store_id]).date
        spends[key] = spends[key].plus(cost, parts, marketing=message_class == _MARKETING)
    bulk.update(Message, ("spent",), [(row[0], False) for row in rows])
    add({key: spent.negative() for key, spent in spends.items()})
    return len(rows)


def _lock(days: Collection[tuple[int, date]]) -> dict[tuple[int, date], int]:
    """Lock what is counted of these days, in the order of everybody who does, and return its ids."""
    rows = SpendDay.objects.filter(store_id__in={pk for pk, _day in days}, day__in={day for _pk, day in days})
    return {(row.store_id, row.day): row.pk for row in rows.order_by("store_id", "day").select_for_update()}


def recount(now: datetime, days: int = RECOUNTED) -> None:
    """Make the last days anew from the texts themselves, so that nothing that went wrong lasts.

    Texts that somebody queues meanwhile wait for it: the days are locked.
    """
    by_zone: dict[str, list[int]] = defaultdict(list)
    for pk, zone in Store.objects.values_list("pk", "timezone"):
        by_zone[zone].append(pk)
    for zone, store_ids in by_zone.items():
        _recount(zone, store_ids, now, days)


@transaction.atomic
def _recount(zone: str, store_ids: list[int], now: datetime, days: int) -> None:
    today = day_of(now, zone).date
    wanted = [today - timedelta(days=back) for back in range(days)]
    since = datetime.combine(wanted[-1], datetime.min.time(), ZoneInfo(zone))
    known = _lock({(store_id, day) for store_id in store_ids for day in wanted})
    texts = Message.objects.filter(store_id__in=store_ids, queued_at__gte=since, queued_at__lte=now)
    _mark(texts.filter(_NEVER_WENT, spent=True), False)
    _mark(texts.exclude(_NEVER_WENT).filter(spent=False), True)
    found = {(store_id, day): amounts for store_id, day, *amounts in _sums(texts.filter(spent=True), zone)}
    rows = [(pk, *found.get(key, (0,) * len(_AMOUNTS))) for key, pk in sorted(known.items())]
    bulk.update(SpendDay, _AMOUNTS, rows)
    missing = [(*key, *amounts) for key, amounts in sorted(found.items()) if key not in known]
    bulk.insert(SpendDay, ("store_id", "day", *_AMOUNTS), missing)


def _mark(texts: Any, spent: bool) -> None:
    # what somebody works on right now keeps its mark, and is counted by it
    ids = list(texts.order_by("pk").select_for_update(skip_locked=True).values_list("pk", flat=True))
    bulk.update(Message, ("spent",), [(pk, spent) for pk in ids])


def _sums(texts: Any, zone: str) -> Iterable[tuple[Any, ...]]:
    money = DecimalField(max_digits=14, decimal_places=5)
    marketing = Case(When(message_class=_MARKETING, then=F("cost")), default=Value(NOTHING), output_field=money)
    rows = (
        texts.annotate(day=TruncDate("queued_at", tzinfo=ZoneInfo(zone)))
        .values("store_id", "day")
        .annotate(
            marketing=Coalesce(Sum(marketing), NOTHING, output_field=money),
            total=Coalesce(Sum("cost"), NOTHING, output_field=money),
            texts=Count("pk"),
            all_parts=Coalesce(Sum("parts"), 0),
            unpriced=Count("pk", filter=Q(cost__isnull=True)),
        )
        .order_by()
    )
    found: Iterable[tuple[Any, ...]] = rows.values_list(
        "store_id", "day", "marketing", "total", "texts", "all_parts", "unpriced"
    )
    return found
