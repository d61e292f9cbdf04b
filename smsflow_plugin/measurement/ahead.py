"""What will happen to a person next, in words: ``engine.forecast`` for people. As things stand now, and no promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin import clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.engine.forecast import STILL, End, NextText, Prospect, Stands, forecast
from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.governance.rules import Decision
from smsflow_plugin.measurement.reasons import left_sentence, moment, remarks, why

_STANDS: Mapping[Stands, str | Promise] = {
    Stands.NOW: gettext_lazy("Goes on now."),
    Stands.TIME: gettext_lazy("Waits until %(moment)s."),
    Stands.DATE: gettext_lazy("Waits for a date: until %(moment)s."),
    Stands.ANSWER: gettext_lazy("Waits for an answer until %(moment)s."),
    Stands.EVENT: gettext_lazy("Waits until %(moment)s for this: %(events)s."),
    Stands.TEXT: gettext_lazy("A text was put off until %(moment)s."),
    Stands.OUTSIDE: gettext_lazy("Waits for what another system answers."),
    Stands.STAFF: gettext_lazy("Was handed over, and goes on when staff lets it."),
    Stands.WITH_STAFF: gettext_lazy("Stands still, as staff has taken the person over."),
    Stands.PAUSED: gettext_lazy("Stands still, as the flow is paused."),
    Stands.FLOW_OFF: gettext_lazy("The flow is not published: the person leaves it without another text."),
    Stands.UNREADABLE: gettext_lazy("This software cannot read the flow; it is looked at again every hour."),
}
_EVENT_ANSWER = "message_received"


@dataclass(frozen=True, slots=True)
class Coming:
    """A text to come, in words. ``about``: everything that there is to say beside when and what."""

    at: datetime
    title: str
    body: str
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ahead:
    """What lies ahead in one flow. ``at`` is when the next text would go, None if none is seen."""

    flow_id: int
    flow: str
    entered_at: datetime
    stands: str
    still: bool
    texts: tuple[Coming, ...] = ()
    about: tuple[str, ...] = ()
    stops: str = ""

    @property
    def at(self) -> datetime | None:
        return self.texts[0].at if self.texts else None


def ahead(contact: Contact, zone: str) -> list[Ahead]:
    """Return what lies ahead of ``contact``, the next text first. Times are told in ``zone``.

    A fixed number of queries, whatever flows the person is in.
    """
    now = clock.now()
    prospects = forecast(contact, now)
    names = dict(Flow.objects.filter(pk__in={one.flow_id for one in prospects}).values_list("pk", "name"))
    return [_tell(prospect, names, zone, now) for prospect in prospects]


def _tell(prospect: Prospect, names: Mapping[int, str], zone: str, now: datetime) -> Ahead:
    return Ahead(
        prospect.flow_id,
        names.get(prospect.flow_id, "–"),
        prospect.entered_at,
        _standing(prospect, zone, now),
        prospect.stands in STILL,
        tuple(_coming(text, zone, now) for text in prospect.texts),
        tuple(_no_text(prospect, names, zone, now)),
        _stops(prospect),
    )


def _standing(prospect: Prospect, zone: str, now: datetime) -> str:
    until = moment(prospect.until, zone, seen_from=now) if prospect.until else "–"
    if prospect.stands is Stands.EVENT and prospect.until is None:
        return _("Waits for this: %(events)s.") % {"events": _events(prospect.kinds)}
    if prospect.stands in (Stands.TIME, Stands.DATE, Stands.ANSWER, Stands.TEXT) and prospect.until is None:
        return _("Waits.")
    return str(_STANDS[prospect.stands]) % {"moment": until, "events": _events(prospect.kinds)}


def _coming(text: NextText, zone: str, now: datetime) -> Coming:
    about = [_held(text, zone, now)] if text.held else []
    answers = _EVENT_ANSWER in text.unless
    events = [kind for kind in text.unless if kind != _EVENT_ANSWER]
    if answers:
        about.append(_("Only if no answer comes before; another way may follow an answer."))
    if events:
        about.append(_("Another way may follow if this happens before: %(events)s.") % {"events": _events(events)})
    if text.assumed:
        about.append(_("Where “…” stands, another system has yet to answer."))
    when = moment(text.at, zone, seen_from=now)
    return Coming(text.at, _("%(moment)s at the earliest") % {"moment": when}, text.body, tuple(about))


def _held(text: NextText, zone: str, now: datetime) -> str:
    at, decision = text.held[0]
    last = text.held[-1][1]
    words = {"moment": moment(at, zone, seen_from=now), "reason": why(last.reason.value, zone)}
    said = (
        _("It has been due since %(moment)s and waits: %(reason)s.")
        if at <= now
        else _("It is due at %(moment)s, but then it waits: %(reason)s.")
    )
    return " ".join(part for part in (said % words, remarks(_row(decision, at), zone)) if part)


def _no_text(prospect: Prospect, names: Mapping[int, str], zone: str, now: datetime) -> list[str]:
    """Say which texts would not go, and how the run would end if no more are seen."""
    found = [
        _("A text at %(moment)s would not be sent: %(reason)s.")
        % {"moment": moment(at, zone, seen_from=now), "reason": why(decision.reason.value, zone)}
        for at, decision in prospect.refused[:3]
    ]
    if prospect.texts or prospect.stands in STILL:
        return found
    match prospect.end:
        case End.FINISHED:
            found.append(_("Then the flow is at its end, without another text."))
        case End.LEFT:
            because = left_sentence("", prospect.reason)
            found.append(_("Then the person leaves the flow without another text. %(why)s") % {"why": because})
        case End.HANDED_OVER:
            found.append(_handed(prospect, names, zone, now))
        case _:
            found.append(_("Which text comes next cannot be said."))
    return found


def _handed(prospect: Prospect, names: Mapping[int, str], zone: str, now: datetime) -> str:
    if prospect.handed_by == prospect.flow_id:
        return _("Then it hands the person over to staff, and waits.")
    at = moment(prospect.handed_at, zone, seen_from=now) if prospect.handed_at else "–"
    words = {"flow": names.get(prospect.handed_by, "–"), "moment": at}
    return (
        _("Before that, at %(moment)s, “%(flow)s” hands the person over to staff; then this flow stands still.") % words
    )


def _stops(prospect: Prospect) -> str:
    """Say what could still stop the texts of a run."""
    if not prospect.texts:
        return ""
    exits = [kind for kind in prospect.exits if kind != "opted_out"]
    parts = [_events(exits)] if exits else []
    parts.append(_("an opt-out"))
    if prospect.marketing:
        parts.append(_("what the rules for marketing say by then (limits, quiet hours, other flows, the budget)"))
    return _("What could still stop it or put it off: %(reasons)s.") % {"reasons": "; ".join(parts)}


def _events(kinds: Any) -> str:
    return ", ".join(str(KINDS[kind].label) if kind in KINDS else kind for kind in kinds)


def _row(decision: Decision, at: datetime) -> dict[str, Any]:
    return {"reason": decision.reason.value, "notes": list(decision.notes), "at": at}
