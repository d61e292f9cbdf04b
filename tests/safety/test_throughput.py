"""What a number may send: never more than its rate allows, and never less for long."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.governance.throughput import (
    AHEAD,
    AHEAD_FOR_URGENT,
    ONE_COMPLAINT,
    PULSE,
    RECOVERS_IN,
    SLOWEST,
    UNLIMITED,
    allowance,
    effective,
    fast_again,
    free_again,
    slower,
    spent,
)
from tests.conftest import NOON

rates = st.sampled_from([Decimal(text) for text in ("0.01", "0.25", "1", "3.5", "10", "75", "1000")])
looks = st.lists(st.tuples(st.floats(0, 5), st.booleans(), st.integers(0, 5000)), max_size=60)


@given(rates, looks)
def test_no_stretch_of_time_holds_more_texts_than_the_rate_allows(
    rate: Decimal, looks: list[tuple[float, bool, int]]
) -> None:
    free_at = now = NOON
    given_out: list[tuple[datetime, int]] = []
    for wait, urgent, wanted in looks:
        now += timedelta(seconds=wait)
        texts = min(wanted, allowance(free_at, now, rate, urgent=urgent))
        free_at = spent(free_at, now, rate, texts)
        given_out.append((now, texts))
    each = 1 / float(rate)
    ahead = max(AHEAD.total_seconds(), each) + max(AHEAD_FOR_URGENT.total_seconds(), each)
    for start, (begin, _texts) in enumerate(given_out):
        total = 0
        for at, texts in given_out[start:]:
            total += texts
            assert total <= float(rate) * ((at - begin).total_seconds() + ahead) + 0.01


@given(rates, st.integers(1, 400))
def test_who_comes_when_told_gets_something_and_the_rate_is_used_up(rate: Decimal, seconds: int) -> None:
    free_at = now = NOON
    sent = 0
    while now < NOON + timedelta(seconds=seconds):
        texts = allowance(free_at, now, rate)
        assert texts > 0 or now == NOON
        sent += texts
        free_at = spent(free_at, now, rate, texts)
        later = free_again(free_at, now, rate)
        assert later >= now + PULSE
        now = later
    assert sent >= float(rate) * seconds * 0.999 - 1


@pytest.mark.parametrize(
    ("rate", "first", "after_a_second", "urgent"),
    [("10", 15, 10, 5), ("100", 150, 100, 50), ("1", 1, 1, 1), ("0.25", 1, 0, 1)],
)
def test_an_idle_number_may_send_for_a_second_and_a_half_at_once_and_keeps_some_for_the_urgent(
    rate: str, first: int, after_a_second: int, urgent: int
) -> None:
    tempo = Decimal(rate)
    assert allowance(NOON, NOON, tempo) == first
    free_at = spent(NOON, NOON, tempo, first)
    assert allowance(free_at, NOON, tempo) == 0
    assert allowance(free_at, NOON, tempo, urgent=True) == urgent
    assert allowance(free_at, NOON + timedelta(seconds=1), tempo) == after_a_second


def test_a_clock_that_was_put_back_silences_nobody_for_long() -> None:
    tomorrow = NOON + timedelta(days=1)
    assert allowance(tomorrow, NOON, Decimal(10)) == 0
    assert free_again(tomorrow, NOON, Decimal(10)) <= NOON + timedelta(seconds=2)
    assert spent(tomorrow, NOON, Decimal(10), 0) <= NOON + timedelta(seconds=2)


def test_a_rate_of_nothing_is_a_very_slow_one() -> None:
    assert allowance(NOON, NOON, Decimal(0)) == 1
    assert free_again(spent(NOON, NOON, Decimal(0), 1), NOON, Decimal(0)) == NOON + timedelta(seconds=100)


complaints = st.lists(st.tuples(st.floats(0, 900), st.booleans()), max_size=30)


@given(st.one_of(st.none(), rates), complaints)
def test_complaints_halve_a_rate_and_time_brings_it_back(
    rate: Decimal | None, complaints: list[tuple[float, bool]]
) -> None:
    full = UNLIMITED if rate is None else rate
    now, slowed_to, slowed_at = NOON, None, None
    for wait, complains in complaints:
        now += timedelta(seconds=wait)
        before = effective(rate, slowed_to, slowed_at, now)
        if complains:
            fresh = slowed_at is None or now - slowed_at >= ONE_COMPLAINT
            slowed_to, slowed_at = slower(rate, slowed_to, slowed_at, now)
            after = effective(rate, slowed_to, slowed_at, now)
            assert after is not None and after <= (before or full)
            if fresh:
                assert after <= max((before or full) / 2, full / 32, SLOWEST) + Decimal("0.001")
        share = effective(rate, slowed_to, slowed_at, now)
        assert share is None or share >= min(full / 32, SLOWEST) - Decimal("0.001")
    assert effective(rate, slowed_to, slowed_at, now + RECOVERS_IN) == rate
    until = fast_again(rate, slowed_to, slowed_at)
    if until is not None:
        assert effective(rate, slowed_to, slowed_at, until + timedelta(seconds=1)) == rate


def test_it_comes_back_by_equal_steps_and_one_complaint_counts_once() -> None:
    rate = Decimal(40)
    slowed_to, slowed_at = slower(rate, None, None, NOON)
    assert (slowed_to, slowed_at) == (20, NOON)
    assert slower(rate, slowed_to, slowed_at, NOON + timedelta(seconds=4)) == (20, NOON)
    assert slower(rate, slowed_to, slowed_at, NOON + timedelta(seconds=5))[0] < 11
    steps = [effective(rate, slowed_to, slowed_at, NOON + timedelta(minutes=n)) for n in range(6)]
    assert steps == [20, 24, 28, 32, 36, 40]
    assert fast_again(rate, slowed_to, slowed_at) == NOON + timedelta(minutes=5)
