"""Hands out what the stores' numbers may send, across all workers: the state is a row for each number.

Whoever claims texts of a number with a rate holds that row until the claim is committed, so no two workers give
out the same moment. Numbers without a rate have no row and wait for nobody, until their gateway calls them too fast.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from smsflow_plugin import bulk
from smsflow_plugin.governance.models import Policy
from smsflow_plugin.governance.policy import Layer, Level, merge
from smsflow_plugin.governance.throughput import RECOVERS_IN, allowance, effective, free_again, sane, slower, spent
from smsflow_plugin.messaging.models import Message, Pace
from smsflow_plugin.messaging.routes import Lane, Routes
from smsflow_plugin.messaging.senders import Sender
from smsflow_plugin.stores.models import Store

#: What does not wait behind promotions: it has a share of its own.
URGENT = frozenset({Message.Class.REPLY.value, Message.Class.OPTIN.value, Message.Class.SERVICE.value})

#: Texts of one number that are looked at for a claim at least: those that are stale take nobody's turn.
LOOK_AT_LEAST = 100

_RATE = "texts_per_second"


@dataclass(frozen=True, slots=True)
class Row:
    """What is kept of a number."""

    pk: int
    free_at: datetime
    slowed_to: Decimal | None
    slowed_at: datetime | None


class Pacing:
    """What numbers may send now. Those that are not in ``rates`` send as much as they like."""

    def __init__(self, routes: Routes, now: datetime) -> None:
        """Lock the rows of all numbers with a rate. Must run in a transaction."""
        self._now = now
        self._routes = routes
        lanes = routes.ready()
        #: What each number may send when nobody complains.
        self.limits = limits_of(lanes)
        rows = _lock(lanes, {lane for lane, limit in self.limits.items() if limit is not None}, now)
        rates = {lane: effective(self.limits[lane], row.slowed_to, row.slowed_at, now) for lane, row in rows.items()}
        self.rates = {lane: rate for lane, rate in rates.items() if rate is not None}
        self._rows = {**rows, **self._healed(rows)}
        self._given: Counter[Lane] = Counter()

    def _healed(self, rows: Mapping[Lane, Row]) -> dict[Lane, Row]:
        """Return those that are busy for longer than anybody can have made them, put right: the clock was put back."""
        healed = {
            lane: replace(rows[lane], free_at=at)
            for lane, rate in self.rates.items()
            if (at := sane(rows[lane].free_at, self._now, rate)) < rows[lane].free_at
        }
        bulk.update(Pace, ("free_at",), sorted((row.pk, row.free_at) for row in healed.values()))
        return healed

    def turn(self, due: QuerySet[Message]) -> QuerySet[Message]:
        """Narrow ``due`` to the first texts of each number, as many as it can use."""
        if not self.rates:
            return due
        free = [lane for lane in self.rates if self._room(lane, urgent=False)]
        urgent = [lane for lane in self.rates if lane not in free and self._room(lane, urgent=True)]
        most = max((self._room(lane, urgent=True) for lane in self.rates), default=0)
        texts_of = self._routes.texts_of
        place = Window(
            RowNumber(), partition_by=[F("store_id"), F("sender")], order_by=["priority", "not_before", "pk"]
        )
        first = (
            due.filter(texts_of(free) | (texts_of(urgent) & Q(message_class__in=URGENT)))
            .order_by()
            .annotate(place=place)
            .filter(place__lte=max(LOOK_AT_LEAST, 2 * most))
        )
        return due.filter(~texts_of(list(self.rates)) | Q(pk__in=first.values("pk")))

    def takes(self, lane: Lane, message_class: str) -> bool:
        """Return whether the number may still be given a text of this class."""
        if lane not in self.rates:
            return True
        return self._room(lane, urgent=message_class in URGENT) > 0

    def give(self, lane: Lane) -> None:
        """Count a text that goes now."""
        self._given[lane] += lane in self.rates

    def write(self) -> None:
        """Keep until when the numbers are busy, with one statement."""
        rows = [(self._rows[lane].pk, self._free_at(lane)) for lane in self.rates if self._given[lane]]
        bulk.update(Pace, ("free_at",), sorted(rows))

    def next_at(self, due: QuerySet[Message]) -> datetime | None:
        """Return when the first number that has texts waiting may be given more; None if none has."""
        full = [lane for lane in self.rates if not self._room(lane, urgent=False)]
        return min((self._free_again(lane, urgent) for lane, urgent in _waiting(full, due)), default=None)

    def _free_again(self, lane: Lane, urgent: bool) -> datetime:
        return free_again(self._free_at(lane), self._now, self.rates[lane], urgent=urgent)

    def _room(self, lane: Lane, *, urgent: bool) -> int:
        return allowance(self._rows[lane].free_at, self._now, self.rates[lane], urgent=urgent) - self._given[lane]

    def _free_at(self, lane: Lane) -> datetime:
        return spent(self._rows[lane].free_at, self._now, self.rates[lane], self._given[lane])


def limits_of(lanes: Iterable[Lane]) -> dict[Lane, Decimal | None]:
    """Return what each number may send in a second: its own limit, or else that of its store. One query."""
    lanes = list(lanes)
    stores = rates_of({lane.store_id for lane in lanes if lane.rate is None})
    return {lane: stores.get(lane.store_id) if lane.rate is None else lane.rate for lane in lanes}


def rates_of(store_ids: Collection[int]) -> dict[int, Decimal]:
    """Return how many texts a second a number of these stores may send, for those that have a limit. One query."""
    if not store_ids:
        return {}
    found = Policy.objects.filter(Q(store_id__in=list(store_ids)) | Q(store_id__isnull=True), live=True)
    set_by = {
        store: (rate, frozenset(loosen if isinstance(loosen, list) else ()))
        for store, rate, loosen in found.filter(texts_per_second__isnull=False).values_list(
            "store_id", _RATE, "may_loosen"
        )
    }
    if not set_by:
        return {}
    rates = {}
    for store in store_ids:
        layers = [
            Layer(level, {_RATE: set_by[key][0]}, set_by[key][1]) if key in set_by else Layer(level)
            for level, key in ((Level.SITE, None), (Level.STORE, store))
        ]
        rate = merge(layers).rules.texts_per_second
        if rate is not None:
            rates[store] = rate
    return rates


@transaction.atomic
def slow_down(lane: Lane, limit: Decimal | None, now: datetime) -> None:
    """Let a number send half as much from now on, because its gateway says that it is too fast."""
    bulk.insert(Pace, ("connection_id", "address", "free_at"), [(lane.connection_id, lane.address, now)])
    pace = Pace.objects.select_for_update().get(connection_id=lane.connection_id, address=lane.address)
    pace.slowed_to, pace.slowed_at = slower(limit, pace.slowed_to, pace.slowed_at, now)
    pace.save(update_fields=["slowed_to", "slowed_at"])


def _waiting(full: Collection[Lane], due: QuerySet[Message]) -> list[tuple[Lane, bool]]:
    """Return which of these numbers have texts waiting, and whether there are urgent ones among them.

    A store's own sender is said to have what any number of the store has: at worst somebody looks once too often.
    """
    own = {lane.store_id: lane for lane in full if lane.sender_id is None}
    rows = {lane.sender_id: lane for lane in full if lane.sender_id is not None}
    found: list[tuple[Lane, bool]] = []
    if own:
        texts = due.filter(store_id=OuterRef("pk")).order_by()
        found += _found(Store.objects.filter(pk__in=own), texts, own)
    if rows:
        texts = due.filter(store_id=OuterRef("store_id"), sender=OuterRef("address")).order_by()
        found += _found(Sender.objects.filter(pk__in=rows), texts, rows)
    return found


def _found(rows: QuerySet[Any], texts: QuerySet[Message], lanes: Mapping[Any, Lane]) -> list[tuple[Lane, bool]]:
    urgent = Exists(texts.filter(message_class__in=URGENT))
    return [(lanes[pk], has) for pk, has in rows.filter(Exists(texts)).values_list("pk", urgent)]


def _lock(lanes: Collection[Lane], limited: Collection[Lane], now: datetime) -> dict[Lane, Row]:
    """Return the rows of these numbers, locked in the order of their ids; those missing of ``limited`` are made."""
    if not lanes:
        return {}
    by_key = {(lane.connection_id, lane.address): lane for lane in lanes}
    connections = {lane.connection_id for lane in lanes}
    paced = {lane.connection_id for lane in limited}
    rows = (
        Pace.objects.filter(connection_id__in=connections)
        .filter(Q(connection_id__in=paced) | Q(slowed_at__gt=now - RECOVERS_IN))
        .order_by("pk")
        .select_for_update()
    )
    found = _read(rows, by_key)
    missing = sorted((lane.connection_id, lane.address, now) for lane in limited if lane not in found)
    if missing:
        bulk.insert(Pace, ("connection_id", "address", "free_at"), missing)
        found = _read(rows, by_key)
    return found


def _read(rows: QuerySet[Pace], by_key: Mapping[tuple[int, str], Lane]) -> dict[Lane, Row]:
    values: Any = rows.values_list("connection_id", "address", "pk", "free_at", "slowed_to", "slowed_at")
    return {by_key[row[:2]]: Row(*row[2:]) for row in values if row[:2] in by_key}
