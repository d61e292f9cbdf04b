"""When a weekly report is due. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo

#: On Mondays, on the store's own clock.
HOUR = time(8)
#: Whoever was down for longer tells of the next week only.
LATE = timedelta(days=2)


def due(now: datetime, clock: tzinfo, told: date | None) -> date | None:
    """Return the Monday whose report is to be written now, None if none is.

    ``clock`` is the store's, ``told`` the last Monday whose report was written.
    """
    monday = monday_of(now, clock)
    at = datetime.combine(monday, HOUR, clock)
    if not at <= now < at + LATE or (told is not None and told >= monday):
        return None
    return monday


def monday_of(now: datetime, clock: tzinfo) -> date:
    """Return the Monday of this week: the last full one ended the day before."""
    today = now.astimezone(clock).date()
    return today - timedelta(days=today.weekday())
