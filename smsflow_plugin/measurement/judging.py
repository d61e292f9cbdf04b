"""What may be said of an experiment by its figures, and what not yet. Pure: the sentences are in ``verdicts``.

The question is one for each experiment: which share of the people ordered. Everybody who was exposed counts in the
arm that they fell to, whatever became of their text. Looking every day is safe (``sequential.always_valid``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from smsflow_plugin.measurement import sequential, statistics
from smsflow_plugin.measurement.sequential import Sequential
from smsflow_plugin.measurement.statistics import Interval, Moments

#: Spreads of the mixture for opt-outs: they are rarer than orders.
_OPT_OUTS = (0.005, 0.02)


@dataclass(frozen=True, slots=True)
class Bars:
    """What an experiment must come to before anything is said."""

    #: Full days, so that each day of the week is in it.
    days: int = 7
    #: People who ordered, in all arms together.
    conversions: int = 100
    #: Orders in each arm from which on an interval of revenue is worth showing.
    orders: int = 30
    #: After so many days it is over, whatever it says.
    longest: int = 42
    #: A split less likely than this is broken.
    split: float = 0.001
    confidence: float = 0.95


BARS = Bars()


@dataclass(frozen=True, slots=True)
class Arm:
    """One way that people went.

    ``weight`` is its share by design, in any unit. ``converted`` counts people who ordered. ``revenue`` is that of
    each person who was exposed, nothing of most of them.
    """

    name: str
    weight: float
    exposed: int = 0
    converted: int = 0
    orders: int = 0
    clicked: int = 0
    opted_out: int = 0
    revenue: Moments = Moments(0, 0.0, 0.0)

    @property
    def rate(self) -> float | None:
        """The share that ordered; None of nobody."""
        return self.converted / self.exposed if self.exposed else None

    @property
    def interval(self) -> Interval:
        """That of the rate, for one look."""
        return statistics.wilson(self.converted, self.exposed)


class State(StrEnum):
    """Where an experiment stands."""

    NOBODY = "nobody"
    #: The split is not as designed: the figures must not be shown.
    BROKEN = "broken"
    EARLY = "early"
    OPEN = "open"
    CONCLUSIVE = "conclusive"
    #: The longest time is over, and nothing was found.
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Harm:
    """By how much the share of people who opt out is larger with an arm than with the one beside it."""

    arm: Arm
    difference: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Comparison:
    """One arm beside the one to compare with: differences are this one's less that one's, as shares."""

    arm: Arm
    base: Arm
    rate: Sequential
    opt_outs: Sequential
    #: Revenue per person in the store's currency; no interval while there are too few orders.
    revenue: float
    revenue_interval: Interval | None
    conclusive: bool

    @property
    def harm(self) -> Harm | None:
        """By which of the two more people opt out, beyond chance."""
        found = self.opt_outs
        if found.interval.low > 0:
            return Harm(self.arm, found.difference, found.interval)
        if found.interval.high < 0:
            return Harm(self.base, -found.difference, Interval(-found.interval.high, -found.interval.low))
        return None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What may be said. ``comparisons`` are empty where nothing may.

    ``spoken`` is the comparison that the sentence is about. ``winner`` is the name of an arm, "" for none. ``to_go``
    is how many days it takes at this pace, None if it is likely to stay open until the end; ``left`` is how many
    days there are until then.
    """

    state: State
    arms: tuple[Arm, ...]
    bars: Bars
    days: int
    conversions: int
    split: float
    comparisons: tuple[Comparison, ...] = ()
    spoken: Comparison | None = None
    winner: str = ""
    to_go: int | None = None
    left: int = 0

    @property
    def harmful(self) -> tuple[Harm, ...]:
        """Arms by which more people opt out, each once: by where that is surest."""
        found: dict[str, Harm] = {}
        for harm in filter(None, (each.harm for each in self.comparisons)):
            known = found.get(harm.arm.name)
            if known is None or harm.interval.low > known.interval.low:
                found[harm.arm.name] = harm
        return tuple(found.values())


def judge(arms: Sequence[Arm], days: int, bars: Bars = BARS, *, running: bool = True) -> Judgement:
    """Judge an experiment of these arms, the first of which is the one to compare with.

    :param days: full days since the first person was exposed.
    :param running: whether anybody is still exposed; what has stopped will not say more.
    """
    arms = tuple(arms)
    conversions = sum(arm.converted for arm in arms)
    people = sum(arm.exposed for arm in arms)
    split = statistics.sample_ratio([arm.exposed for arm in arms], [arm.weight for arm in arms]) if people else 1.0
    over = not running or days >= bars.longest
    left = 0 if over else bars.longest - days

    def so(state: State, **more: object) -> Judgement:
        return Judgement(state, arms, bars, days, conversions, split, left=left, **more)  # type: ignore[arg-type]

    if not people or len(arms) < 2:
        return so(State.NOBODY)
    if split < bars.split:
        return so(State.BROKEN)
    if days < bars.days or conversions < bars.conversions or not all(arm.exposed for arm in arms):
        if over:
            return so(State.ENDED)
        return so(State.EARLY, to_go=_until_enough(days, conversions, bars))
    comparisons = compare(arms, bars)
    winner, spoken = _winner(comparisons)
    if winner:
        return so(State.CONCLUSIVE, comparisons=comparisons, spoken=spoken, winner=winner, to_go=0)
    if over:
        return so(State.ENDED, comparisons=comparisons, spoken=spoken)
    to_go = _until_conclusive(spoken, days, _confidence(arms, bars))
    to_go = to_go if to_go is not None and to_go <= left else None
    return so(State.OPEN, comparisons=comparisons, spoken=spoken, to_go=to_go)


def compare(arms: Sequence[Arm], bars: Bars = BARS) -> tuple[Comparison, ...]:
    """Compare all other arms with the first. The more of them, the more each must show (Bonferroni)."""
    base, *others = arms
    confidence = _confidence(arms, bars)
    return tuple(_comparison(base, other, confidence, bars) for other in others)


def _confidence(arms: Sequence[Arm], bars: Bars) -> float:
    return 1 - (1 - bars.confidence) / max(1, len(arms) - 1)


def _comparison(base: Arm, arm: Arm, confidence: float, bars: Bars) -> Comparison:
    rate = sequential.always_valid_rates(_ordered(base), _ordered(arm), confidence=confidence)
    opt_outs = sequential.always_valid_rates(
        (base.opted_out, base.exposed), (arm.opted_out, arm.exposed), confidence=confidence, spreads=_OPT_OUTS
    )
    enough = min(base.orders, arm.orders) >= bars.orders
    interval = statistics.welch(base.revenue, arm.revenue, confidence) if enough else None
    revenue = arm.revenue.mean - base.revenue.mean
    return Comparison(arm, base, rate, opt_outs, revenue, interval, rate.p < 1 - confidence)


def _ordered(arm: Arm) -> tuple[int, int]:
    return arm.converted, arm.exposed


def _winner(comparisons: tuple[Comparison, ...]) -> tuple[str, Comparison]:
    """Return the name of the winner, "" for none, and the comparison to speak of: that of the best other arm."""
    best = max(comparisons, key=lambda each: each.rate.difference)
    better = [each for each in comparisons if each.conclusive and each.rate.difference > 0]
    if better:
        best = max(better, key=lambda each: each.rate.difference)
        return best.arm.name, best
    if all(each.conclusive for each in comparisons):
        return best.base.name, best
    return "", best


def _until_enough(days: int, conversions: int, bars: Bars) -> int | None:
    """Return in how many days anything may be said, None if the pace cannot be known or it takes too long."""
    wanted = bars.days
    if conversions < bars.conversions:
        if not days or not conversions:
            return None
        wanted = max(wanted, math.ceil(days * bars.conversions / conversions))
    return wanted - days if wanted <= bars.longest else None


def _until_conclusive(spoken: Comparison, days: int, confidence: float) -> int | None:
    error = sequential.rate_error(_ordered(spoken.base), _ordered(spoken.arm))
    times = sequential.times_as_many(spoken.rate.difference, error, confidence=confidence)
    return None if times is None else max(1, math.ceil(days * (times - 1)))
