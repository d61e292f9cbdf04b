"""Quiet hours against a watchman who looks at every clock each minute."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from smsflow_plugin.audience.places import Place
from smsflow_plugin.governance.hours import Hours, every_day
from smsflow_plugin.governance.law.row import LawRow
from smsflow_plugin.governance.quiet_hours import HORIZON, closed_by, is_open, next_open
from tests.hours.strategies import HOURS, MOMENTS, PLACES, ROWS, SEVERAL_PLACES
from tests.hours.watchman import MINUTE, Watchman

NEW_YORK = (Place("America/New_York", "US", "NY", "address"),)
NIGHT_SHIFT = Hours(every_day(time(22), time(6)), law=False)
HALF_PAST_TWO = Hours(every_day(time(2, 30), time(10)), law=False)
SHORT = Hours(every_day(time(1, 30), time(1, 59)), law=False)
LOOK_AHEAD = timedelta(days=3)


@settings(max_examples=80)
@given(MOMENTS, SEVERAL_PLACES, HOURS, st.integers(0, 59))
@example(datetime(2026, 3, 8, 0, tzinfo=UTC), NEW_YORK, HALF_PAST_TWO, 0)
@example(datetime(2026, 11, 1, 0, tzinfo=UTC), NEW_YORK, SHORT, 59)
@example(datetime(2026, 3, 7, 12, tzinfo=UTC), NEW_YORK, NIGHT_SHIFT, 30)
@example(datetime(2011, 12, 30, 0, tzinfo=UTC), (Place("Pacific/Apia", "WS"),), NIGHT_SHIFT, 0)
@example(
    datetime(2026, 7, 1, tzinfo=UTC),
    (NEW_YORK[0], Place("Asia/Tokyo", "JP", "", "number")),
    Hours(every_day(time(9), time(12))),
    0,
)
def test_each_minute_is_open_or_closed_as_the_watchman_sees_it(
    start: datetime, places: tuple[Place, ...], hours: Hours, second: int
) -> None:
    watchman = Watchman(places, hours)
    for minute in range(26 * 60):
        moment = start + minute * MINUTE + timedelta(seconds=second)
        assert is_open(moment, places, hours) == watchman.is_open(moment), moment


@settings(max_examples=40)
@given(MOMENTS, SEVERAL_PLACES, HOURS, st.sampled_from([0, 1, 30_500_000]))
@example(datetime(2026, 3, 8, 6, 30, tzinfo=UTC), NEW_YORK, HALF_PAST_TWO, 0)
@example(datetime(2026, 11, 1, 5, 59, tzinfo=UTC), NEW_YORK, SHORT, 1)
def test_the_next_open_moment_is_the_one_that_the_watchman_waits_for(
    now: datetime, places: tuple[Place, ...], hours: Hours, microseconds: int
) -> None:
    now += timedelta(microseconds=microseconds)
    watchman = Watchman(places, hours)
    found, watched = next_open(now, places, hours), watchman.first_open(now, LOOK_AHEAD)
    if watched is None:
        assert found is None or now + LOOK_AHEAD < found <= now + HORIZON
    else:
        assert found == watched
    if found is not None:
        assert found.tzinfo is UTC
        assert watchman.is_open(found)
        assert found == now or not watchman.is_open(found - timedelta(microseconds=1))
        assert next_open(found, places, hours) == found


@settings(max_examples=40)
@given(MOMENTS, SEVERAL_PLACES, HOURS, st.integers(0, 24 * 60))
def test_with_a_margin_it_stays_open_for_so_long(
    now: datetime, places: tuple[Place, ...], hours: Hours, minutes: int
) -> None:
    watchman, margin = Watchman(places, hours), minutes * MINUTE
    stays_open = all(watchman.is_open(now + n * MINUTE) for n in range(minutes + 1))
    assert is_open(now, places, hours, margin=margin) == stays_open
    found = next_open(now, places, hours, margin=margin)
    if stays_open:
        assert found == now
    elif found is not None:
        assert found > now
        assert is_open(found, places, hours, margin=margin)


@settings(max_examples=40)
@given(MOMENTS, PLACES, HOURS, st.lists(ROWS, min_size=1, max_size=3).map(tuple))
def test_rows_of_an_administrator_never_open_what_the_law_closes(
    start: datetime, place: Place, hours: Hours, rows: tuple[LawRow, ...]
) -> None:
    narrower = replace(hours, stricter=(*hours.stricter, *rows))
    for minute in range(0, 26 * 60, 5):
        moment = start + minute * MINUTE
        assert is_open(moment, (place,), hours) or not is_open(moment, (place,), narrower)


@settings(max_examples=40)
@given(MOMENTS, SEVERAL_PLACES, HOURS)
def test_strict_hours_are_never_open_where_one_place_is_closed(
    start: datetime, places: tuple[Place, ...], hours: Hours
) -> None:
    hours = replace(hours, strict=True)
    counted = Watchman(places, hours)
    for minute in range(0, 26 * 60, 15):
        moment = start + minute * MINUTE
        if is_open(moment, places, hours):
            for place in counted.who_counts(moment.date()):
                assert is_open(moment, (place,), hours)


@settings(max_examples=40)
@given(MOMENTS, SEVERAL_PLACES, HOURS)
def test_what_is_closed_is_closed_by_somebody_and_what_is_open_by_nobody(
    now: datetime, places: tuple[Place, ...], hours: Hours
) -> None:
    assert is_open(now, places, hours) == (closed_by(now, places, hours) == ())


@given(HOURS)
def test_equal_hours_are_one_hour_to_a_cache(hours: Hours) -> None:
    again = replace(hours)
    assert again == hours
    assert hash(again) == hash(hours)
