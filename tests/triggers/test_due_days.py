"""When dates come due: leap days, zones, gaps in the clock, and what is written in a field."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.engine.due_days import (
    DateRule,
    Due,
    KeptDate,
    days_between,
    due_once,
    due_yearly,
    kept_date,
    kept_moment,
    last_occurrence,
    range_of_once,
)

ZONES = ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Copenhagen", "America/New_York", "Asia/Kathmandu")
NINE = time(9)


def at(*parts: int, zone: str = "UTC") -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone))


def birthday(text: str) -> KeptDate:
    kept = kept_date(text, "UTC")
    assert kept is not None
    return kept


def yearly(kept: KeptDate, now: datetime, *, shift: int = 0, zone: str = "UTC", name: str = "birthday") -> Due | None:
    return due_yearly(kept, DateRule(name, shift, NINE, True), zone, now - timedelta(hours=48), now)


def test_a_birthday_is_due_at_the_time_of_the_trigger_in_the_zone_of_the_person() -> None:
    kept = birthday("1990-03-04")
    nine_in_new_york = at(2026, 3, 4, 9, zone="America/New_York")
    assert yearly(kept, nine_in_new_york - timedelta(minutes=1), zone="America/New_York") is None
    found = yearly(kept, nine_in_new_york, zone="America/New_York")
    assert found == Due(date(2026, 3, 4), nine_in_new_york.astimezone(UTC))


@pytest.mark.parametrize(
    ("today", "due"),
    [
        (date(2026, 2, 28), True),
        (date(2027, 2, 28), True),
        (date(2028, 2, 28), False),
        (date(2028, 2, 29), True),
        (date(2100, 2, 28), True),
        (date(2026, 3, 1), False),
    ],
)
def test_who_was_born_on_29_february_is_greeted_on_the_28th_in_common_years(today: date, due: bool) -> None:
    now = datetime.combine(today, time(12), UTC)
    found = due_yearly(
        birthday("1992-02-29"), DateRule("birthday", 0, NINE, True), "UTC", now - timedelta(hours=5), now
    )
    assert (found is not None) is due


def test_a_week_before_a_birthday_in_january_lies_in_the_year_before() -> None:
    found = yearly(birthday("1990-01-03"), at(2026, 12, 27, 10), shift=-7)
    assert found == Due(date(2027, 1, 3), at(2026, 12, 27, 9))


def test_the_day_of_the_opt_in_itself_is_no_anniversary() -> None:
    kept = kept_moment(at(2026, 3, 4, 8), "UTC")
    assert yearly(kept, at(2026, 3, 4, 10), name="opted_in") is None
    assert yearly(kept, at(2027, 3, 4, 10), name="opted_in") is not None


def test_a_date_that_lies_ahead_has_no_anniversary_before_it_has_come() -> None:
    kept = birthday("2027-03-04")
    assert yearly(kept, at(2026, 3, 4, 10), name="renewal") is None
    assert yearly(kept, at(2027, 3, 4, 10), name="renewal") is not None


def test_a_day_that_a_stopped_worker_missed_is_caught_up_for_two_days() -> None:
    kept = birthday("1990-03-04")
    due = at(2026, 3, 4, 9)
    assert yearly(kept, due + timedelta(hours=47, minutes=59)) is not None
    assert yearly(kept, due + timedelta(hours=48)) is None


def test_a_moment_counts_as_the_day_that_it_was_for_the_person() -> None:
    late_evening = at(2025, 3, 4, 23, zone="America/New_York")
    kept = kept_moment(late_evening, "America/New_York")
    assert kept.month_day == 304
    assert yearly(kept, at(2026, 3, 4, 16), zone="America/New_York", name="first_order") is not None


def test_a_moment_at_midnight_is_not_taken_for_a_day() -> None:
    kept = kept_date("2026-03-05T00:00:00+00:00", "America/New_York")
    assert kept is not None
    found = due_once(kept, DateRule("delivery", 0, NINE, False), "America/New_York", at(2026, 3, 4), at(2026, 3, 5))
    assert found is not None
    assert found.day == date(2026, 3, 4)


def test_a_moment_without_a_time_of_the_trigger_is_due_at_its_own_time() -> None:
    kept = kept_date("2026-03-12T14:30", "Europe/Copenhagen")
    assert kept is not None
    rule = DateRule("fitting", -1, None, False)
    found = due_once(kept, rule, "Europe/Copenhagen", at(2026, 3, 11), at(2026, 3, 12))
    assert found == Due(date(2026, 3, 12), at(2026, 3, 11, 13, 30))


@pytest.mark.parametrize(
    "value", ["", "today", "12", "20260304", "2026-13-01", "2026-02-30", None, 20260304, ["2026-03-04"], "0000-01-01"]
)
def test_what_is_no_iso_date_is_not_kept(value: object) -> None:
    assert kept_date(value, "UTC") is None


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_moment_at_the_end_of_time_is_not_kept(value: str) -> None:
    assert kept_date(value, "UTC") is None


def test_a_time_that_the_clock_skips_comes_after_the_gap() -> None:
    rule = DateRule("birthday", 0, time(2, 30), True)
    found = due_yearly(birthday("1990-03-08"), rule, "America/New_York", at(2026, 3, 7), at(2026, 3, 9))
    assert found is not None
    assert found.moment == at(2026, 3, 8, 3, 30, zone="America/New_York").astimezone(UTC)


@given(
    born=st.dates(date(1920, 1, 1), date(2020, 12, 31)),
    zone=st.sampled_from(ZONES),
    shift=st.integers(-40, 40),
    hour=st.integers(0, 23),
    year=st.integers(2024, 2032),
    step=st.integers(1, 47),
)
def test_looking_at_any_rhythm_within_two_days_finds_every_birthday_exactly_once_a_year(
    born: date, zone: str, shift: int, hour: int, year: int, step: int
) -> None:
    kept = birthday(born.isoformat())
    rule = DateRule("birthday", shift, time(hour), True)
    leap_day = (born.month, born.day) == (2, 29) and not calendar.isleap(year)
    day = date(year, 2, 28) if leap_day else born.replace(year=year)
    around = datetime.combine(day + timedelta(days=shift), time(12), UTC)
    found = set()
    for hours in range(-96, 97, step):
        now = around + timedelta(hours=hours)
        due = due_yearly(kept, rule, zone, now - timedelta(hours=48), now)
        found |= {due} if due else set()
    [due] = found
    assert due.day == day
    assert due.moment.astimezone(ZoneInfo(zone)).date() == day + timedelta(days=shift)


@given(
    moment=st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    zone=st.sampled_from(ZONES),
    shift=st.integers(-400, 400),
    hour=st.one_of(st.none(), st.integers(0, 23)),
    whole_day=st.booleans(),
)
def test_the_range_that_is_read_holds_everything_that_is_due(
    moment: datetime, zone: str, shift: int, hour: int | None, whole_day: bool
) -> None:
    kept = birthday(moment.date().isoformat()) if whole_day else kept_moment(moment, zone)
    rule = DateRule("x", shift, None if hour is None else time(hour), False)
    due = due_once(kept, rule, zone, at(1990, 1, 1), at(2090, 1, 1))
    assert due is not None
    for now in (due.moment, due.moment + timedelta(hours=47)):
        first, last = range_of_once(rule, now - timedelta(hours=48), now)
        assert first <= kept.at <= last


@given(
    now=st.datetimes(datetime(2025, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC)), zone=st.sampled_from(ZONES)
)
def test_it_is_one_of_these_days_everywhere_in_the_world(now: datetime, zone: str) -> None:
    assert now.astimezone(ZoneInfo(zone)).date() in days_between(now, now)


@pytest.mark.parametrize(
    ("repeat", "now", "expected"),
    [
        ("once", at(2026, 3, 1, 8, 59), None),
        ("once", at(2026, 9, 1), at(2026, 1, 31, 9)),
        ("daily", at(2026, 3, 5, 8, 59), at(2026, 3, 4, 9)),
        ("daily", at(2026, 3, 5, 9), at(2026, 3, 5, 9)),
        ("weekly", at(2026, 2, 7, 9), at(2026, 2, 7, 9)),
        ("weekly", at(2026, 2, 13, 9), at(2026, 2, 7, 9)),
        ("monthly", at(2026, 2, 28, 9), at(2026, 2, 28, 9)),
        ("monthly", at(2026, 3, 30, 9), at(2026, 2, 28, 9)),
        ("monthly", at(2026, 3, 31, 9), at(2026, 3, 31, 9)),
    ],
)
def test_what_is_planned_comes_again(repeat: str, now: datetime, expected: datetime | None) -> None:
    first = at(2026, 3, 1, 9) if expected is None else at(2026, 1, 31, 9)
    assert last_occurrence(first, repeat, "UTC", now) == expected


def test_a_daily_plan_keeps_its_wall_time_over_the_change_of_the_clocks() -> None:
    first = at(2026, 3, 1, 9, zone="Europe/Copenhagen")
    found = last_occurrence(first, "daily", "Europe/Copenhagen", at(2026, 3, 30, 12))
    assert found == at(2026, 3, 30, 9, zone="Europe/Copenhagen")
