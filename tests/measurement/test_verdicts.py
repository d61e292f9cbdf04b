"""Tests of what is said of experiments."""

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.measurement.judging import Arm, Bars, State, judge
from smsflow_plugin.measurement.statistics import Moments, moments
from smsflow_plugin.measurement.verdicts import HELD, SENT, verdict, warnings


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def arm(name, exposed, converted, *, weight=1, opted_out=0, **more):
    return Arm(name, weight, exposed, converted, converted, opted_out=opted_out, **more)


def said(*arms, days=14):
    return verdict(judge(arms, days))


def test_who_is_ahead_is_said_with_the_interval_and_the_time_left():
    judged = judge([arm("A", 2_000, 100), arm("B", 2_000, 130)], 14)
    assert judged.state is State.OPEN
    assert verdict(judged) == "B is ahead by 1.5 points (−0.9 to +3.9): not yet conclusive, about 21 days to go."


def test_the_interval_is_turned_when_the_first_is_ahead():
    assert said(arm("A", 2_000, 130), arm("B", 2_000, 100)).startswith("A is ahead by 1.5 points (−0.9 to +3.9)")


def test_what_is_conclusive_is_said_so():
    assert (
        said(arm("A", 5_000, 250), arm("B", 5_000, 400))
        == "B is better than A by 3.0 points (+1.4 to +4.6): conclusive."
    )
    assert said(arm("A", 5_000, 400), arm("B", 5_000, 250)).startswith("A is better than B by 3.0 points")


def test_nothing_is_said_before_a_full_week_and_a_hundred_orders():
    few = [arm("A", 500, 10), arm("B", 500, 24)]
    assert said(*few, days=3) == (
        "Not enough data yet: 3 of 7 full days, 34 of 100 people who ordered, about 6 days to go."
    )
    many = [arm("A", 5_000, 250), arm("B", 5_000, 400)]
    judged = judge(many, 6)
    assert judged.comparisons == ()
    assert verdict(judged) == "Not enough data yet: 6 of 7 full days, about 1 day to go."


def test_a_broken_split_hides_the_result():
    judged = judge([arm("A", 5_000, 250), arm("B", 4_400, 400)], 14)
    assert judged.comparisons == ()
    assert verdict(judged) == "The split is not as it should be (A 5000, B 4400): the figures cannot be trusted."


def test_a_split_by_design_is_none_that_is_broken():
    judged = judge([arm("A", 8_000, 400, weight=80), arm("B", 2_000, 180, weight=20)], 14)
    assert judged.state is State.CONCLUSIVE


def test_it_ends_after_the_longest_time():
    assert said(arm("A", 2_000, 100), arm("B", 2_000, 110), days=42) == (
        "Over after 42 days without a conclusive difference: B is ahead by 0.5 points (−1.8 to +2.8)."
    )
    assert said(arm("A", 200, 10), arm("B", 200, 11), days=42) == (
        "Over after 42 days, without enough data to say anything."
    )
    assert said() == "Nobody has come to it yet."


def test_no_time_is_promised_where_it_would_be_over_before():
    assert said(arm("A", 2_000, 100), arm("B", 2_000, 103)).endswith("not yet conclusive, and likely to stay so.")


def test_a_holdout_speaks_of_texts():
    held, sent = arm(HELD, 1_000, 40, weight=10), arm(SENT, 9_000, 630, weight=90)
    assert said(held, sent).startswith("With texts more people order, by 3.0 points (")
    assert said(arm(HELD, 1_000, 50, weight=10), arm(SENT, 9_000, 430, weight=90)).startswith(
        "With texts fewer people order, by 0.2 points ("
    )


def test_the_best_of_several_is_named_and_each_must_show_more():
    three = [arm("A", 3_000, 150), arm("B", 3_000, 240), arm("C", 3_000, 270)]
    judged = judge(three, 14)
    assert judged.winner == "C"
    two = judge([three[0], three[1]], 14).comparisons[0].rate.interval
    of_three = judged.comparisons[0].rate.interval
    assert of_three.high - of_three.low > two.high - two.low


def test_opt_outs_are_warned_of():
    judged = judge([arm("A", 5_000, 250, opted_out=20), arm("B", 5_000, 400, opted_out=120)], 14)
    assert judged.winner == "B"
    [warning] = warnings(judged)
    assert warning.startswith("With B more people opt out: 2.0 points more (+1.")
    assert warnings(judge([arm("A", 5_000, 250, opted_out=20), arm("B", 5_000, 400, opted_out=21)], 14)) == []


def test_revenue_has_an_interval_from_30_orders_on():
    def with_revenue(name, orders):
        return arm(name, 1_000, orders, revenue=moments([50.0] * orders, 1_000 - orders))

    bars = Bars(conversions=40)
    [few] = judge([with_revenue("A", 29), with_revenue("B", 60)], 14, bars).comparisons
    [enough] = judge([with_revenue("A", 30), with_revenue("B", 60)], 14, bars).comparisons
    assert few.revenue_interval is None
    assert few.revenue == pytest.approx(1.55)
    assert enough.revenue in enough.revenue_interval


@given(
    st.lists(st.tuples(st.integers(0, 5_000), st.floats(0, 1)), min_size=0, max_size=4),
    st.integers(0, 60),
)
def test_there_is_a_sentence_for_everything(people, days):
    arms = [
        arm("ABCD"[place], exposed, int(exposed * share), revenue=Moments(exposed, 1.0, 1.0))
        for place, (exposed, share) in enumerate(people)
    ]
    judged = judge(arms, days)
    assert verdict(judged).endswith(".")
    assert (judged.state is State.CONCLUSIVE) == bool(judged.winner)
    if judged.state in (State.BROKEN, State.EARLY, State.NOBODY):
        assert not judged.comparisons
    if judged.to_go:
        assert judged.to_go <= judged.left
