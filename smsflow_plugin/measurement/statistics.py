"""The statistics behind experiments and figures. Pure, and nothing but the standard library.

All rates are shares from 0 to 1, all confidences are shares as well (0.95). Of two arms the first is the one to
compare with, and a difference is always the second less the first. Proved against scipy and statsmodels in
``tests/measurement/test_statistics.py``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``low`` to ``high``, both included."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Moments:
    """What a mean needs: how many values, their mean, and their variance (by n - 1; 0 of fewer than two)."""

    n: int
    mean: float
    variance: float

    @property
    def error(self) -> float:
        """The variance of the mean; 0 of no values."""
        return self.variance / self.n if self.n else 0.0


# The normal distribution, Student's t and chi-square ---------------------------------------------


def normal_quantile(p: float) -> float:
    """Return what a standard normal value is below with probability ``p``.

    :raises statistics.StatisticsError: unless 0 < p < 1.
    """
    return _NORMAL.inv_cdf(p)


def student_cdf(t: float, df: float) -> float:
    """Return how likely Student's t is at most ``t``; the degrees of freedom may be a fraction."""
    square = t * t
    if square < df:  # in the middle the tail would be a difference of two halves
        return 0.5 + math.copysign(0.5 * _incomplete_beta(square / (df + square), 0.5, df / 2), t)
    tail = 0.5 * _incomplete_beta(df / (df + square), df / 2, 0.5)
    return 1 - tail if t > 0 else tail


def student_quantile(p: float, df: float) -> float:
    """Return what a value of Student's t is below with probability ``p``, to about ten digits.

    :raises ValueError: unless 0 < p < 1 and df > 0.
    """
    if not 0 < p < 1 or df <= 0:
        raise ValueError("A quantile needs 0 < p < 1 and at least some degrees of freedom.")
    if p == 0.5:
        return 0.0
    if p < 0.5:
        return -student_quantile(1 - p, df)
    low, high = 0.0, 1.0
    while student_cdf(high, df) < p:
        low, high = high, high * 2
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        if student_cdf(middle, df) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def chi_square_sf(x: float, df: int) -> float:
    """Return how likely a value of chi-square with ``df`` degrees of freedom is above ``x``.

    :raises ValueError: if there is no degree of freedom.
    """
    if df < 1:
        raise ValueError("Chi-square needs a degree of freedom.")
    y = x / 2
    if y <= 0:
        return 1.0
    # Q(a + 1, y) = Q(a, y) + y^a e^-y / Γ(a + 1), from Q(1/2, y) or Q(1, y) on
    a = 0.5 if df % 2 else 1.0
    tail = math.erfc(math.sqrt(y)) if df % 2 else math.exp(-y)
    while a < df / 2:
        tail += math.exp(a * math.log(y) - y - math.lgamma(a + 1))
        a += 1
    return min(tail, 1.0)


def beta_cdf(x: float, a: float, b: float) -> float:
    """Return how likely a value of the beta distribution is at most ``x``."""
    return 1.0 if x >= 1 else _incomplete_beta(x, a, b)


def beta_quantile(p: float, a: float, b: float) -> float:
    """Return what a value of the beta distribution is below with probability ``p``, to about nine digits.

    :raises ValueError: unless 0 < p < 1.
    """
    if not 0 < p < 1:
        raise ValueError("A quantile needs 0 < p < 1.")
    low, high, x = 0.0, 1.0, a / (a + b)
    constant = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    for _step in range(60):
        short = p - beta_cdf(x, a, b)
        low, high = (x, high) if short > 0 else (low, x)
        # Newton's step, and half of what is left where that would lead out of it
        step = short * math.exp(-constant - (a - 1) * math.log(x) - (b - 1) * math.log1p(-x))
        following = x + step if low < x + step < high else (low + high) / 2
        if abs(following - x) < 1e-10 * x:
            break
        x = following
    return x


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), by its continued fraction."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):  # there the fraction of the other side converges faster
        return 1 - _incomplete_beta(1 - x, b, a)
    front = a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return math.exp(front) * _beta_fraction(x, a, b) / a


def _beta_fraction(x: float, a: float, b: float) -> float:
    """Lentz's way to work out a continued fraction from the front."""
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1) or 1e-300)
    value = d
    for m in range(1, 10_000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + term * d or 1e-300)
            c = 1 + term / c or 1e-300
            value *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return value


# Rates -------------------------------------------------------------------------------------------


def wilson(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """Return Wilson's interval of a rate; all from 0 to 1 where nothing was tried."""
    if trials <= 0:
        return Interval(0.0, 1.0)
    z = _z(confidence)
    rate = successes / trials
    spread = 1 + z * z / trials
    centre = (rate + z * z / (2 * trials)) / spread
    half = z / spread * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    # at the ends the formula meets 0 and 1 exactly, and rounding must not miss them
    return Interval(
        0.0 if successes == 0 else max(0.0, centre - half),
        1.0 if successes == trials else min(1.0, centre + half),
    )


def newcombe(first: tuple[int, int], second: tuple[int, int], confidence: float = 0.95) -> Interval:
    """Return Newcombe's interval of the difference of two rates, each as (successes, trials)."""
    if first[1] <= 0 or second[1] <= 0:
        return Interval(-1.0, 1.0)
    a, b = first[0] / first[1], second[0] / second[1]
    of_a, of_b = wilson(*first, confidence), wilson(*second, confidence)
    difference = b - a
    return Interval(
        difference - math.hypot(b - of_b.low, of_a.high - a),
        difference + math.hypot(of_b.high - b, a - of_a.low),
    )


def sample_ratio(counts: Sequence[int], weights: Sequence[float]) -> float:
    """Return how likely a split is at least as far from its weights as ``counts`` are (chi-square); 1.0 of nobody.

    Anybody in an arm without weight is too many.

    :raises ValueError: if there is not one weight for each count, or none above 0.
    """
    if len(counts) != len(weights) or not any(weight > 0 for weight in weights):
        raise ValueError("Each arm needs a weight.")
    if any(count for count, weight in zip(counts, weights, strict=True) if weight <= 0):
        return 0.0
    arms = [(count, weight) for count, weight in zip(counts, weights, strict=True) if weight > 0]
    people, total = sum(count for count, _ in arms), sum(weight for _, weight in arms)
    if not people or len(arms) < 2:
        return 1.0
    expected = [people * weight / total for _, weight in arms]
    x = sum((count - wanted) ** 2 / wanted for (count, _), wanted in zip(arms, expected, strict=True))
    return chi_square_sf(x, len(arms) - 1)


# Means -------------------------------------------------------------------------------------------


def moments(values: Sequence[float], zeros: int = 0) -> Moments:
    """Return what ``values`` and so many zeros beside them come to."""
    n = len(values) + zeros
    if not n:
        return Moments(0, 0.0, 0.0)
    mean = math.fsum(values) / n
    if n < 2:
        return Moments(n, mean, 0.0)
    squares = math.fsum((value - mean) ** 2 for value in values) + zeros * mean * mean
    return Moments(n, mean, squares / (n - 1))


def welch(first: Moments, second: Moments, confidence: float = 0.95) -> Interval:
    """Return Welch's interval of the difference of two means; everything where an arm has fewer than two values."""
    difference = second.mean - first.mean
    if first.n < 2 or second.n < 2:
        return Interval(-math.inf, math.inf)
    error = first.error + second.error
    if not error:
        return Interval(difference, difference)
    # shares of the error, so that tiny variances do not vanish when they are squared
    parts = (first.error / error) ** 2 / (first.n - 1) + (second.error / error) ** 2 / (second.n - 1)
    half = student_quantile((1 + confidence) / 2, 1 / parts) * math.sqrt(error)
    return Interval(difference - half, difference + half)


def quantile(values: Sequence[float], share: float) -> float:
    """Return what ``share`` of the values lie at or below, between neighbours in proportion.

    :raises ValueError: of no values.
    """
    if not values:
        raise ValueError("No values have no quantile.")
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


# How long it takes -------------------------------------------------------------------------------


def sample_size(rate: float, lift: float, *, power: float = 0.8, confidence: float = 0.95) -> int:
    """Return how many people each of two arms needs, to see ``rate`` become ``rate + lift`` in one look at the end.

    :raises ValueError: if there is no lift, or it leads out of 0 to 1.
    """
    other = rate + lift
    if not lift or not 0 <= rate <= 1 or not 0 <= other <= 1:
        raise ValueError("Both rates must lie between 0 and 1, and differ.")
    middle = (rate + other) / 2
    if_equal = _z(confidence) * math.sqrt(2 * middle * (1 - middle))
    if_not = normal_quantile(power) * math.sqrt(rate * (1 - rate) + other * (1 - other))
    return math.ceil(((if_equal + if_not) / lift) ** 2)


def _z(confidence: float) -> float:
    return normal_quantile((1 + confidence) / 2)
