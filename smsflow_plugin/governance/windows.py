"""Windows of wall time: from when on and until when on a day. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import time

#: When it opens and when it closes, as wall time. The closing time itself is closed; ``time.max`` is
#: midnight at the end of the day. A window that closes earlier than it opens runs past midnight; one
#: that closes when it opens is none.
Window = tuple[time, time]

#: Monday to Sunday. None: closed all day.
Week = tuple[Window | None, ...]

#: A stretch of one day in seconds since its midnight.
Piece = tuple[int, int]

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SUNDAY = DAYS.index("sunday")
WHOLE_DAY = 24 * 60 * 60

CLOSED = "closed"

_WINDOW = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])\s*[-–]\s*([01]?[0-9]|2[0-3]|24(?=:00)):([0-5][0-9])")


def every_day(opens: time, closes: time) -> Week:
    return ((opens, closes),) * 7


def read_window(text: str) -> Window | None:
    """Return the window of "9:00-20:00", or None for "closed". Raises ValueError for anything else."""
    if text.strip().casefold() == CLOSED:
        return None
    found = _WINDOW.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no window")
    opens, opens_minute, closes, closes_minute = (int(number) for number in found.groups())
    window = time(opens, opens_minute), time(closes, closes_minute) if closes < 24 else time.max
    check_window(window)
    return window


def write_window(window: Window | None) -> str:
    if window is None:
        return CLOSED
    closes = "24:00" if window[1] == time.max else f"{window[1]:%H:%M}"
    return f"{window[0]:%H:%M}-{closes}"


def check_window(window: Window) -> None:
    """Raise ValueError unless this is a window of wall time, to the second."""
    opens, closes = window
    if opens == closes:
        raise ValueError("A window cannot close when it opens.")
    if opens.tzinfo or closes.tzinfo or opens.microsecond or (closes.microsecond and closes != time.max):
        raise ValueError("A window is wall time, to the second.")


def check_week(week: Sequence[Window | None]) -> None:
    if len(week) != len(DAYS):
        raise ValueError("A week has seven days.")
    for window in week:
        if window is not None:
            check_window(window)


def seconds(at: time) -> int:
    """Return the second of the day; midnight at its end is 86400."""
    return WHOLE_DAY if at == time.max else (at.hour * 60 + at.minute) * 60 + at.second


def as_time(second: int) -> time:
    """Return the wall time of a second of the day; midnight at its end is ``time.max``."""
    return time.max if second == WHOLE_DAY else time(second // 3600, second // 60 % 60, second % 60)


def common(first: Sequence[Piece], second: Sequence[Piece]) -> tuple[Piece, ...]:
    """Return what lies in both, where each holds pieces in order that do not overlap."""
    found = []
    for start, end in first:
        for other_start, other_end in second:
            low, high = max(start, other_start), min(end, other_end)
            if low < high:
                found.append((low, high))
    return tuple(found)


def merged(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Return the same time in order, with what overlaps or touches as one."""
    found: list[Piece] = []
    for start, end in sorted(pieces):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)
