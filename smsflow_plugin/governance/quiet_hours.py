"""When a text may go: in a store's window and in the law's, wherever the person may be. Pure: no Django, no clock.

``docs/quiet-hours.md`` tells the rules. Everything is worked out once for a day of UTC and kept: a verdict
costs about a microsecond.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from smsflow_plugin.audience.places import Place
from smsflow_plugin.governance.hours import Hours
from smsflow_plugin.governance.openings import counted, open_in
from smsflow_plugin.governance.telling import Closed, DayView, closers, week_view
from smsflow_plugin.governance.windows import WHOLE_DAY, Piece, merged

__all__ = ["Closed", "DayView", "HORIZON", "closed_by", "is_open", "next_open", "week_view"]

#: Places without one common open minute in so many days have none at all.
HORIZON = timedelta(days=14)

NO_MARGIN = timedelta()


def is_open(now: datetime, places: tuple[Place, ...], hours: Hours, *, margin: timedelta = NO_MARGIN) -> bool:
    """Return whether a text may go at ``now``, and would still be allowed to after ``margin``, at most a day."""
    at = now.timestamp()
    edges = _edges(places, hours, int(at // WHOLE_DAY))
    position = bisect_right(edges, at)
    # openings stand at even positions, closings at odd ones
    return position % 2 == 1 and (not margin or at + margin.total_seconds() < edges[position])


def next_open(
    now: datetime, places: tuple[Place, ...], hours: Hours, *, margin: timedelta = NO_MARGIN
) -> datetime | None:
    """Return the first moment from ``now`` on at which ``is_open``, in UTC; None if there is none in 14 days."""
    at = now.timestamp()
    first = int(at // WHOLE_DAY)
    long = margin.total_seconds()
    for day in range(first, first + HORIZON.days + 1):
        edges = _edges(places, hours, day)
        for opens, closes in zip(edges[::2], edges[1::2], strict=True):
            found = max(opens, at)
            if found + long < closes:
                if found == at:
                    return now.astimezone(UTC)
                moment = datetime.fromtimestamp(opens, UTC)
                return moment if moment - now <= HORIZON else None
    return None


def closed_by(now: datetime, places: tuple[Place, ...], hours: Hours) -> tuple[Closed, ...]:
    """Return each place that is closed at ``now`` with who closes it and when it opens next; for people to read."""
    found: list[Closed] = []
    for position, place in enumerate(_as_read(counted(places, hours, int(now.timestamp() // WHOLE_DAY)), hours)):
        if not is_open(now, (place,), hours):
            # without strictness the store's window is read on the first clock alone
            store = hours.strict or position == 0
            found += closers(now, place, hours, next_open(now, (place,), hours), store=store)
    return tuple(found)


def _as_read(places: tuple[Place, ...], hours: Hours) -> tuple[Place, ...]:
    """Return the places with the zones whose clocks count for them."""
    return places if hours.strict else tuple(replace(place, zone=places[0].zone) for place in places)


@lru_cache(maxsize=65_536)
def _edges(places: tuple[Place, ...], hours: Hours, day: int) -> tuple[int, ...]:
    """Return the moments at which it opens and closes in turn, from the start of a day of UTC.

    What is open at its end is followed to the end of the next day, for margins.
    """
    pieces = merged((*_open_on(places, hours, day), *_open_on(places, hours, day + 1)))
    return tuple(edge for piece in pieces for edge in piece)


def _open_on(places: tuple[Place, ...], hours: Hours, day: int) -> tuple[Piece, ...]:
    return open_in(counted(places, hours, day), hours, day)
