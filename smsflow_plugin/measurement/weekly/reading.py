"""Reads what a week came to, of any number of stores with the same few statements."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import Count, Model

from smsflow_plugin.events.models import Delivery, ReplyReview
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.governance.effective import StoreRules, rules_of
from smsflow_plugin.governance.trips import BreakerTrip
from smsflow_plugin.measurement.baselines import (
    Comparison,
    Days,
    Figure,
    baseline_of,
    compare_all,
    days_of,
    of_flow,
    total,
    within,
)
from smsflow_plugin.measurement.figures import Figures, People, Period, people
from smsflow_plugin.measurement.targets import LISTED, Held, days_for, held_to, missed, targets_of
from smsflow_plugin.measurement.usage import lacks_price
from smsflow_plugin.messaging.models import Batch
from smsflow_plugin.stores.models import Store

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FlowWeek:
    """What one flow came to; ``beside`` compares it with its own four weeks before."""

    pk: int
    name: str
    sums: Figures
    beside: Mapping[Figure, Comparison]


@dataclass(frozen=True, slots=True)
class Week:
    """A store's last full week and the one before."""

    store: Store
    period: Period
    now: Figures
    before: Figures
    people: People
    people_before: People
    #: Compared with the week before.
    beside: Mapping[Figure, Comparison]
    #: The flows that sent anything, those that earned most first.
    flows: tuple[FlowWeek, ...] = ()
    #: Live flows that sent texts in the week before and none in this one: id and name.
    silent: tuple[tuple[int, str], ...] = ()
    #: Targets that live flows miss, by the last 28 days of the week: id and name of the flow, and which.
    missed: tuple[tuple[int, str, Sequence[Held]], ...] = ()
    trips: Sequence[BreakerTrip] = field(default_factory=tuple)
    calls: int = 0
    replies: int = 0
    deliveries: int = 0
    #: Spend is limited, and nobody knows what a text costs.
    lacks_price: bool = False


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read of several stores, by their ids."""

    period: Period
    days: Mapping[int, Mapping[int, Days]]
    flows: Mapping[int, Flow]
    people: Mapping[int, People]
    people_before: Mapping[int, People]
    trips: Mapping[int, Sequence[BreakerTrip]]
    calls: Mapping[int, int]
    replies: Mapping[int, int]
    deliveries: Mapping[int, int]
    rules: Mapping[int, StoreRules]


def weeks_of(stores: Sequence[Store], monday: date) -> dict[int, Week]:
    """Return the week before ``monday`` of each store. Ten statements or so, however many stores.

    A store whose week cannot be told is left out, and the log says why: it must not stop the reports of the others.
    """
    try:
        read = _read(stores, monday)
    except Exception:
        if len(stores) > 1:
            # what one store has cannot be read: who it is shows when each is read for itself
            return {pk: week for store in stores for pk, week in weeks_of([store], monday).items()}
        logger.exception("The week of store %s cannot be read.", [store.pk for store in stores])
        return {}
    found = {}
    for store in stores:
        try:
            found[store.pk] = _week(store, read)
        except Exception:
            logger.exception("The week of store %s cannot be told.", store.pk)
    return found


def week_of(store: Store, monday: date) -> Week:
    """Return the week before ``monday`` of one store, for somebody who looks at it: errors are raised."""
    return _week(store, _read([store], monday))


def _read(stores: Sequence[Store], monday: date) -> _Read:
    ids = [store.pk for store in stores]
    period = Period(monday - timedelta(days=7), monday - timedelta(days=1))
    trips: dict[int, list[BreakerTrip]] = defaultdict(list)
    stopped = BreakerTrip.objects.filter(store_id__in=ids, state=BreakerTrip.State.OPEN)
    for trip in stopped.select_related("flow", "store").order_by("-tripped_at", "-pk"):
        trips[trip.store_id].append(trip)
    return _Read(
        period,
        days_of(ids, Period(baseline_of(period).first, period.last)),
        Flow.objects.filter(store_id__in=ids).only(*LISTED).in_bulk(),
        people(ids, period),
        people(ids, period.before()),
        trips,
        _waiting(Batch, Batch.State.PARKED, ids),
        _waiting(ReplyReview, ReplyReview.State.OPEN, ids),
        _waiting(Delivery, Delivery.State.PARKED, ids),
        rules_of(stores, keep=False, standing=False),
    )


def _week(store: Store, read: _Read) -> Week:
    flows, period = read.days.get(store.pk, {}), read.period
    by_day: dict[date, Figures] = defaultdict(Figures)
    for own in flows.values():
        for day, counted in own.items():
            by_day[day] += counted
    now, earlier = within(by_day, period), within(by_day, period.before())
    return Week(
        store,
        period,
        total(now),
        total(earlier),
        read.people[store.pk],
        read.people_before[store.pk],
        compare_all(earlier, now),
        _flows(flows, read.flows, period),
        _silent(flows, read.flows, period),
        _missed(flows, read.flows, period),
        read.trips.get(store.pk, ()),
        read.calls.get(store.pk, 0),
        read.replies.get(store.pk, 0),
        read.deliveries.get(store.pk, 0),
        lacks_price(store, read.rules[store.pk]),
    )


def _flows(days: Mapping[int, Days], flows: Mapping[int, Flow], period: Period) -> tuple[FlowWeek, ...]:
    found = []
    for pk, own in days.items():
        sums = total(within(own, period))
        if pk in flows and (sums.sent or sums.ordered):
            found.append(FlowWeek(pk, flows[pk].name, sums, of_flow(own, period)))
    return tuple(sorted(found, key=lambda flow: (-flow.sums.earned, -flow.sums.sent, flow.name)))


def _silent(days: Mapping[int, Days], flows: Mapping[int, Flow], period: Period) -> tuple[tuple[int, str], ...]:
    return tuple(
        (pk, flows[pk].name)
        for pk, own in sorted(days.items())
        if pk in flows and flows[pk].live
        if total(within(own, period.before())).sent and not total(within(own, period)).sent
    )


def _missed(
    days: Mapping[int, Days], flows: Mapping[int, Flow], period: Period
) -> tuple[tuple[int, str, Sequence[Held]], ...]:
    looked_at = days_for(period.last + timedelta(days=1))
    return tuple(
        (pk, flows[pk].name, found)
        for pk, own in sorted(days.items())
        if pk in flows and flows[pk].state == Flow.State.LIVE
        if (found := missed(held_to(targets_of(flows[pk]), within(own, looked_at))))
    )


def _waiting(model: type[Model], state: str, store_ids: Sequence[int]) -> dict[int, int]:
    rows = model._default_manager.filter(store_id__in=store_ids, state=state).order_by().values_list("store_id")
    return dict(rows.annotate(count=Count("pk")))
