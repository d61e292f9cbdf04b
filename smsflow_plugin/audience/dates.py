"""What conditions on dates mean. Pure; ``engine.sql_values`` says the same in SQL.

A value is a **day** ("2026-03-04") or a **moment** ("2026-03-04T16:00:00+01:00"; without an
offset it is UTC), of the years 1000 to 2999; anything else is no date, and no condition on
dates holds for it. Days are days in UTC: a condition is asked for a whole store at once, whose
people live in many zones.

* ``before`` and ``after`` a day: on an earlier, on a later day
* ``within_days`` n: in the last n × 24 hours; a day: today or one of the n days before
* ``older_than_days`` n: longer ago than that
* ``in_next_days`` n: in the next n × 24 hours; a day: today or one of the n days after
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

DATE_OPERATORS = ("before", "after", "within_days", "older_than_days", "in_next_days")

#: The longest period that a condition may look back or ahead: a hundred years.
MOST_DAYS = 36_500

_LEAP = "(?:[12][0-9](?:0[48]|[2468][048]|[13579][26])|(?:12|16|20|24|28)00)"
_CALENDAR = (
    "(?:[12][0-9]{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    f"|{_LEAP}-02-29)"
)
_CLOCK = "[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.][0-9]{1,6})?)?"
_OFFSET = "(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])"

#: Regular expressions that Python and PostgreSQL read in the same way. They let only dates of
#: the calendar through, so that PostgreSQL can turn what they match into times.
DAY = f"^{_CALENDAR}$"
MOMENT = f"^{_CALENDAR}{_CLOCK}{_OFFSET}?$"
HAS_OFFSET = f"{_OFFSET}$"
_DAY, _MOMENT = (re.compile(pattern.replace("$", r"\Z")) for pattern in (DAY, MOMENT))


@dataclass(frozen=True, slots=True)
class Span:
    """The days and the moments for which a condition holds; None means without a limit.

    Both days are included, as is ``start``; ``end`` only if ``end_included``.
    """

    first_day: date | None = None
    last_day: date | None = None
    start: datetime | None = None
    end: datetime | None = None
    end_included: bool = False

    def holds_day(self, day: date) -> bool:
        return (self.first_day is None or day >= self.first_day) and (self.last_day is None or day <= self.last_day)

    def holds(self, moment: datetime) -> bool:
        if self.start is not None and moment < self.start:
            return False
        if self.end is None or moment < self.end:
            return True
        return self.end_included and moment == self.end


def span(operator: str, value: Any, now: datetime) -> Span:
    """Return when a condition with one of ``DATE_OPERATORS`` holds.

    :raises ValueError: if ``value`` is not the day, or the number of days, that it needs.
    """
    if operator in ("before", "after"):
        if not (isinstance(value, str) and _DAY.match(value)):
            raise ValueError(f"Not a day: {value!r}.")
        day = date.fromisoformat(value)
        if operator == "before":
            return Span(last_day=day - timedelta(days=1), end=_midnight(day))
        return Span(first_day=day + timedelta(days=1), start=_midnight(day + timedelta(days=1)))
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_DAYS:
        raise ValueError(f"Not a number of days: {value!r}.")
    days, today = timedelta(days=value), now.astimezone(UTC).date()
    match operator:
        case "within_days":
            return Span(today - days, today, now - days, now, end_included=True)
        case "older_than_days":
            return Span(last_day=today - days - timedelta(days=1), end=now - days)
        case "in_next_days":
            return Span(today, today + days, now, now + days, end_included=True)
    raise ValueError(f"Unknown operator: {operator}.")


def in_span(value: Any, wanted: Span) -> bool:
    """Return whether ``value`` is a date for which the condition holds."""
    if not isinstance(value, str):
        return False
    if _DAY.match(value):
        return wanted.holds_day(date.fromisoformat(value))
    return bool(_MOMENT.match(value)) and wanted.holds(_moment(value))


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
