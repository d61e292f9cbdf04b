"""Why it is closed somewhere, and what a week looks like there, as data for people to read. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from smsflow_plugin.audience.places import Place
from smsflow_plugin.governance.clocks import day_of
from smsflow_plugin.governance.hours import Hours
from smsflow_plugin.governance.law.days_off import holiday
from smsflow_plugin.governance.law.row import LawRow
from smsflow_plugin.governance.law.table import open_piece, rows_about
from smsflow_plugin.governance.openings import StoreLayer, store_layer
from smsflow_plugin.governance.windows import DAYS, Piece, Window, common, seconds

#: Who closes.
STORE, BY_LAW, HOLIDAY = "store", "law", "holiday"

_A_MONDAY = date(2026, 6, 1)


@dataclass(frozen=True, slots=True)
class Closed:
    """A place that is closed, and who closes it; one for each closer.

    ``by``: "store", "law" (``row`` says which, an administrator's own included) or "holiday" (``holiday``
    is its name, and ``row`` that which closes on it; None: the store wishes it).
    ``window``: that of the closer on this day; None: closed all day.
    ``opens``: when this place by itself opens next, in UTC; None: not in 14 days.
    """

    place: Place
    by: str
    row: LawRow | None = None
    holiday: str = ""
    window: Window | None = None
    opens: datetime | None = None


@dataclass(frozen=True, slots=True)
class DayView:
    """A weekday in a place: the store's window, what the law leaves open, and what is in both.

    In seconds since midnight, up to 86400. A window that runs past midnight is in two days.
    ``law`` is None when the law closes the whole day. ``rows`` are those of the law that were asked.
    """

    weekday: int
    store: tuple[Piece, ...]
    law: Piece | None
    open: tuple[Piece, ...]
    rows: tuple[LawRow, ...]


def closers(
    now: datetime, place: Place, hours: Hours, opens: datetime | None, *, store: bool = True
) -> Iterator[Closed]:
    """Yield who closes ``place`` at ``now``, the law first."""
    if hours.law:
        for row in rows_about(place.country, place.region, hours.practice, hours.stricter):
            local = now.astimezone(ZoneInfo(row.clock or place.zone))
            on = local.date()
            if not row.in_force(on):
                continue
            day_off = holiday(place.country, place.region, on) if row.holidays_off else ""
            window = row.window(on)
            if day_off:
                yield Closed(place, HOLIDAY, row, day_off, opens=opens)
            elif window is None or not window[0] <= local.time() < window[1]:
                yield Closed(place, BY_LAW, row, window=window, opens=opens)
    if store:
        yield from _store(now.astimezone(ZoneInfo(place.zone)), place, hours, opens)


def _store(local: datetime, place: Place, hours: Hours, opens: datetime | None) -> Iterator[Closed]:
    on, second = local.date(), seconds(local.time())
    if any(start <= second < end for start, end in store_layer(place, hours).open_on(day_of(on))):
        return
    day_off = holiday(place.country, place.region, on) if hours.holidays_off else ""
    if day_off:
        yield Closed(place, HOLIDAY, holiday=day_off, opens=opens)
    else:
        yield Closed(place, STORE, window=hours.week[on.weekday()], opens=opens)


def week_view(hours: Hours, place: Place, on: date | None = None) -> tuple[DayView, ...]:
    """Return a week without holidays in a place, Monday first.

    Rows in force ``on`` this day count; without it all rows whose end is not known, those to come included.
    """
    rows = rows_about(place.country, place.region, hours.practice, hours.stricter) if hours.law else ()
    rows = tuple(row for row in rows if (row.in_force(on) if on else row.until is None))
    return tuple(_day_view(weekday, hours, place, rows) for weekday in range(len(DAYS)))


def _day_view(weekday: int, hours: Hours, place: Place, rows: tuple[LawRow, ...]) -> DayView:
    day = _A_MONDAY + timedelta(days=weekday)
    store = StoreLayer(place.zone, hours.week).open_on(day_of(day))
    law = open_piece((replace(row, since=None, until=None) for row in rows), day, "")
    return DayView(weekday, store, law, common(store, (law,)) if law else (), rows)
