"""Hands out what the stores' numbers may send, across all workers: the state is a row for each connection.

Whoever claims texts of a store with a rate holds that row until the claim is committed, so no two workers give
out the same moment. Stores without a rate have no row and wait for nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from smsflow_plugin import bulk
from smsflow_plugin.governance.models import Policy
from smsflow_plugin.governance.policy import Layer, Level, merge
from smsflow_plugin.governance.throughput import allowance, free_again, spent
from smsflow_plugin.messaging.models import Message, Pace
from smsflow_plugin.stores.models import Store

#: What does not wait behind promotions: it has a share of its own.
URGENT = frozenset({Message.Class.REPLY.value, Message.Class.OPTIN.value, Message.Class.SERVICE.value})

#: Texts of one store that are looked at for a claim at least: those that are stale take nobody's turn.
LOOK_AT_LEAST = 100

_RATE = "texts_per_second"


class Pacing:
    """What the numbers of these stores may send now. Stores that are not in ``rates`` send as much as they like."""

    def __init__(self, connections: Mapping[int, int], now: datetime) -> None:
        """Lock the rows of all stores with a rate. Must run in a transaction.

        :param connections: the connection to send through, by store.
        """
        self._now = now
        self.rates = rates_of(connections)
        self._connections = {store: connections[store] for store in self.rates}
        self._given: Counter[int] = Counter()
        self._rows = _lock(self._connections.values(), now)

    def turn(self, due: QuerySet[Message]) -> QuerySet[Message]:
        """Narrow ``due`` to the first texts of each store, as many as its number can use."""
        if not self.rates:
            return due
        free = [store for store in self.rates if self._room(store, urgent=False)]
        urgent = [store for store in self.rates if store not in free and self._room(store, urgent=True)]
        most = max((self._room(store, urgent=True) for store in self.rates), default=0)
        place = Window(RowNumber(), partition_by=F("store_id"), order_by=["priority", "not_before", "pk"])
        first = (
            due.filter(Q(store_id__in=free) | Q(store_id__in=urgent, message_class__in=URGENT))
            .order_by()
            .annotate(place=place)
            .filter(place__lte=max(LOOK_AT_LEAST, 2 * most))
        )
        return due.filter(~Q(store_id__in=list(self.rates)) | Q(pk__in=first.values("pk")))

    def takes(self, store_id: int, message_class: str) -> bool:
        """Return whether the store's number may still be given a text of this class."""
        if store_id not in self.rates:
            return True
        return self._room(store_id, urgent=message_class in URGENT) > 0

    def give(self, store_id: int) -> None:
        """Count a text that goes now."""
        self._given[store_id] += store_id in self.rates

    def write(self) -> None:
        """Keep until when the numbers are busy, with one statement."""
        rows = [
            (pk, spent(free_at, self._now, self.rates[store], self._given[store]))
            for store, (pk, free_at) in self._own()
            if self._given[store]
        ]
        bulk.update(Pace, ("free_at",), sorted(rows))

    def next_at(self, due: QuerySet[Message]) -> datetime | None:
        """Return when the first number that has texts waiting may be given more; None if none has."""
        full = [store for store in self.rates if not self._room(store, urgent=False)]
        if not full:
            return None
        own = due.filter(store_id=OuterRef("pk")).order_by()
        waiting = Store.objects.filter(Exists(own), pk__in=full).annotate(
            urgent=Exists(own.filter(message_class__in=URGENT))
        )
        return min(
            (
                free_again(self._free_at(pk), self._now, self.rates[pk], urgent=urgent)
                for pk, urgent in waiting.values_list("pk", "urgent")
            ),
            default=None,
        )

    def _room(self, store_id: int, *, urgent: bool) -> int:
        _pk, free_at = self._rows[self._connections[store_id]]
        return allowance(free_at, self._now, self.rates[store_id], urgent=urgent) - self._given[store_id]

    def _free_at(self, store_id: int) -> datetime:
        _pk, free_at = self._rows[self._connections[store_id]]
        return spent(free_at, self._now, self.rates[store_id], self._given[store_id])

    def _own(self) -> list[tuple[int, tuple[int, datetime]]]:
        return [(store, self._rows[connection]) for store, connection in self._connections.items()]


def rates_of(store_ids: Collection[int]) -> dict[int, Decimal]:
    """Return how many texts a second the numbers of these stores may send, for those that have a limit. One query."""
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


def _lock(connection_ids: Collection[int], now: datetime) -> dict[int, tuple[int, datetime]]:
    """Return the rows of these connections, locked in the order of their ids; those that are missing are made."""
    if not connection_ids:
        return {}
    rows = Pace.objects.filter(connection_id__in=connection_ids).order_by("pk").select_for_update()
    found = _read(rows)
    missing = sorted(set(connection_ids) - found.keys())
    if missing:
        bulk.insert(Pace, ("connection_id", "free_at"), [(pk, now) for pk in missing])
        found = _read(rows)
    return found


def _read(rows: QuerySet[Pace]) -> dict[int, tuple[int, datetime]]:
    values: Any = rows.values_list("connection_id", "pk", "free_at")
    return {connection: (pk, free_at) for connection, pk, free_at in values}
