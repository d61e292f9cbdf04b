"""Whether a flow does otherwise than it used to, and whether that can be chance."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.measurement.baselines import (
    Change,
    Comparison,
    Figure,
    baseline_of,
    compare,
    compare_all,
    days_of,
    of_flow,
)
from smsflow_plugin.measurement.figures import Figures, Period
from smsflow_plugin.measurement.statistics import Interval
from smsflow_plugin.models import Flow, Store
from tests.dashboards.made_up import stat

WEEK = Period(date(2026, 3, 2), date(2026, 3, 8))


def day(texts: int, **values: Any) -> Figures:
    return Figures(sent=texts, delivered=texts, **values)


def days(count: int, texts: int, **values: int) -> list[Figures]:
    return [day(texts, **values)] * count


def test_a_clear_change_is_told_from_chance() -> None:
    before = days(28, 200, clicked=20)
    assert compare(Figure.CLICKS, before, days(7, 200, clicked=32)).change is Change.BETTER
    assert compare(Figure.CLICKS, before, days(7, 200, clicked=10)).change is Change.WORSE
    assert compare(Figure.CLICKS, before, days(7, 200, clicked=22)).change is Change.CHANCE


def test_more_opt_outs_are_worse() -> None:
    before = days(28, 200, opted_out=1)
    assert compare(Figure.OPT_OUTS, before, days(7, 200, opted_out=6)).change is Change.WORSE
    assert compare(Figure.OPT_OUTS, days(28, 200, opted_out=6), days(7, 200, opted_out=1)).change is Change.BETTER


@pytest.mark.parametrize(
    ("before", "now"),
    [([], days(7, 200)), (days(28, 200), []), (days(28, 200), days(1, 99)), (days(1, 99), days(7, 99))],
)
def test_too_little_is_not_compared(before: list[Figures], now: list[Figures]) -> None:
    assert {one.change for one in compare_all(before, now).values()} == {Change.UNKNOWN}


def test_two_orders_of_one_text_are_no_rate_above_one() -> None:
    found = compare(Figure.CONVERSION, days(28, 100, ordered=150), days(7, 100, ordered=50))
    assert (found.before, found.now, found.change) == (1.0, 0.5, Change.WORSE)


def test_money_is_compared_by_how_it_differs_from_day_to_day() -> None:
    steady = [day(100, ordered=4, earned=Decimal(200 + number % 3)) for number in range(28)]
    more = [day(100, ordered=5, earned=Decimal(260 + number % 3)) for number in range(7)]
    found = compare(Figure.REVENUE, steady, more)
    assert found.change is Change.BETTER
    assert (found.before, found.now) == (pytest.approx(2.01, abs=0.005), pytest.approx(2.61, abs=0.005))
    # the same sums, of which a single day has nearly all
    wild = [*(day(100, ordered=5, earned=Decimal(10)) for _day in range(6)), day(100, ordered=5, earned=Decimal(1767))]
    assert compare(Figure.REVENUE, steady, wild).change is Change.CHANCE


def test_money_of_few_orders_is_not_compared() -> None:
    few = [day(100, ordered=4, earned=Decimal(200 + number)) for number in range(7)]
    assert compare(Figure.REVENUE, few * 4, few).change is Change.UNKNOWN
    assert compare(Figure.REVENUE, few * 4, [*few, few[0]]).change is Change.CHANCE


def test_flows_that_have_not_changed_are_seldom_told_of() -> None:
    """Orders of very different size, clicks and opt-outs of 400 flows that are the same as ever."""
    random, told = Random(11), 0

    def made_up() -> Figures:
        orders = sum(random.random() < 0.04 for _text in range(60))
        money = sum(Decimal(round(random.lognormvariate(4, 0.8), 2)) for _order in range(orders))
        clicked, left = (sum(random.random() < rate for _text in range(60)) for rate in (0.1, 0.01))
        return day(60, clicked=clicked, opted_out=left, ordered=orders, earned=Decimal(money))

    rounds = 120
    counts = dict.fromkeys(Figure, 0)
    for _flow in range(rounds):
        found = compare_all([made_up() for _day in range(28)], [made_up() for _day in range(7)])
        for figure, one in found.items():
            counts[figure] += one.change in (Change.BETTER, Change.WORSE)
            told += one.change is not Change.UNKNOWN
    assert told > rounds, "most can be compared"
    assert max(counts.values()) <= 0.04 * rounds, counts


def test_an_interval_that_touches_nothing_is_chance() -> None:
    assert Comparison(Figure.CLICKS, 0.1, 0.1, Interval(0.0, 0.2)).change is Change.CHANCE


@pytest.mark.django_db
def test_a_flow_is_compared_with_its_own_four_weeks(store: Store, danish_store: Store) -> None:
    flow, other = (Flow.objects.create(store=store, name=name) for name in "ab")
    theirs = Flow.objects.create(store=danish_store, name="c")
    before = baseline_of(WEEK)
    assert (before.first, before.last) == (date(2026, 2, 2), date(2026, 3, 1))
    for day in before.days():
        stat(store, day, flow_id=flow.pk, step="s", delivered=100, clicked=10)
        stat(store, day, flow_id=flow.pk, step="t", delivered=100, clicked=10)
        stat(store, day, flow_id=other.pk, step="s", delivered=100, clicked=90)
        stat(danish_store, day, flow_id=theirs.pk, step="s", delivered=100, clicked=90)
    stat(store, before.first - timedelta(days=1), flow_id=flow.pk, step="s", delivered=9999, clicked=9999)
    stat(store, WEEK.last + timedelta(days=1), flow_id=flow.pk, step="s", delivered=9999, clicked=9999)
    for day in WEEK.days():
        stat(store, day, flow_id=flow.pk, step="s", delivered=100, clicked=20)
    with CaptureQueriesContext(connection) as queries:
        read = days_of([store.pk, danish_store.pk], Period(before.first, WEEK.last))
    assert len(queries) == 1
    assert set(read) == {store.pk, danish_store.pk}
    found = of_flow(read[store.pk][flow.pk], WEEK)[Figure.CLICKS]
    assert (found.before, found.now, found.change) == (0.1, 0.2, Change.BETTER)
    assert of_flow(read[store.pk].get(theirs.pk, {}), WEEK)[Figure.CLICKS].now is None
