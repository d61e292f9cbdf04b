"""Says in plain sentences what ``judging`` found. No chances of winning, and no word more than the figures carry."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from smsflow_plugin.measurement.judging import Arm, Comparison, Harm, Judgement, State
from smsflow_plugin.measurement.statistics import Interval

#: Arms of a holdout, as they stand in ``Exposure.arm``.
HELD, SENT = "held", "sent"


def verdict(judgement: Judgement, words: Mapping[str, str] | None = None) -> str:
    """Return the sentence that stands above an experiment. ``words`` say what its arms are, where a few words can."""
    judgement = _in_words(judgement, words or {})
    match judgement.state:
        case State.NOBODY:
            return _("Nobody has come to it yet.")
        case State.BROKEN:
            counts = ", ".join(f"{arm_name(arm.name)} {number_format(arm.exposed)}" for arm in judgement.arms)
            return _("The split is not as it should be (%(counts)s): the figures cannot be trusted.") % {
                "counts": counts
            }
        case State.EARLY:
            return _early(judgement)
        case State.CONCLUSIVE:
            return _conclusive(judgement)
        case State.ENDED:
            return _ended(judgement)
    return _open(judgement)


def warnings(judgement: Judgement, words: Mapping[str, str] | None = None) -> list[str]:
    """Return what speaks against an arm although it may sell more: more people opt out."""
    return [_warning(each) for each in _in_words(judgement, words or {}).harmful]


def _in_words(judgement: Judgement, words: Mapping[str, str]) -> Judgement:
    """Return the same with arms that are called "B (1 day)"."""

    def arm(own: Arm) -> Arm:
        return replace(own, name=f"{own.name} ({words[own.name]})") if own.name in words else own

    def comparison(own: Comparison) -> Comparison:
        return replace(own, arm=arm(own.arm), base=arm(own.base))

    return replace(
        judgement,
        arms=tuple(arm(each) for each in judgement.arms),
        comparisons=tuple(comparison(each) for each in judgement.comparisons),
        spoken=comparison(judgement.spoken) if judgement.spoken else None,
    )


def _warning(harmful: Harm) -> str:
    values = {
        "arm": arm_name(harmful.arm.name),
        "points": points(harmful.difference),
        "interval": between(harmful.interval),
    }
    if harmful.arm.name == SENT:
        return _("With texts more people opt out, by %(points)s points (%(interval)s).") % values
    if harmful.arm.name == HELD:
        return _("Without texts more people opt out, by %(points)s points (%(interval)s).") % values
    return _("With %(arm)s more people opt out: %(points)s points more (%(interval)s).") % values


def arm_name(name: str) -> str:
    """Return what an arm is called."""
    return {HELD: _("without texts"), SENT: _("with texts")}.get(name, name)


def points(share: float) -> str:
    """Return the size of a difference of rates in percentage points, to a tenth: "1.2"."""
    # number_format cuts off, and does not round
    return number_format(round(abs(share) * 100, 1), 1)


def between(interval: Interval, *, turned: bool = False) -> str:
    """Return an interval of a difference in points: "−0.7 to +4.8". ``turned`` looks at it from the other arm."""
    low, high = (-interval.high, -interval.low) if turned else (interval.low, interval.high)
    return _("%(low)s to %(high)s") % {"low": signed(low), "high": signed(high)}


def signed(share: float) -> str:
    """Return a difference in points with its sign: "−0.7", "+4.8", "0.0"."""
    if math.isinf(share):
        return "−∞" if share < 0 else "+∞"
    text = points(share)
    if not any(digit in "123456789" for digit in text):
        return text  # neither −0.0 nor +0.0
    return f"{'−' if share < 0 else '+'}{text}"


def _early(judgement: Judgement) -> str:
    bars = judgement.bars
    lacking = []
    if judgement.days < bars.days:
        lacking.append(
            ngettext("%(now)s of %(wanted)s full day", "%(now)s of %(wanted)s full days", bars.days)
            % {"now": number_format(judgement.days), "wanted": number_format(bars.days)}
        )
    if judgement.conversions < bars.conversions:
        lacking.append(
            ngettext(
                "%(now)s of %(wanted)s person who ordered",
                "%(now)s of %(wanted)s people who ordered",
                bars.conversions,
            )
            % {"now": number_format(judgement.conversions), "wanted": number_format(bars.conversions)}
        )
    if not lacking:
        return _("Not enough data yet: nobody has come to one of the variants.")
    text = _("Not enough data yet: %(lacking)s") % {"lacking": ", ".join(lacking)}
    return f"{text}, {_to_go(judgement.to_go)}." if judgement.to_go else f"{text}."


def _to_go(days: int) -> str:
    return ngettext("about %(days)s day to go", "about %(days)s days to go", days) % {"days": number_format(days)}


def _values(spoken: Comparison) -> dict[str, str]:
    """Return what a sentence about two arms needs, from the side of the one that is ahead."""
    turned = spoken.rate.difference < 0
    ahead, behind = (spoken.base, spoken.arm) if turned else (spoken.arm, spoken.base)
    return {
        "ahead": arm_name(ahead.name),
        "behind": arm_name(behind.name),
        "points": points(spoken.rate.difference),
        "interval": between(spoken.rate.interval, turned=turned),
    }


def _conclusive(judgement: Judgement) -> str:
    spoken = judgement.spoken
    if spoken is None:
        raise ValueError("A winner needs somebody who lost.")
    values = _values(spoken)
    if spoken.arm.name == SENT:
        if judgement.winner == SENT:
            return _("With texts more people order, by %(points)s points (%(interval)s): conclusive.") % values
        return _("With texts fewer people order, by %(points)s points (%(interval)s): conclusive.") % values
    return _("%(ahead)s is better than %(behind)s by %(points)s points (%(interval)s): conclusive.") % values


def _ended(judgement: Judgement) -> str:
    days = ngettext("%(days)s day", "%(days)s days", judgement.days) % {"days": number_format(judgement.days)}
    if judgement.spoken is None:
        return _("Over after %(days)s, without enough data to say anything.") % {"days": days}
    spoken = judgement.spoken
    values = {**_values(spoken), "days": days}
    if spoken.rate.difference == 0:
        standing = _("both are equal (%(interval)s)")
    elif spoken.arm.name != SENT:
        standing = _("%(ahead)s is ahead by %(points)s points (%(interval)s)")
    elif spoken.rate.difference > 0:
        standing = _("with texts more people order, by %(points)s points (%(interval)s)")
    else:
        standing = _("with texts fewer people order, by %(points)s points (%(interval)s)")
    return _("Over after %(days)s without a conclusive difference: %(standing)s.") % {
        "days": days,
        "standing": standing % values,
    }


def _open(judgement: Judgement) -> str:
    spoken = judgement.spoken
    if spoken is None:
        return ""
    values = _values(spoken)
    if spoken.rate.difference == 0:
        text = _("Both are equal (%(interval)s): not yet conclusive") % values
    elif spoken.arm.name == SENT:
        text = (
            _("With texts more people order, by %(points)s points (%(interval)s): not yet conclusive")
            if spoken.rate.difference > 0
            else _("With texts fewer people order, by %(points)s points (%(interval)s): not yet conclusive")
        ) % values
    else:
        text = _("%(ahead)s is ahead by %(points)s points (%(interval)s): not yet conclusive") % values
    if judgement.to_go is None:
        return _("%(text)s, and likely to stay so.") % {"text": text}
    return f"{text}, {_to_go(judgement.to_go)}."
