"""The small rules below the pages: scales of charts, words of figures, rates, orders of tables."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.admin_panels.dashboards.charts import Drawing, Series, named_days, ticks
from smsflow_plugin.admin_panels.dashboards.periods import chosen
from smsflow_plugin.admin_panels.dashboards.tables import Column, Table, counted, part_of, share
from smsflow_plugin.measurement import figure_words as words
from smsflow_plugin.measurement.rates import Part

NUMBERS = st.floats(-1e9, 1e9, allow_nan=False)
COUNTS = st.integers(0, 10**7)
TODAY = date(2026, 3, 4)


@given(NUMBERS, NUMBERS)
def test_the_lines_of_a_scale_are_even_and_hold_everything(one: float, other: float) -> None:
    lowest, highest = min(one, other), max(one, other)
    steps = ticks(lowest, highest)
    assert 0 in steps
    assert steps[0] <= min(lowest, 0) + 1e-6
    assert steps[-1] >= max(highest, 0) - 1e-6
    assert 2 <= len(steps) <= 7
    gaps = {round(later - earlier, 5) for earlier, later in zip(steps, steps[1:], strict=False)}
    assert len(gaps) == 1


@given(st.integers(1, 366))
def test_few_days_are_named_and_the_first_is_one_of_them(count: int) -> None:
    places = named_days(count)
    assert places[0] == 0
    assert places[-1] < count
    assert len(places) <= 5


@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=60))
def test_a_chart_tells_every_day_whatever_the_numbers(values: list[tuple[int, int]]) -> None:
    days = [TODAY + timedelta(days=number) for number in range(len(values))]
    series = [Series("<b>In</b>", [a for a, _b in values], "good"), Series("Out", [-b for _a, b in values], "bad")]
    drawing = Drawing("x", "A & B", days, series, lambda value: f"{value:g}", lambda value: f"{value:g}", {TODAY: "V1"})
    for svg in (drawing.bars(), drawing.lines()):
        page = BeautifulSoup(svg, "html.parser")
        bands = page.select("rect.smsflow-chart__day")
        assert len(bands) == len(days)
        assert not page.select("style, script, b, [style], [id^=chart-][id$=uuid]")
        assert all(float(str(band["width"])) > 0 for band in bands)
        mark = page.select_one(".smsflow-chart__mark-name")
        assert mark is not None


@given(COUNTS, COUNTS)
def test_a_rate_stands_in_its_interval_and_only_where_there_is_enough(one: int, other: int) -> None:
    part = Part(min(one, other), max(one, other))
    if part.whole < 100:
        assert (part.rate, part.interval) == (None, None)
        return
    assert part.rate is not None
    assert part.interval is not None
    assert 0 <= part.interval.low <= part.rate <= part.interval.high <= 1


def test_more_orders_than_texts_have_a_rate_and_no_interval() -> None:
    part = Part(150, 100)
    assert (part.rate, part.interval) == (1.5, None)
    assert part_of(150, 100).note == "150.0%"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (words.percent(0.041), "4.1%"),
        (words.percent(0.0042), "0.42%"),
        (words.percent(0), "0.0%"),
        (words.percent(76.2), "7,620%"),
        (words.change(150, 100), "+50.0%"),
        (words.change(Decimal("99.6"), 100), "−0.40%"),
        (words.change(1, 0), ""),
        (words.points(0.09, 0.05), "+4.0 points"),
        (words.points(0.0036, 0.0033), "+0.03 points"),
        (words.points(None, 0.05), ""),
        (words.duration(42), "42 s"),
        (words.duration(3599.6), "60 min"),
        (words.duration(5400), "1.5 h"),
        (words.duration(3 * 86400), "3.0 days"),
        (words.signed(-1200), "−1,200"),
        (words.short_money(12345, "USD"), "$12.3K"),
        (words.short_money(2.5, "USD"), "$2.50"),
        (words.money(Decimal(900), "DKK").replace("\xa0", " "), "DKK 900.00"),
        (words.money(Decimal(900), "JPY"), "¥900"),
    ],
)
def test_figures_in_words(said: str, expected: str) -> None:
    assert said == expected


def test_other_languages_write_them_otherwise() -> None:
    with override("da"):
        assert words.percent(0.041).replace("\xa0", " ") == "4,1 %"
        assert words.money(Decimal("1234.5"), "DKK").replace("\xa0", " ") == "1.234,50 kr."
        assert words.count(1234567) == "1.234.567"


@pytest.mark.parametrize("asked", [{"days": "0"}, {"days": "²"}, {"days": "-7"}, {"days": "100000000000000000000"}])
def test_days_that_nobody_offers_are_the_last_four_weeks(asked: dict[str, str]) -> None:
    assert len(chosen(asked, TODAY).period) == 28


def test_the_address_leads_to_the_same_days_again() -> None:
    for asked in ({"days": "90", "compare": "0"}, {"first": "2026-01-05", "last": "2026-01-06"}, {}):
        first = chosen(asked, TODAY)
        again = chosen(dict(pair.split("=") for pair in first.query.split("&")), TODAY)
        assert (again.period, again.compares) == (first.period, first.compares)


@given(st.lists(st.one_of(st.none(), st.integers(-5, 5))), st.sampled_from(["n", "-n"]))
def test_rows_are_ordered_and_what_nobody_knows_comes_last(values: list[int | None], ordering: str) -> None:
    column = Column("n", "N", lambda row: share(None) if row is None else counted(row))
    rows = Table("t", "T", [column], list(values), ordering=ordering).rows
    known = [row for row in rows if row is not None]
    assert rows == known + [None] * (len(rows) - len(known))
    assert known == sorted(known, reverse=ordering == "-n")
