"""At which part of the day a store's people click. Pure.

The hours at which a store may text are cut into four to six parts. Texts differ more than hours do: a welcome is
clicked at any time, an offer at none. So parts are compared within each text (a step of a flow), as two-way tables
are: a text that only ever went in one part says nothing. Each part's share of clicks is then drawn a little towards
the store's (a beta-binomial with as much as ten clicks at the store's own rate), and may be the best, or cannot be.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from smsflow_plugin.measurement.statistics import Interval, beta_cdf, beta_quantile

#: A part of the day, in hours of the recipient's clock: from, up to but without.
Hours = tuple[int, int]
#: Texts and clicks by text and hour.
Counts = Mapping[Any, Mapping[int, tuple[int, int]]]

#: Fewer clicks than these in any part say nothing yet.
ENOUGH = 50
#: Percent of the people whose text goes in any part, whatever is known.
EXPLORE = 15
#: A part that is the best with less than this probability is out of the running.
LEAST_CHANCE = 0.01
#: As many clicks at the store's own rate are added to each part.
PRIOR_CLICKS = 10
#: A text with more than this share of its texts in one part cannot compare it with others.
ONE_PART = 0.95
#: Fewer hours than these cannot be cut.
SHORTEST_DAY = 4

_ROUNDS, _POINTS = 50, 60


class Verdict(StrEnum):
    LEARNING = "learning"
    EVEN = "even"
    BEST = "best"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the day. ``rate`` is the share of clicks as if all parts had had the same texts, ``chance`` how
    likely it is the best of all."""

    hours: Hours
    texts: int
    clicks: int
    rate: float
    interval: Interval
    chance: float

    @property
    def enough(self) -> bool:
        return self.clicks >= ENOUGH

    @property
    def runs(self) -> bool:
        """Whether it may be the best."""
        return self.chance >= LEAST_CHANCE


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of a store's day, earliest part first. Without parts nobody has clicked anything."""

    parts: tuple[Part, ...] = ()

    @property
    def running(self) -> tuple[int, ...]:
        """The places of the parts that may be the best; none while any part has too few clicks."""
        if not all(part.enough for part in self.parts):
            return ()
        return tuple(place for place, part in enumerate(self.parts) if part.runs)

    @property
    def verdict(self) -> Verdict:
        """Whether one part is the best, several may be, or too little is known."""
        return {0: Verdict.LEARNING, 1: Verdict.BEST}.get(len(self.running), Verdict.EVEN)

    def to_plan(self) -> dict[str, Any]:
        """Return the plan by which texts wait (``engine.send_times``), with what it is based on."""
        if not self.parts:
            return {}
        return {
            "parts": [list(part.hours) for part in self.parts],
            "running": list(self.running),
            "explore": EXPLORE,
            "seen": [[part.texts, part.clicks, *(round(value, 6) for value in _numbers(part))] for part in self.parts],
        }

    @classmethod
    def from_plan(cls, plan: Mapping[str, Any]) -> Finding:
        """Read what ``to_plan`` has written; nothing is known from what cannot be read."""
        try:
            rows = zip(plan.get("parts") or (), plan.get("seen") or (), strict=True)
            return cls(
                tuple(
                    Part((opens, closes), texts, clicks, rate, Interval(low, high), chance)
                    for (opens, closes), (texts, clicks, rate, low, high, chance) in rows
                )
            )
        except (TypeError, ValueError, AttributeError):
            return cls()


def _numbers(part: Part) -> tuple[float, ...]:
    return part.rate, part.interval.low, part.interval.high, part.chance


def day_parts(opens: int, closes: int) -> tuple[Hours, ...]:
    """Cut the hours from ``opens`` to ``closes`` (up to 24) into four to six about equal parts; none of too few."""
    hours = closes - opens
    if hours < SHORTEST_DAY:
        return ()
    count = 4 if hours < 12 else 5 if hours < 15 else 6
    ends = [opens + round(hours * place / count) for place in range(count + 1)]
    return tuple(zip(ends, ends[1:], strict=False))


def judge(counts: Counts, parts: Sequence[Hours], confidence: float = 0.95) -> Finding:
    """Return what ``counts``, texts and clicks by text and hour of the recipient's clock, say of ``parts``."""
    table = [row for own in counts.values() if _compares(row := _by_part(own, parts))]
    clicks = [sum(row[place][1] for row in table) for place in range(len(parts))]
    if not sum(clicks):
        return Finding()
    texts = [sum(row[place][0] for row in table) for place in range(len(parts))]
    mean = sum(clicks) / sum(texts)
    # texts as clickable as the store's are on average: so many of them would have gone in each part
    like_the_mean = [expected / mean for expected in _expected(table, texts, clicks)]
    prior = PRIOR_CLICKS / mean
    posteriors = [
        (PRIOR_CLICKS + clicked, max(prior + sent - PRIOR_CLICKS - clicked, 1.0))
        for clicked, sent in zip(clicks, like_the_mean, strict=True)
    ]
    chances = _chances(posteriors)
    tail = (1 - confidence) / 2
    return Finding(
        tuple(
            Part(
                hours,
                texts[place],
                clicks[place],
                a / (a + b),
                Interval(beta_quantile(tail, a, b), beta_quantile(1 - tail, a, b)),
                chances[place],
            )
            for place, (hours, (a, b)) in enumerate(zip(parts, posteriors, strict=True))
        )
    )


def _by_part(own: Mapping[int, tuple[int, int]], parts: Sequence[Hours]) -> list[tuple[int, int]]:
    return [
        (sum(own.get(hour, (0, 0))[0] for hour in range(*part)), sum(own.get(hour, (0, 0))[1] for hour in range(*part)))
        for part in parts
    ]


def _compares(row: Sequence[tuple[int, int]]) -> bool:
    """Return whether a text says anything of parts of the day: it was clicked, and went in more than one."""
    sent = [texts for texts, _clicks in row]
    return any(clicks for _texts, clicks in row) and max(sent) <= ONE_PART * sum(sent)


def _expected(table: Sequence[Sequence[tuple[int, int]]], texts: Sequence[int], clicks: Sequence[int]) -> list[float]:
    """Return how many clicks the texts of each part would have had if every part were alike.

    Clicks are (how clickable a text is) × (how good a part is); both are fitted in turn until they agree.
    """
    places = range(len(clicks))
    factors = [1.0] * len(clicks)
    expected = [0.0] * len(clicks)
    for _round in range(_ROUNDS):
        # on average over all texts a part is worth 1
        scale = sum(texts) / (sum(texts[place] * factors[place] for place in places) or 1.0)
        factors = [factor * scale for factor in factors]
        rates = [
            sum(clicked for _sent, clicked in row) / sum(row[place][0] * factors[place] for place in places)
            for row in table
        ]
        expected = [sum(row[place][0] * rate for row, rate in zip(table, rates, strict=True)) for place in places]
        factors = [clicks[place] / expected[place] if expected[place] else 1.0 for place in places]
    return expected


def _chances(posteriors: Sequence[tuple[float, float]]) -> list[float]:
    """Return how likely each of these beta distributions has the highest value. They add up to 1."""
    spreads = [(a / (a + b), math.sqrt(a * b / (a + b + 1)) / (a + b)) for a, b in posteriors]
    low = max(0.0, min(mean - 6 * spread for mean, spread in spreads))
    high = min(1.0, max(mean + 6 * spread for mean, spread in spreads))
    points = [low + (high - low) * place / _POINTS for place in range(_POINTS + 1)]
    below = [[beta_cdf(point, a, b) for point in points] for a, b in posteriors]
    chances = []
    for place, own in enumerate(below):
        others = [curve for other, curve in enumerate(below) if other != place]
        chances.append(
            sum(
                (own[at + 1] - own[at]) * math.prod((curve[at] + curve[at + 1]) / 2 for curve in others)
                for at in range(_POINTS)
            )
        )
    total = sum(chances) or 1.0
    return [chance / total for chance in chances]
