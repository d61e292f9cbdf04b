"""When it is a decent hour for a person, in every time zone that they may be in. Pure: no Django, no clock.

A store's window is wall time: from ``rules.opens_at`` up to, not including, ``rules.closes_at``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import ceil, floor
from zoneinfo import ZoneInfo

from smsflow_plugin.governance.rules import PolicyRules

#: Zones without one common open minute in so many days have none at all.
HORIZON = timedelta(days=14)


def is_open(now: datetime, zones: tuple[str, ...], rules: PolicyRules) -> bool:
    """Return whether ``now`` lies in the window in every one of ``zones``.

    Names that no time zone has are ignored; without any valid name UTC counts.
    """
    opens_at, closes_at = rules.opens_at, rules.closes_at
    return all(opens_at <= now.astimezone(zone).time() < closes_at for zone in _known(zones))


def next_open(now: datetime, zones: tuple[str, ...], rules: PolicyRules) -> datetime | None:
    """Return the first moment from ``now`` on when all ``zones`` are open, in UTC; None if there is none in 14 days."""
    if rules.opens_at >= rules.closes_at:
        return None
    moment = now.astimezone(UTC)
    end = moment + HORIZON
    known = _known(zones)
    while moment <= end:
        # each zone can only push the moment on, so going round until none does finds the earliest
        pushed = moment
        for zone in known:
            pushed = _open_in_zone(pushed, zone, rules)
        if pushed == moment:
            return moment
        moment = pushed
    return None


def _open_in_zone(moment: datetime, zone: ZoneInfo, rules: PolicyRules) -> datetime:
    """Return the first moment from ``moment`` on when ``zone`` is open.

    Where the clocks change on the way, the search starts again at the change: an
    opening time that the change skips opens at the change itself, and one that
    comes twice opens both times.
    """
    while True:
        local = moment.astimezone(zone)
        wall = local.time()
        if rules.opens_at <= wall < rules.closes_at:
            return moment
        day = local.date() if wall < rules.opens_at else local.date() + timedelta(days=1)
        opening = datetime.combine(day, rules.opens_at)
        candidate = moment + (opening - local.replace(tzinfo=None))
        if candidate.astimezone(zone).utcoffset() == local.utcoffset():
            return candidate
        moment = _change_of_offset(moment, candidate, zone)


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


@lru_cache(maxsize=4096)
def _known(zones: tuple[str, ...]) -> tuple[ZoneInfo, ...]:
    found = tuple(zone for zone in map(_zone, zones) if zone is not None)
    return found or (ZoneInfo("UTC"),)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, malformed, or a folder such as "America"
        return None
