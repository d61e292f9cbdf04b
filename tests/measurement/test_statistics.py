"""Tests of the statistics: against scipy and statsmodels, and against the truth of made-up experiments."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.measurement import sequential
from smsflow_plugin.measurement import statistics as ours
from smsflow_plugin.measurement.statistics import Interval, Moments

np = pytest.importorskip("numpy", reason="numpy comes with scipy, which is missing")
scipy_stats = pytest.importorskip("scipy.stats", reason="scipy is missing: it proves the statistics, in tests only")
proportion = pytest.importorskip("statsmodels.stats.proportion", reason="statsmodels is missing")
weightstats = pytest.importorskip("statsmodels.stats.weightstats", reason="statsmodels is missing")

SEEDS = 500

trials = st.integers(1, 100_000)


@st.composite
def counted(draw, least=1):
    """(successes, trials)"""
    n = draw(st.integers(least, 100_000))
    return draw(st.integers(0, n)), n


amounts = st.lists(st.floats(0, 10_000, allow_nan=False).map(lambda value: round(value, 2)), min_size=2, max_size=60)


# Against scipy and statsmodels -------------------------------------------------------------------


@given(st.floats(-6, 6))
def test_the_normal_distribution_is_that_of_scipy(x):
    p = float(scipy_stats.norm.cdf(x))
    assert ours.normal_quantile(p) == pytest.approx(scipy_stats.norm.ppf(p), abs=1e-8)


@given(st.floats(-50, 50), st.floats(0.6, 100_000))
def test_students_t_is_that_of_scipy(t, df):
    assert ours.student_cdf(t, df) == pytest.approx(scipy_stats.t.cdf(t, df), rel=1e-9, abs=1e-12)


@given(st.floats(0.0005, 0.9995), st.floats(1, 100_000))
def test_quantiles_of_students_t_are_those_of_scipy(p, df):
    assert ours.student_quantile(p, df) == pytest.approx(scipy_stats.t.ppf(p, df), rel=1e-7, abs=1e-9)


@given(st.floats(0, 300), st.integers(1, 40))
def test_chi_square_is_that_of_scipy(x, df):
    assert ours.chi_square_sf(x, df) == pytest.approx(scipy_stats.chi2.sf(x, df), rel=1e-9, abs=1e-300)


@given(counted(), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_wilson_is_that_of_statsmodels(rate, confidence):
    low, high = proportion.proportion_confint(*rate, alpha=1 - confidence, method="wilson")
    found = ours.wilson(*rate, confidence)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)


@given(counted(), counted(), st.sampled_from([0.9, 0.95, 0.99]))
def test_newcombe_is_that_of_statsmodels(first, second, confidence):
    low, high = proportion.confint_proportions_2indep(*second, *first, method="newcomb", alpha=1 - confidence)
    found = ours.newcombe(first, second, confidence)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)


@given(amounts, amounts)
def test_welch_is_that_of_statsmodels(first, second):
    if np.ptp(first) < 0.01 or np.ptp(second) < 0.01:
        return  # without any spread there is nothing to compare
    compared = weightstats.CompareMeans(weightstats.DescrStatsW(second), weightstats.DescrStatsW(first))
    low, high = compared.tconfint_diff(usevar="unequal")
    found = ours.welch(ours.moments(first), ours.moments(second))
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-7, abs=1e-6)


@given(st.lists(st.tuples(st.integers(1, 5_000), st.integers(1, 20)), min_size=2, max_size=8))
def test_the_check_of_a_split_is_the_chi_square_test_of_scipy(arms):
    counts, weights = [arm[0] for arm in arms], [arm[1] for arm in arms]
    expected = np.array(weights) * sum(counts) / sum(weights)
    wanted = scipy_stats.chisquare(counts, expected).pvalue
    assert ours.sample_ratio(counts, weights) == pytest.approx(wanted, rel=1e-8, abs=1e-250)


@given(st.floats(0.02, 0.5), st.floats(0.005, 0.2), st.sampled_from([0.8, 0.9]))
def test_sample_sizes_are_those_of_statsmodels(rate, lift, power):
    wanted = proportion.samplesize_proportions_2indep_onetail(lift, rate, power, alpha=0.05)
    assert ours.sample_size(rate, lift, power=power) == pytest.approx(wanted, rel=1e-6, abs=1)


@given(amounts, st.floats(0, 1))
def test_quantiles_of_a_list_are_those_of_numpy(values, share):
    assert ours.quantile(values, share) == pytest.approx(np.quantile(values, share), rel=1e-9, abs=1e-9)


# What always holds -------------------------------------------------------------------------------


@given(counted())
def test_a_rate_lies_in_its_interval_and_that_in_0_to_1(rate):
    found = ours.wilson(*rate)
    assert 0 <= found.low <= rate[0] / rate[1] <= found.high <= 1


@given(counted(), counted())
def test_the_difference_turned_round_is_its_negative(first, second):
    there, back = ours.newcombe(first, second), ours.newcombe(second, first)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-12)
    there, back = sequential.always_valid_rates(first, second), sequential.always_valid_rates(second, first)
    assert (there.p, there.difference) == pytest.approx((back.p, -back.difference))


@given(counted(), counted(), st.sampled_from([0.9, 0.95, 0.99]), st.sampled_from([(0.005,), (0.01, 0.05)]))
def test_the_always_valid_interval_excludes_0_exactly_where_p_says_so(first, second, confidence, spreads):
    found = sequential.always_valid_rates(first, second, confidence=confidence, spreads=spreads)
    assert 0 <= found.p <= 1
    if abs(found.p - (1 - confidence)) > 1e-9:
        assert (0 not in found.interval) == (found.p < 1 - confidence)


@given(counted(least=50), counted(least=50))
def test_safe_looks_cost_something(first, second):
    """The interval for many looks is wider than that for one."""
    often = sequential.always_valid_rates(first, second).interval
    half = ours.normal_quantile(0.975) * math.sqrt(sequential.rate_error(first, second))
    assert often.high - often.low > 2 * half


@given(amounts, st.integers(0, 500))
def test_zeros_count_as_values(values, zeros):
    short, long = ours.moments(values, zeros), ours.moments([*values, *[0.0] * zeros])
    assert short.n == long.n
    assert (short.mean, short.variance) == pytest.approx((long.mean, long.variance), rel=1e-9, abs=1e-6)


@given(st.floats(0.001, 0.2), st.floats(1e-6, 1e-3))
def test_the_time_left_is_the_time_that_it_takes(difference, error):
    times = sequential.times_as_many(difference, error)
    if times is None:
        assert sequential.always_valid(difference, error / 1_000).p >= 0.05
        return
    assert sequential.always_valid(difference, error / (times * 1.002)).p < 0.05
    if times > 1.01:
        assert sequential.always_valid(difference, error / (times * 0.99)).p >= 0.05


def test_nothing_known_is_said_to_be_nothing_known():
    everything = Interval(-math.inf, math.inf)
    assert ours.wilson(0, 0) == Interval(0, 1)
    assert ours.newcombe((0, 0), (3, 10)) == Interval(-1, 1)
    assert ours.welch(Moments(1, 5, 0), Moments(10, 5, 2)) == everything
    assert sequential.always_valid_rates((0, 0), (3, 10)).p == 1
    assert ours.sample_ratio([0, 0], [1, 1]) == 1
    assert sequential.times_as_many(0.0, 1e-5) is None


def test_an_arm_without_weight_has_nobody():
    assert ours.sample_ratio([50, 50, 0], [1, 1, 0]) == 1
    assert ours.sample_ratio([50, 50, 1], [1, 1, 0]) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: ours.student_quantile(1, 5),
        lambda: ours.student_quantile(0.5, 0),
        lambda: ours.chi_square_sf(1, 0),
        lambda: ours.sample_size(0.1, 0),
        lambda: ours.sample_size(0.99, 0.05),
        lambda: ours.sample_ratio([1], [1, 1]),
        lambda: ours.sample_ratio([0, 0], [0, 0]),
        lambda: ours.quantile([], 0.5),
    ],
)
def test_what_has_no_answer_is_refused(wrong):
    with pytest.raises(ValueError):
        wrong()


# Against the truth of made-up experiments ---------------------------------------------------------


def _share_covering(intervals, truth):
    return np.mean([truth in interval for interval in intervals])


@pytest.mark.parametrize(("rate", "n"), [(0.02, 800), (0.05, 300), (0.3, 60)])
def test_wilson_covers_the_truth_as_often_as_promised(rate, n):
    drawn = np.random.default_rng(1).binomial(n, rate, SEEDS)
    assert 0.92 <= _share_covering([ours.wilson(int(k), n) for k in drawn], rate) <= 0.985


def test_newcombe_covers_the_truth_as_often_as_promised():
    random = np.random.default_rng(2)
    first, second = random.binomial(2_000, 0.05, SEEDS), random.binomial(1_500, 0.065, SEEDS)
    found = [ours.newcombe((int(a), 2_000), (int(b), 1_500)) for a, b in zip(first, second, strict=True)]
    assert 0.92 <= _share_covering(found, 0.015) <= 0.98


def _revenue(random, n, rate):
    """Revenue of ``n`` people of whom a share of ``rate`` buys, for 60 on average with a long tail."""
    buyers = random.binomial(n, rate)
    return ours.moments(list(random.gamma(2.0, 30.0, buyers)), n - buyers)


def test_welch_covers_the_truth_as_often_as_promised_from_30_orders_on():
    random = np.random.default_rng(3)
    found = [ours.welch(_revenue(random, 1_200, 0.04), _revenue(random, 1_500, 0.05)) for _ in range(SEEDS)]
    assert 0.92 <= _share_covering(found, 60 * 0.01) <= 0.98


def test_the_always_valid_interval_covers_the_truth_at_every_look():
    """In 95 of 100 experiments no look at all misses the truth."""
    random = np.random.default_rng(6)
    covered = []
    for _ in range(SEEDS):
        a, b = random.binomial(200, 0.05, 20).cumsum(), random.binomial(200, 0.065, 20).cumsum()
        looks = [
            sequential.always_valid_rates((int(x), 200 * day), (int(y), 200 * day)).interval
            for day, (x, y) in enumerate(zip(a, b, strict=True), 1)
        ]
        covered.append(all(0.015 in look for look in looks))
    assert np.mean(covered) >= 0.95


def _winners(random, first, second, *, people=200, looks=20, runs=2_000):
    """Return the share of experiments in which some daily look found a winner: with us, and with the usual z-test."""
    a = random.binomial(people, first, (runs, looks)).cumsum(axis=1)
    b = random.binomial(people, second, (runs, looks)).cumsum(axis=1)
    n = people * np.arange(1, looks + 1)
    pooled = (a + b) / (2 * n)
    z = np.abs(b - a) / n / np.sqrt(np.maximum(2 * pooled * (1 - pooled) / n, 1e-12))
    naive = (z > 1.959964).any(axis=1).mean()
    # the figures repeat: each pair is worked out once
    known = {}
    found = np.zeros(runs, dtype=bool)
    for run in range(runs):
        for look in range(looks):
            key = (int(a[run, look]), int(b[run, look]), int(n[look]))
            if key not in known:
                known[key] = sequential.always_valid_rates((key[0], key[2]), (key[1], key[2])).p < 0.05
            if known[key]:
                found[run] = True
                break
    return found.mean(), naive


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.3])
def test_twenty_looks_at_two_equal_texts_find_hardly_a_winner(rate):
    ours_found, naive = _winners(np.random.default_rng(7), rate, rate)
    assert ours_found < 0.05
    # the test is worth something only if looking every day is dangerous
    assert naive > 0.15


def test_a_true_lift_is_found():
    """4,000 people in each arm, 5 % buy, 7 % with the better text."""
    found, _ = _winners(np.random.default_rng(8), 0.05, 0.07)
    assert found > 0.7


def test_a_large_lift_is_found_with_few_people():
    """200 people in each arm: 20 of 100 buy, and 40 with the better text."""
    found, _ = _winners(np.random.default_rng(11), 0.2, 0.4, people=20, looks=10)
    assert found > 0.7
    # one small spread alone would hardly ever believe it
    narrow = sequential.always_valid_rates((40, 200), (80, 200), spreads=(0.01,))
    assert narrow.p > 0.05 > sequential.always_valid_rates((40, 200), (80, 200)).p


def test_one_spread_is_the_mixture_as_it_stands_in_the_books():
    """Johari, Pekelis, Walsh: always valid inference, formula (6)."""
    difference, error, tau = 0.02, 4e-5, 0.01
    v = error + tau**2
    ratio = math.sqrt(error / v) * math.exp(difference**2 * tau**2 / (2 * error * v))
    assert sequential.always_valid(difference, error, spreads=(tau,)).p == pytest.approx(1 / ratio)


def test_the_promised_number_of_people_finds_the_lift():
    n = ours.sample_size(0.05, 0.02)
    random = np.random.default_rng(9)
    a, b = random.binomial(n, 0.05, 2_000), random.binomial(n, 0.07, 2_000)
    pooled = (a + b) / (2 * n)
    z = (b - a) / n / np.sqrt(2 * pooled * (1 - pooled) / n)
    assert 0.77 <= (np.abs(z) > 1.959964).mean() <= 0.83


def test_a_broken_split_is_noticed_and_a_good_one_is_not():
    random = np.random.default_rng(10)
    good = [ours.sample_ratio([int(k), 10_000 - int(k)], [1, 1]) for k in random.binomial(10_000, 0.5, 2_000)]
    assert np.mean(np.array(good) < 0.001) < 0.005
    assert ours.sample_ratio([5_250, 4_750], [1, 1]) < 0.001
