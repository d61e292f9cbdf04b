"""Applies what gateways report of texts. A report never moves a text backwards, but for one: a text that certainly
did not arrive goes back into the queue as long as it may still be of use (``messaging.reported``)."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.db import IntegrityError
from django.db.models import Q, QuerySet

from smsflow_plugin import bulk
from smsflow_plugin.events.facts import Report
from smsflow_plugin.events.reports import Cause, ReportStatus
from smsflow_plugin.messaging.learning import Failure, learn
from smsflow_plugin.messaging.models import Batch, FormerCall, Message
from smsflow_plugin.messaging.reported import COLUMNS, WRITTEN, Change, Text
from smsflow_plugin.messaging.settling import BLOCKED_FOR, accept, pause
from smsflow_plugin.stores.changes import note_of
from smsflow_plugin.stores.models import Connection

#: Texts by the call that a report speaks of, and the number: also those that have gone back into the queue since.
Found = dict[tuple[int, str], list[Text]]


class Moved(IntegrityError):
    """Another worker has just taken a text into a new call: run the batch again."""


def apply_reports(reports: Sequence[tuple[int, Report]], now: datetime) -> list[Change]:
    """Apply (store id, report) pairs in the order given and return the texts that changed.

    Reports about nothing that we sent are passed over. Call this inside of a transaction.

    :raises Moved: see there.
    """
    if not reports:
        return []
    batches = _batches(reports)
    texts = _texts(batches.values(), {report.to for _store_id, report in reports})
    changed: dict[int, Text] = {}
    touched: dict[int, Text] = {}
    for store_id, report in reports:
        batch = _batch_of(store_id, report, batches)
        if batch is None:
            continue
        for text in texts[batch.pk, report.to]:
            if text.apply(report, batch_id=batch.pk, now=now):
                changed[text.pk] = text
            touched[text.pk] = text
    bulk.update(Message, WRITTEN, [touched[pk].row for pk in sorted(touched) if touched[pk].dirty])
    note_of((text.store_id, text.queued_at) for text in changed.values())
    _keep_former_calls(touched.values())
    _prove(reports, batches, now)
    learn(_failures(changed.values()), now)
    _pause_blocked(reports, batches, now)
    return [(text.pk, text.contact_id, Message.State(text.state)) for text in changed.values()]


def _batch_of(store_id: int, report: Report, batches: Mapping[tuple[int, str], Batch]) -> Batch | None:
    return batches.get((store_id, report.reference)) or batches.get((store_id, report.provider_id))


def _batches(reports: Sequence[tuple[int, Report]]) -> dict[tuple[int, str], Batch]:
    """Return the calls that the reports speak of, by (store, reference) and by (store, vendor's id), locked."""
    found: dict[tuple[int, str], Batch] = {}
    for batch in calls_of(reports).order_by("pk").select_for_update():
        found[batch.store_id, str(batch.reference)] = batch
        if batch.provider_id:
            found[batch.store_id, batch.provider_id] = batch
    return found


def calls_of(reports: Sequence[tuple[int, Report]]) -> QuerySet[Batch]:
    """Return the calls that (store id, report) pairs speak of."""
    store_ids = {store_id for store_id, _report in reports}
    references = {name for _store_id, report in reports if (name := _uuid(report.reference))}
    wanted = Q(reference__in=references)
    provider_ids = {report.provider_id for _store_id, report in reports if not report.reference and report.provider_id}
    if provider_ids:
        connections = list(Connection.objects.filter(store_id__in=store_ids).values_list("pk", flat=True))
        wanted |= Q(connection_id__in=connections, provider_id__in=provider_ids)
    return Batch.objects.filter(wanted, store_id__in=store_ids)


def _texts(batches: Iterable[Batch], numbers: Collection[str]) -> Found:
    """Return the texts that are or were in these calls, locked, with the calls in which they are now."""
    reported = {batch.pk for batch in batches}
    former = list(
        FormerCall.objects.filter(
            Q(batch_id__in=reported) | Q(message__batch_id__in=reported), message__to__in=numbers
        ).values_list("batch_id", "message_id")
    )
    again = {message_id for batch_id, message_id in former if batch_id in reported}
    # before the texts: whoever makes a call holds it while it looks at its texts
    locked = reported | _lock_calls_of(again)
    rows = Message.objects.filter(Q(batch_id__in=reported, to__in=numbers) | Q(pk__in=again))
    texts = {row[0]: Text(*row) for row in rows.order_by("pk").select_for_update().values_list(*COLUMNS)}
    found: Found = defaultdict(list)
    for text in texts.values():
        if text.state == Message.State.SENDING and text.batch_id not in locked:
            raise Moved("A text has just been taken into a new call.")
        if text.batch_id is not None:
            found[text.batch_id, text.to].append(text)
    for batch_id, message_id in former:
        if message_id in texts:
            text = texts[message_id]
            text.tries += 1
            if text.batch_id != batch_id:
                found[batch_id, text.to].append(text)
    return found


def _lock_calls_of(message_ids: Collection[int]) -> set[int]:
    """Lock the calls that are about to leave with these texts."""
    if not message_ids:
        return set()
    now_in = Message.objects.filter(pk__in=message_ids, state=Message.State.SENDING).values("batch_id")
    return set(Batch.objects.filter(pk__in=now_in).order_by("pk").select_for_update().values_list("pk", flat=True))


def _keep_former_calls(texts: Iterable[Text]) -> None:
    rows = [
        (text.pk, batch_id, code, at)
        for text in sorted(texts, key=lambda one: one.pk)
        for batch_id, code, at in text.left
    ]
    bulk.insert(FormerCall, ("message_id", "batch_id", "error_code", "failed_at"), rows)


def _failures(texts: Iterable[Text]) -> list[Failure]:
    return [
        Failure(text.store_id, text.to, text.cause, text.contact_id, text.error_code)
        for text in texts
        if text.state == Message.State.FAILED
    ]


def _prove(reports: Sequence[tuple[int, Report]], batches: dict[tuple[int, str], Batch], now: datetime) -> None:
    """A report on one text proves that the gateway has the whole call, whatever we or a person believed of it."""
    believed_open = (Batch.State.SENDING, Batch.State.RETURNED, Batch.State.PARKED)
    proved = {batch.pk for batch in batches.values() if batch.state in believed_open}
    if not proved:
        return
    accept(proved, now)
    ids = {}
    for store_id, report in reports:
        batch = batches.get((store_id, report.reference))
        if batch and batch.pk in proved and report.provider_id:
            ids[batch.pk] = report.provider_id
    bulk.update(Batch, ("provider_id",), sorted(ids.items()))


def _pause_blocked(
    reports: Sequence[tuple[int, Report]], batches: Mapping[tuple[int, str], Batch], now: datetime
) -> None:
    """Let connections rest whose account is blocked: whatever is sent meanwhile fails as well."""
    blocked = [one for one in reports if one[1].status is ReportStatus.FAILED and one[1].cause is Cause.ACCOUNT]
    found = {batch.connection_id for store_id, report in blocked if (batch := _batch_of(store_id, report, batches))}
    for connection_id in sorted(found):
        pause(connection_id, now + BLOCKED_FOR, "The account at the gateway is blocked.", blocked=now)


def _uuid(reference: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(reference)
    except ValueError:
        return None
