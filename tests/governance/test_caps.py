"""Windows that slide: compared with counting every one of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.governance.caps import free_at, rested_at

START = datetime(2026, 3, 4, tzinfo=UTC)


def minute(n: int) -> datetime:
    return START + timedelta(minutes=n)


times = st.lists(st.integers(0, 300), max_size=8).map(lambda all_: [minute(n) for n in sorted(all_)])
moments = st.integers(0, 300).map(minute)
windows = st.integers(1, 120).map(lambda n: timedelta(minutes=n))


def breaks(others: list[datetime], limit: int, window: timedelta, moment: datetime) -> bool:
    """Count every window that begins with one of the texts and holds this one."""
    everybody = sorted([*others, moment])
    return any(
        sum(start <= at < start + window for at in everybody) > limit and start <= moment < start + window
        for start in everybody
    )


@given(times, st.integers(1, 4), windows, moments)
def test_it_is_the_first_minute_at_which_no_window_is_too_full(
    others: list[datetime], limit: int, window: timedelta, moment: datetime
) -> None:
    found = free_at(others, limit, window, moment)
    assert found is not None
    candidate = moment
    while breaks(others, limit, window, candidate):
        candidate += timedelta(minutes=1)
    assert found == candidate


@given(times, st.integers(0, 60).map(lambda n: timedelta(minutes=n)), moments)
def test_it_is_the_first_minute_far_enough_from_all_others(
    others: list[datetime], gap: timedelta, moment: datetime
) -> None:
    candidate = moment
    while any(abs(candidate - at) < gap for at in others):
        candidate += timedelta(minutes=1)
    assert rested_at(others, gap, moment) == candidate


def test_a_cap_of_nothing_never_has_room() -> None:
    assert free_at([], 0, timedelta(days=1), START) is None
