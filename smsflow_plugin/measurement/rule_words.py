"""The rules of governance in words: what each is called, and what it said about one text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from smsflow_plugin.flows.models import Flow
from smsflow_plugin.governance.decide import Finding
from smsflow_plugin.governance.policy import WINDOWS, Cap
from smsflow_plugin.governance.rules import Decision, Reason, Verdict
from smsflow_plugin.measurement.reasons import moment, why
from smsflow_plugin.measurement.setting_words import Names, cap_words, flow_name

#: What a rule is called, by the name that it has in ``governance.ruling``.
RULES: Mapping[str, str | Promise] = {
    "store": gettext_lazy("The store is active"),
    "panic": gettext_lazy("Panic switch"),
    "number": gettext_lazy("Phone number"),
    "consent": gettext_lazy("Consent"),
    "suppression": gettext_lazy("Suppression list"),
    "unclear_reply": gettext_lazy("Unclear reply"),
    "handed_over": gettext_lazy("Handed over to staff"),
    "useful": gettext_lazy("Still of use"),
    "country": gettext_lazy("Country"),
    "preference": gettext_lazy("What the person wants"),
    "open_case": gettext_lazy("Open support case"),
    "recent_buyer": gettext_lazy("Bought recently"),
    "in_other_flow": gettext_lazy("In another flow"),
    "cart": gettext_lazy("Cart reminders"),
    "quiet_hours": gettext_lazy("Quiet hours"),
    "caps": gettext_lazy("Caps"),
    "preference_week": gettext_lazy("As many as the person wants"),
    "law_cap": gettext_lazy("Cap of the law"),
    "gap": gettext_lazy("Gap between two texts"),
    "look_ahead": gettext_lazy("Room for more important texts"),
    "budget": gettext_lazy("Budget"),
    "price": gettext_lazy("Price of a text"),
    "incentive": gettext_lazy("Discounts"),
    "holdout": gettext_lazy("Holdout"),
}

#: Where a place was taken from.
SOURCES: Mapping[str, str | Promise] = {
    "address": gettext_lazy("the person's address"),
    "captured": gettext_lazy("what their browser said"),
    "area_code": gettext_lazy("the number's area code"),
    "split_state": gettext_lazy("a state with two time zones"),
    "number": gettext_lazy("the number's country"),
    "country": gettext_lazy("the person's country"),
    "store": gettext_lazy("nothing is known: the store's own"),
}


def rule_name(name: str) -> str:
    """Return what a rule is called; one that is not known stands for itself."""
    return str(RULES.get(name, name))


def source_words(source: str) -> str:
    """Return where a place was taken from; what is not known stands for itself."""
    return str(SOURCES.get(source, source))


def finding_sentence(finding: Finding, zone: str, seen_from: datetime, flows: Names | None = None) -> str:
    """Say what one rule says about a text, with the values that it saw, in the recipient's time."""
    if not finding.asked:
        return _("Does not speak about texts of this kind.")
    if finding.reason is None:
        return _("Does not object.")
    told = _TELL.get(finding.reason)
    sentence = told(finding.values, zone, seen_from, flows or {}) if told else ""
    sentence = sentence or _("%(reason)s.") % {"reason": capfirst(why(finding.reason, zone))}
    if finding.until is None or finding.reason == Reason.PANIC:
        # while all texts are stopped, the moment is only that of the next look
        return sentence
    until = _("Free again at %(moment)s.") % {"moment": moment(finding.until, zone, seen_from=seen_from)}
    return f"{sentence} {until}"


def verdict_sentence(decision: Decision, zone: str, seen_from: datetime) -> str:
    """Say what governance decides, and when the text would go."""
    reason = why(decision.reason, zone)
    if decision.verdict is Verdict.ALLOW:
        return _("It may go at once: %(reason)s.") % {"reason": reason}
    if decision.verdict is Verdict.DEFER and decision.reason == Reason.PANIC:
        return _("It waits until texts are let go again: %(reason)s.") % {"reason": reason}
    if decision.verdict is Verdict.DEFER and decision.until:
        return _("It waits until %(moment)s: %(reason)s.") % {
            "moment": moment(decision.until, zone, seen_from=seen_from),
            "reason": reason,
        }
    if any(note.get("dropped") for note in decision.notes):
        return _("It is dropped, as it may not wait: %(reason)s.") % {"reason": reason}
    return _("It is not sent: %(reason)s.") % {"reason": reason}


# What the rules saw -------------------------------------------------------------------------------

Values = Mapping[str, Any]


def _cap(values: Values, zone: str, now: datetime, flows: Names) -> str:
    if values.get("per") not in WINDOWS:
        return ""
    cap = Cap(int(values["limit"]), values["per"], values.get("scope", "all"), str(values.get("of", "")))
    return _("Full: %(cap)s.") % {"cap": cap_words(cap, flows)}


def _cap_of_law(values: Values, zone: str, now: datetime, flows: Names) -> str:
    count = int(values["limit"])
    sentence = ngettext(
        "The law allows %(count)d text in %(hours)d hours.", "The law allows %(count)d texts in %(hours)d hours.", count
    )
    return sentence % {"count": count, "hours": round(values["hours"])}


def _preference_week(values: Values, zone: str, now: datetime, flows: Names) -> str:
    count = int(values["limit"])
    sentence = ngettext("The person wants %(count)d text a week.", "The person wants %(count)d texts a week.", count)
    return sentence % {"count": count}


def _look_ahead(values: Values, zone: str, now: datetime, flows: Names) -> str:
    at = datetime.fromisoformat(values["at"])
    return _("The flow %(flow)s, which is more important, wants to text at %(moment)s.") % {
        "flow": flow_name(int(values["flow"]), flows),
        "moment": moment(at, zone, seen_from=now),
    }


def _in_other_flow(values: Values, zone: str, now: datetime, flows: Names) -> str:
    return _("The person is in the flow %(flow)s.") % {"flow": flow_name(int(values["flow"]), flows)}


def _recent_buyer(values: Values, zone: str, now: datetime, flows: Names) -> str:
    until = datetime.fromisoformat(values["until"])
    return _("The person bought something: no promotions until %(moment)s.") % {
        "moment": moment(until, zone, seen_from=now)
    }


def _country(values: Values, zone: str, now: datetime, flows: Names) -> str:
    return _("The person may be in %(country)s, which gets no marketing.") % {"country": values["country"]}


def _preference(values: Values, zone: str, now: datetime, flows: Names) -> str:
    labels: dict[str, Any] = dict(Flow.Stage.choices)
    return _("The person wants no texts of the stage “%(stage)s”.") % {
        "stage": labels.get(values["stage"], values["stage"])
    }


def _suppressed(values: Values, zone: str, now: datetime, flows: Names) -> str:
    return _("The number is on the suppression list: %(listed)s.") % {"listed": values["listed"]}


def _cart(values: Values, zone: str, now: datetime, flows: Names) -> str:
    if values.get("rule") == "48 hours":
        return _("The cart was left 48 hours ago or longer: no reminder goes after that.")
    return _("One reminder has gone out for this cart: a second one may not.")


_TELL: Mapping[str, Callable[[Values, str, datetime, Names], str]] = {
    Reason.CAP_HOUR: _cap,
    Reason.CAP_DAY: _cap,
    Reason.CAP_WEEK: _cap,
    Reason.CAP_MONTH: _cap,
    Reason.CAP_LAW: _cap_of_law,
    Reason.PREFERENCE_WEEK: _preference_week,
    Reason.LOOK_AHEAD: _look_ahead,
    Reason.IN_OTHER_FLOW: _in_other_flow,
    Reason.RECENT_BUYER: _recent_buyer,
    Reason.COUNTRY: _country,
    Reason.PREFERENCE: _preference,
    Reason.SUPPRESSED: _suppressed,
    Reason.CART_RULE: _cart,
}
