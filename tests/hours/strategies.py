"""Places, hours and moments in which something odd may happen."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from hypothesis import strategies as st

from smsflow_plugin.audience.places import Place
from smsflow_plugin.governance.hours import Hours, Window
from smsflow_plugin.governance.law.row import LawRow

PLACES = st.sampled_from(
    [
        Place("America/New_York", "US", "NY", "address"),
        Place("America/New_York", "US", "", "captured"),
        Place("America/New_York", "US", "PA", "area_code"),
        Place("America/Chicago", "US", "TX", "address"),
        Place("America/Denver", "US", "TX", "split_state"),
        Place("America/Chicago", "US", "AL", "area_code"),
        Place("America/Los_Angeles", "US", "MS", "captured"),  # whose law is read on a clock of its own
        Place("America/Anchorage", "US", "AK", "area_code"),
        Place("Pacific/Honolulu", "US", "HI", "area_code"),
        Place("America/St_Johns", "CA", "NL", "address"),
        Place("Europe/Paris", "FR", "57", "country"),
        Place("Europe/Paris", "FR", "", "number"),
        Place("Europe/Copenhagen", "DK", "", "country"),
        Place("Africa/Cairo", "EG", "", "number"),  # its clocks change at midnight
        Place("America/Havana", "CU", "", "number"),
        Place("Africa/Casablanca", "MA", "", "number"),  # whose clocks go back for Ramadan
        Place("Asia/Kolkata", "IN", "", "number"),
        Place("Asia/Tokyo", "JP", "", "number"),
        Place("Australia/Lord_Howe", "AU", "NSW", "split_state"),  # by half an hour
        Place("Pacific/Apia", "WS", "", "captured"),  # had no 30 December 2011
        Place("Pacific/Chatham", "NZ", "", "country"),
        Place("UTC", "", "", "store"),
    ]
)

#: Around the days on which clocks change in the north and in the south, holidays, ends of years and leap days.
DAYS = [
    (2011, 12, 29),
    (2026, 2, 14),
    (2026, 3, 7),
    (2026, 3, 21),
    (2026, 3, 28),
    (2026, 4, 3),
    (2026, 4, 23),
    (2026, 5, 7),
    (2026, 7, 2),
    (2026, 7, 13),
    (2026, 9, 26),
    (2026, 10, 3),
    (2026, 10, 16),
    (2026, 10, 24),
    (2026, 10, 31),
    (2026, 11, 25),
    (2026, 12, 24),
    (2026, 12, 31),
    (2028, 2, 28),
]
MOMENTS = st.builds(
    lambda day, minutes: datetime(*day, tzinfo=UTC) + timedelta(minutes=minutes),
    st.sampled_from(DAYS),
    st.integers(0, 3 * 24 * 60),
)

SEVERAL_PLACES = st.lists(PLACES, min_size=1, max_size=3, unique=True).map(tuple)

TIMES = st.integers(0, 24 * 12 - 1).map(lambda n: time(n // 12, n % 12 * 5))
ODD_WINDOWS: list[Window] = [
    (time(9), time(20)),
    (time(8), time(0)),
    (time(0), time.max),
    (time(22), time(6)),
    (time(2, 30), time(3)),
    (time(1, 30), time(1, 45)),
]
#: Some of them run past midnight.
WINDOWS = st.tuples(TIMES, TIMES).filter(lambda pair: pair[0] != pair[1]) | st.sampled_from(ODD_WINDOWS)
WEEKS = st.one_of(WINDOWS.map(lambda window: (window,) * 7), st.tuples(*[st.none() | WINDOWS for _ in range(7)]))

ROWS = st.builds(
    LawRow,
    country=st.sampled_from(["", "US", "FR"]),
    week=st.tuples(*[st.none() | WINDOWS.filter(lambda pair: pair[0] < pair[1]) for _ in range(7)]),
    holidays_off=st.booleans(),
    clock=st.sampled_from(["", "", "America/Chicago"]),
)

HOURS = st.builds(
    Hours,
    week=WEEKS,
    holidays_off=st.booleans(),
    strict=st.booleans(),
    law=st.booleans(),
    practice=st.booleans(),
    stricter=st.just(()) | st.lists(ROWS, max_size=2).map(tuple),
)
