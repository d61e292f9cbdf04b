"""Decisions, states and exits in words: the answer to "why was or wasn't this person texted?"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.formats import date_format, time_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.events.reports import Cause
from smsflow_plugin.governance.rules import Reason, Verdict
from smsflow_plugin.measurement.discount_words import decision_on_discount
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.messaging.settling import Trouble

#: What stands after the colon of "Put off until …:" and "Not sent:". ``%(zone)s`` is the recipient's time zone.
WHY: Mapping[str, str | Promise] = {
    Reason.ALLOWED: gettext_lazy("no rule objects"),
    Reason.NO_PHONE: gettext_lazy("no phone number is known"),
    Reason.NO_CONSENT: gettext_lazy("the person has not agreed to marketing texts"),
    Reason.OPTED_OUT: gettext_lazy("the person has opted out"),
    Reason.QUIET_HOURS: gettext_lazy("quiet hours in %(zone)s"),
    Reason.CAP_HOUR: gettext_lazy("the limit for one hour is reached"),
    Reason.CAP_DAY: gettext_lazy("the limit for 24 hours is reached"),
    Reason.CAP_WEEK: gettext_lazy("the limit for 7 days is reached"),
    Reason.CAP_MONTH: gettext_lazy("the limit for 30 days is reached"),
    Reason.CAP_LAW: gettext_lazy("as many texts as the law of the person's place allows have gone"),
    Reason.MINIMUM_GAP: gettext_lazy("too soon after the text before"),
    Reason.STALE: gettext_lazy("it would have come too late to be of use"),
    Reason.AUDIENCE: gettext_lazy("the person does not match the flow's audience"),
    Reason.MISSING_DATA: gettext_lazy("a value that the text needs is missing"),
    Reason.STORE_OFF: gettext_lazy("the store is not active"),
    Reason.FLOW_OFF: gettext_lazy("the flow was unpublished"),
    Reason.NEVER_OPEN: gettext_lazy("no hour suits the rules in every time zone where the person may be"),
    Reason.REENTRY: gettext_lazy("the person was in this flow too short a time ago"),
    Reason.TOO_LATE: gettext_lazy("the event was reported too late"),
    Reason.FLOW_PAUSED: gettext_lazy("the flow is paused"),
    Reason.FLOW_FULL: gettext_lazy("as many people as the flow takes have been in it"),
    Reason.HANDED_OVER: gettext_lazy("staff has taken the person over"),
    Reason.CHAIN: gettext_lazy("flows had started one another too many times in a row"),
    Reason.LOOK_AHEAD: gettext_lazy("a more important text is planned"),
    Reason.PANIC: gettext_lazy("somebody has stopped all texts"),
    Reason.SUPPRESSED: gettext_lazy("the number is on the suppression list"),
    Reason.UNCLEAR_REPLY: gettext_lazy(
        "the person wrote something that may mean STOP, and somebody has to read it first"
    ),
    Reason.PREFERENCE: gettext_lazy("the person does not want texts of this kind"),
    Reason.PREFERENCE_WEEK: gettext_lazy("the person does not want more texts in a week"),
    Reason.RECENT_BUYER: gettext_lazy("the person has ordered a short time ago"),
    Reason.OPEN_CASE: gettext_lazy("the person has an open support case"),
    Reason.IN_OTHER_FLOW: gettext_lazy("the person is in a flow during which promotions wait"),
    Reason.CONVERTED: gettext_lazy("the person has done already what the text asks for"),
    Reason.CART_RULE: gettext_lazy("a cart gets one reminder, and none later than 48 hours"),
    Reason.CART_OPT_IN: gettext_lazy("cart reminders need a confirmed opt-in where the person lives"),
    Reason.COUNTRY: gettext_lazy("people in this country get no marketing texts"),
    Reason.BUDGET: gettext_lazy("the budget is spent"),
    Reason.PRICE: gettext_lazy("the text would cost more than one text may"),
    Reason.INCENTIVE: gettext_lazy("the rules for discounts did not allow one"),
    Reason.SAME_RUN: gettext_lazy("the person was let in for the same occasion before"),
    Reason.HOLDOUT: gettext_lazy("the person is held out by chance, to see what texts do"),
    Reason.OUTRUN: gettext_lazy("something newer had happened: the cart was bought, or the parcel had arrived"),
}

#: What stands in ``Message.reason`` when it was not a rule that spoke but the gateway.
TROUBLE: Mapping[str, str | Promise] = {
    "left": gettext_lazy("the person was taken out of the flow before the text went"),
    "erased": gettext_lazy("the person was erased"),
    Trouble.REJECTED: gettext_lazy("the gateway refused this text"),
    Trouble.SPLIT: gettext_lazy("the gateway refused a call that this text was part of; it is tried alone"),
    Trouble.BLOCKED: gettext_lazy("the gateway takes nothing from this store; check its connection"),
    Trouble.RATE_LIMITED: gettext_lazy("the gateway asked for a pause"),
    Trouble.NOT_TAKEN: gettext_lazy("the call was cut off, and the gateway never got it"),
    Trouble.BAD_NUMBER: gettext_lazy("its number is none that can be texted"),
    Trouble.PARKED: gettext_lazy("the call was cut off, and a person has to say whether it was made"),
    Trouble.SAID_NOT_SENT: gettext_lazy("somebody has said that the call which was cut off was never made"),
    Trouble.TRY_AGAIN: gettext_lazy("it did not arrive for the moment, and is tried again"),
    Cause.INVALID: gettext_lazy("there is no such number"),
    Cause.LANDLINE: gettext_lazy("the number is that of a landline"),
    Cause.UNREACHABLE: gettext_lazy("the number could not be reached"),
    Cause.BLOCKED: gettext_lazy("the operator lets no such texts through to this number"),
    Cause.OPTED_OUT: gettext_lazy("the person has told the operator that they want no texts"),
    Cause.TEMPORARY: gettext_lazy("it could not be delivered, also not by another try"),
    Cause.ACCOUNT: gettext_lazy("the account at the gateway is blocked"),
    Cause.OURS: gettext_lazy("the network refused the text or its sender"),
    Trouble.UNREADABLE: gettext_lazy("something in it cannot be read; it is looked at again every hour"),
}

#: Why a run ended before its end, for the reasons that are not an event or the flow's own words.
_LEFT: Mapping[str, str | Promise] = {
    "exit": gettext_lazy("A step of the flow ends here."),
    "opted_out": gettext_lazy("The person has opted out."),
    "audience": gettext_lazy("The person no longer matches the flow's audience."),
    "went_on": gettext_lazy("A step of the flow led on to another flow."),
    "goal": gettext_lazy("The goal was reached."),
    "flow_off": gettext_lazy("The flow was unpublished."),
    "date_passed": gettext_lazy("The date that the flow waits for had passed."),
    "version_left": gettext_lazy("The flow was changed, and whoever stood at this step was let go."),
    "taken_out": gettext_lazy("Somebody took the person out of the flow."),
    "erased": gettext_lazy("The person was erased."),
    "merged": gettext_lazy("The person turned out to be another contact, which goes on alone."),
}


def why(reason: str, zone: str) -> str:
    """Return the reason in words, without a full stop. One that is not known stands for itself."""
    phrase = WHY.get(reason) or TROUBLE.get(reason)
    return reason if phrase is None else str(phrase) % {"zone": zone}


def decision_sentence(decision: Mapping[str, Any], zone: str) -> str:
    """Say what a decision (its columns, as a mapping) decided, and why, in the recipient's time."""
    if decision["reason"] == Reason.INCENTIVE:
        return decision_on_discount(decision)
    reason = why(decision["reason"], zone)
    if decision["verdict"] == Verdict.ALLOW:
        return _("Allowed: %(reason)s.") % {"reason": reason}
    if decision["verdict"] == Verdict.DEFER and decision["until"]:
        return _("Put off until %(moment)s: %(reason)s.") % {
            "moment": moment(decision["until"], zone, seen_from=decision["at"]),
            "reason": reason,
        }
    if decision["enrollment_id"] is None and decision["flow_id"] is not None:
        return _("Did not enter the flow: %(reason)s.") % {"reason": reason}
    return _("Not sent: %(reason)s.") % {"reason": reason}


def remarks(decision: Mapping[str, Any], zone: str) -> str:
    """Tell what the decision's notes say beyond its reason; empty if there is nothing."""
    sentences, objections = [], []
    notes: Iterable[Mapping[str, str]] = decision["notes"] or ()
    for note in notes:
        match note:
            case {"rule": str(rule), "until": str(until)} if rule != decision["reason"]:
                seen = moment(datetime.fromisoformat(until), zone, seen_from=decision["at"])
                objections.append(_("%(reason)s, until %(moment)s") % {"reason": why(rule, zone), "moment": seen})
            case {"path": str(path)}:
                sentences.append(_("Missing: %(path)s.") % {"path": path})
            case {"error": str(error)}:
                sentences.append(error)
            case {"copy": "fallback"}:
                sentences.append(_("The text for missing values was used."))
    if objections:
        sentences.append(_("Also: %(objections)s.") % {"objections": "; ".join(objections)})
    return " ".join(sentences)


def left_sentence(status: str, reason: str) -> str:
    """Say why a run ended; empty when it simply came to its end."""
    kind, _colon, name = reason.partition(":")
    if kind in ("event", "goal") and name:
        label = KINDS[name].label if name in KINDS else name
        return _("This happened: %(event)s.") % {"event": str(label)}
    return str(_LEFT.get(reason, reason))


def state_sentence(message: Mapping[str, Any], zone: str) -> str:
    """Say where a text (its columns, as a mapping) is, in the recipient's time."""
    finished = message["finished_at"]
    match message["state"]:
        case Message.State.QUEUED:
            sentence = _("Waits to be sent.")
        case Message.State.SENDING:
            sentence = _("Is being handed to the gateway.")
        case Message.State.ACCEPTED:
            sentence = _("The gateway has taken it. There is no delivery report yet.")
        case Message.State.DELIVERED if finished:
            sentence = _("Delivered at %(moment)s.") % {
                "moment": moment(finished, zone, seen_from=message["queued_at"])
            }
        case Message.State.DELIVERED:
            sentence = _("Delivered.")
        case Message.State.FAILED:
            sentence = _("Could not be delivered.")
        case Message.State.EXPIRED:
            sentence = _("Expired before it could be delivered.")
        case _:
            sentence = _("Cancelled before it was sent.")
    return " ".join(part for part in (sentence, _cause(message, zone)) if part)


def _cause(message: Mapping[str, Any], zone: str) -> str:
    parts = []
    if message["reason"]:
        parts.append(_("Reason: %(reason)s.") % {"reason": why(message["reason"], zone).rstrip(".")})
    if message["error_code"] is not None:
        parts.append(_("The network's error code is %(code)d.") % {"code": message["error_code"]})
    return " ".join(parts)


def moment(at: datetime, zone: str, *, seen_from: datetime | None = None) -> str:
    """Return ``at`` on a clock in ``zone``: the time, and the day unless it is that of ``seen_from``."""
    local = at.astimezone(ZoneInfo(zone))
    clock_time = time_format(local.time(), "H:i")
    if seen_from is None:
        return _("%(time)s on %(day)s") % {"time": clock_time, "day": date_format(local.date(), "j F Y")}
    days = (local.date() - seen_from.astimezone(ZoneInfo(zone)).date()).days
    if days == 0:
        return clock_time
    day = date_format(local.date(), "l") if 0 < days < 7 else date_format(local.date(), "j F Y")
    return _("%(time)s on %(day)s") % {"time": clock_time, "day": day}
