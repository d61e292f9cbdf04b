"""A watchman who knows no cleverness: at any moment they look at every wall clock, the calendar and the rows.

They share with the code under test the data, and nothing else.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from smsflow_plugin.audience.places import Place
from smsflow_plugin.governance.hours import Hours
from smsflow_plugin.governance.law.row import LawRow
from smsflow_plugin.governance.law.table import shipped_rows

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
MIDNIGHT = time(0)


class Watchman:
    """Watches over one person's places under one store's hours."""

    def __init__(self, places: tuple[Place, ...], hours: Hours) -> None:
        self.places, self.hours = places, hours
        self._who_counts: dict[date, tuple[Place, ...]] = {}

    def is_open(self, moment: datetime) -> bool:
        return self.all_open(moment, self.who_counts(moment.astimezone(UTC).date()))

    def first_open(self, now: datetime, within: timedelta) -> datetime | None:
        if self.is_open(now):
            return now
        moment = now.replace(second=0, microsecond=0) + MINUTE
        while moment <= now + within:
            if self.is_open(moment):
                return moment
            moment += MINUTE
        return None

    def who_counts(self, day: date) -> tuple[Place, ...]:
        if day not in self._who_counts:
            midnight = datetime.combine(day, MIDNIGHT, UTC)
            minutes = (midnight + n * MINUTE for n in range(7 * 24 * 60))
            common = len(self.places) == 1 or any(self.all_open(minute, self.places) for minute in minutes)
            self._who_counts[day] = self.places if common else self.best_known() or self.places
        return self._who_counts[day]

    def best_known(self) -> tuple[Place, ...]:
        homes = [place for place in self.places if place.source in ("captured", "address", "country")]
        states = [(place.country, place.region) for place in homes if place.region]
        return tuple(
            place
            for place in self.places
            if place in homes or (place.source == "split_state" and (place.country, place.region) in states)
        )

    def all_open(self, moment: datetime, places: tuple[Place, ...]) -> bool:
        if self.hours.strict:
            return all(
                self.store_open(moment, place, place.zone) and self.law_open(moment, place, place.zone)
                for place in places
            )
        zone = places[0].zone
        return self.store_open(moment, places[0], zone) and all(self.law_open(moment, p, zone) for p in places)

    def store_open(self, moment: datetime, place: Place, zone: str) -> bool:
        local = moment.astimezone(ZoneInfo(zone))
        today, wall = local.date(), local.time()
        if self._day_off(place, today):
            return False
        window = self.hours.week[today.weekday()]
        if window and window[0] < window[1] and window[0] <= wall < window[1]:
            return True
        if window and window[0] > window[1] and window[0] <= wall:
            return True
        yesterday = today - DAY
        window = self.hours.week[yesterday.weekday()]
        began = window is not None and window[0] > window[1] and not self._day_off(place, yesterday)
        return began and window is not None and wall < window[1]

    def law_open(self, moment: datetime, place: Place, zone: str) -> bool:
        return not self.hours.law or all(row_open(row, moment, place, zone) for row in rows_for(place, self.hours))

    def _day_off(self, place: Place, day: date) -> bool:
        return self.hours.holidays_off and day in calendar(place.country, place.region)


def rows_for(place: Place, hours: Hours) -> list[LawRow]:
    kinds = {"law", "practice"}
    shipped = [row for row in shipped_rows() if row.kind in kinds and not row.lifted_by_consent]
    own = [row for row in shipped if row.country == place.country]
    if own:
        rows = [row for row in own if row.region in ("", place.region)]
    else:
        rows = [row for row in shipped if row.country == ""]
    if not hours.practice:
        rows = [row for row in rows if row.kind == "law"]
    for row in hours.stricter:
        if row.country in ("", place.country) and row.region in ("", place.region):
            rows.append(row)
    return rows


def row_open(row: LawRow, moment: datetime, place: Place, zone: str) -> bool:
    local = moment.astimezone(ZoneInfo(row.clock or zone))
    day = local.date()
    if row.since and day < row.since or row.until and day >= row.until:
        return True
    if row.holidays_off and day in calendar(place.country, place.region):
        return False
    window = row.week[day.weekday()]
    return window is not None and window[0] <= local.time() < window[1]


@lru_cache
def calendar(country: str, region: str) -> dict[date, str]:
    if not country:
        return {}
    try:
        return dict(holidays.country_holidays(country, subdiv=region or None, years=range(2010, 2031)))
    except NotImplementedError:
        return calendar(country, "") if region else {}
