"""When there is room for one more text, in every window that slides over the past and what is planned. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta


def free_at(times: Sequence[datetime], limit: int, window: timedelta, moment: datetime) -> datetime | None:
    """Return the first moment from ``moment`` on at which one more text breaks no cap; None if there is none.

    ``times`` are those of the others, past and planned, in order. A text counts until exactly one ``window``
    after it was sent, then its place is free again: no span shorter than ``window`` ever holds more than ``limit``.
    """
    if limit < 1:
        return None
    others = len(times)
    if others < limit:
        return moment
    for first in range(others - limit + 1):
        start, end = times[first], times[first + limit - 1]
        # that many others stand so close together that this one would be one too many among them
        if max(end, moment) - min(start, moment) < window:
            moment = start + window
    return moment


def rested_at(times: Sequence[datetime], gap: timedelta, moment: datetime) -> datetime:
    """Return the first moment from ``moment`` on that is at least ``gap`` away from all of ``times`` (in order)."""
    for at in times:
        if abs(moment - at) < gap:
            moment = at + gap
    return moment
