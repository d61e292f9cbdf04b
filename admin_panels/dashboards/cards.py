"""The figures at the top of a page, each with what it was before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from smsflow_plugin.measurement import baseline_words
from smsflow_plugin.measurement import figure_words as words
from smsflow_plugin.measurement.figures import Figures, People
from smsflow_plugin.measurement.rates import Part
from smsflow_plugin.measurement.targets import Held, Standing

#: How the page shows whether a target is reached.
MARKS = {Standing.REACHED: "good", Standing.MISSED: "bad", Standing.OPEN: "open"}


@dataclass(frozen=True, slots=True)
class Card:
    """``change`` is by how much it has changed, ``was`` what it was; both are "" if nobody compares.

    ``mark`` is "good", "bad" or "open" where ``value`` is no number but a judgement.
    """

    name: str
    label: str
    value: str
    note: str = ""
    change: str = ""
    was: str = ""
    mark: str = ""


def texts_sent(now: Figures, before: Figures | None) -> Card:
    note = ""
    if now.pending:
        note = _("of which %(count)s have no report yet") % {"count": words.count(now.pending)}
    return _counted("sent", _("Texts sent"), now.sent, before.sent if before else None, note)


def revenue(now: Figures, before: Figures | None, currency: str) -> Card:
    note = _("Credited orders that were placed in these days: %(money)s") % {"money": words.money(now.earned, currency)}
    return _paid("revenue", _("Revenue credited"), now.revenue, before.revenue if before else None, currency, note)


def per_text(now: Figures, before: Figures | None, currency: str) -> Card:
    note = _("Revenue by delivered text")
    was = before.revenue_per_text if before else None
    return _paid("per_text", _("Per text"), now.revenue_per_text, was, currency, note)


def spend(now: Figures, before: Figures | None, currency: str) -> Card:
    note = ""
    if now.spend is None:
        note = _("No text of these has a price: name the prices among the rules of the store.")
    elif now.return_on_spend is not None:
        note = _("Return on cost: %(percent)s") % {"percent": words.percent(now.return_on_spend)}
    return _paid("spend", _("Spend"), now.spend, before.spend if before else None, currency, note)


def orders(now: Figures, before: Figures | None, currency: str) -> Card:
    note = _("%(money)s on average") % {"money": words.money(now.average_order, currency)} if now.orders else ""
    return _counted("orders", _("Orders"), now.orders, before.orders if before else None, note)


def delivered(now: Figures, before: Figures | None) -> Card:
    return _rated("delivered", _("Delivered"), _delivery(now), _delivery(before) if before else None)


def clicks(now: Figures, before: Figures | None) -> Card:
    return _rated(
        "clicks", _("Clicked"), Part(now.clicked, now.delivered), _of(before, before.clicked) if before else None
    )


def answers(now: Figures, before: Figures | None) -> Card:
    return _rated(
        "answers", _("Answered"), Part(now.replied, now.delivered), _of(before, before.replied) if before else None
    )


def opt_outs(now: Figures, before: Figures | None) -> Card:
    was = _of(before, before.opted_out) if before else None
    card = _rated("opt_outs", _("Opt-out rate"), Part(now.opted_out, now.delivered), was)
    # who opts out later is among those of the list's growth alone
    return replace(card, note=_("%(note)s, within 24 hours") % {"note": card.note})


def growth(now: People, before: People | None) -> Card:
    note = _("%(joined)s opted in, %(left)s opted out") % {
        "joined": words.count(now.opted_in),
        "left": words.count(now.opted_out),
    }
    was = words.signed(before.growth) if before is not None else ""
    return Card("growth", _("List growth"), words.signed(now.growth), note, "", was)


def target(held: Held, baseline: float | None, days: int, currency: str) -> Card:
    """Return whether a target is reached; ``baseline`` is what the figure was in so many days before."""
    note = _("%(now)s; wanted is %(target)s. In the %(days)d days before: %(baseline)s") % {
        "now": baseline_words.with_interval(held, currency),
        "target": baseline_words.target(held, currency),
        "days": days,
        "baseline": baseline_words.value(held.figure, baseline, currency),
    }
    label = str(baseline_words.NAMES[held.figure])
    return Card(f"target_{held.figure}", label, baseline_words.standing(held), note, mark=MARKS[held.standing])


def _counted(name: str, label: str, now: int, before: int | None, note: str) -> Card:
    was = "" if before is None else words.count(before)
    return Card(name, label, words.count(now), note, words.change(now, before), was)


def _paid(name: str, label: str, now: Decimal | None, before: Any, currency: str, note: str) -> Card:
    was = "" if before is None else words.money(before, currency)
    return Card(name, label, words.money(now, currency), note, words.change(now, before), was)


def _rated(name: str, label: str, now: Part, before: Part | None) -> Card:
    if not now.speaks:
        note = _("Not enough data: %(part)s of %(whole)s texts") % {
            "part": words.count(now.part),
            "whole": words.count(now.whole),
        }
        return Card(name, label, words.NONE, note)
    note = _("%(part)s of %(whole)s texts") % {"part": words.count(now.part), "whole": words.count(now.whole)}
    if now.interval:
        note = _("%(interval)s; %(counts)s") % {"interval": words.interval(now.interval), "counts": note}
    known = before is not None and before.speaks
    was = words.percent(before.rate) if before is not None and known else ""
    change = words.points(now.rate, before.rate) if before is not None else ""
    return Card(name, label, words.percent(now.rate), note, change, was)


def _delivery(figures: Figures) -> Part:
    return Part(figures.delivered, figures.sent - figures.pending)


def _of(figures: Figures, part: int) -> Part:
    return Part(part, figures.delivered)
