"""Applies what gateways report of texts. A report never moves a text backwards."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from smsflow_plugin import bulk
from smsflow_plugin.events.facts import Report
from smsflow_plugin.events.reports import ReportStatus
from smsflow_plugin.messaging.models import Batch, Message
from smsflow_plugin.messaging.settling import accept
from smsflow_plugin.stores.models import Connection

_STATES = {
    ReportStatus.DISPATCHED: Message.State.ACCEPTED,
    ReportStatus.DELIVERED: Message.State.DELIVERED,
    ReportStatus.FAILED: Message.State.FAILED,
    ReportStatus.EXPIRED: Message.State.EXPIRED,
    ReportStatus.CANCELLED: Message.State.CANCELLED,
}

#: A text only moves to a higher rank. Of two final words the first counts, but for
#: "delivered": a handset's answer is proof.
_RANKS = {
    Message.State.QUEUED: 0,
    Message.State.SENDING: 1,
    Message.State.ACCEPTED: 2,
    Message.State.FAILED: 3,
    Message.State.EXPIRED: 3,
    Message.State.CANCELLED: 3,
    Message.State.DELIVERED: 4,
}

#: (message, contact, state) of a text that a report has changed.
Change = tuple[int, int | None, Message.State]


@dataclass(slots=True)
class _Text:
    """A message, as far as reports change it."""

    pk: int
    contact_id: int | None
    batch_id: int
    to: str
    state: str
    error_code: int | None
    accepted_at: datetime | None
    finished_at: datetime | None
    parts: int

    def apply(self, report: Report) -> bool:
        """Take over what the report says; return whether that changed anything."""
        if report.parts:
            self.parts = report.parts
        state = _STATES[report.status]
        if _RANKS[state] <= _RANKS[Message.State(self.state)]:
            return False
        self.state = state.value
        self.accepted_at = self.accepted_at or report.at
        if state is not Message.State.ACCEPTED:
            self.finished_at = report.at
            self.error_code = None if state is Message.State.DELIVERED else report.code
        return True

    @property
    def row(self) -> tuple[Any, ...]:
        return self.pk, self.state, self.error_code, self.accepted_at, self.finished_at, self.parts, ""


def apply_reports(reports: Sequence[tuple[int, Report]], now: datetime) -> list[Change]:
    """Apply (store id, report) pairs in the order given and return the texts that changed.

    Reports about nothing that we sent are passed over. Call this inside of a transaction.
    """
    if not reports:
        return []
    batches = _batches(reports)
    texts = _texts(batches.values(), {report.to for _store_id, report in reports})
    changed: dict[int, _Text] = {}
    for store_id, report in reports:
        batch = batches.get((store_id, report.reference)) or batches.get((store_id, report.provider_id))
        for text in texts[batch.pk, report.to] if batch else ():
            if text.apply(report):
                changed[text.pk] = text
    bulk.update(
        Message,
        ("state", "error_code", "accepted_at", "finished_at", "parts", "reason"),
        [changed[pk].row for pk in sorted(changed)],
    )
    _prove(reports, batches, now)
    return [(text.pk, text.contact_id, Message.State(text.state)) for text in changed.values()]


def _batches(reports: Sequence[tuple[int, Report]]) -> dict[tuple[int, str], Batch]:
    """Return the calls that the reports speak of, by (store, reference) and by (store, vendor's id), locked."""
    store_ids = {store_id for store_id, _report in reports}
    references = {name for _store_id, report in reports if (name := _uuid(report.reference))}
    wanted = Q(reference__in=references)
    provider_ids = {report.provider_id for _store_id, report in reports if not report.reference and report.provider_id}
    if provider_ids:
        connections = list(Connection.objects.filter(store_id__in=store_ids).values_list("pk", flat=True))
        wanted |= Q(connection_id__in=connections, provider_id__in=provider_ids)
    found: dict[tuple[int, str], Batch] = {}
    for batch in Batch.objects.filter(wanted, store_id__in=store_ids).order_by("pk").select_for_update():
        found[batch.store_id, str(batch.reference)] = batch
        if batch.provider_id:
            found[batch.store_id, batch.provider_id] = batch
    return found


def _texts(batches: Iterable[Batch], numbers: set[str]) -> dict[tuple[int, str], list[_Text]]:
    rows = (
        Message.objects.filter(batch_id__in={batch.pk for batch in batches}, to__in=numbers)
        .order_by("pk")
        .select_for_update()
        .values_list(*_Text.__dataclass_fields__)
    )
    found: dict[tuple[int, str], list[_Text]] = defaultdict(list)
    for row in rows:
        text = _Text(*row)
        found[text.batch_id, text.to].append(text)
    return found


def _prove(reports: Sequence[tuple[int, Report]], batches: dict[tuple[int, str], Batch], now: datetime) -> None:
    """A report on one text proves that the gateway has the whole call, whatever we believed of it."""
    believed_open = (Batch.State.SENDING, Batch.State.RETURNED)
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


def _uuid(reference: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(reference)
    except ValueError:
        return None
