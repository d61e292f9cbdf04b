"""A walk through a flow in words: one line for each moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.chart import TITLES
from smsflow_plugin.measurement.reasons import decision_sentence, left_sentence, moment, remarks
from smsflow_plugin.simulation.walk import Moment, Walk

_WAYS = {
    "yes": gettext_lazy("The rules hold: goes the way for yes."),
    "no": gettext_lazy("The rules do not hold: goes the way for no."),
    "silence": gettext_lazy("No answer came in time."),
    "happened": gettext_lazy("It has happened."),
    "timed_out": gettext_lazy("It did not happen in time."),
}

_EFFECTS = {
    "discount": gettext_lazy("A discount code is made: %(what)s."),
    "webhook": gettext_lazy("Another system is called: %(what)s."),
    "email": gettext_lazy("An e-mail goes out: %(what)s."),
    "notify": gettext_lazy("The staff gets an e-mail: %(what)s."),
}

_LEFT = {
    "opted_out": gettext_lazy("Nothing more is sent to this person."),
    "too_long": gettext_lazy("The walk was given up: it takes too many turns."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One moment. ``side``: "out" is a text of the store, "in" one of the person, "note" all else.

    ``remark`` says what the rules said to a text; ``step`` leads to the block of the form.
    """

    moment: Moment
    side: str
    text: str
    remark: str = ""
    tone: str = ""

    @property
    def step(self) -> str:
        return self.moment.step


def lines(walk: Walk, flows: Mapping[str, str]) -> list[Line]:
    """Return what happened; ``flows`` are the names of the store's flows by their ids, as text."""
    return [line for one in walk.moments if (line := _line(one, walk.zone, flows)) is not None]


def _line(one: Moment, zone: str, flows: Mapping[str, str]) -> Line | None:
    if one.kind in ("text", "deferred", "skipped", "refused"):
        return _decided(one, zone)
    if one.kind == "reply":
        return Line(one, "in", one.text)
    sentence = _sentence(one, zone, flows)
    tone = {"left": "end", "finished": "end", "not_heard": "bad", "handed_over": "bad"}.get(one.kind, "")
    return Line(one, "note", sentence, tone=tone if one.works else "bad") if sentence else None


def _decided(one: Moment, zone: str) -> Line:
    if one.decision is None:
        return Line(one, "note", _("Would not enter: this person does not match “Who may enter”."), tone="bad")
    row: dict[str, Any] = {
        "verdict": one.decision.verdict.value,
        "reason": one.decision.reason.value,
        "until": one.decision.until,
        "notes": list(one.decision.notes),
        "at": one.at,
        "enrollment_id": 0,
        "flow_id": 0,
    }
    said, more = decision_sentence(row, zone), remarks(row, zone)
    if one.kind == "text":
        more = " ".join(filter(None, [one.name and _("Chance decides: %(what)s.") % {"what": one.name}, more]))
        return Line(one, "out", one.text, " ".join(part for part in (said, more) if part), "good")
    return Line(one, "note", said, more, "waiting" if one.kind == "deferred" else "bad")


def _sentence(one: Moment, zone: str, flows: Mapping[str, str]) -> str:
    match one.kind:
        case "entered":
            return _("Enters: %(event)s.") % {"event": _kind(one.name)}
        case "waiting":
            until = moment(one.until, zone, seen_from=one.at) if one.until else "…"
            words = {"what": TITLES.get(one.name, one.name), "until": until}
            return _("%(what)s, until %(until)s.") % words
        case "heard":
            return _("Understood: %(answer)s.") % {"answer": one.text}
        case "not_heard":
            return _("This answer was not understood.")
        case "way":
            return _way(one)
        case "tag":
            return (_("Tag added: %(tag)s.") if one.works else _("Tag removed: %(tag)s.")) % {"tag": one.text}
        case "field":
            return _("Field %(name)s is now “%(value)s”.") % {"name": one.name, "value": one.text}
        case "agreed":
            return _("Recorded: agreed to marketing texts.")
        case "asked":
            return str(_EFFECTS.get(one.name, "%(what)s")) % {"what": one.text or "…"}
        case "answered":
            return _("It worked.") if one.works else _("It failed.")
        case "event":
            return _("Happened: %(event)s.") % {"event": _kind(one.name)}
        case "handed_over":
            return _("Handed over to staff: %(note)s") % {"note": one.text or "…"}
        case "resumed":
            return _("Staff lets the flow go on.")
        case "restarted":
            return _("The run starts afresh.")
        case "entering":
            return _("Goes to the flow “%(flow)s”.") % {"flow": flows.get(one.text, "…")}
        case "goal":
            return _("Goal reached: %(goal)s.") % {"goal": one.text or "…"}
        case "left":
            return str(_LEFT.get(one.text) or _("Leaves the flow. %(why)s") % {"why": left_sentence("", one.text)})
        case "finished":
            return _("The flow is at its end.")
    return ""


def _way(one: Moment) -> str:
    if one.name == "arm":
        return _("Chance decides: %(what)s.") % {"what": one.text}
    if one.name == "split":
        return _("Chance decides: way %(number)s.") % {"number": one.text}
    return str(_WAYS.get(one.name, ""))


def _kind(kind: str) -> str:
    return str(KINDS[kind].label) if kind in KINDS else kind
