"""Notes the days of which the figures change with what becomes of texts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from django.db.models import Max, Min, QuerySet
from django.db.models.functions import TruncDate

from smsflow_plugin.messaging.models import Message
from smsflow_plugin.stores.changes import clock_of, note_days


def note_texts(texts: QuerySet[Message, Any]) -> None:
    """Note the days on which these texts were queued, on their stores' clocks. Two statements, however many texts.

    To be called in the transaction that changes them; what is changed must still be among ``texts``.
    """
    note_days(days_of(texts))


def days_of(texts: QuerySet[Message, Any]) -> set[tuple[int, date]]:
    """Return the (store, day) pairs on which these texts were queued. One statement."""
    # a day in UTC lies in two of a store's days at most: in that of its first text and in that of its last
    rows = (
        texts.order_by()
        .annotate(utc=TruncDate("queued_at", tzinfo=UTC))
        .values_list("store_id", "store__timezone", "utc")
        .annotate(first=Min("queued_at"), last=Max("queued_at"))
    )
    return {(pk, _day(at, zone)) for pk, zone, _utc, *ends in rows for at in ends}


def _day(at: datetime, zone: str) -> date:
    return at.astimezone(clock_of(zone)).date()
