"""The weekly report in words: lines of figures, sentences about flows, and what to look at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.governance.trip_words import sentence
from smsflow_plugin.measurement import baseline_words
from smsflow_plugin.measurement.baseline_words import money, note, value
from smsflow_plugin.measurement.baselines import Change, Comparison, Figure
from smsflow_plugin.measurement.figure_words import NONE, count, percent, signed
from smsflow_plugin.measurement.figures import ZERO
from smsflow_plugin.measurement.rates import Part
from smsflow_plugin.measurement.usage import price_words
from smsflow_plugin.measurement.weekly.readers import BREAKERS, CALLS, DELIVERIES, REPLIES, RULES, Reader
from smsflow_plugin.measurement.weekly.reading import FlowWeek, Week

#: Flows with a line of their own.
TOP = 5


@dataclass(frozen=True, slots=True)
class Line:
    """A figure of the week and of the one before; ``note`` says whether the difference can be chance."""

    label: str
    now: str
    before: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """Something to look at, or that has changed."""

    words: str
    url: str = ""


def lines(week: Week) -> list[Line]:
    """Return the figures of the store."""
    now, before, beside, currency = week.now, week.before, week.beside, week.store.currency
    clicks, opt_outs, per_text = beside[Figure.CLICKS], beside[Figure.OPT_OUTS], beside[Figure.REVENUE]
    return [
        Line(_("Texts sent"), count(now.sent), count(before.sent)),
        Line(_("Revenue of credited orders of the week"), money(now.earned, currency), money(before.earned, currency)),
        Line(_("Credited orders of the week"), count(now.ordered), count(before.ordered)),
        Line(
            _("Revenue for each text"),
            money(per_text.now, currency),
            money(per_text.before, currency),
            note(per_text, currency),
        ),
        Line(_("Clicked"), percent(clicks.now), percent(clicks.before), note(clicks)),
        Line(_("Opted out"), percent(opt_outs.now), percent(opt_outs.before), note(opt_outs)),
        Line(_("List growth"), signed(week.people.growth), signed(week.people_before.growth)),
        Line(_("Spend"), money(now.spend, currency), money(before.spend, currency)),
    ]


def flow_lines(week: Week) -> list[tuple[str, str, str, str, str]]:
    """Return name, texts, clicked, opted out and revenue of the flows that earned most, and of all else in one line.

    Of so few texts that a rate says nothing none is named, as on the pages with figures.
    """
    currency, top = week.store.currency, week.flows[:TOP]
    found = [
        (
            flow.name,
            count(flow.sums.sent),
            percent(Part(flow.sums.clicked, flow.sums.delivered).rate),
            percent(Part(flow.sums.opted_out, flow.sums.delivered).rate),
            money(flow.sums.earned, currency),
        )
        for flow in top
    ]
    sent = week.now.sent - sum(flow.sums.sent for flow in top)
    earned = week.now.earned - sum((flow.sums.earned for flow in top), ZERO)
    if top and (sent or earned):
        found.append((_("Everything else"), count(sent), NONE, NONE, money(earned, currency)))
    return found


_CHANGED = {
    (Figure.CLICKS, Change.BETTER): gettext_lazy(
        "“%(flow)s” is clicked more than it used to be: %(now)s, not %(before)s."
    ),
    (Figure.CLICKS, Change.WORSE): gettext_lazy(
        "“%(flow)s” is clicked less than it used to be: %(now)s, not %(before)s."
    ),
    (Figure.CONVERSION, Change.BETTER): gettext_lazy(
        "“%(flow)s” brings more orders for each text than it used to: %(now)s, not %(before)s."
    ),
    (Figure.CONVERSION, Change.WORSE): gettext_lazy(
        "“%(flow)s” brings fewer orders for each text than it used to: %(now)s, not %(before)s."
    ),
    (Figure.OPT_OUTS, Change.BETTER): gettext_lazy(
        "Fewer people opt out because of “%(flow)s” than used to: %(now)s, not %(before)s."
    ),
    (Figure.REVENUE, Change.BETTER): gettext_lazy(
        "“%(flow)s” earns more for each text than it used to: %(now)s, not %(before)s."
    ),
    (Figure.REVENUE, Change.WORSE): gettext_lazy(
        "“%(flow)s” earns less for each text than it used to: %(now)s, not %(before)s."
    ),
}
_WORSE = {
    Figure.OPT_OUTS: gettext_lazy("More people opt out because of “%(flow)s” than used to: %(now)s, not %(before)s."),
    Figure.DELIVERY: gettext_lazy("Fewer texts of “%(flow)s” arrive than used to: %(now)s, not %(before)s."),
}


def changed(week: Week) -> list[Item]:
    """Return what flows do otherwise than in the four weeks before, as far as that is hardly chance.

    More opt-outs and failures are not among it: they are something to look at.
    """
    found = []
    for flow in week.flows:
        for figure, of in flow.beside.items():
            if words := _CHANGED.get((figure, of.change)):
                found.append(_about(words, flow, of, week.store.currency))
    return found


def to_look_at(week: Week, reader: Reader) -> list[Item]:
    """Return what waits for somebody, the worst first: only what the reader may see."""
    return [*_trips(week, reader), *_worse(week), *_missed(week), *_waiting(week, reader), *_silent(week)]


def _trips(week: Week, reader: Reader) -> Iterator[Item]:
    for trip in week.trips if BREAKERS in reader.sees else ():
        words = _("%(what)s is stopped. %(why)s") % {"what": trip.flow or week.store, "why": sentence(trip)}
        yield Item(words, address("smsflow_breakers:inspect", trip.pk))


def _worse(week: Week) -> Iterator[Item]:
    for flow in week.flows:
        for figure, words in _WORSE.items():
            if flow.beside[figure].change is Change.WORSE:
                yield _about(words, flow, flow.beside[figure], week.store.currency)


def _missed(week: Week) -> Iterator[Item]:
    for pk, name, held in week.missed:
        words = baseline_words.missed(name, held, week.store.currency)
        yield Item(words, address("smsflow_figures:flow", pk))


def _silent(week: Week) -> Iterator[Item]:
    for pk, name in week.silent:
        words = _("“%(flow)s” is live and sent nothing, unlike in the week before.") % {"flow": name}
        yield Item(words, address("smsflow_figures:flow", pk))


def _waiting(week: Week, reader: Reader) -> Iterator[Item]:
    if week.calls and CALLS in reader.sees:
        words = ngettext(
            "%(count)d call to the gateway has no answer: say what became of it.",
            "%(count)d calls to the gateway have no answer: say what became of them.",
            week.calls,
        )
        yield Item(words % {"count": week.calls}, _listing("smsflow_parked_calls", week))
    if week.deliveries and DELIVERIES in reader.sees:
        words = ngettext(
            "%(count)d delivery was not understood.", "%(count)d deliveries were not understood.", week.deliveries
        )
        yield Item(words % {"count": week.deliveries}, _listing("smsflow_deliveries", week, "&state=parked"))
    if week.replies and REPLIES in reader.sees:
        words = ngettext("%(count)d unclear reply waits.", "%(count)d unclear replies wait.", week.replies)
        yield Item(words % {"count": week.replies}, _listing("smsflow_replies", week, "&state=open"))
    if week.lacks_price and RULES in reader.sees:
        yield Item(price_words(week.store))


def _about(words: Any, flow: FlowWeek, of: Comparison, currency: str) -> Item:
    now, before = (value(of.figure, amount, currency) for amount in (of.now, of.before))
    told = words % {"flow": flow.name, "now": now, "before": before}
    return Item(f"{told} {note(of, currency)}", address("smsflow_figures:flow", flow.pk))


def address(name: str, *args: Any, fragment: str = "") -> str:
    """Return where a page of the admin is; empty where a site is without the screens."""
    with suppress(NoReverseMatch):
        return smsflow_settings.PUBLIC_URL.rstrip("/") + reverse(name, args=args) + fragment
    return ""


def _listing(name: str, week: Week, query: str = "") -> str:
    found = address(f"{name}:index")
    return f"{found}?store={week.store.pk}{query}" if found else ""
