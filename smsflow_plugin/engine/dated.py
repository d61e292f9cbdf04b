"""The pump ``enroll_by_date``: dates, lapses and empty cupboards, for which no webhook comes.

Only index ranges around today are read: what is due now, and what was missed while no
worker ran. Each finding becomes an event with a key of its own, so that nobody is told
twice, however often this runs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from smsflow_plugin import bulk, clock
from smsflow_plugin.audience.models import Contact, ContactDate
from smsflow_plugin.audience.zones import candidate_zones
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.engine.due_days import (
    DateRule,
    KeptDate,
    days_between,
    due_once,
    due_yearly,
    month_days,
    range_of_once,
)
from smsflow_plugin.engine.raising import LOOK, LiveFlow, Wanted, live_flows, raise_events, unseen
from smsflow_plugin.events.models import Event
from smsflow_plugin.flows.program import Trigger

logger = logging.getLogger(__name__)

Finder = Callable[..., Iterator[list[Wanted]]]

_PERSON = ("contact__phone", "contact__timezone", "contact__country", "contact__province")


def enroll_by_date() -> int:
    """Write an event for everybody whose time has come; return how many. 0 means that there is nobody.

    A flow that cannot be read is passed over: nobody else waits for it.
    """
    now = clock.now()
    done = 0
    for flow in live_flows(FINDERS, now):
        for trigger in flow.triggers(FINDERS):
            try:
                done += _look(flow, trigger, now)
            except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
                logger.exception("The trigger %s of flow %s cannot be read.", trigger.kind, flow.pk)
    return done


def _look(flow: LiveFlow, trigger: Trigger, now: datetime) -> int:
    done = 0
    for found in FINDERS[trigger.kind](flow, trigger.options, now):
        new = unseen(flow.store_id, trigger.kind, found)
        for start in range(0, len(new), smsflow_settings.BATCH_SIZE):
            with transaction.atomic():
                batch = new[start : start + smsflow_settings.BATCH_SIZE]
                done += len(raise_events(flow.store_id, trigger.kind, batch, now))
    return done


def take_note_of(store_id: int, contact_ids: Collection[int], now: datetime) -> None:
    """Write down what is due of these people without starting anything: it came due before their history came."""
    for flow in live_flows(FINDERS, now):
        for trigger in flow.triggers(FINDERS) if flow.store_id == store_id else ():
            try:
                _note(flow, trigger, contact_ids, now)
            except (ValueError, TypeError, KeyError, OverflowError):
                logger.exception("What is due for flow %s cannot be read.", flow.pk)


def _note(flow: LiveFlow, trigger: Trigger, contact_ids: Collection[int], now: datetime) -> None:
    columns = ("store_id", "contact_id", "kind", "key", "subject", "occurred_at", "recorded_at", "data")
    for found in FINDERS[trigger.kind](flow, trigger.options, now, contact_ids):
        rows = [
            (flow.store_id, one.contact_id, trigger.kind, one.key, one.subject, one.occurred_at, now, dict(one.data))
            for one in found
        ]
        bulk.insert(Event, columns, rows)


def _dates(
    flow: LiveFlow, options: Mapping[str, Any], now: datetime, among: Collection[int] | None = None
) -> Iterator[list[Wanted]]:
    """Dates that have come, in everybody's own zone at the trigger's time."""
    rule = DateRule.read(options)
    dates = ContactDate.objects.filter(store_id=flow.store_id, name=rule.name)
    if among is not None:
        dates = dates.filter(contact_id__in=among)
    if rule.yearly:
        shift = timedelta(days=rule.shift)
        dates = dates.filter(month_day__in=month_days(days_between(flow.since - shift, now - shift)))
    else:
        first, last = range_of_once(rule, flow.since, now)
        dates = dates.filter(at__gte=first, at__lte=last)
    due = due_yearly if rule.yearly else due_once
    for rows in _in_chunks(dates, "contact_id", "at", "month_day", *_PERSON):
        found = []
        for _pk, contact_id, at, month_day, phone, timezone, country, province in rows:
            zone = candidate_zones(
                phone, timezone=timezone, country=country, province=province, store_timezone=flow.zone
            ).names[0]
            came = due(KeptDate(at, month_day), rule, zone, flow.since, now)
            if came is None:
                continue
            # a date that is corrected later in its year is not kept twice
            day = came.day.year if rule.yearly else came.day.isoformat()
            data = {"flow": flow.pk, "field": rule.name, "date": came.day.isoformat()}
            key = f"{flow.pk}:{rule.name}:{rule.shift}:{day}:{contact_id}"
            found.append(Wanted(contact_id, key, came.moment, f"{rule.name}:{day}", data))
        yield found


def _lapsed(
    flow: LiveFlow, options: Mapping[str, Any], now: datetime, among: Collection[int] | None = None
) -> Iterator[list[Wanted]]:
    """People whose last order was so many days ago: once for each such pause."""
    days = int(options["days"])
    ago = timedelta(days=days)
    people = Contact.objects.filter(
        store_id=flow.store_id, last_order_at__gt=flow.since - ago, last_order_at__lte=now - ago
    )
    if among is not None:
        people = people.filter(pk__in=among)
    for rows in _in_chunks(people, "last_order_at"):
        yield [
            Wanted(
                pk, f"{flow.pk}:{days}:{_stamp(ordered_at)}:{pk}", ordered_at + ago, "", {"flow": flow.pk, "days": days}
            )
            for pk, ordered_at in rows
        ]


def _used_up(
    flow: LiveFlow, options: Mapping[str, Any], now: datetime, among: Collection[int] | None = None
) -> Iterator[list[Wanted]]:
    """People who have probably used up what they bought, by their own pace, else by the flow's word."""
    early = timedelta(days=int(options.get("early_days") or 0))
    default = timedelta(days=int(options.get("default_days") or 0))
    people = Contact.objects.filter(store_id=flow.store_id)
    if among is not None:
        people = people.filter(pk__in=among)
    known = people.filter(
        replenish_at__gt=flow.since, replenish_at__lte=now + early, replenish_at__isnull=False
    ).annotate(due=F("replenish_at"))
    for rows in _in_chunks(known, "last_order_at", "due"):
        yield _replenishments(flow, rows, early, now)
    if default:
        first_time = people.filter(
            Q(replenish_at__isnull=True),
            last_order_at__gt=flow.since - default,
            last_order_at__lte=now + early - default,
        )
        for rows in _in_chunks(first_time, "last_order_at"):
            yield _replenishments(flow, [(pk, at, at + default) for pk, at in rows], early, now)


def _replenishments(
    flow: LiveFlow, rows: Sequence[tuple[int, datetime | None, datetime]], early: timedelta, now: datetime
) -> list[Wanted]:
    due = []
    for pk, ordered_at, used_up_at in rows:
        if ordered_at is None:
            continue
        # never in the first half of the time: nobody asks right after the order
        moment = max(used_up_at - early, ordered_at + (used_up_at - ordered_at) / 2)
        if flow.since < moment <= now:
            due.append((pk, ordered_at, moment))
    orders = _last_orders(due)
    return [
        Wanted(pk, f"{flow.pk}:{_stamp(ordered_at)}:{pk}", moment, subject, {**data, "flow": flow.pk})
        for pk, ordered_at, moment in due
        for subject, data in [orders.get(pk, ("", {}))]
    ]


def _last_orders(due: Sequence[tuple[int, datetime, datetime]]) -> dict[int, tuple[str, dict[str, Any]]]:
    """Return the subject and the data of the last order of each person, with one statement."""
    if not due:
        return {}
    rows = Event.objects.filter(
        contact_id__in=[pk for pk, *_rest in due],
        kind="order_created",
        occurred_at__gte=min(ordered_at for _pk, ordered_at, _moment in due),
    ).order_by("occurred_at", "pk")
    return {pk: (subject, data) for pk, subject, data in rows.values_list("contact_id", "subject", "data")}


#: Who finds the people of each kind of trigger.
FINDERS: Mapping[str, Finder] = {"date_due": _dates, "lapsed": _lapsed, "replenishment_due": _used_up}


def _in_chunks(rows: QuerySet[Any], *columns: str) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows as tuples that begin with the primary key, some thousands at a time."""
    last = 0
    while chunk := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", *columns)[:LOOK]):
        yield chunk
        if len(chunk) < LOOK:
            return
        last = chunk[-1][0]


def _stamp(moment: datetime) -> int:
    return int(moment.timestamp())
