"""The rules of circuit breakers alone: what trips, and what chance may do without tripping anything."""

from __future__ import annotations

import random
from decimal import Decimal
from math import comb
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.governance.breakers import (
    Against,
    Baseline,
    Count,
    Figures,
    Kind,
    judge,
    judge_store,
    lower_bound,
    upper_bound,
)
from smsflow_plugin.governance.policy import PolicyRules

RULES = PolicyRules()
NONE = Baseline()
BUSY = Baseline.of([(200, 2, 1)] * 28)


def day(left: int, failed: int = 0, queued: int = 0) -> Count:
    return Count(left, failed, queued)


def figures(left: int = 0, failed: int = 0, opt_outs: int = 0, **values: Any) -> Figures:
    return Figures(day(left, failed, values.pop("queued", 0)), opt_outs=opt_outs, **values)


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        (figures(3, opt_outs=1), None),  # a third of them, and it says nothing
        (figures(3, failed=3), None),
        (figures(49, failed=49), None),  # one text short of enough
        (figures(50, failed=50), Kind.FAILURES),
        (figures(50, failed=13), None),  # 26 % of 50 may be chance
        (figures(1000, failed=260), None),
        (figures(1000, failed=300), Kind.FAILURES),
        (figures(100, opt_outs=4), None),
        (figures(50, opt_outs=6), Kind.OPT_OUTS),
        (figures(1000, opt_outs=50), Kind.OPT_OUTS),
        (figures(1000, failed=300, opt_outs=50), Kind.OPT_OUTS),  # what annoys people comes first
        (Figures(day(1000, 20), hour=day(60, 40)), Kind.FAILURES),  # the day looks well, the last hour does not
        (figures(100_000), None),  # a flow without a baseline may send as much as it likes
    ],
)
def test_a_flow_stops_when_chance_cannot_explain_it(seen: Figures, kind: Kind | None) -> None:
    trip = judge(seen, NONE, RULES)
    assert (trip.kind if trip else None) == kind


def test_a_trip_says_what_was_measured_against_what() -> None:
    trip = judge(figures(200, failed=100), BUSY, RULES)
    assert trip is not None
    assert (trip.measured, trip.limit, trip.count, trip.of, trip.hours) == (50.0, 25.0, 100, 200, 24)
    assert (trip.usual, trip.against) == (1.0, Against.CEILING)


def test_a_flow_that_does_far_worse_than_usual_stops_below_the_ceiling_but_above_half_of_it() -> None:
    trip = judge(figures(1000, failed=200), BUSY, RULES)
    assert trip is not None
    assert (trip.kind, trip.against, trip.limit) == (Kind.FAILURES, Against.USUAL, 12.5)
    assert judge(figures(1000, failed=200), NONE, RULES) is None
    assert judge(figures(1000, failed=110), BUSY, RULES) is None, "eleven times as bad, and still not bad"
    few_days = Baseline.of([(200, 2, 1)] * 6)
    assert judge(figures(1000, failed=200), few_days, RULES) is None


@pytest.mark.parametrize(
    ("seen", "baseline", "trips"),
    [
        (figures(1001), BUSY, True),
        (figures(1000), BUSY, False),
        (figures(400, queued=601), BUSY, True),  # seen while they still wait
        (figures(1001, resumed=True), BUSY, False),  # everybody who waited comes at once
        (Figures(day(300), hour=day(251)), BUSY, True),  # a day's texts and more in one hour
        (Figures(day(300), hour=day(250)), BUSY, False),
        (figures(45), Baseline.of([(1, 0, 0)] * 20), False),  # few texts
        (figures(10_000), Baseline.of([(10_000, 0, 0)] + [(5, 0, 0)] * 20), False),  # it does so on Fridays
        (figures(10_001), Baseline.of([(10_000, 0, 0)] + [(5, 0, 0)] * 20), True),
        (figures(1001), Baseline.of([(200, 0, 0)] * 6), False),
        (figures(1001), Baseline.of([(0, 0, 0)] * 28 + [(200, 0, 0)] * 6), False),  # quiet days are no baseline
    ],
)
def test_so_many_more_texts_than_usual_stop_a_flow(seen: Figures, baseline: Baseline, trips: bool) -> None:
    trip = judge(seen, baseline, RULES)
    assert bool(trip) is trips
    assert trip is None or trip.kind is Kind.VOLUME


def test_money_is_counted_from_the_first_cent() -> None:
    rules = PolicyRules(breaker_spend=Decimal("10"))
    assert judge(figures(1, spend=Decimal("10")), NONE, rules) is None
    trip = judge(figures(1, spend=Decimal("10.01")), NONE, rules)
    assert trip is not None
    assert (trip.kind, trip.measured, trip.limit) == (Kind.SPEND, 10.01, 10.0)
    assert judge(figures(1, spend=None), NONE, rules) is None


def test_a_limit_that_is_not_set_stops_nothing() -> None:
    nothing = PolicyRules(breaker_opt_outs=None, breaker_failures=None, breaker_volume=None, breaker_spend=None)
    awful = Figures(day(1000, 1000), day(1000, 1000), 1000, Decimal(1000))
    assert judge(awful, BUSY, nothing) is None
    assert judge_store({1: awful, 2: awful}, nothing) is None


@pytest.mark.parametrize(
    ("flows", "trips"),
    [
        ({1: figures(200, 150), 2: figures(200, 150)}, True),
        ({n: figures(20, 18) for n in range(20)}, True),  # each says too little, all together enough
        ({1: figures(1000, 1000), 2: figures(1000, 5)}, False),  # one flow is to blame
        ({1: figures(1000, 900), 2: figures(100, 60), **{n: figures(200, 2) for n in range(3, 12)}}, False),
        ({1: figures(1000, 1000)}, False),
        ({0: figures(200, 150), 1: figures(200, 150)}, True),  # answers to STOP fail, too
        ({1: Figures(day(9000, 150), day(100, 80)), 2: Figures(day(9000, 150), day(100, 80))}, True),
    ],
)
def test_the_whole_store_stops_when_it_is_no_single_flow(flows: dict[int, Figures], trips: bool) -> None:
    assert bool(judge_store(flows, RULES)) is trips


@given(st.integers(0, 5000), st.integers(1, 5000))
def test_the_interval_holds_the_rate_and_narrows_with_more_texts(count: int, of: int) -> None:
    count = min(count, of)
    low, high = lower_bound(count, of), upper_bound(count, of)
    assert 0 <= low <= count / of + 1e-9 and count / of - 1e-9 <= high <= 1
    assert upper_bound(10 * count, 10 * of) - lower_bound(10 * count, 10 * of) <= high - low + 1e-9


def test_the_lower_bound_is_that_of_wilson() -> None:
    # z² = 9, n = 100, p = 0.1: (0.1 + 0.045 - 3·√(0.0009 + 0.000225)) / 1.09
    assert lower_bound(10, 100) == pytest.approx((0.145 - 3 * 0.001125**0.5) / 1.09)


@pytest.mark.parametrize("of", [50, 200, 1000])
@pytest.mark.parametrize("rate", [0.03, 0.015])
def test_one_look_at_a_flow_that_keeps_the_limit_hardly_ever_trips(of: int, rate: float) -> None:
    """Exactly: the sum over all outcomes that would trip."""
    chance = sum(
        comb(of, k) * rate**k * (1 - rate) ** (of - k)
        for k in range(of + 1)
        if judge(figures(of, opt_outs=k), NONE, RULES)
    )
    assert chance < (0.005 if rate == 0.03 else 0.0005)


def test_a_flow_that_is_looked_at_after_every_text_is_not_stopped_by_luck() -> None:
    """Half of the limit, a thousand flows of two thousand texts, looked at all the way."""
    chance = random.Random(4)
    stopped = 0
    for _flow in range(1000):
        out = 0
        for texts in range(1, 2001):
            out += chance.random() < 0.015
            if texts >= 50 and texts % 10 == 0 and judge(figures(texts, opt_outs=out), NONE, RULES):
                stopped += 1
                break
    assert stopped <= 5


def test_a_flow_that_annoys_people_twice_as_much_as_it_may_is_found_within_some_hundred_texts() -> None:
    chance = random.Random(4)
    needed = []
    for _flow in range(300):
        out = texts = 0
        while not judge(figures(texts, opt_outs=out), NONE, RULES):
            texts += 1
            out += chance.random() < 0.09
        needed.append(texts)
    assert sorted(needed)[150] < 200
