"""Quiet hours against a watchman who looks at the clock every minute."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smsflow_plugin.governance.quiet_hours import is_open, next_open
from smsflow_plugin.governance.rules import PolicyRules

NEW_YORK = ("America/New_York",)
NINE_TO_EIGHT = PolicyRules(opens_at=time(9), closes_at=time(20))
MINUTE = timedelta(minutes=1)

ZONES = st.sampled_from(
    [
        "America/New_York",
        "America/Los_Angeles",
        "America/Sao_Paulo",
        "Africa/Cairo",  # its clocks change at midnight
        "America/Havana",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",  # by half an hour
        "Europe/Copenhagen",
        "Pacific/Chatham",
        "Pacific/Honolulu",
        "Pacific/Kiritimati",
    ]
)
# around the days on which clocks change in the north and in the south, and some others
MOMENTS = st.builds(
    lambda day, minutes: day + timedelta(minutes=minutes),
    st.sampled_from(
        [
            datetime(2026, 3, 7, tzinfo=UTC),
            datetime(2026, 3, 28, tzinfo=UTC),
            datetime(2026, 4, 4, tzinfo=UTC),
            datetime(2026, 4, 23, tzinfo=UTC),
            datetime(2026, 7, 1, tzinfo=UTC),
            datetime(2026, 9, 26, tzinfo=UTC),
            datetime(2026, 10, 3, tzinfo=UTC),
            datetime(2026, 10, 24, tzinfo=UTC),
            datetime(2026, 10, 31, tzinfo=UTC),
            datetime(2026, 12, 31, tzinfo=UTC),
        ]
    ),
    st.integers(0, 3 * 24 * 60),
)
WINDOWS = st.tuples(st.integers(0, 1439), st.integers(0, 1439)).filter(lambda pair: pair[0] < pair[1])


def wall(minutes: int) -> time:
    return time(minutes // 60, minutes % 60)


def watch(now: datetime, zones: tuple[str, ...], rules: PolicyRules) -> datetime | None:
    """Wait minute by minute until every wall clock reads an hour within the window."""
    clocks = [ZoneInfo(name) for name in zones]
    for waited in range(3 * 24 * 60):
        moment = now + waited * MINUTE
        readings = [moment.astimezone(clock) for clock in clocks]
        if all(rules.opens_at <= time(r.hour, r.minute) < rules.closes_at for r in readings):
            return moment
    return None


@settings(deadline=None, max_examples=150)
@given(MOMENTS, st.lists(ZONES, min_size=1, max_size=3, unique=True), WINDOWS)
@example(datetime(2026, 3, 8, 6, 30, tzinfo=UTC), ["America/New_York"], (150, 600))
@example(datetime(2026, 11, 1, 5, 0, tzinfo=UTC), ["America/New_York"], (90, 119))
def test_the_next_open_moment_is_the_one_that_a_watchman_finds(
    now: datetime, zones: list[str], window: tuple[int, int]
) -> None:
    rules = PolicyRules(opens_at=wall(window[0]), closes_at=wall(window[1]))
    found = next_open(now, tuple(zones), rules)
    watched = watch(now, tuple(zones), rules)
    if watched is not None:
        assert found == watched
    else:
        assert found is None or found > now + timedelta(days=2)


@settings(deadline=None, max_examples=150)
@given(MOMENTS, st.lists(ZONES, min_size=1, max_size=3, unique=True), WINDOWS, st.integers(0, 59_999_999))
def test_what_is_found_is_open_and_the_moment_before_is_not(
    now: datetime, zones: list[str], window: tuple[int, int], microseconds: int
) -> None:
    rules = PolicyRules(opens_at=wall(window[0]), closes_at=wall(window[1]))
    now += timedelta(microseconds=microseconds)
    found = next_open(now, tuple(zones), rules)
    if found is None:
        assert not is_open(now, tuple(zones), rules)
        return
    assert found >= now
    assert found.tzinfo is UTC
    assert is_open(found, tuple(zones), rules)
    assert found == now or not is_open(found - timedelta(microseconds=1), tuple(zones), rules)


def test_the_window_begins_on_the_minute_and_ends_before_it() -> None:
    def at(hour: int, minute: int) -> datetime:
        return datetime(2026, 3, 4, hour, minute, tzinfo=ZoneInfo("America/New_York"))

    assert not is_open(at(8, 59), NEW_YORK, NINE_TO_EIGHT)
    assert is_open(at(9, 0), NEW_YORK, NINE_TO_EIGHT)
    assert is_open(at(19, 59), NEW_YORK, NINE_TO_EIGHT)
    assert not is_open(at(20, 0), NEW_YORK, NINE_TO_EIGHT)


def test_an_opening_time_that_the_clocks_skip_opens_when_they_change() -> None:
    # on 8 March 2026 New York's clocks go from 02:00 to 03:00
    rules = PolicyRules(opens_at=time(2, 30), closes_at=time(10))
    midnight = datetime(2026, 3, 8, 5, 0, tzinfo=UTC)
    assert next_open(midnight, NEW_YORK, rules) == datetime(2026, 3, 8, 7, 0, tzinfo=UTC)


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    # on 1 November 2026 New York's clocks go from 02:00 back to 01:00
    rules = PolicyRules(opens_at=time(1, 30), closes_at=time(1, 45))
    first = next_open(datetime(2026, 11, 1, 4, 0, tzinfo=UTC), NEW_YORK, rules)
    assert first == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    second = next_open(datetime(2026, 11, 1, 5, 45, tzinfo=UTC), NEW_YORK, rules)
    assert second == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


def test_morning_comes_an_hour_earlier_once_summer_time_began() -> None:
    evening = datetime(2026, 3, 7, 22, 0, tzinfo=ZoneInfo("America/New_York"))
    assert next_open(evening, NEW_YORK, NINE_TO_EIGHT) == datetime(2026, 3, 8, 13, 0, tzinfo=UTC)


def test_a_person_who_may_be_in_two_zones_gets_texts_only_when_both_are_open() -> None:
    zones = ("America/New_York", "Pacific/Honolulu")
    morning_in_new_york = datetime(2026, 7, 1, 13, 0, tzinfo=UTC)
    assert is_open(morning_in_new_york, zones[:1], NINE_TO_EIGHT)
    assert not is_open(morning_in_new_york, zones, NINE_TO_EIGHT)
    assert next_open(morning_in_new_york, zones, NINE_TO_EIGHT) == datetime(2026, 7, 1, 19, 0, tzinfo=UTC)


def test_zones_that_are_never_open_together_have_no_next_moment() -> None:
    rules = PolicyRules(opens_at=time(9), closes_at=time(12))
    zones = ("America/New_York", "Asia/Tokyo")
    assert next_open(datetime(2026, 7, 1, tzinfo=UTC), zones, rules) is None


def test_a_window_that_ends_before_it_begins_is_never_open() -> None:
    rules = PolicyRules(opens_at=time(20), closes_at=time(9))
    assert not is_open(datetime(2026, 7, 1, 3, tzinfo=UTC), NEW_YORK, rules)
    assert next_open(datetime(2026, 7, 1, 3, tzinfo=UTC), NEW_YORK, rules) is None


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../../etc/passwd", "America", "a\x00b", "\ud800"])
def test_a_name_that_no_zone_has_is_ignored(name: str) -> None:
    night_in_new_york = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
    assert not is_open(night_in_new_york, (name, *NEW_YORK), NINE_TO_EIGHT)
    assert is_open(night_in_new_york, (name,), NINE_TO_EIGHT)  # 10:00 in UTC


def test_without_any_zone_utc_counts() -> None:
    assert is_open(datetime(2026, 7, 1, 9, 0, tzinfo=UTC), (), NINE_TO_EIGHT)
    assert next_open(datetime(2026, 7, 1, 8, 0, tzinfo=UTC), (), NINE_TO_EIGHT) == datetime(2026, 7, 1, 9, tzinfo=UTC)
