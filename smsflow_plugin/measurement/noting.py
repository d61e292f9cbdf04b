"""The notes of decisions in words: which rule spoke, with its values and the texts that it counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from smsflow_plugin.governance.policy import WINDOWS
from smsflow_plugin.measurement.reasons import WHY, moment, why

Note = Mapping[str, Any]

_WEEK = timedelta(days=7)

#: "2 of 2 texts …": what stands for the window.
SPANS: Mapping[str, str | Promise] = {
    "hour": gettext_lazy("in one hour"),
    "day": gettext_lazy("in 24 hours"),
    "week": gettext_lazy("in 7 days"),
    "month": gettext_lazy("in 30 days"),
}

STAGES: Mapping[str, str | Promise] = {
    "welcome": gettext_lazy("welcome"),
    "cart": gettext_lazy("carts"),
    "browse": gettext_lazy("what was looked at"),
    "order": gettext_lazy("orders"),
    "after": gettext_lazy("after an order"),
    "retention": gettext_lazy("staying a customer"),
    "win_back": gettext_lazy("winning back"),
    "news": gettext_lazy("news"),
}


@dataclass(frozen=True, slots=True)
class Counted:
    """A text that may have counted towards a cap."""

    at: datetime
    flow_id: int | None
    flow: str
    priority: str
    stage: str
    #: The run, step and visit that it is from.
    key: tuple[Any, str, int]


@dataclass(frozen=True, slots=True)
class Known:
    """What it takes to tell the notes of one person's decisions."""

    zone: str
    #: The texts of the person, oldest first.
    texts: Sequence[Counted] = ()
    #: The names of the flows that notes name.
    flows: Mapping[int, str] = field(default_factory=dict)

    def flow(self, pk: Any) -> str:
        return self.flows.get(pk, _("a flow that is gone"))


def lines(decision: Mapping[str, Any], known: Known) -> list[str]:
    """Return a sentence for everything that the notes of a decision (its columns, as a mapping) say."""
    said = [_line(note, decision, known) for note in decision["notes"] or ()]
    return [line for line in said if line]


def _line(note: Note, decision: Mapping[str, Any], known: Known) -> str:
    rule = note.get("rule")
    tell = _RULES.get(str(rule)) if rule else None
    if tell is not None:
        sentence = tell(note, decision, known)
    elif rule and rule in WHY:
        sentence = _capital(_("%(reason)s.") % {"reason": why(str(rule), known.zone)})
    else:
        sentence = _other(note, decision, known)
    until = _moment(note.get("until"))
    if until is None or rule == decision["reason"] == "recent_buyer":
        return sentence
    seen = moment(until, known.zone, seen_from=decision["at"])
    return " ".join([sentence, _("No longer from %(moment)s on.") % {"moment": seen}])


def _other(note: Note, decision: Mapping[str, Any], known: Known) -> str:
    match note:
        case {"path": path}:
            return _("Missing: %(path)s.") % {"path": path}
        case {"error": error}:
            return str(error)
        case {"copy": "fallback"}:
            return _("The text for missing values was used.")
        case {"dropped": True}:
            return _("It was dropped instead of waiting, as the step or the rules want it.")
        case {"used": used, "limit": limit}:
            return _used(used, limit, note, decision, known)
        case {"planned": int(planned)}:
            return ngettext(
                "%(count)d text that other flows plan was looked at.",
                "%(count)d texts that other flows plan were looked at.",
                planned,
            ) % {"count": planned}
        case {"rule": ("one text" | "48 hours") as part}:
            return str(_CART[part])
    return _("%(values)s.") % {"values": ", ".join(f"{name}: {value}" for name, value in note.items())}


_CART = {
    "one text": gettext_lazy("A reminder of this cart has gone already."),
    "48 hours": gettext_lazy("The cart was left more than 48 hours before."),
}


def _cap(note: Note, decision: Mapping[str, Any], known: Known) -> str:
    texts = _counted(note, decision, known)
    limit = note.get("limit", 0)
    return _used(len(texts) or limit, limit, note, decision, known, texts)


def _used(
    used: Any, limit: Any, note: Note, decision: Mapping[str, Any], known: Known, texts: Sequence[Counted] | None = None
) -> str:
    """Say how many of how many texts had gone, and which: "2 of 2 texts in 24 hours: 09:12 Welcome, …"."""
    if texts is None:
        texts = _counted(note, decision, known)
    named = ", ".join(f"{moment(t.at, known.zone, seen_from=decision['at'])} “{t.flow}”" for t in texts)
    values = {"used": used, "limit": limit, "span": SPANS.get(str(note.get("per")), ""), "of": _of(note, known)}
    sentence = (
        _("%(used)s of %(limit)s texts %(span)s%(of)s") % values
        if values["span"]
        else _("%(used)s of %(limit)s texts%(of)s") % values
    )
    return f"{sentence}: {named}." if named and used else f"{sentence}."


def _of(note: Note, known: Known) -> str:
    """Say which texts a narrower cap counts, in brackets."""
    of = note.get("of")
    match note.get("scope"):
        case "flow":
            name = known.flow(int(of)) if str(of).isdecimal() else of
            return _(" (those of “%(flow)s”)") % {"flow": name}
        case "stage":
            return _(" (those about %(stage)s)") % {"stage": STAGES.get(str(of), of)}
        case "priority":
            return _(" (those of the class %(priority)s)") % {"priority": of}
    return ""


def _counted(note: Note, decision: Mapping[str, Any], known: Known) -> list[Counted]:
    """Return the texts that stood in the window of a cap when it was looked at."""
    at = decision["at"]
    hours = note.get("hours")
    length = timedelta(hours=hours) if hours else WINDOWS.get(str(note.get("per")), _WEEK)
    own = (decision["enrollment_id"], decision["step"], decision["visit"])
    found = [text for text in known.texts if at - length < text.at <= at and text.key != own]
    scope, of = note.get("scope"), str(note.get("of"))
    if scope in _SCOPES:
        found = [text for text in found if str(getattr(text, _SCOPES[scope])) == of]
    return found


_SCOPES = {"flow": "flow_id", "stage": "stage", "priority": "priority"}


def _law(note: Note, decision: Mapping[str, Any], known: Known) -> str:
    hours = note.get("hours", 24)
    return " ".join(
        [
            _("The law of the person's place allows %(limit)s texts in %(hours)d hours.")
            % {"limit": note.get("limit"), "hours": hours},
            _cap(note, decision, known),
        ]
    )


def _look_ahead(note: Note, decision: Mapping[str, Any], known: Known) -> str:
    at = _moment(note.get("at"))
    when = moment(at, known.zone, seen_from=decision["at"]) if at else "–"
    words = {"flow": known.flow(note.get("flow")), "moment": when}
    return _("“%(flow)s” is more important and plans a text at %(moment)s.") % words


def _recent_buyer(note: Note, decision: Mapping[str, Any], known: Known) -> str:
    until = _moment(note.get("until"))
    if until is None:
        return _capital(_("%(reason)s.") % {"reason": why("recent_buyer", known.zone)})
    seen = moment(until, known.zone, seen_from=decision["at"])
    return _("After the last order promotions were left out until %(moment)s.") % {"moment": seen}


def _in_other_flow(note: Note, decision: Mapping[str, Any], known: Known) -> str:
    return _("The person is in “%(flow)s”.") % {"flow": known.flow(note.get("flow"))}


def _preference(note: Note, decision: Mapping[str, Any], known: Known) -> str:
    stage = note.get("stage")
    return _("The person does not want texts about %(stage)s.") % {"stage": STAGES.get(str(stage), stage)}


def _country(note: Note, decision: Mapping[str, Any], known: Known) -> str:
    return _("Country: %(country)s.") % {"country": note.get("country")}


def _suppressed(note: Note, decision: Mapping[str, Any], known: Known) -> str:
    return _("On the list: %(listed)s.") % {"listed": note.get("listed")}


def _cart(note: Note, decision: Mapping[str, Any], known: Known) -> str:
    part = note.get("which") or note.get("broken")
    return str(_CART.get(str(part), _capital(_("%(reason)s.") % {"reason": why("cart_rule", known.zone)})))


_RULES: Mapping[str, Callable[[Note, Mapping[str, Any], Known], str]] = {
    "cap_hour": _cap,
    "cap_day": _cap,
    "cap_week": _cap,
    "cap_month": _cap,
    "preference_week": _cap,
    "cap_law": _law,
    "look_ahead": _look_ahead,
    "recent_buyer": _recent_buyer,
    "in_other_flow": _in_other_flow,
    "preference": _preference,
    "country": _country,
    "suppressed": _suppressed,
    "cart_rule": _cart,
}


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def flows_in(notes: Sequence[Note]) -> set[int]:
    """Return the ids of the flows that notes name."""
    found = {note.get("flow") for note in notes}
    found |= {int(note["of"]) for note in notes if note.get("scope") == "flow" and str(note.get("of")).isdecimal()}
    return {pk for pk in found if isinstance(pk, int)}
