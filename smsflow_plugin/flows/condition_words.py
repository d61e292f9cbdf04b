"""Conditions of a form in words. Tolerates half-filled drafts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.behaviour_blocks import DESCRIPTIONS
from smsflow_plugin.flows.condition_fields import (
    DATE_FIELD_CHOICES,
    EVENT_FIELDS,
    FIELD_CHOICES,
    KNOWN_FIELD_CHOICES,
    NAMED_FIELDS,
    OPERATOR_CHOICES,
    labels,
)

_FIELDS = {**labels(FIELD_CHOICES), **labels(DATE_FIELD_CHOICES), **labels(KNOWN_FIELD_CHOICES)}
_OPERATORS, _DETAILS = dict(OPERATOR_CHOICES), dict(EVENT_FIELDS)


def describe_condition(rules: Any) -> str:
    """Return the rules in one line of words."""
    return _all(rules)


def _all(rules: Any) -> str:
    return _(" and ").join(_rule(rule) for rule in rules) or "…"


def _rule(child: Any) -> str:
    describe = _RULES.get(child.block_type)
    return describe(child.value) if describe else "…"


def _compare(value: Any) -> str:
    operator = _OPERATORS.get(value.get("operator"), "…")
    return f"{_field(value)} {operator} {value.get('value') or '…'}"


def _field(value: Any) -> str:
    field = value.get("field") or ""
    return value.get("custom") or "…" if field in NAMED_FIELDS else str(_FIELDS.get(field, field))


def _date(value: Any) -> str:
    sentence = {
        "within_days": _("%(date)s in the last %(amount)s days"),
        "older_than_days": _("%(date)s more than %(amount)s days ago"),
        "in_next_days": _("%(date)s in the next %(amount)s days"),
        "before": _("%(date)s before %(day)s"),
        "after": _("%(date)s after %(day)s"),
    }.get(value.get("operator"), "%(date)s …")
    day = date_format(value["date"], "SHORT_DATE_FORMAT") if value.get("date") else "…"
    return sentence % {"date": _field(value), "amount": value.get("amount") or "…", "day": day}


def _known(value: Any) -> str:
    no = value.get("known") == "no"
    return (_("%(field)s is not known") if no else _("%(field)s is known")) % {"field": _field(value)}


def _tag(value: Any) -> str:
    return _("has the tag %(tag)s") % {"tag": value.get("tag") or "…"}


def _segment(value: Any) -> str:
    no = value.get("within") == "no"
    name = value.get("segment") or "…"
    return (_("not in the segment %(segment)s") if no else _("in the segment %(segment)s")) % {"segment": name}


def _in_flow(value: Any) -> str:
    flow, no = value.get("flow"), value.get("within") == "no"
    if flow is None:
        return _("in no other flow") if no else _("in another flow")
    return (_("not in the flow %(flow)s") if no else _("in the flow %(flow)s")) % {"flow": flow}


def _handed_over(value: Any) -> str:
    return _("not with staff") if value.get("is") == "no" else _("with staff")


def _happened(value: Any) -> str:
    times = value.get("at_least") or 1
    words = {"event": _event(value), "amount": value.get("amount") or "…", "times": times}
    period = value.get("period")
    if value.get("happened") != "yes":
        sentence = {
            "hours": _("no “%(event)s” in the last %(amount)s hours"),
            "days": _("no “%(event)s” in the last %(amount)s days"),
            "ever": _("never “%(event)s”"),
        }.get(period, _("no “%(event)s” since entry"))
        if times > 1:
            sentence = _("%(sentence)s %(times)s times") % {"sentence": sentence, "times": "%(times)s"}
        return sentence % words
    sentence = {
        "hours": _("“%(event)s” in the last %(amount)s hours"),
        "days": _("“%(event)s” in the last %(amount)s days"),
        "ever": _("“%(event)s” at any time"),
    }.get(period, _("“%(event)s” since entry"))
    said = sentence % words
    return _("%(times)s times %(sentence)s") % {"times": times, "sentence": said} if times > 1 else said


def _event(value: Any) -> str:
    kind = value.get("event") or ""
    name = str(KINDS[kind].label) if kind in KINDS else kind or "…"
    details = [_detail(detail) for detail in value.get("details") or ()]
    if value.get("same_subject"):
        details.insert(0, _("about the same"))
    return f"{name} ({', '.join(details)})" if details else name


def _detail(value: Any) -> str:
    operator = _OPERATORS.get(value.get("operator"), "…")
    return f"{_DETAILS.get(value.get('path'), '…')} {operator} {value.get('value') or '…'}"


def _all_of(rules: Any) -> str:
    return f"({_all(rules)})"


def _any_of(rules: Any) -> str:
    return "(" + (_(" or ").join(_rule(rule) for rule in rules) or "…") + ")"


def _none_of(rules: Any) -> str:
    return _("none of (%(rules)s)") % {"rules": ", ".join(_rule(rule) for rule in rules) or "…"}


_RULES: dict[str, Callable[[Any], str]] = {
    "compare": _compare,
    "tag": _tag,
    "date": _date,
    "known": _known,
    "segment": _segment,
    "in_flow": _in_flow,
    "handed_over": _handed_over,
    "happened": _happened,
    **DESCRIPTIONS,
    "all_of": _all_of,
    "any_of": _any_of,
    "none_of": _none_of,
}
