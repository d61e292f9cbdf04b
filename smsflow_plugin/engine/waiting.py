"""When a wait ends. Pure. Wall times are those of the recipient; DST gaps move a time behind the gap."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

#: At what time a day without a time of its own means.
MORNING = time(9)


class BadProgram(Exception):
    """The program cannot be run: it jumps backwards or out of itself, or holds what makes no sense."""


def after(start: datetime, amount: int, unit: str, zone: str) -> datetime:
    """Return ``start`` plus so much, which may be negative.

    Days, weeks and months keep the wall time in ``zone``; minutes and hours are absolute.
    A month from the 31st is the last day of a shorter month.

    :raises BadProgram: if there is no such unit, or no such time.
    """
    try:
        return _after(start, amount, unit, zone)
    except (OverflowError, ValueError) as error:
        raise BadProgram(f"{amount} {unit} from {start} is beyond the calendar.") from error


def _after(start: datetime, amount: int, unit: str, zone: str) -> datetime:
    match unit:
        case "minutes":
            return start + timedelta(minutes=amount)
        case "hours":
            return start + timedelta(hours=amount)
        case "days" | "weeks":
            days = amount * (7 if unit == "weeks" else 1)
            local = start.astimezone(ZoneInfo(zone))
            return _moment(local.date() + timedelta(days=days), local.time(), zone)
        case "months":
            local = start.astimezone(ZoneInfo(zone))
            return _moment(add_months(local.date(), amount), local.time(), zone)
    raise BadProgram(f"Unknown unit of time: {unit}.")


def add_months(day: date, months: int) -> date:
    """Return the same day so many months later, or the last day of that month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def next_wall_time(now: datetime, at: time, weekdays: tuple[int, ...], zone: str) -> datetime:
    """Return the first moment from ``now`` on that reads ``at`` on a clock in ``zone``."""
    day = now.astimezone(ZoneInfo(zone)).date()
    for offset in range(9):
        candidate_day = day + timedelta(days=offset)
        moment = _moment(candidate_day, at, zone)
        if moment >= now and (not weekdays or candidate_day.weekday() in weekdays):
            return moment
    raise BadProgram(f"No such weekday: {weekdays}.")


def from_date(value: object, amount: int, unit: str, at: str, zone: str) -> datetime | None:
    """Return so long before or after a date; None if ``value`` is none.

    ``value`` is an ISO date, or an ISO time; one without an offset is in ``zone``. ``at``
    ("HH:MM" or empty) is the wall time of the resulting day.
    """
    start = _start(value, zone)
    if start is None:
        return None
    try:
        moment = _after(start, amount, unit, zone)
    except (OverflowError, ValueError):
        return None  # data, not the program, is out of the world
    if not at:
        return moment
    return _moment(moment.astimezone(ZoneInfo(zone)).date(), time.fromisoformat(at), zone)


def _start(value: object, zone: str) -> datetime | None:
    try:
        if isinstance(value, str):
            value = date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
        if isinstance(value, datetime):
            return value if value.tzinfo else _moment(value.date(), value.time(), zone)
        return _moment(value, MORNING, zone) if isinstance(value, date) else None
    except (OverflowError, ValueError):
        return None


def _moment(day: date, at: time, zone: str) -> datetime:
    # a wall time that DST skips means the same distance after the gap; of a repeated one the first counts (PEP 495)
    return datetime.combine(day, at.replace(tzinfo=None, fold=0), ZoneInfo(zone)).astimezone(UTC)
