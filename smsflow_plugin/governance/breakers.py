"""Circuit breakers: says from a flow's figures whether somebody has to look at it before it goes on. Pure.

A rate counts only when chance can hardly explain it: compared is the lower end of Wilson's interval at three
standard errors, for every flow is looked at all day long and even rare luck comes to pass. Two of three texts
that failed say little, two hundred of a thousand say enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from math import sqrt
from statistics import median

from smsflow_plugin.governance.policy import PolicyRules

#: Standard errors between a rate and what it must exceed.
SURE = 3.0

#: A baseline looks so many days back, and says nothing with fewer days on which the flow sent anything.
BASELINE_DAYS = 28
ENOUGH_DAYS = 7

#: A flow that does so many times worse than it uses to is stopped below the ceiling, but not below half of it.
SURGE = 3.0

#: In one hour a flow may send this part of what it may send in a day.
HOUR_SHARE = 4


class Kind(StrEnum):
    """What tripped. Stored for ever, so never rename one."""

    OPT_OUTS = "opt_outs"
    FAILURES = "failures"
    VOLUME = "volume"
    SPEND = "spend"


class Against(StrEnum):
    """What a figure was held against: the rules' own ceiling, or what the flow uses to do."""

    CEILING = "ceiling"
    USUAL = "usual"


@dataclass(frozen=True, slots=True)
class Count:
    """Texts of one stretch of time. ``left`` have been handed to the gateway, ``queued`` wait to be."""

    left: int = 0
    failed: int = 0
    queued: int = 0

    @property
    def texts(self) -> int:
        return self.left + self.queued

    def __add__(self, other: Count) -> Count:
        return Count(self.left + other.left, self.failed + other.failed, self.queued + other.queued)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a flow did in the last 24 hours and in the last one.

    ``spend`` is None where nobody knows what texts cost. ``resumed``: the flow stood still within the last day,
    so that the texts of all who waited come at once, and their number says nothing.
    """

    day: Count = Count()
    hour: Count = Count()
    opt_outs: int = 0
    spend: Decimal | None = None
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a flow uses to do, from the days on which it sent anything."""

    days: int = 0
    usual: float = 0.0
    busiest: int = 0
    texts: int = 0
    failed: int = 0
    opt_outs: int = 0

    @classmethod
    def of(cls, days: Sequence[tuple[int, int, int]]) -> Baseline:
        """Return the baseline of days that are given as (texts, failed, opted out)."""
        busy = [day for day in days if day[0] > 0]
        if not busy:
            return cls()
        texts, failed, opt_outs = (sum(column) for column in zip(*busy, strict=True))
        counts = [day[0] for day in busy]
        return cls(len(busy), float(median(counts)), max(counts), texts, failed, opt_outs)

    @property
    def speaks(self) -> bool:
        return self.days >= ENOUGH_DAYS


@dataclass(frozen=True, slots=True)
class Trip:
    """Why a flow has to stop. ``measured``, ``limit`` and ``usual`` are percent, texts or money, as the kind says.

    ``count`` of ``of`` texts in so many ``hours`` make up a rate.
    """

    kind: Kind
    measured: float
    limit: float
    hours: int = 24
    count: int = 0
    of: int = 0
    usual: float | None = None
    against: Against = Against.CEILING


def judge(figures: Figures, baseline: Baseline, rules: PolicyRules) -> Trip | None:
    """Return why the flow has to stop, the worst for people first; None if it may go on."""
    usual = baseline if baseline.speaks else Baseline()
    opt_outs = _rate(
        Kind.OPT_OUTS, figures.opt_outs, figures.day.left, rules.breaker_opt_outs, usual.opt_outs, usual.texts, rules
    )
    return (
        opt_outs
        or _failures(figures.day, 24, usual, rules)
        or _failures(figures.hour, 1, usual, rules)
        or _volume(figures, usual, rules)
        or _spend(figures, rules)
    )


def judge_store(flows: Mapping[int, Figures], rules: PolicyRules) -> Trip | None:
    """Return why the whole store has to stop: texts fail, and not those of one flow alone.

    The worst flow is left out: where the others fail without it, too, the number or the gateway is to blame.
    """
    for hours in (24, 1):
        counts = [figures.day if hours == 24 else figures.hour for figures in flows.values()]
        if len(counts) < 2:
            continue
        worst = max(range(len(counts)), key=lambda place: (counts[place].failed, counts[place].left))
        rest = sum((count for place, count in enumerate(counts) if place != worst), Count())
        everything = rest + counts[worst]
        if _failures(rest, hours, Baseline(), rules) and (trip := _failures(everything, hours, Baseline(), rules)):
            return trip
    return None


def lower_bound(count: int, of: int, errors: float = SURE) -> float:
    """Return the lower end of Wilson's interval for a rate of ``count`` in ``of``."""
    return _wilson(count, of, -errors)


def upper_bound(count: int, of: int, errors: float = SURE) -> float:
    """Return the upper end of Wilson's interval for a rate of ``count`` in ``of``."""
    return _wilson(count, of, errors)


def _wilson(count: int, of: int, errors: float) -> float:
    if of <= 0:
        return 0.0 if errors < 0 else 1.0
    rate = min(count / of, 1.0)
    square = errors * errors
    spread = errors * sqrt(rate * (1 - rate) / of + square / (4 * of * of))
    return min(1.0, max(0.0, (rate + square / (2 * of) + spread) / (1 + square / of)))


def _failures(count: Count, hours: int, usual: Baseline, rules: PolicyRules) -> Trip | None:
    return _rate(
        Kind.FAILURES, count.failed, count.left, rules.breaker_failures, usual.failed, usual.texts, rules, hours
    )


def _rate(
    kind: Kind, count: int, of: int, ceiling: Decimal | None, usual: int, usual_of: int, rules: PolicyRules,
    hours: int = 24,
) -> Trip | None:  # fmt: skip
    if ceiling is None or not count or of < max(rules.breaker_least, 1):
        return None
    surely = lower_bound(count, of)
    limit = float(ceiling) / 100
    uses = 100 * usual / usual_of if usual_of else None
    if surely > limit:
        return Trip(kind, 100 * count / of, float(ceiling), hours, count, of, uses)
    surge = max(SURGE * upper_bound(usual, usual_of), limit / 2) if usual_of >= rules.breaker_least else limit
    if surely > surge:
        return Trip(kind, 100 * count / of, 100 * surge, hours, count, of, uses, Against.USUAL)
    return None


def _volume(figures: Figures, usual: Baseline, rules: PolicyRules) -> Trip | None:
    """More texts than ever on a day, and so many times more than usual: a flow that sends once a week uses to."""
    if rules.breaker_volume is None or not usual.days or figures.resumed:
        return None
    ceiling = float(rules.breaker_volume) * usual.usual
    for count, hours, limit in (
        (figures.day, 24, max(ceiling, usual.busiest)),
        (figures.hour, 1, max(ceiling / HOUR_SHARE, usual.busiest)),
    ):
        if count.texts >= max(rules.breaker_least, 1) and count.texts > limit:
            return Trip(Kind.VOLUME, count.texts, limit, hours, count.texts, 0, usual.usual, Against.USUAL)
    return None


def _spend(figures: Figures, rules: PolicyRules) -> Trip | None:
    if rules.breaker_spend is None or figures.spend is None or figures.spend <= rules.breaker_spend:
        return None
    return Trip(Kind.SPEND, float(figures.spend), float(rules.breaker_spend), 24, figures.day.left)
