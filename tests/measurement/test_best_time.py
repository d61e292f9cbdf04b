"""Which part of the day is the best, how sure that is, and who tries the others out. Simulated with a known truth."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.engine.send_times import choose
from smsflow_plugin.measurement.best_time import ENOUGH, EXPLORE, Finding, Verdict, day_parts, judge
from smsflow_plugin.measurement.statistics import beta_cdf, beta_quantile

PARTS = day_parts(9, 20)
MIDNIGHT = datetime(2026, 3, 4, 0, 0, tzinfo=UTC)


def clicked(random: Random, texts: int, rate: float) -> tuple[int, int]:
    """Texts and clicks, drawn as a normal value where drawing each would take long."""
    clicks = (
        round(random.gauss(texts * rate, (texts * rate * (1 - rate)) ** 0.5))
        if texts * rate > 200
        else sum(random.random() < rate for _text in range(texts))
    )
    return texts, max(clicks, 0)


@pytest.mark.parametrize(
    ("hours", "parts"),
    [
        ((9, 20), [(9, 12), (12, 15), (15, 17), (17, 20)]),
        ((8, 21), [(8, 11), (11, 13), (13, 16), (16, 18), (18, 21)]),
        ((6, 24), [(6, 9), (9, 12), (12, 15), (15, 18), (18, 21), (21, 24)]),
        ((10, 13), []),
    ],
)
def test_a_day_has_four_to_six_parts(hours: tuple[int, int], parts: list[tuple[int, int]]) -> None:
    assert [*day_parts(*hours)] == parts


@given(st.integers(0, 20), st.integers(4, 24))
def test_parts_cover_the_day_and_nothing_else(opens: int, hours: int) -> None:
    parts = day_parts(opens, min(opens + hours, 24))
    assert [hour for part in parts for hour in range(*part)] == [*range(opens, min(opens + hours, 24))]
    assert 4 <= len(parts) <= 6


def test_a_part_with_few_clicks_says_nothing() -> None:
    own = {9: (1000, 80), 12: (1000, ENOUGH - 1), 15: (1000, 80), 18: (1000, 300)}
    finding = judge({"step": own}, PARTS)
    assert (finding.verdict, finding.running) == (Verdict.LEARNING, ())
    assert [part.enough for part in finding.parts] == [True, False, True, True]
    assert judge({"step": {**own, 12: (1000, ENOUGH)}}, PARTS).verdict is Verdict.BEST


def test_nothing_is_known_where_nobody_clicks() -> None:
    assert judge({"step": {9: (1000, 0), 18: (50, 0)}}, PARTS) == Finding()
    assert judge({}, PARTS).to_plan() == {}
    assert judge({"step": {9: (9, 9), 12: (9, 1)}}, ()) == Finding()


def test_rates_are_drawn_towards_the_store_s() -> None:
    finding = judge({"step": {9: (100, 5), 12: (100, 5), 15: (100, 5), 18: (10, 5)}}, PARTS)
    assert 0.05 < finding.parts[0].rate < 0.0645
    assert 0.0645 < finding.parts[3].rate < 0.15, "ten texts do not make half of the people click"


def test_better_texts_do_not_make_a_better_part() -> None:
    """The welcome is clicked by three in ten and goes in the evening mostly; at each hour both are clicked alike."""
    welcome = {9: (300, 90), 12: (300, 90), 15: (300, 90), 18: (9000, 2700)}
    offer = {9: (9000, 270), 12: (9000, 270), 15: (9000, 270), 18: (1000, 30)}
    finding = judge({"welcome": welcome, "offer": offer}, PARTS)
    rates = [part.rate for part in finding.parts]
    assert max(rates) - min(rates) < 0.002, "by bare sums the evening would have ten times the morning's clicks"
    assert (finding.verdict, len(finding.running)) == (Verdict.EVEN, 4)


def test_a_text_that_always_goes_in_one_part_compares_nothing() -> None:
    offer = {9: (2000, 100), 12: (2000, 100), 15: (2000, 100), 18: (2000, 100)}
    assert judge({"offer": offer, "code": {18: (5000, 4000), 9: (10, 0)}}, PARTS) == judge({"offer": offer}, PARTS)


def test_a_finding_survives_storage() -> None:
    finding = judge({"step": {9: (2000, 90), 12: (2000, 160), 15: (2000, 100), 18: (2000, 60)}}, PARTS)
    stored = Finding.from_plan(finding.to_plan())
    assert (stored.running, stored.verdict) == (finding.running, finding.verdict)
    assert stored.to_plan() == finding.to_plan()
    assert Finding.from_plan({"parts": [[9, 12]], "seen": "?"}) == Finding()


@given(
    st.lists(
        st.tuples(*(st.tuples(st.integers(0, 400), st.integers(0, 400)) for _part in PARTS)), min_size=1, max_size=4
    )
)
def test_whatever_was_clicked_is_understood(rows: list[tuple[tuple[int, int], ...]]) -> None:
    counts = {
        place: {part[0]: (max(pair), min(pair)) for part, pair in zip(PARTS, row, strict=True)}
        for place, row in enumerate(rows)
    }
    finding = judge(counts, PARTS)
    for part in finding.parts:
        assert 0 <= part.interval.low <= part.rate <= part.interval.high <= 1
    assert not finding.parts or abs(sum(part.chance for part in finding.parts) - 1) < 1e-6


# Truth -------------------------------------------------------------------------------------------


def test_intervals_cover_the_truth() -> None:
    """Parts that hardly differ and parts that differ by half, over 150 draws of a whole store."""
    random, covered, asked = Random(7), 0, 0
    for draw in range(150):
        truth = [0.04, 0.042, 0.04, 0.038] if draw % 2 else [0.03, 0.04, 0.05, 0.045]
        own = {part[0]: clicked(random, 2500, rate) for part, rate in zip(PARTS, truth, strict=True)}
        for part, rate in zip(judge({"step": own}, PARTS).parts, truth, strict=True):
            asked += 1
            covered += rate in part.interval
    assert covered / asked >= 0.93


def people(start: int, count: int) -> list[str]:
    return [f"person {number}" for number in range(start, start + count)]


def chosen(plan: dict[str, object], keys: list[str], within: int = 24) -> Counter[int | None]:
    """Return how many of the people get their text at each hour of the day."""
    moments = [choose(plan, key, "step", MIDNIGHT, MIDNIGHT + timedelta(hours=within), "UTC") for key in keys]
    return Counter(None if moment is None else moment.hour for moment in moments)


def live(rates: list[float], seed: int, days: int, each: int, alike: int) -> list[tuple[Verdict, Counter[int | None]]]:
    """Let a store send by what it has learned, day by day; nobody knows anything on the first.

    Each day ``each`` people are asked when their text goes, and so many times ``alike`` texts go then.
    """
    random, told = Random(seed), []
    own = {part[0]: (1, int(not place)) for place, part in enumerate(PARTS)}
    for day in range(days):
        finding = judge({"step": own}, PARTS)
        hours = chosen(finding.to_plan(), people(day * each, each))
        told.append((finding.verdict, hours))
        for place, (opens, closes) in enumerate(PARTS):
            # who does not try anything out gets the text at 17:00, as before
            sent = sum(hours[hour] for hour in range(opens, closes)) + (hours[None] if place == 3 else 0)
            more, clicks = clicked(random, alike * sent, rates[place])
            own[opens] = (own[opens][0] + more, own[opens][1] + clicks)
    return told


@pytest.mark.parametrize("best", range(4))
def test_the_choice_converges_to_the_best_part(best: int) -> None:
    rates = [0.05] * 4
    rates[best] = 0.09
    told = live(rates, seed=best, days=25, each=250, alike=8)
    verdict, hours = told[-1]
    assert verdict is Verdict.BEST
    share = sum(hours[hour] for hour in range(*PARTS[best])) / sum(hours.values())
    assert share > 1 - EXPLORE / 100, "all but those who try others out, and their part of them"
    assert share < 0.97, "some still try others out"
    assert told[0][0] is Verdict.LEARNING
    late = [verdict for verdict, _hours in told[-8:]]
    assert late == [Verdict.BEST] * 8


def test_without_a_difference_it_explores_evenly() -> None:
    """Over 150 stores: mostly all parts are in the running, and then get the same share."""
    random, even, sure = Random(3), 0, 0
    for _store in range(150):
        own = {part[0]: clicked(random, 3000, 0.05) for part in PARTS}
        finding = judge({"step": own}, PARTS)
        sure += finding.verdict is Verdict.BEST
        even += len(finding.running) == 4
    assert sure / 150 <= 0.05, "one in twenty at most is told that a part is best"
    assert even / 150 >= 0.7
    own = {part[0]: (3000, 150) for part in PARTS}
    hours = chosen(judge({"step": own}, PARTS).to_plan(), people(0, 3000))
    shares = [sum(hours[hour] for hour in range(*part)) / 3000 for part in PARTS]
    assert all(abs(share - 0.25) < 0.03 for share in shares)
    assert not hours[None]
    assert sorted(hours) == [*range(9, 20)], "people are spread over the hours of a part"


def test_quantiles_of_the_beta_distribution_are_those_of_scipy() -> None:
    beta = pytest.importorskip("scipy.stats").beta
    random = Random(1)
    for _draw in range(200):
        p, a, b = random.uniform(0.001, 0.999), random.uniform(0.5, 500), random.uniform(0.5, 50_000)
        assert beta_quantile(p, a, b) == pytest.approx(float(beta.ppf(p, a, b)), rel=1e-8)
        x = random.random() * 3 * a / (a + b)
        assert beta_cdf(x, a, b) == pytest.approx(float(beta.cdf(x, a, b)), abs=1e-9)


# One person --------------------------------------------------------------------------------------

EVENING = {"parts": [[9, 12], [12, 15], [15, 17], [17, 20]], "running": [3], "explore": 15}
LEARNING = {**EVENING, "running": []}


def test_while_too_little_is_known_some_try_a_part_out() -> None:
    hours = chosen(LEARNING, people(0, 2000))
    assert 0.82 < hours[None] / 2000 < 0.88
    assert sum(hours[hour] for hour in range(9, 20)) == 2000 - hours[None]
    assert choose({}, "ada", "step", MIDNIGHT, MIDNIGHT + timedelta(days=1), "UTC") is None


def test_what_comes_too_late_is_not_waited_for() -> None:
    hours = chosen(EVENING, people(0, 500), within=13)
    assert None not in hours
    assert max(hour for hour in hours if hour is not None) <= 13
    assert chosen(EVENING, people(0, 50), within=8) == {None: 50}, "no part begins by then"


def test_whoever_is_in_the_best_part_does_not_wait() -> None:
    now = datetime(2026, 3, 4, 23, 30, tzinfo=UTC)  # 18:30 in New York
    until = now + timedelta(days=1)
    moments = [choose(EVENING, key, "step", now, until, "America/New_York") for key in people(0, 200)]
    assert moments.count(now) > 150


@given(
    st.text(max_size=5),
    st.text(max_size=5),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    st.integers(1, 168),
    st.sampled_from(["America/New_York", "Europe/Copenhagen", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    st.sampled_from([EVENING, LEARNING, {**EVENING, "explore": 100}, {**EVENING, "parts": [[0, 24]], "running": [0]}]),
)
def test_a_choice_is_always_the_same_and_in_time(
    key: str, step: str, start: datetime, within: int, zone: str, plan: dict[str, object]
) -> None:
    latest = start + timedelta(hours=within)
    moment = choose(plan, key, step, start, latest, zone)
    assert moment == choose(plan, key, step, start, latest, zone)
    if moment is not None:
        assert start <= moment <= latest
        hour = moment.astimezone(ZoneInfo(zone)).hour
        parts = plan["parts"]
        assert isinstance(parts, list)
        assert moment == latest or any(opens <= hour < closes for opens, closes in parts)
