"""When a date in somebody's life makes a flow start. Pure: no Django.

A date is a day as the person gave it ("1990-02-29"), kept as its midnight in UTC, or a
moment (when they opted in), of which the day in the person's own zone counts. A moment
is never kept as midnight to the microsecond, so the two can be told apart.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from smsflow_plugin.engine.waiting import MORNING, add_months

#: The clocks of the world: no local time is further from UTC.
EARLIEST, LATEST = timedelta(hours=14), timedelta(hours=12)

#: Dates that SMSFlow itself keeps, of which the day itself is no anniversary yet.
OWN_NAMES = ("signed_up", "opted_in", "first_order")

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?", re.ASCII)
_LEAP_DAY = 229


@dataclass(frozen=True, slots=True)
class KeptDate:
    """A date as ``ContactDate`` holds it."""

    at: datetime
    month_day: int


@dataclass(frozen=True, slots=True)
class DateRule:
    """The options of a trigger of the kind ``date_due``, read.

    ``shift`` days after the date, negative for before; ``at`` is the wall time, None for the date's own.
    """

    name: str
    shift: int
    at: time | None
    yearly: bool

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> DateRule:
        """Read a trigger's options.

        :raises ValueError: if they make no sense.
        """
        days = int(options.get("amount") or 0) * (7 if options.get("unit") == "weeks" else 1)
        wanted = str(options.get("time") or "")
        return cls(
            name=str(options.get("field") or "").removeprefix("fields."),
            shift=days,
            at=time.fromisoformat(wanted) if wanted else None,
            yearly=bool(options.get("yearly")),
        )


@dataclass(frozen=True, slots=True)
class Due:
    """It is time: ``day`` is the date that is meant, this year's for a yearly one."""

    day: date
    moment: datetime


def kept_date(value: object, zone: str) -> KeptDate | None:
    """Return what is kept of the value of a field: an ISO date, or an ISO time. None for anything else."""
    if not isinstance(value, str) or not _ISO.fullmatch(value):
        return None
    try:
        given = datetime.fromisoformat(value)
        if len(value) == 10:
            return KeptDate(given.replace(tzinfo=UTC), given.month * 100 + given.day)
        moment = given if given.tzinfo else given.replace(tzinfo=ZoneInfo(zone))
        return kept_moment(moment, zone)
    except (ValueError, OverflowError):
        return None


def kept_moment(moment: datetime, zone: str) -> KeptDate:
    """Return what is kept of a moment: it, and the day on which it was for the person.

    :raises OverflowError: if it is at the end of time.
    """
    local = moment.astimezone(ZoneInfo(zone))
    at = moment.astimezone(UTC)
    if is_day(at):
        at += timedelta(microseconds=1)
    return KeptDate(at, local.month * 100 + local.day)


def is_day(at: datetime) -> bool:
    """Return whether a kept date is a day, not a moment."""
    return at.astimezone(UTC).time() == time(0)


def days_between(since: datetime, now: datetime) -> list[date]:
    """Return every day that it is anywhere in the world between two moments."""
    first = (since - LATEST).astimezone(UTC).date()
    last = (now + EARLIEST).astimezone(UTC).date()
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def month_days(days: list[date]) -> list[int]:
    """Return the ``month_day`` of every anniversary on these days. 29 February is kept on the 28th in common years."""
    found = {day.month * 100 + day.day for day in days}
    if any((day.month, day.day) == (2, 28) and not calendar.isleap(day.year) for day in days):
        found.add(_LEAP_DAY)
    return sorted(found)


def due_yearly(kept: KeptDate, rule: DateRule, zone: str, since: datetime, now: datetime) -> Due | None:
    """Return the anniversary that came due after ``since`` and by ``now``, or None."""
    first = _day(kept.at, zone)
    for day in reversed(days_between(since - timedelta(days=rule.shift), now - timedelta(days=rule.shift))):
        # the first anniversary of what SMSFlow keeps is a year later; a given date may lie ahead
        if kept.month_day not in month_days([day]) or day < first or (day == first and rule.name in OWN_NAMES):
            continue
        moment = _moment(day, rule, rule.at or MORNING, zone)
        if since < moment <= now:
            return Due(day, moment)
    return None


def due_once(kept: KeptDate, rule: DateRule, zone: str, since: datetime, now: datetime) -> Due | None:
    """Return the date if it came due after ``since`` and by ``now``, else None."""
    own = MORNING if is_day(kept.at) else kept.at.astimezone(ZoneInfo(zone)).time()
    day = _day(kept.at, zone)
    moment = _moment(day, rule, rule.at or own, zone)
    return Due(day, moment) if since < moment <= now else None


def range_of_once(rule: DateRule, since: datetime, now: datetime) -> tuple[datetime, datetime]:
    """Return between which kept moments those lie that may be due: all of them, and few others."""
    shift, day = timedelta(days=rule.shift), timedelta(days=1)
    return since - shift - day - EARLIEST, now - shift + day + EARLIEST


def last_occurrence(first: datetime, repeat: str, zone: str, now: datetime) -> datetime | None:
    """Return the last time up to ``now`` of something planned; None before its first time.

    It is at the same wall time in ``zone`` each day, week or month; on the last day of shorter months.
    """
    if first > now:
        return None
    local = first.astimezone(ZoneInfo(zone))
    today = now.astimezone(ZoneInfo(zone)).date()
    match repeat:
        case "daily":
            days = [today - timedelta(days=n) for n in range(2)]
        case "weekly":
            latest = today - timedelta(days=(today.weekday() - local.weekday()) % 7)
            days = [latest, latest - timedelta(days=7)]
        case "monthly":
            months = (today.year - local.year) * 12 + today.month - local.month
            days = [add_months(local.date(), months - n) for n in range(2)]
        case _:
            days = []
    moments = [_at(day, local.time(), zone) for day in days]
    return next((moment for moment in moments if first < moment <= now), first)


def _day(at: datetime, zone: str) -> date:
    return at.astimezone(UTC).date() if is_day(at) else at.astimezone(ZoneInfo(zone)).date()


def _moment(day: date, rule: DateRule, at: time, zone: str) -> datetime:
    return _at(day + timedelta(days=rule.shift), at, zone)


def _at(day: date, at: time, zone: str) -> datetime:
    return datetime.combine(day, at.replace(tzinfo=None), ZoneInfo(zone)).astimezone(UTC)
