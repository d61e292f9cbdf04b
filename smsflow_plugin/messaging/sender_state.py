"""How a store's senders stand right now: what waits, what rests, what was slowed down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count

from smsflow_plugin.governance.throughput import effective, fast_again
from smsflow_plugin.messaging.models import Message, Pace
from smsflow_plugin.messaging.pacing import limits_of
from smsflow_plugin.messaging.routes import Lane, routes
from smsflow_plugin.messaging.settling import PAUSE, paused_until
from smsflow_plugin.stores.models import Connection, Store


@dataclass(frozen=True, slots=True)
class Standing:
    """One number or name of a store. ``limit`` and ``slowed_to`` are texts a second; None: as many as it likes."""

    address: str
    waiting: int = 0
    kind: str = ""
    limit: Decimal | None = None
    rests_until: datetime | None = None
    rests_because: str = ""
    slowed_to: Decimal | None = None
    slow_until: datetime | None = None


def standings(store: Store, now: datetime) -> dict[str, Standing]:
    """Return how the store's senders stand, by address. A fixed number of queries.

    What waits of addresses that are none of the store's any more goes the way of its own sender. The caller has
    asked whether the user may see this store.
    """
    ways = routes(now, store_id=store.pk)
    lanes = ways.lanes()
    waiting: dict[str, int] = {lane.address: 0 for lane in lanes}
    queued = Message.objects.filter(store=store, state=Message.State.QUEUED, not_before__lte=now)
    for sender, count in queued.values_list("sender").annotate(Count("pk")).order_by():
        if lanes:
            waiting[ways.lane(store.pk, sender).address] += count
    connections = {row.pk: row for row in Connection.objects.filter(store=store).defer("secrets")}
    paces = {(row.connection_id, row.address): row for row in Pace.objects.filter(connection_id__in=connections)}
    limits = limits_of(lanes)
    return {
        lane.address: _standing(
            lane,
            waiting[lane.address],
            limits[lane],
            connections.get(lane.connection_id),
            paces.get((lane.connection_id, lane.address)),
            now,
        )
        for lane in lanes
    }


def _standing(
    lane: Lane, waiting: int, limit: Decimal | None, connection: Connection | None, pace: Pace | None, now: datetime
) -> Standing:
    settings = connection.settings if connection else {}
    until = paused_until(settings)
    rests = until is not None and until > now
    slow_until = fast_again(limit, pace.slowed_to, pace.slowed_at) if pace else None
    slow = pace is not None and slow_until is not None and slow_until > now
    return Standing(
        lane.address,
        waiting,
        connection.kind if connection else "",
        limit,
        until if rests else None,
        str(settings[PAUSE].get("reason", "")) if rests else "",
        effective(limit, pace.slowed_to, pace.slowed_at, now) if pace and slow else None,
        slow_until if slow else None,
    )
