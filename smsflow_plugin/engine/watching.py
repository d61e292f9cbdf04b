"""The pump ``watch``: looks at what every live flow does, and stops those for which a circuit breaker trips.

A stopped flow is paused like any other: its people stay where they are. Where texts of the whole store fail,
the store is stopped as by the panic switch, once, and not each of its flows. Whoever answers for it is written to,
once for each trip; what is to be done is a person's choice (``engine.resolving``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model, Q
from django.utils.translation import gettext as _
from django.utils.translation import override

from smsflow_plugin import bulk, clock
from smsflow_plugin.engine.figures import NO_FLOW, baselines_of, figures_of, keep_days
from smsflow_plugin.engine.gateway_alarms import tell_of_blocked
from smsflow_plugin.engine.trip_letters import letters
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.governance.breakers import Baseline, Figures, Kind, Trip, judge, judge_store
from smsflow_plugin.governance.effective import rules_of
from smsflow_plugin.governance.models import PanicStop
from smsflow_plugin.governance.panic import stopped
from smsflow_plugin.governance.policy import PolicyRules
from smsflow_plugin.governance.trips import BreakerTrip
from smsflow_plugin.stores.models import Store, StoreLogEntry

_COLUMNS = (
    "store_id", "flow_id", "stop_id", "kind", "measured", "limit", "baseline", "against", "hours", "count", "texts",
    "tripped_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Watched:
    """Everything that a look reads: rules by store, figures by store and flow, baselines and names by flow."""

    stores: Mapping[int, Store]
    rules: Mapping[int, PolicyRules]
    flows: Mapping[int, int]
    figures: Mapping[int, Mapping[int, Figures]]
    baselines: Mapping[int, Baseline]


def watch() -> int:
    """Look once; return how many breakers tripped. The number of statements depends on no number of flows."""
    now = clock.now()
    keep_days(now)
    _close_what_was_decided_elsewhere(now)
    tell_of_blocked(now)
    watched = look(now)
    stores, flows = _judged(watched)
    if not stores and not flows:
        return 0
    return _trip(stores, flows, watched, now)


def look(now: datetime, store_ids: Sequence[int] | None = None) -> Watched:
    """Read the figures of all live flows that go on, of all stores or of some."""
    rows = Store.objects.filter(status=Store.Status.ACTIVE)
    if store_ids is not None:
        rows = rows.filter(pk__in=store_ids)
    stores = {store.pk: store for store in stopped().going(rows, "pk")}
    going = Flow.objects.filter(store_id__in=stores, live=True, paused_at__isnull=True)
    flows = dict(going.values_list("pk", "store_id"))
    rules = {pk: own.rules for pk, own in rules_of(stores.values()).items()} if flows else {}
    figures = figures_of(list(stores), now) if flows else {}
    return Watched(stores, rules, flows, figures, baselines_of(list(flows), now) if flows else {})


def _judged(watched: Watched) -> tuple[dict[int, Trip], dict[int, Trip]]:
    """Return what trips: of stores as a whole, and of flows."""
    stores: dict[int, Trip] = {}
    flows: dict[int, Trip] = {}
    for store_id, own in watched.figures.items():
        rules = watched.rules[store_id]
        if trip := judge_store(own, rules):
            stores[store_id] = trip
        for flow_id, figures in own.items():
            if flow_id == NO_FLOW or flow_id not in watched.flows:
                continue
            trip = judge(figures, watched.baselines.get(flow_id, Baseline()), rules)
            # whoever is to blame for failures everywhere, it is none of the flows
            if trip and not (store_id in stores and trip.kind is Kind.FAILURES):
                flows[flow_id] = trip
    return stores, flows


@transaction.atomic
def _trip(stores: Mapping[int, Trip], flows: Mapping[int, Trip], watched: Watched, now: datetime) -> int:
    """Stop what trips, as far as nobody else was faster, and write down why."""
    stops = _stop([watched.stores[pk] for pk in sorted(stores)], now)
    # whoever pauses, resumes or trips one of them waits for us, and we for them
    locked = Flow.objects.filter(pk__in=flows, live=True, paused_at__isnull=True).order_by("pk")
    paused = list(locked.select_for_update(no_key=True).values_list("pk", flat=True))
    Flow.objects.filter(pk__in=paused).update(paused_at=now)
    rows = [
        *(_row(store_id, None, stop_id, stores[store_id], now) for store_id, stop_id in sorted(stops.items())),
        *(_row(watched.flows[pk], pk, None, flows[pk], now) for pk in paused),
    ]
    ids = [pk for (pk,) in bulk.insert(BreakerTrip, _COLUMNS, rows, returning=("id",))]
    trips = list(BreakerTrip.objects.filter(pk__in=ids).select_related("store", "flow__owner").order_by("pk"))
    _log(trips, now)
    letters(trips)
    return len(trips)


def _stop(stores: Sequence[Store], now: datetime) -> dict[int, int]:
    """Press the panic switch of these stores; return the stops by store, without those that stood still already."""
    rows = []
    for store in stores:
        with override(store.language):
            rows.append((store.pk, _("A circuit breaker: texts of several flows fail."), now))
    return dict(bulk.insert(PanicStop, ("store_id", "reason", "stopped_at"), rows, returning=("store_id", "id")))


def _row(store_id: int, flow_id: int | None, stop_id: int | None, trip: Trip, now: datetime) -> tuple[Any, ...]:
    usual = None if trip.usual is None else round(trip.usual, 2)
    return (
        store_id, flow_id, stop_id, trip.kind.value, round(trip.measured, 2), round(trip.limit, 2), usual,
        trip.against.value, trip.hours, trip.count, trip.of, now,
    )  # fmt: skip


def _log(trips: Sequence[BreakerTrip], now: datetime) -> None:
    """Write the log of the flows and stores, with one statement for all."""
    types = ContentType.objects.get_for_models(Flow, Store)
    entries = []
    for trip in trips:
        about: Model = trip.flow or trip.store
        data = {"trip": trip.pk, "kind": trip.kind, "measured": str(trip.measured), "limit": str(trip.limit)}
        entries.append(
            StoreLogEntry(
                content_type=types[type(about)],
                label=str(about)[:255],
                action="smsflow.breaker",
                timestamp=now,
                data=data,
                store_id=trip.store_id,
                object_id=str(about.pk),
            )  # fmt: skip
        )
    StoreLogEntry.objects.bulk_create(entries)


def _close_what_was_decided_elsewhere(now: datetime) -> None:
    """Close trips whose flow was resumed, or whose store was let go, on another page than that of breakers."""
    going = Q(flow__isnull=False, flow__paused_at__isnull=True) | Q(flow__isnull=True, stop__released_at__isnull=False)
    trips = BreakerTrip.objects.filter(going, state=BreakerTrip.State.OPEN)
    ids = list(trips.values_list("pk", flat=True))
    if ids:
        BreakerTrip.objects.filter(pk__in=ids, state=BreakerTrip.State.OPEN).update(
            state=BreakerTrip.State.RESUMED, decided_at=now
        )
