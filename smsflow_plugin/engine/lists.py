"""The pump ``watch_lists``: who has just come into a segment, and which planned runs are due."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connections, router, transaction
from django.db.models import Exists, OuterRef, QuerySet

from smsflow_plugin import bulk, clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.engine.due_days import last_occurrence
from smsflow_plugin.engine.models import Intake
from smsflow_plugin.engine.raising import LiveFlow, Wanted, live_flows, raise_events
from smsflow_plugin.engine.segments import condition_of
from smsflow_plugin.engine.selection import select
from smsflow_plugin.engine.starting import TOO_LATE
from smsflow_plugin.flows.models import Segment, SegmentMember
from smsflow_plugin.stores.models import Heartbeat

logger = logging.getLogger(__name__)

#: So often is a segment looked at: the whole of it, by the database.
LOOK_EVERY = timedelta(minutes=5)

#: A flow may be published a little after the time it is planned for, and still run.
JUST_MISSED = timedelta(hours=1)


def watch_lists() -> int:
    """Let in who has come into a segment, and plan what is due; return how much was found. 0 means nothing."""
    now = clock.now()
    flows = live_flows(("segment_entered", "scheduled"), now)
    return _plan(flows, now) + _watch_segments(flows, now)


def _plan(flows: Sequence[LiveFlow], now: datetime) -> int:
    """Write an intake for each planned time that has come. One that was missed altogether is not made up for."""
    rows = []
    for flow in flows:
        for trigger in flow.triggers(("scheduled",)):
            try:
                moment = _planned(flow, trigger.options, now)
            except (ValueError, TypeError, KeyError, OverflowError):
                logger.exception("The planned time of flow %s cannot be read.", flow.pk)
                continue
            if moment is not None:
                data = {"flow": flow.pk, "at": moment.isoformat()}
                rows.append((flow.store_id, flow.pk, f"scheduled:{flow.pk}:{moment:%Y%m%dT%H%M%S}", "scheduled", data))
    return bulk.insert(Intake, ("store_id", "flow_id", "key", "kind", "data"), rows)


def _planned(flow: LiveFlow, options: Any, now: datetime) -> datetime | None:
    first = datetime.fromisoformat(str(options["at"]))
    if first.tzinfo is None:
        first = first.replace(tzinfo=ZoneInfo(flow.zone))
    moment = last_occurrence(first, str(options.get("repeat") or "once"), flow.zone, now)
    since = flow.since - JUST_MISSED if moment == first else flow.since
    return moment if moment is not None and moment > max(since, now - TOO_LATE) else None


def take_note_of(store_id: int, contact_ids: Collection[int], now: datetime) -> None:
    """Write down in which watched segments these people are: what came with a shop's history starts no flow."""
    flows = [flow for flow in live_flows(("segment_entered",), now) if flow.store_id == store_id]
    watched = {
        segment
        for flow in flows
        for trigger in flow.triggers(("segment_entered",))
        if isinstance(segment := trigger.options.get("segment"), int)
    }
    for segment in Segment.objects.filter(pk__in=watched, store_id=store_id).order_by("pk"):
        try:
            with transaction.atomic():
                inside = select(condition_of(segment), store_id=store_id, now=now).filter(pk__in=contact_ids)
                _take_note(segment, inside, now)
        except Exception:
            logger.exception("Segment %s cannot be looked at; whoever comes into it comes later.", segment.pk)


def _watch_segments(flows: Sequence[LiveFlow], now: datetime) -> int:
    users: dict[int, list[LiveFlow]] = defaultdict(list)
    for flow in flows:
        for trigger in flow.triggers(("segment_entered",)):
            segment = trigger.options.get("segment")
            if isinstance(segment, int) and flow not in users[segment]:
                users[segment].append(flow)
    if not users:
        return 0
    looked = dict(Heartbeat.objects.filter(name__in=[_name(pk) for pk in users]).values_list("name", "at"))
    found = 0
    for segment in Segment.objects.filter(pk__in=users).order_by("pk"):
        last = looked.get(_name(segment.pk))
        if last is not None and now - last < LOOK_EVERY:
            continue
        own = [flow for flow in users[segment.pk] if flow.store_id == segment.store_id]
        try:
            found += _watch(segment, own, last, now)
        except Exception:
            logger.exception("Segment %s cannot be looked at; the next look tries again.", segment.pk)
    return found


def _watch(segment: Segment, flows: Sequence[LiveFlow], last: datetime | None, now: datetime) -> int:
    """Compare who is in the segment now with who was; who is new starts the flows.

    The first look, and one after a long time, only takes note: those people have not just come.
    """
    inside = select(condition_of(segment), store_id=segment.store_id, now=now)
    members = SegmentMember.objects.filter(segment=segment)
    members.filter(~Exists(inside.filter(pk=OuterRef("contact_id")))).delete()
    new = inside.filter(~Exists(members.filter(contact_id=OuterRef("pk"))))
    found = 0
    if last is None or now - last > TOO_LATE:
        _take_note(segment, new, now)
    else:
        while batch := list(new.order_by("pk").values_list("pk", flat=True)[: smsflow_settings.BATCH_SIZE]):
            found += _came_in(segment, batch, flows, now)
    Heartbeat.objects.update_or_create(name=_name(segment.pk), defaults={"at": now})
    return found


@transaction.atomic
def _came_in(segment: Segment, contact_ids: Sequence[int], flows: Sequence[LiveFlow], now: datetime) -> int:
    rows = [(segment.pk, pk, now) for pk in contact_ids]
    added = bulk.insert(SegmentMember, ("segment_id", "contact_id", "since"), rows, returning=("id", "contact_id"))
    found = 0
    for flow in flows:
        data = {"flow": flow.pk, "segment": segment.pk, "segment_name": segment.name}
        wanted = [Wanted(contact, f"{flow.pk}:{segment.pk}:{member}", now, "", data) for member, contact in added]
        found += len(raise_events(segment.store_id, "segment_entered", wanted, now))
    return found


def _take_note(segment: Segment, people: QuerySet[Contact], now: datetime) -> None:
    """Write down who is inside, with one statement, whatever their number."""
    connection = connections[router.db_for_write(SegmentMember)]
    sql, parameters = people.order_by().values_list("pk").query.sql_with_params()
    quote = connection.ops.quote_name
    columns = ", ".join(quote(column) for column in ("segment_id", "contact_id", "since"))
    since = connection.ops.adapt_datetimefield_value(now)
    cast = "%s::timestamptz" if connection.vendor == "postgresql" else "%s"
    insert = (
        f"INSERT INTO {quote(SegmentMember._meta.db_table)} ({columns}) "  # noqa: S608 - names only
        f"SELECT {int(segment.pk)}, inside.id, {cast} FROM ({sql}) AS inside (id) WHERE true ON CONFLICT DO NOTHING"
    )
    if connection.vendor == "sqlite":
        insert = (
            f"WITH inside (id) AS ({sql}) INSERT INTO {quote(SegmentMember._meta.db_table)} ({columns}) "  # noqa: S608
            f"SELECT {int(segment.pk)}, inside.id, %s FROM inside WHERE true ON CONFLICT DO NOTHING"
        )
        parameters = (*parameters, since)
    else:
        parameters = (since, *parameters)
    with connection.cursor() as cursor:
        cursor.execute(insert, parameters)


def _name(segment_id: int) -> str:
    return f"segment:{segment_id}"
