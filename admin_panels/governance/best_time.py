"""What is known of the best time to send, in words: for the panel of a store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

from django.utils.formats import time_format
from django.utils.translation import gettext as _

from smsflow_plugin.measurement.best_time import ENOUGH, EXPLORE, Finding, Part, Verdict
from smsflow_plugin.measurement.figure_words import count, interval, percent
from smsflow_plugin.models import Store


@dataclass(frozen=True, slots=True)
class Row:
    """A part of the day; ``level`` is "best" where it is the best, "worse" where it cannot be."""

    hours: str
    texts: str
    clicks: str
    rate: str
    interval: str
    verdict: str
    level: str = ""


@dataclass(frozen=True, slots=True)
class BestTime:
    """``summary`` says what texts do that wait for the best time; ``rows`` why."""

    summary: str
    rows: tuple[Row, ...] = ()


def best_time(store: Store) -> BestTime:
    """Return what is known of a store's day, as its texts go by it now."""
    finding = Finding.from_plan(store.send_times)
    return BestTime(_summary(store, finding), tuple(_row(part, finding) for part in finding.parts))


def _summary(store: Store, finding: Finding) -> str:
    explore = {"share": EXPLORE}
    if not finding.parts:
        nothing = _("Not enough data: no text that went in more than one part of the day has been clicked.")
        return f"{nothing} {_fallback(store)}"
    match finding.verdict:
        case Verdict.LEARNING:
            words = {"enough": count(ENOUGH), **explore}
            return " ".join(
                [
                    _("Not enough data: fewer than %(enough)s clicks in a part of the day.") % words,
                    _fallback(store),
                    _("%(share)d%% of the people get theirs in any part, to find out.") % explore,
                ]
            )
        case Verdict.BEST:
            words = {"hours": hours_words(finding.parts[finding.running[0]]), **explore}
            return (
                _(
                    "%(hours)s is best. Texts that wait for the best time go then, as far as that comes in time; "
                    "%(share)d%% of the people get theirs in any part, so that a change is noticed."
                )
                % words
            )
    return (
        _(
            "No part of the day is clearly the best: what differs can be chance. Texts that wait for the best time go "
            "evenly in those that may be; %(share)d%% of the people get theirs in any part."
        )
        % explore
    )


def _fallback(store: Store) -> str:
    if store.best_hour is None:
        return _(
            "Until then, texts wait for the hour at which the person usually reacts, or go at once if that is not "
            "known either."
        )
    return _(
        "Until then, texts wait for the hour at which the person usually reacts, or for %(hour)s, when most people of "
        "the store do."
    ) % {"hour": _clock(store.best_hour)}


def _row(part: Part, finding: Finding) -> Row:
    words, level = _verdict(part, finding)
    return Row(
        hours_words(part),
        count(part.texts),
        count(part.clicks),
        percent(part.rate),
        interval(part.interval),
        words,
        level,
    )


def _verdict(part: Part, finding: Finding) -> tuple[str, str]:
    if not part.enough:
        return _("Not enough data (%(clicks)s of %(enough)s clicks)") % {
            "clicks": count(part.clicks),
            "enough": count(ENOUGH),
        }, ""
    if finding.verdict is Verdict.LEARNING:
        return _("Enough data"), ""
    if not part.runs:
        return _("Not the best"), "worse"
    return (_("The best"), "best") if finding.verdict is Verdict.BEST else (_("May be the best"), "")


def hours_words(part: Part) -> str:
    """Return a part of the day as clocks show it: "9 a.m.–noon"."""
    opens, closes = part.hours
    return f"{_clock(opens)}–{_clock(closes)}"


def _clock(hour: int) -> str:
    return str(time_format(time(hour % 24), "TIME_FORMAT"))
