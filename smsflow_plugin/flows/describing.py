"""Steps, rules and triggers of the form, each in a line of words. Tolerates half-filled drafts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.utils.dateformat import time_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.action_blocks import TagStepBlock
from smsflow_plugin.flows.arm_words import length
from smsflow_plugin.flows.behaviour_blocks import DESCRIPTIONS
from smsflow_plugin.flows.condition_fields import (
    DATE_FIELD_CHOICES,
    DATE_OPERATOR_CHOICES,
    FIELD_CHOICES,
    KNOWN_FIELD_CHOICES,
    OPERATOR_CHOICES,
    labels,
)
from smsflow_plugin.flows.discount_fields import DISCOUNT_CHOICES
from smsflow_plugin.flows.program import VARIANTS
from smsflow_plugin.flows.step_blocks import DATE_SOURCE_CHOICES, UNIT_CHOICES, WEEKDAY_CHOICES
from smsflow_plugin.flows.step_lists import RETIRED
from smsflow_plugin.flows.ways import items, phrases, span

_FIELDS = {**labels(KNOWN_FIELD_CHOICES), **labels(FIELD_CHOICES), **dict(DATE_FIELD_CHOICES)}
_OPERATORS = {**dict(OPERATOR_CHOICES), **dict(DATE_OPERATOR_CHOICES)}
_UNITS = dict(UNIT_CHOICES)
_WEEKDAYS = dict(WEEKDAY_CHOICES)
_SOURCES = dict(DATE_SOURCE_CHOICES)
_DISCOUNTS = dict(DISCOUNT_CHOICES)

# Steps ---------------------------------------------------------------------------------------


def summary(kind: str, value: Any) -> str:
    """Return what a step does, in a line."""
    if kind == RETIRED:
        return _("Not installed.")
    describe = _STEPS.get(kind)
    return describe(value) if describe else ""


def _field(name: str) -> Callable[[Any], str]:
    return lambda value: str(value.get(name) or "")


def _length(value: Any) -> str:
    amount, unit = value.get("amount"), value.get("unit")
    if isinstance(amount, int) and amount and unit in _UNITS:
        return length(amount, unit)
    return f"{amount or '…'} {_UNITS.get(unit, '…')}"


def _wait(value: Any) -> str:
    return _tried(_length(value), value, _length)


def _tried(own: str, value: Any, words: Callable[[Any], str]) -> str:
    """Return a step's own and what it tries beside it: "A: 1 hours / B: 4 hours (50 %)"."""
    others = [
        f"{name}: {words(each.value)} ({each.value.get('weight') or '…'} %)"
        for name, each in zip(VARIANTS[1:], items(value.get("variants")), strict=False)
    ]
    return " / ".join([f"{VARIANTS[0]}: {own}", *others]) if others else own


def _choice(value: Any) -> str:
    words = [", ".join(phrases(option.value.get("words"))) or "…" for option in items(value.get("options"))]
    return _asked(value, words)


def _number(value: Any) -> str:
    return _asked(value, [span(each.value) for each in items(value.get("ranges"))])


def _asked(value: Any, answers: list[str]) -> str:
    text = str(value.get("text") or "…")
    return f"{text} ({' / '.join(answers)})" if answers else text


def _time_of_day(value: Any) -> str:
    time = time_format(value["time"], "H:i") if value.get("time") else "…"
    days = ", ".join(str(_WEEKDAYS.get(str(day), day)) for day in value.get("weekdays") or ())
    return f"{time} ({days})" if days else time


def _until_date(value: Any) -> str:
    source = value.get("custom") or _SOURCES.get(value.get("source"), "…")
    words = {"time": _length(value), "date": source}
    sentence = {
        "before": _("%(time)s before: %(date)s"),
        "after": _("%(time)s after: %(date)s"),
    }.get(value.get("direction") or "", _("on the day: %(date)s"))
    return sentence % words


def _best_time(value: Any) -> str:
    hours = value.get("within_hours") or 0
    return ngettext("at most %(hours)d hour", "at most %(hours)d hours", hours) % {"hours": hours}


def _wait_for_event(value: Any) -> str:
    return _("%(events)s, at most %(time)s") % {
        "events": _either(_event(kind) for kind in value.get("events") or ()),
        "time": _length(value),
    }


def _if_else(value: Any) -> str:
    return describe_condition(value.get("condition") or ())


def _switch(value: Any) -> str:
    return " / ".join(
        str(way.value.get("label") or describe_condition(way.value.get("condition") or ()))
        for way in items(value.get("ways"))
    )


def _split(value: Any) -> str:
    return " / ".join(
        f"{way.value.get('weight') or '…'} {way.value.get('label') or ''}".strip() for way in items(value.get("ways"))
    )


def _tag_step(value: Any) -> str:
    action = TagStepBlock.base_blocks["action"].field.choices
    return f"{dict(action).get(value.get('action'), '…')}: {value.get('tag') or '…'}"


def _set_field(value: Any) -> str:
    return f"{value.get('name') or '…'} = {value.get('source') or value.get('value') or '–'}"


def _discount(value: Any) -> str:
    own = value.get("kind")
    return _tried(_offer(value, own), value, lambda each: _offer(each, each.get("kind") or own))


def _offer(value: Any, kind: Any) -> str:
    words = str(_DISCOUNTS.get(kind, "…"))
    return words if kind == "shipping" else f"{value.get('amount') or '…'} {words}"


def _go_to(value: Any) -> str:
    return str(value.get("flow") or "…")


_STEPS: dict[str, Callable[[Any], str]] = {
    "send": _field("text"),
    "ask_choice": _choice,
    "ask_yes_no": lambda value: _asked(value, [_("yes"), _("no")]),
    "ask_number": _number,
    "ask_text": _field("text"),
    "wait": _wait,
    "wait_until_time": _time_of_day,
    "wait_until_date": _until_date,
    "wait_best_time": _best_time,
    "wait_for_event": _wait_for_event,
    "wait_for_reply": lambda value: _("at most %(time)s") % {"time": _length(value)},
    "if_else": _if_else,
    "switch": _switch,
    "split": _split,
    "tag": _tag_step,
    "set_field": _set_field,
    "discount": _discount,
    "hand_over": _field("note"),
    "notify": _field("subject"),
    "email": _field("subject"),
    "webhook": _field("url"),
    "go_to": _go_to,
    "goal": _field("name"),
    "exit": _field("reason"),
}

# Rules ---------------------------------------------------------------------------------------


def describe_condition(rules: Any) -> str:
    """Return the rules in one line of words."""
    return _(" and ").join(_rule(rule) for rule in rules) or "…"


def _rule(child: Any) -> str:
    describe = _RULES.get(child.block_type)
    return describe(child.value) if describe else "…"


def _name(value: Any) -> str:
    field = value.get("field") or ""
    return str(value.get("custom") or _FIELDS.get(field, field) or "…")


def _compare(value: Any) -> str:
    return f"{_name(value)} {_OPERATORS.get(value.get('operator'), '…')} {value.get('value') or '…'}"


def _date(value: Any) -> str:
    operator = str(_OPERATORS.get(value.get("operator"), "…"))
    if value.get("operator") in ("before", "after"):
        return f"{_name(value)} {operator} {value.get('date') or '…'}"
    return f"{_name(value)} {operator.replace('…', str(value.get('amount') or '…'), 1)}"


def _known(value: Any) -> str:
    sentence = _("%(field)s is not known") if value.get("known") == "no" else _("%(field)s is known")
    return sentence % {"field": _name(value)}


def _within(value: Any, name: str) -> str:
    sentence = _("not in %(name)s") if value.get("within") == "no" else _("in %(name)s")
    return sentence % {"name": name}


def _happened(value: Any) -> str:
    words = {"event": _event(value.get("event") or ""), "amount": value.get("amount") or "…"}
    period = value.get("period")
    if value.get("happened") == "yes":
        sentence = {
            "hours": _("“%(event)s” in the last %(amount)s hours"),
            "days": _("“%(event)s” in the last %(amount)s days"),
            "ever": _("“%(event)s” at any time"),
        }.get(period, _("“%(event)s” since entry"))
    else:
        sentence = {
            "hours": _("no “%(event)s” in the last %(amount)s hours"),
            "days": _("no “%(event)s” in the last %(amount)s days"),
            "ever": _("never “%(event)s”"),
        }.get(period, _("no “%(event)s” since entry"))
    times = value.get("at_least") or 1
    return sentence % words + (f" ×{times}" if times > 1 else "")


def _group(joined: str) -> Callable[[Any], str]:
    return lambda value: "(" + (joined.join(_rule(rule) for rule in value) or "…") + ")"


_RULES: dict[str, Callable[[Any], str]] = {
    "compare": _compare,
    "tag": lambda value: _("has the tag %(tag)s") % {"tag": value.get("tag") or "…"},
    "happened": _happened,
    **DESCRIPTIONS,
    "date": _date,
    "known": _known,
    "segment": lambda value: _within(value, str(value.get("segment") or "…")),
    "in_flow": lambda value: _within(value, str(value.get("flow") or _("another flow"))),
    "handed_over": lambda value: _("not with staff") if value.get("is") == "no" else _("with staff"),
    "all_of": lambda value: _group(_(" and "))(value),
    "any_of": lambda value: _group(_(" or "))(value),
    "none_of": lambda value: _("none of (%(rules)s)") % {"rules": ", ".join(_rule(rule) for rule in value) or "…"},
}


def _event(kind: str) -> str:
    return str(KINDS[kind].label) if kind in KINDS else kind or "…"


def _either(names: Iterable[str]) -> str:
    return _(" or ").join(names) or "…"
