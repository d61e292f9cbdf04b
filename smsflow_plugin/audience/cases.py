"""When a support case of a person still keeps promotions away. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

OPENED, UPDATED, CLOSED = "case_opened", "case_updated", "case_closed"
#: Kinds of event about a case.
KINDS = (OPENED, UPDATED, CLOSED)

#: A case of which nothing was heard for so long counts no more: one that nobody closes must not silence a person
#: for ever.
COUNTS_FOR = timedelta(days=30)


def is_open(heard_at: datetime | None, now: datetime) -> bool:
    """Return whether a case keeps promotions away. ``heard_at``: what ``last_heard`` has said."""
    return heard_at is not None and now < heard_at + COUNTS_FOR


def last_heard(events: Iterable[tuple[str, str, datetime]]) -> datetime | None:
    """Return when something was last heard of a case that is open, None if none is.

    ``events`` are (case, kind of event, time) of one person in any order. A case is as its last opening or end says;
    of the same moment the end holds. News of a case neither open nor close it.
    """
    opened: dict[str, datetime] = {}
    closed: dict[str, datetime] = {}
    heard: dict[str, datetime] = {}
    for case, kind, at in events:
        told = {OPENED: opened, UPDATED: heard, CLOSED: closed}.get(kind)
        if told is not None:
            told[case] = max(told.get(case, at), at)
    return max(
        (max(at, heard.get(case, at)) for case, at in opened.items() if case not in closed or closed[case] < at),
        default=None,
    )
