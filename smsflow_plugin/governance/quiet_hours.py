"""When it is a decent hour for a person, in every time zone that they may be in. Pure: no Django, no clock.

A store's windows are wall time, from the opening up to, not including, the closing.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from math import ceil, floor
from zoneinfo import ZoneInfo

from smsflow_plugin.audience.places import Place
from smsflow_plugin.governance.hours import Hours

#: Zones without one common open minute in so many days have none at all.
HORIZON = timedelta(days=14)


def is_open(now: datetime, places: tuple[Place, ...], hours: Hours, *, margin: timedelta = timedelta()) -> bool:
    """Return whether ``now`` lies in the window in every one of ``places``, and ``margin`` later still."""
    return all(_open_in(now, place, hours) and _open_in(now + margin, place, hours) for place in places)


def next_open(
    now: datetime, places: tuple[Place, ...], hours: Hours, *, margin: timedelta = timedelta()
) -> datetime | None:
    """Return the first moment from ``now`` on when all ``places`` are open; None if there is none in 14 days."""
    moment = now.astimezone(UTC)
    end = moment + HORIZON
    while moment <= end:
        # each place can only push the moment on, so going round until none does finds the earliest
        pushed = moment
        for place in places:
            pushed = _open_in_zone(pushed, place, hours, end)
        if pushed == moment:
            if is_open(moment, places, hours, margin=margin):
                return moment
            pushed = moment + timedelta(minutes=1)
        moment = pushed
    return None


def _open_in(now: datetime, place: Place, hours: Hours) -> bool:
    local = now.astimezone(ZoneInfo(place.zone))
    window = hours.week[local.weekday()]
    return window is not None and window[0] <= local.time() < window[1]


def _open_in_zone(moment: datetime, place: Place, hours: Hours, end: datetime) -> datetime:
    """Return the first moment from ``moment`` on when ``place`` is open."""
    zone = ZoneInfo(place.zone)
    while moment <= end:
        local = moment.astimezone(zone)
        window = hours.week[local.weekday()]
        wall = local.time()
        if window and window[0] <= wall < window[1]:
            return moment
        if window and wall < window[0] < window[1]:
            opening = datetime.combine(local.date(), window[0])
        else:
            opening = datetime.combine(local.date() + timedelta(days=1), time(0))
        candidate = moment + (opening - local.replace(tzinfo=None))
        if candidate.astimezone(zone).utcoffset() == local.utcoffset():
            moment = candidate
        else:
            moment = _change_of_offset(moment, candidate, zone)
    return moment


def _change_of_offset(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first second in (``before``, ``after``] with another UTC offset than ``before``."""
    old = before.astimezone(zone).utcoffset()
    low, high = floor(before.timestamp()), ceil(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)
