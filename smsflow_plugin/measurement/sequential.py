"""Differences that may be looked at every day: the mixture SPRT. Pure, and nothing but the standard library.

The evidence against "no difference" is its likelihood ratio, averaged over the differences that there might be. Those
are taken to be normal around 0. With one spread alone, what is far larger than it is hardly ever believed, as in a
small store where few people show a large difference; so two spreads are mixed. However they are mixed, the
evidence exceeds 20 at any time in at most 5 of 100 experiments without a difference.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from smsflow_plugin.measurement.statistics import Interval

#: Differences in rates that are expected, as shares: one point, and now and then five.
SPREADS = (0.01, 0.05)


@dataclass(frozen=True, slots=True)
class Sequential:
    """A difference that may be looked at as often as one likes.

    ``p`` stays above 0.05 for ever in 95 of 100 experiments without a difference, however often it is read. The
    interval excludes 0 exactly where ``p`` is below 1 - its confidence.
    """

    difference: float
    interval: Interval
    p: float


def always_valid(
    difference: float, error: float, *, confidence: float = 0.95, spreads: Sequence[float] = SPREADS
) -> Sequential:
    """Return what a difference comes to when it is looked at over and over.

    :param error: the variance of the difference; without one nothing is known.
    :param spreads: of the mixture, in the unit of the difference; all weigh the same. They must be chosen beforehand.
    """
    if error <= 0 or not spreads:
        return Sequential(difference, Interval(-math.inf, math.inf), 1.0)
    half = half_width(error, confidence, spreads)
    p = math.exp(min(0.0, -_evidence(difference, error, spreads)))
    return Sequential(difference, Interval(difference - half, difference + half), p)


def half_width(error: float, confidence: float = 0.95, spreads: Sequence[float] = SPREADS) -> float:
    """Return half the width of the interval of ``always_valid``: the smallest difference that is conclusive."""
    wanted = -math.log(1 - confidence)
    # between what the best spread alone would ask for, and what it asks for with its share of the mixture
    low = min(_half(error, wanted, spread) for spread in spreads)
    high = min(_half(error, wanted + math.log(len(spreads)), spread) for spread in spreads)
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        if _evidence(middle, error, spreads) < wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _half(error: float, wanted: float, spread: float) -> float:
    """Return the difference at which a single spread has so much evidence, as a logarithm."""
    prior = spread * spread
    return math.sqrt(error * (error + prior) / prior * (2 * wanted + math.log((error + prior) / error)))


def _evidence(difference: float, error: float, spreads: Sequence[float]) -> float:
    """Return the logarithm of the averaged likelihood ratio."""
    logs = []
    for spread in spreads:
        prior = spread * spread
        gain = difference**2 * prior / (2 * error * (error + prior))
        logs.append(gain - 0.5 * math.log((error + prior) / error))
    most = max(logs)
    return most + math.log(math.fsum(math.exp(each - most) for each in logs) / len(logs))


def rate_error(first: tuple[int, int], second: tuple[int, int]) -> float:
    """Return the variance of the difference of two rates, each as (successes, trials); 0 where one arm is empty.

    Half a success and half a failure are added to each: of a few people, all alike, one knows little, not all.
    """
    if first[1] <= 0 or second[1] <= 0:
        return 0.0
    total = 0.0
    for successes, trials in (first, second):
        rate = (successes + 0.5) / (trials + 1)
        total += rate * (1 - rate) / trials
    return total


def always_valid_rates(
    first: tuple[int, int], second: tuple[int, int], *, confidence: float = 0.95, spreads: Sequence[float] = SPREADS
) -> Sequential:
    """Return ``always_valid`` of the difference of two rates, each as (successes, trials)."""
    error = rate_error(first, second)
    if not error:
        return always_valid(0.0, 0.0)
    difference = second[0] / second[1] - first[0] / first[1]
    return always_valid(difference, error, confidence=confidence, spreads=spreads)


def times_as_many(
    difference: float, error: float, *, confidence: float = 0.95, spreads: Sequence[float] = SPREADS
) -> float | None:
    """Return how many times as many people it takes until a difference such as this one is conclusive.

    1.0 where it is already; None where it would take a thousand times as many, or nothing is known.
    """
    if error <= 0 or half_width(error / 1_000, confidence, spreads) >= abs(difference):
        return None
    low, high = 1.0, 1_000.0
    if half_width(error, confidence, spreads) < abs(difference):
        return low
    while high - low > 0.001 * low:
        middle = (low + high) / 2
        if half_width(error / middle, confidence, spreads) < abs(difference):
            high = middle
        else:
            low = middle
    return high
