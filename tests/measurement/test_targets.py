"""Whether a flow reaches what it is to reach, or whether nobody can tell."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.measurement.baselines import Figure
from smsflow_plugin.measurement.figures import Figures
from smsflow_plugin.measurement.targets import FIELDS, Standing, days_for, held_to, missed, targets_of


def days(count: int = 28, texts: int = 100, **values: int) -> list[Figures]:
    return [Figures(sent=texts, delivered=texts, **values)] * count


def standing(figure: Figure, target: float, of: list[Figures]) -> Standing:
    [held] = held_to({figure: target}, of)
    return held.standing


def test_targets_are_read_as_shares_and_money() -> None:
    nothing = dict.fromkeys(FIELDS.values())
    flow = SimpleNamespace(**{**nothing, "target_clicks": Decimal("12.50"), "target_revenue": Decimal("1.20")})
    assert targets_of(flow) == {Figure.REVENUE: 1.2, Figure.CLICKS: 0.125}
    assert targets_of(SimpleNamespace(**nothing)) == {}


@pytest.mark.parametrize(
    ("figure", "target", "values", "expected"),
    [
        (Figure.CLICKS, 0.05, {"clicked": 10}, Standing.REACHED),
        (Figure.CLICKS, 0.10, {"clicked": 10}, Standing.OPEN),
        (Figure.CLICKS, 0.20, {"clicked": 10}, Standing.MISSED),
        (Figure.CONVERSION, 0.20, {"ordered": 10}, Standing.MISSED),
        (Figure.CONVERSION, 0.90, {"ordered": 250}, Standing.REACHED),  # a text may bring several orders
        (Figure.OPT_OUTS, 0.05, {"opted_out": 1}, Standing.REACHED),
        (Figure.OPT_OUTS, 0.01, {"opted_out": 1}, Standing.OPEN),
        (Figure.OPT_OUTS, 0.01, {"opted_out": 5}, Standing.MISSED),
    ],
)
def test_a_rate_is_judged_by_its_interval(
    figure: Figure, target: float, values: dict[str, int], expected: Standing
) -> None:
    assert standing(figure, target, days(**values)) is expected


def test_too_few_texts_or_orders_tell_nothing() -> None:
    assert standing(Figure.CLICKS, 0.9, days(1, 99)) is Standing.OPEN
    assert standing(Figure.CLICKS, 0.9, days(1, 100)) is Standing.MISSED
    assert standing(Figure.REVENUE, 5, days(ordered=1)) is Standing.OPEN
    assert standing(Figure.CLICKS, 0.9, []) is Standing.OPEN


def test_money_is_judged_by_how_its_days_differ() -> None:
    steady = [Figures(sent=100, delivered=100, ordered=5, earned=Decimal(300 + n % 3)) for n in range(28)]
    assert standing(Figure.REVENUE, 2.0, steady) is Standing.REACHED
    assert standing(Figure.REVENUE, 4.0, steady) is Standing.MISSED
    wild = [*steady[:27], Figures(sent=100, delivered=100, ordered=5, earned=Decimal(9000))]
    assert standing(Figure.REVENUE, 4.0, wild) is Standing.OPEN


def test_today_is_not_looked_at() -> None:
    period = days_for(date(2026, 3, 4))
    assert (period.first, period.last, len(period)) == (date(2026, 2, 4), date(2026, 3, 3), 28)


@given(
    st.sampled_from([Figure.CLICKS, Figure.CONVERSION, Figure.OPT_OUTS]),
    st.integers(0, 5000),
    st.integers(0, 5000),
    st.floats(0.0001, 1),
)
def test_who_is_judged_is_on_the_right_side_of_the_target(figure: Figure, texts: int, part: int, target: float) -> None:
    name = {Figure.CLICKS: "clicked", Figure.CONVERSION: "ordered", Figure.OPT_OUTS: "opted_out"}[figure]
    [held] = held_to({figure: target}, [Figures(delivered=texts, **{name: part})])
    if held.standing is Standing.OPEN:
        assert not missed([held])
        return
    assert held.now is not None
    wants_more = figure is not Figure.OPT_OUTS
    assert (held.standing is Standing.REACHED) == (held.now >= target if wants_more else held.now <= target)
