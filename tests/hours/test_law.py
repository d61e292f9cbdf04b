"""The table of the law, row by row, on days that show it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest

from smsflow_plugin.audience.places import Place
from smsflow_plugin.audience.regions import US_STATES, zones_of_country, zones_of_province
from smsflow_plugin.governance.hours import Hours, every_day
from smsflow_plugin.governance.law.days_off import holiday
from smsflow_plugin.governance.law.row import LawRow, Problem, RowError, read_row
from smsflow_plugin.governance.law.table import (
    default_week,
    describe,
    law_blocks,
    law_caps,
    rows_about,
    shipped_rows,
)
from smsflow_plugin.governance.quiet_hours import is_open
from smsflow_plugin.governance.windows import DAYS

#: As wide as a store could write it.
AS_WIDE_AS_CAN_BE = every_day(time(0), time(23, 59))

WEDNESDAY, SATURDAY, SUNDAY = date(2026, 11, 4), date(2026, 11, 7), date(2026, 11, 8)

#: A Thursday and a holiday in all of the USA.
THANKSGIVING = date(2026, 11, 26)

LIKE_FEDERAL = ["8-21"] * 4
STATES: dict[str, list[str]] = {
    # Wednesday, Saturday, Sunday, a holiday
    "AL": ["8-20", "8-20", "closed", "closed"],
    "LA": ["8-20", "8-20", "closed", "closed"],
    "MS": ["8-20", "8-20", "closed", "closed"],
    **dict.fromkeys(["FL", "MD", "OK", "MA", "NJ", "WA", "WY"], ["8-20"] * 4),
    **dict.fromkeys(["CT", "NV"], ["9-20"] * 4),
    "TX": ["9-21", "9-21", "12-21", "9-21"],
    **dict.fromkeys(["MI", "MN", "NM", "CA", "IL"], ["9-21"] * 4),
    "KY": ["10-21"] * 4,
    "RI": ["9-18", "10-17", "closed", "closed"],
    "PA": ["9-19", "9-19", "closed", "closed"],
    "SD": ["9-21", "9-21", "closed", "9-21"],
    "UT": ["8-21", "8-21", "closed", "closed"],
    "ME": ["9-17", "closed", "closed", "9-17"],
}

CHRISTMAS_MONDAY = date(2028, 12, 25)
COUNTRIES: dict[str, list[str]] = {
    # Wednesday, Saturday, Sunday, Christmas Day on a Monday
    "CA": ["9-21", "10-18", "10-18", "9-21"],
    "FR": ["8-20", "8-20", "closed", "closed"],
    "BE": ["7-19", "closed", "closed", "7-19"],
    "IN": ["10-21"] * 4,
    "AE": ["7-21"] * 4,
    **dict.fromkeys(["GB", "IE", "DE", "NL", "DK", "AU", "NZ"], ["8-20"] * 4),
    "JP": ["8-20"] * 4,
    "": ["8-20"] * 4,
}


def seen(place: Place, on: date, hours: Hours) -> str:
    """Look at every quarter of an hour of a day and write down when it is open."""
    midnight = datetime.combine(on, time(0), ZoneInfo(place.zone))
    quarters = [midnight + timedelta(minutes=15 * n) for n in range(96)]
    open_ = [moment for moment in quarters if is_open(moment.astimezone(UTC), (place,), hours)]
    if not open_:
        return "closed"
    closes = open_[-1] + timedelta(minutes=15)
    assert len(open_) == (closes - open_[0]) // timedelta(minutes=15), "one window"
    assert open_[0].minute == closes.minute == 0
    return f"{open_[0].hour}-{closes.hour}"


@pytest.mark.parametrize("state", US_STATES)
def test_each_state_has_its_window(state: str) -> None:
    place = Place(US_STATES[state][1], "US", state)
    days = (WEDNESDAY, SATURDAY, SUNDAY, THANKSGIVING)
    assert [seen(place, day, Hours(AS_WIDE_AS_CAN_BE)) for day in days] == STATES.get(state, LIKE_FEDERAL)


@pytest.mark.parametrize("country", COUNTRIES)
def test_each_country_has_its_window(country: str) -> None:
    place = Place(zones_of_country(country)[0] if country else "UTC", country)
    days = (WEDNESDAY, SATURDAY, SUNDAY, CHRISTMAS_MONDAY)
    assert [seen(place, day, Hours(AS_WIDE_AS_CAN_BE)) for day in days] == COUNTRIES[country]


@pytest.mark.parametrize(("country", "window"), [("FR", "8-22"), ("AE", "7-21"), ("US", "8-21")])
def test_a_store_may_do_without_practice_but_not_without_law(country: str, window: str) -> None:
    place = Place(zones_of_country(country)[0], country)
    assert seen(place, WEDNESDAY, Hours(AS_WIDE_AS_CAN_BE, practice=False)) == window


def test_pennsylvania_narrows_on_the_day_of_its_law_and_had_its_holidays_before() -> None:
    place = Place("America/New_York", "US", "PA")
    hours = Hours(AS_WIDE_AS_CAN_BE)
    assert seen(place, date(2026, 10, 17), hours) == "8-21"
    assert seen(place, date(2026, 10, 11), hours) == "8-21"  # a Sunday
    assert seen(place, date(2026, 10, 18), hours) == "closed"
    assert seen(place, date(2026, 10, 19), hours) == "9-19"
    assert seen(place, date(2026, 9, 7), hours) == "closed"  # Labor Day
    assert seen(place, date(2019, 5, 27), hours) == "8-21"  # Memorial Day of the year in which that law came


def test_mississippi_counts_by_central_time_whatever_the_clock() -> None:
    assert seen(Place("America/New_York", "US", "MS"), WEDNESDAY, Hours(AS_WIDE_AS_CAN_BE)) == "9-21"


@pytest.mark.parametrize("territory", ["PR", "GU", "VI"])
def test_territories_have_the_federal_law_however_they_are_written(territory: str) -> None:
    assert rows_about(territory, "") == rows_about("US", territory) != ()
    assert [row.label for row in rows_about(territory, "")] == ["USA"]


def test_what_consent_lifts_is_told_and_does_not_bind() -> None:
    assert any(row.region == "VA" for row in shipped_rows())
    assert [row.region for row in rows_about("US", "VA")] == [""]


def test_every_row_says_from_where_and_from_when_it_is_and_how_sure() -> None:
    for row in shipped_rows():
        assert row.source
        assert row.as_of is not None
        assert row.label
        assert row.kind == "default" or row.confidence
        assert not row.region or zones_of_province(row.country, row.region)
        assert row.country != "US" or all(
            window is None or (time(8) <= window[0] and window[1] <= time(21)) for window in row.week
        )
        assert read_row(row.as_data()) == row


def test_every_place_with_holidays_off_has_a_calendar() -> None:
    for row in shipped_rows():
        if row.holidays_off:
            assert holidays.country_holidays(row.country, subdiv=row.region or None, years=2027)


def test_holidays_are_those_of_the_state_and_the_country_where_the_state_is_unknown() -> None:
    mardi_gras = date(2027, 2, 9)
    assert holiday("US", "LA", mardi_gras)
    assert not holiday("US", "NY", mardi_gras)
    assert holiday("US", "??", THANKSGIVING) == holiday("US", "", THANKSGIVING) == "Thanksgiving Day"
    assert holiday("XX", "", THANKSGIVING) == holiday("", "", THANKSGIVING) == ""


def test_caps_and_blocks_are_data_too() -> None:
    assert law_caps("US", "FL") == law_caps("US", "OK") == law_caps("US", "MD") == (3, timedelta(days=1))
    assert law_caps("US", "TX") is law_caps("FR", "") is None
    assert law_blocks("IN") == law_blocks("in") == "registered_templates"
    assert law_blocks("US") is law_blocks("") is None


def test_a_new_store_is_offered_decent_hours() -> None:
    assert default_week("US")[0] == (time(9), time(20))
    assert default_week("US")[6] == (time(12), time(20))
    assert default_week("DK") == every_day(time(9), time(20))


def test_a_day_can_be_described() -> None:
    texas = describe(Place("America/Chicago", "US", "TX"), SUNDAY)
    assert texas.window == (time(12), time(21))
    assert [row.source for row in texas.rows] == ["47 CFR 64.1200(c)(1)", "foster.com, D, R"]
    assert describe(Place("America/Chicago", "US", "AL"), THANKSGIVING).window is None
    assert describe(Place("America/Chicago", "US", "AL"), THANKSGIVING).holiday == "Thanksgiving Day"
    assert describe(Place("Asia/Tokyo", "JP"), SUNDAY, practice=False).window == (time(0), time.max)


def test_an_administrators_row_narrows_and_never_widens() -> None:
    wider = read_row({"country": "US", "daily": "6:00-23:00"})
    later = read_row({"country": "US", "region": "TX", "daily": "10:00-20:00", "sunday": "closed"})
    texan, new_yorker = Place("America/Chicago", "US", "TX"), Place("America/New_York", "US", "NY")
    hours = Hours(AS_WIDE_AS_CAN_BE, stricter=(wider, later))
    assert seen(new_yorker, WEDNESDAY, hours) == "8-21"
    assert seen(texan, WEDNESDAY, hours) == "10-20"
    assert seen(texan, SUNDAY, hours) == "closed"
    everywhere = read_row({"daily": "9:00-18:00", "holidays": "closed"})
    assert seen(Place("Asia/Tokyo", "JP"), WEDNESDAY, Hours(AS_WIDE_AS_CAN_BE, stricter=(everywhere,))) == "9-18"


def test_a_row_is_read_from_a_form_and_written_back() -> None:
    row = read_row(
        {
            "country": "us", "region": "tx", "weekdays": "9:00-20:00", "weekend": "closed", "saturday": "12:00 – 18:00",
            "since": "2027-01-01", "source": "our counsel",
        }
    )  # fmt: skip
    assert row.week == (*every_day(time(9), time(20))[:5], (time(12), time(18)), None)
    assert (row.country, row.region, row.kind, row.since) == ("US", "TX", "own", date(2027, 1, 1))
    assert read_row(row.as_data()) == row
    all_day = read_row({"daily": "0:00-24:00"})
    assert all_day.week[0] == (time(0), time.max)
    assert read_row(all_day.as_data()) == all_day


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"country": "ZZ"}, Problem("country", "unknown", "ZZ")),
        ({"country": "US", "region": "XX"}, Problem("region", "unknown", "XX")),
        ({"region": "TX"}, Problem("region", "unknown", "TX")),
        ({"sunday": "noon"}, Problem("sunday", "no_window", "noon")),
        ({"sunday": "9:00-24:30"}, Problem("sunday", "no_window", "9:00-24:30")),
        ({"daily": "9:00-9:00"}, Problem("daily", "no_window", "9:00-9:00")),
        ({"weekend": "20:00-2:00"}, Problem("weekend", "past_midnight", "20:00-2:00")),
        ({"since": "soon"}, Problem("since", "no_date", "soon")),
        ({"since": "2027-01-01", "until": "2026-01-01"}, Problem("until", "not_after_since", "2026-01-01")),
        ({"holidays": "maybe"}, Problem("holidays", "unknown", "maybe")),
        ({"clock": "Mars/Phobos"}, Problem("clock", "unknown", "Mars/Phobos")),
        ({"kind": "rumour"}, Problem("kind", "unknown", "rumour")),
    ],
)
def test_what_is_wrong_with_a_row_is_named(data: dict[str, str], problem: Problem) -> None:
    with pytest.raises(RowError) as caught:
        read_row({"daily": "9:00-20:00", **data})
    assert caught.value.problems == (problem,)


def test_a_row_without_all_days_names_those_that_are_missing() -> None:
    with pytest.raises(RowError, match="saturday: missing; sunday: missing"):
        read_row({"country": "US", "weekdays": "9:00-20:00"})
    with pytest.raises(RowError) as caught:
        read_row({})
    assert [problem.field for problem in caught.value.problems] == list(DAYS)


def test_a_row_cannot_run_past_midnight() -> None:
    with pytest.raises(ValueError, match="midnight"):
        LawRow("US", every_day(time(20), time(2)))
