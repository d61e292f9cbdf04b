"""Reads what a week came to, of any number of stores with the same few statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import Count, Model

from smsflow_plugin.events.models import Delivery, ReplyReview
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.governance.effective import rules_of
from smsflow_plugin.governance.trips import BreakerTrip
from smsflow_plugin.measurement.baselines import (
    Comparison,
    Day,
    Figure,
    baseline_of,
    compare_all,
    days_of,
    total,
    within,
)
from smsflow_plugin.measurement.figures import People, Period, people
from smsflow_plugin.measurement.usage import warning_of
from smsflow_plugin.messaging.models import Batch
from smsflow_plugin.stores.models import Store


@dataclass(frozen=True, slots=True)
class FlowWeek:
    """What one flow came to; ``beside`` compares it with its own four weeks before."""

    pk: int
    name: str
    sums: Day
    beside: Mapping[Figure, Comparison]


@dataclass(frozen=True, slots=True)
class Week:
    """A store's last full week and the one before."""

    store: Store
    period: Period
    now: Day
    before: Day
    people: People
    people_before: People
    #: Compared with the week before.
    beside: Mapping[Figure, Comparison]
    #: The flows that sent anything, those that earned most first.
    flows: tuple[FlowWeek, ...] = ()
    #: Live flows that sent texts in the week before and none in this one: id and name.
    silent: tuple[tuple[int, str], ...] = ()
    trips: Sequence[BreakerTrip] = field(default_factory=tuple)
    calls: int = 0
    replies: int = 0
    deliveries: int = 0
    price_warning: str = ""


def weeks_of(stores: Sequence[Store], monday: date) -> dict[int, Week]:
    """Return the week before ``monday`` of each store. Ten statements or so, however many stores."""
    ids = [store.pk for store in stores]
    period = Period(monday - timedelta(days=7), monday - timedelta(days=1))
    before = period.before()
    days = days_of(ids, Period(baseline_of(period).first, period.last))
    rows = Flow.objects.filter(store_id__in=ids).values_list("pk", "name", "live")
    names = {pk: name for pk, name, _live in rows}
    live = {pk for pk, _name, is_live in rows if is_live}
    lists, lists_before = people(ids, period), people(ids, before)
    trips: dict[int, list[BreakerTrip]] = defaultdict(list)
    stopped = BreakerTrip.objects.filter(store_id__in=ids, state=BreakerTrip.State.OPEN)
    for trip in stopped.select_related("flow", "store").order_by("-tripped_at", "-pk"):
        trips[trip.store_id].append(trip)
    calls = _waiting(Batch, Batch.State.PARKED, ids)
    replies = _waiting(ReplyReview, ReplyReview.State.OPEN, ids)
    deliveries = _waiting(Delivery, Delivery.State.PARKED, ids)
    rules = rules_of(stores, keep=False)
    found = {}
    for store in stores:
        flows = days.get(store.pk, {})
        by_day: dict[date, Day] = defaultdict(Day)
        for own in flows.values():
            for day, counted in own.items():
                by_day[day] += counted
        now, earlier = within(by_day, period), within(by_day, before)
        found[store.pk] = Week(
            store,
            period,
            total(now),
            total(earlier),
            lists[store.pk],
            lists_before[store.pk],
            compare_all(earlier, now),
            _flows(flows, names, period),
            _silent({pk: own for pk, own in flows.items() if pk in live}, names, period),
            trips.get(store.pk, ()),
            calls.get(store.pk, 0),
            replies.get(store.pk, 0),
            deliveries.get(store.pk, 0),
            warning_of(store, rules[store.pk]),
        )
    return found


def _flows(flows: Mapping[int, Mapping[date, Day]], names: Mapping[int, str], period: Period) -> tuple[FlowWeek, ...]:
    found = []
    for pk, own in flows.items():
        week = within(own, period)
        sums = total(week)
        if pk in names and (sums.sent or sums.ordered):
            found.append(FlowWeek(pk, names[pk], sums, compare_all(within(own, baseline_of(period)), week)))
    return tuple(sorted(found, key=lambda flow: (-flow.sums.earned, -flow.sums.sent, flow.name)))


def _silent(
    flows: Mapping[int, Mapping[date, Day]], names: Mapping[int, str], period: Period
) -> tuple[tuple[int, str], ...]:
    return tuple(
        (pk, names[pk])
        for pk, own in sorted(flows.items())
        if total(within(own, period.before())).sent and not total(within(own, period)).sent
    )


def _waiting(model: type[Model], state: str, store_ids: Sequence[int]) -> dict[int, int]:
    rows = model._default_manager.filter(store_id__in=store_ids, state=state).order_by().values_list("store_id")
    return dict(rows.annotate(count=Count("pk")))
