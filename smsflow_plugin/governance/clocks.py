"""What is wall time on a place's clock, as moments. Pure.

Moments are seconds since 1970 in UTC, days are numbered from 1 January 1970. Everything is worked
out for one day of UTC at a time, so that it can be kept.

Wall time is taken as the clock shows it: what the clock skips never comes, so that an opening
within it opens at the change; what comes twice is open both times.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from smsflow_plugin.governance.windows import WHOLE_DAY, Piece, merged

_FIRST_DAY = date(1970, 1, 1).toordinal()

#: Clocks change at most once in so many seconds. Divides a day.
_BETWEEN_CHANGES = 6 * 60 * 60


def date_of(day: int) -> date:
    return date.fromordinal(_FIRST_DAY + day)


def day_of(on: date) -> int:
    return on.toordinal() - _FIRST_DAY


def moments(zone: str, day: int, open_on: Callable[[int], tuple[Piece, ...]]) -> tuple[Piece, ...]:
    """Return when, within a day of UTC, the clock of ``zone`` shows a time that is open.

    ``open_on`` tells the open pieces of a day of that clock, in seconds of the day.
    """
    found = []
    for start, end, offset in _offsets(zone, day):
        for local_day in range((start + offset) // WHOLE_DAY, (end + offset - 1) // WHOLE_DAY + 1):
            midnight = local_day * WHOLE_DAY - offset
            for opens, closes in open_on(local_day):
                low, high = max(start, midnight + opens), min(end, midnight + closes)
                if low < high:
                    found.append((low, high))
    return merged(found)


@lru_cache(maxsize=16_384)
def _offsets(zone: str, day: int) -> tuple[tuple[int, int, int], ...]:
    """Return the stretches of a day of UTC in which a clock keeps its offset: start, end, offset in seconds."""
    clock = ZoneInfo(zone)
    found: list[tuple[int, int, int]] = []

    def add(start: int, end: int, offset: int) -> None:
        if found and found[-1][2] == offset:
            start = found.pop()[0]
        found.append((start, end, offset))

    for start in range(day * WHOLE_DAY, (day + 1) * WHOLE_DAY, _BETWEEN_CHANGES):
        end = start + _BETWEEN_CHANGES
        before, after = _offset(clock, start), _offset(clock, end - 1)
        if before == after:
            add(start, end, before)
            continue
        change = _change(clock, start, end - 1)
        add(start, change, before)
        add(change, end, after)
    return tuple(found)


def _change(clock: ZoneInfo, low: int, high: int) -> int:
    """Return the first second after ``low`` with another offset, where that at ``high`` is another."""
    old = _offset(clock, low)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(clock, middle) == old:
            low = middle
        else:
            high = middle
    return high


def _offset(clock: ZoneInfo, moment: int) -> int:
    offset = datetime.fromtimestamp(moment, UTC).astimezone(clock).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0
