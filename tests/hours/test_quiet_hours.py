"""Quiet hours by example: days that people would ask about."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from smsflow_plugin.audience.places import Place, candidate_places
from smsflow_plugin.governance.hours import Hours, every_day
from smsflow_plugin.governance.quiet_hours import closed_by, is_open, next_open, week_view

NEW_YORKER = (Place("America/New_York", "US", "NY", "address"),)
TEXAN = (Place("America/Chicago", "US", "TX", "address"),)
PARISIAN = (Place("Europe/Paris", "FR", "", "country"),)
NINE_TO_EIGHT = Hours(every_day(time(9), time(20)))
NIGHT_SHIFT = Hours(every_day(time(22), time(6)), law=False)


def wall(zone: str, *at: int) -> datetime:
    year, month, day, hour, minute = (*at, 0, 0)[:5]
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone))


def new_york(*at: int) -> datetime:
    return wall("America/New_York", *at)


def every(opens: time, closes: time, **values: Any) -> Hours:
    return Hours(every_day(opens, closes), **values)


def test_the_window_begins_on_the_minute_and_ends_before_it() -> None:
    assert not is_open(new_york(2026, 3, 4, 8, 59), NEW_YORKER, NINE_TO_EIGHT)
    assert is_open(new_york(2026, 3, 4, 9, 0), NEW_YORKER, NINE_TO_EIGHT)
    assert is_open(new_york(2026, 3, 4, 19, 59), NEW_YORKER, NINE_TO_EIGHT)
    assert not is_open(new_york(2026, 3, 4, 20, 0), NEW_YORKER, NINE_TO_EIGHT)
    assert not is_open(new_york(2026, 3, 4, 9, 0) - timedelta(microseconds=1), NEW_YORKER, NINE_TO_EIGHT)


def test_a_text_that_would_leave_after_the_close_because_of_the_queue_waits_for_the_morning() -> None:
    margin = timedelta(minutes=15)
    assert is_open(new_york(2026, 3, 4, 19, 44), NEW_YORKER, NINE_TO_EIGHT, margin=margin)
    assert not is_open(new_york(2026, 3, 4, 19, 45), NEW_YORKER, NINE_TO_EIGHT, margin=margin)
    waits = next_open(new_york(2026, 3, 4, 19, 45), NEW_YORKER, NINE_TO_EIGHT, margin=margin)
    assert waits == new_york(2026, 3, 5, 9)


def test_no_store_can_widen_the_federal_window() -> None:
    all_night = every(time(0), time(23, 59))
    assert not is_open(new_york(2026, 3, 4, 7, 59), NEW_YORKER, all_night)
    assert is_open(new_york(2026, 3, 4, 8, 0), NEW_YORKER, all_night)
    assert is_open(new_york(2026, 3, 4, 20, 59), NEW_YORKER, all_night)
    assert not is_open(new_york(2026, 3, 4, 21, 0), NEW_YORKER, all_night)


def test_order_news_that_a_store_holds_over_night_know_no_law() -> None:
    early = every(time(6), time(20), law=False)
    assert is_open(new_york(2026, 3, 4, 6), NEW_YORKER, early)


def test_morning_comes_an_hour_earlier_once_summer_time_began() -> None:
    evening = new_york(2026, 3, 6, 22)
    assert next_open(evening, NEW_YORKER, NINE_TO_EIGHT) == datetime(2026, 3, 7, 14, tzinfo=UTC)
    assert next_open(evening + timedelta(days=1), NEW_YORKER, NINE_TO_EIGHT) == datetime(2026, 3, 8, 13, tzinfo=UTC)


def test_an_opening_time_that_the_clocks_skip_opens_when_they_change() -> None:
    # on 8 March 2026 New York's clocks go from 02:00 to 03:00
    hours = every(time(2, 30), time(10), law=False)
    assert next_open(new_york(2026, 3, 8), NEW_YORKER, hours) == datetime(2026, 3, 8, 7, 0, tzinfo=UTC)


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    # on 1 November 2026 New York's clocks go from 02:00 back to 01:00
    hours = every(time(1, 30), time(1, 45), law=False)
    assert next_open(new_york(2026, 11, 1), NEW_YORKER, hours) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    again = next_open(datetime(2026, 11, 1, 5, 45, tzinfo=UTC), NEW_YORKER, hours)
    assert again == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


def test_lord_howe_changes_by_half_an_hour() -> None:
    place = (Place("Australia/Lord_Howe", "AU", "NSW"),)
    before, after = datetime(2026, 10, 3, 12, tzinfo=UTC), datetime(2026, 10, 4, 12, tzinfo=UTC)
    assert next_open(before, place, NINE_TO_EIGHT) == datetime(2026, 10, 3, 22, 0, tzinfo=UTC)
    assert next_open(after, place, NINE_TO_EIGHT) == datetime(2026, 10, 4, 22, 0, tzinfo=UTC)
    assert next_open(before - timedelta(days=1), place, NINE_TO_EIGHT) == datetime(2026, 10, 2, 22, 30, tzinfo=UTC)


def test_samoa_had_no_30_december_2011() -> None:
    place = (Place("Pacific/Apia", "WS"),)
    evening = wall("Pacific/Apia", 2011, 12, 29, 21)
    assert next_open(evening, place, NINE_TO_EIGHT) == wall("Pacific/Apia", 2011, 12, 31, 9)
    assert next_open(evening, place, NINE_TO_EIGHT) == evening.astimezone(UTC) + timedelta(hours=12)


def test_a_window_past_midnight_is_one_window() -> None:
    assert is_open(new_york(2026, 3, 4, 22), NEW_YORKER, NIGHT_SHIFT)
    assert is_open(new_york(2026, 3, 5, 5, 59), NEW_YORKER, NIGHT_SHIFT)
    assert not is_open(new_york(2026, 3, 5, 6), NEW_YORKER, NIGHT_SHIFT)
    assert is_open(new_york(2026, 12, 31, 23, 59), NEW_YORKER, NIGHT_SHIFT, margin=timedelta(hours=6))
    assert is_open(new_york(2028, 2, 29, 1), NEW_YORKER, NIGHT_SHIFT)


def test_a_window_until_midnight_is_written_as_closing_at_00_00() -> None:
    hours = every(time(8), time(0), law=False)
    assert is_open(new_york(2026, 3, 4, 23, 59), NEW_YORKER, hours)
    assert not is_open(new_york(2026, 3, 5, 0, 0), NEW_YORKER, hours)


def test_a_store_may_be_open_all_day_and_all_night() -> None:
    hours = every(time(0), time.max, law=False)
    assert is_open(new_york(2026, 3, 4, 23, 59), NEW_YORKER, hours, margin=timedelta(hours=12))
    assert is_open(datetime(2026, 3, 5, 4, 59, 59, 999_999, tzinfo=UTC), NEW_YORKER, hours)
    assert week_view(hours, NEW_YORKER[0])[0].store == ((0, 24 * 3600),)


def test_saturdays_night_runs_out_on_a_sunday_that_has_no_window() -> None:
    hours = Hours((*every_day(time(22), time(2))[:6], None), law=False)
    assert is_open(new_york(2026, 3, 8, 1, 30), NEW_YORKER, hours)
    assert not is_open(new_york(2026, 3, 8, 22), NEW_YORKER, hours)
    assert not is_open(new_york(2026, 3, 9, 1), NEW_YORKER, hours)


def test_a_holiday_is_closed_from_midnight_to_midnight_and_its_own_night_too() -> None:
    # 25 December 2026 is a Friday
    hours = every(time(22), time(6), law=False, holidays_off=True)
    assert is_open(new_york(2026, 12, 24, 23, 59), NEW_YORKER, hours)
    assert not is_open(new_york(2026, 12, 25, 0), NEW_YORKER, hours)
    assert not is_open(new_york(2026, 12, 25, 23), NEW_YORKER, hours)
    assert not is_open(new_york(2026, 12, 26, 3), NEW_YORKER, hours)
    assert is_open(new_york(2026, 12, 26, 22), NEW_YORKER, hours)


def test_a_holiday_is_one_of_the_persons_place() -> None:
    hours = every(time(9), time(20), holidays_off=True)
    thanksgiving = datetime(2026, 11, 26, 16, tzinfo=UTC)
    assert not is_open(thanksgiving, NEW_YORKER, hours)
    assert is_open(thanksgiving, PARISIAN, hours)
    assert is_open(thanksgiving, (Place("UTC"),), hours)
    assert is_open(thanksgiving, NEW_YORKER, NINE_TO_EIGHT)


def test_alsace_has_a_holiday_more_than_paris() -> None:
    boxing_day = wall("Europe/Paris", 2026, 12, 26, 12)
    strasbourg = candidate_places(
        None, timezone="", country="FR", province="", postcode="67000", store_timezone="Europe/Paris"
    )
    assert is_open(boxing_day, PARISIAN, NINE_TO_EIGHT)
    assert not is_open(boxing_day, strasbourg, NINE_TO_EIGHT)


def test_a_person_who_may_be_in_two_places_gets_texts_only_when_both_are_open() -> None:
    places = (*NEW_YORKER, Place("Pacific/Honolulu", "US", "HI", "area_code"))
    morning_in_new_york = datetime(2026, 7, 1, 13, 0, tzinfo=UTC)
    assert is_open(morning_in_new_york, places[:1], NINE_TO_EIGHT)
    assert not is_open(morning_in_new_york, places, NINE_TO_EIGHT)
    assert next_open(morning_in_new_york, places, NINE_TO_EIGHT) == datetime(2026, 7, 1, 19, 0, tzinfo=UTC)


def test_without_strictness_the_likeliest_clock_counts_alone_but_every_law() -> None:
    hours = every(time(9), time(20), strict=False)
    places = (*NEW_YORKER, Place("Pacific/Honolulu", "US", "HI", "area_code"))
    assert is_open(datetime(2026, 7, 1, 13, 0, tzinfo=UTC), places, hours)
    of_alabama = (*NEW_YORKER, Place("America/Chicago", "US", "AL", "area_code"))
    sunday = new_york(2026, 3, 8, 13)
    assert is_open(sunday, NEW_YORKER, hours)
    assert not is_open(sunday, of_alabama, hours)


def test_places_too_far_apart_leave_the_address_alone() -> None:
    places = (*NEW_YORKER, Place("Asia/Tokyo", "JP", "", "number"))
    hours = every(time(9), time(12))
    assert next_open(datetime(2026, 7, 1, tzinfo=UTC), places, hours) == new_york(2026, 7, 1, 9)


def test_places_too_far_apart_that_are_all_guesses_are_never_open() -> None:
    places = (Place("America/New_York", "US", "NY", "area_code"), Place("Asia/Tokyo", "JP", "", "number"))
    hours = every(time(9), time(12))
    assert next_open(datetime(2026, 7, 1, tzinfo=UTC), places, hours) is None
    # each of them by itself would open, and that is what people are told
    closed = closed_by(datetime(2026, 7, 1, 12, tzinfo=UTC), places, hours)
    assert {(c.place.zone, c.by) for c in closed} >= {("America/New_York", "store"), ("Asia/Tokyo", "store")}
    assert all(c.opens for c in closed)


def test_a_store_that_never_opens_never_opens() -> None:
    assert next_open(datetime(2026, 7, 1, tzinfo=UTC), NEW_YORKER, Hours((None,) * 7)) is None


def test_a_place_that_opens_once_a_week_is_waited_for() -> None:
    sundays = Hours((None,) * 6 + ((time(9), time(20)),))
    assert next_open(new_york(2026, 3, 2, 9), TEXAN, sundays) == wall("America/Chicago", 2026, 3, 8, 12)
    assert next_open(new_york(2026, 3, 2, 9), PARISIAN, sundays) is None


@pytest.mark.parametrize(
    "week",
    [
        every_day(time(9), time(9)),
        every_day(time(9), time(20))[:6],
        every_day(time(9, tzinfo=UTC), time(20)),
        every_day(time(9), time(20, 0, 0, 1)),
        every_day(time.max, time(20)),
    ],
)
def test_hours_that_mean_nothing_are_refused(week: Any) -> None:
    with pytest.raises(ValueError, match="."):
        Hours(week)


def test_hours_keep_their_place_in_a_cache_across_processes() -> None:
    again = pickle.loads(pickle.dumps(NINE_TO_EIGHT))
    assert again == NINE_TO_EIGHT
    assert hash(again) == hash(NINE_TO_EIGHT)


def test_people_are_told_who_closes_where_and_until_when() -> None:
    places = (*TEXAN, *PARISIAN)
    sunday_morning = wall("America/Chicago", 2026, 3, 8, 11)
    texas, france, own_window = closed_by(sunday_morning, places, every(time(9), time(17)))
    assert (texas.place, texas.by, texas.window) == (TEXAN[0], "law", (time(12), time(21)))
    assert texas.row is not None
    assert (texas.row.label, texas.row.source) == ("Texas", "foster.com, D, R")
    assert texas.opens == wall("America/Chicago", 2026, 3, 8, 12)
    assert (france.place, france.by, france.window) == (PARISIAN[0], "law", None)
    assert france.opens == wall("Europe/Paris", 2026, 3, 9, 9)
    assert (own_window.place, own_window.by, own_window.row) == (PARISIAN[0], "store", None)


def test_people_are_told_the_name_of_a_holiday_and_who_wished_it() -> None:
    bastille_day = wall("Europe/Paris", 2026, 7, 14, 12)
    (by_law,) = closed_by(bastille_day, PARISIAN, NINE_TO_EIGHT)
    assert (by_law.by, by_law.holiday) == ("holiday", "National Day")
    assert by_law.row is not None
    christmas = new_york(2026, 12, 25, 12)
    (wished,) = closed_by(christmas, NEW_YORKER, every(time(9), time(20), holidays_off=True))
    assert (wished.by, wished.holiday, wished.row) == ("holiday", "Christmas Day", None)
    assert closed_by(christmas, NEW_YORKER, NINE_TO_EIGHT) == ()


def test_a_week_shows_the_store_the_law_and_what_is_left() -> None:
    week = week_view(every(time(8), time(20)), TEXAN[0], date(2026, 3, 4))
    hour = 3600
    assert week[0].store == ((8 * hour, 20 * hour),)
    assert week[0].law == (9 * hour, 21 * hour)
    assert week[0].open == ((9 * hour, 20 * hour),)
    assert week[6].open == ((12 * hour, 20 * hour),)
    assert [row.label for row in week[0].rows] == ["USA", "Texas"]


def test_a_week_shows_a_night_on_both_of_its_days_and_a_day_that_the_law_closes() -> None:
    week = week_view(every(time(18), time(2)), PARISIAN[0], date(2026, 3, 4))
    hour = 3600
    assert week[2].store == ((0, 2 * hour), (18 * hour, 24 * hour))
    assert week[2].open == ((18 * hour, 20 * hour),)
    assert (week[6].law, week[6].open) == (None, ())
    assert week_view(NIGHT_SHIFT, PARISIAN[0])[6].law == (0, 24 * hour)


def test_a_week_knows_rows_that_are_not_in_force_yet() -> None:
    pennsylvanian = Place("America/New_York", "US", "PA")
    assert week_view(NINE_TO_EIGHT, pennsylvanian, date(2026, 10, 17))[6].open
    assert not week_view(NINE_TO_EIGHT, pennsylvanian, date(2026, 10, 18))[6].open
    assert not week_view(NINE_TO_EIGHT, pennsylvanian)[6].open
