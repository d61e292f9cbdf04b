"""A flow's steps as a tree for people: numbered, named, summed up in a line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.dateformat import time_format
from django.utils.translation import gettext as _

from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.condition_blocks import CUSTOM_FIELD, FIELD_CHOICES, OPERATOR_CHOICES
from smsflow_plugin.flows.step_blocks import UNIT_CHOICES, WEEKDAY_CHOICES
from smsflow_plugin.flows.step_lists import RETIRED

_FIELDS = {name: label for _group, fields in FIELD_CHOICES for name, label in fields}
_OPERATORS = dict(OPERATOR_CHOICES)
_UNITS = dict(UNIT_CHOICES)
_WEEKDAYS = dict(WEEKDAY_CHOICES)


@dataclass(frozen=True, slots=True)
class OutlineStep:
    """One step. ``number`` is "3", or "3 › yes › 1" inside an if/else."""

    id: str
    number: str
    kind: str
    label: str
    icon: str
    summary: str
    value: Any
    yes: tuple[OutlineStep, ...] = ()
    no: tuple[OutlineStep, ...] = ()


def outline(steps: Any, prefix: str = "") -> tuple[OutlineStep, ...]:
    """Return the steps of a StreamField as a tree. Tolerates half-filled drafts."""
    return tuple(_step(child, f"{prefix}{position}") for position, child in enumerate(steps, start=1))


def walk(tree: tuple[OutlineStep, ...]) -> Iterator[OutlineStep]:
    """Yield every step, those inside an if/else after it."""
    for step in tree:
        yield step
        yield from walk(step.yes)
        yield from walk(step.no)


def _step(child: Any, number: str) -> OutlineStep:
    branching = child.block_type == "if_else"
    return OutlineStep(
        id=child.id or "",
        number=number,
        kind=child.block_type,
        label=str(child.block.label),
        icon=child.block.meta.icon,
        summary=_summary(child.block_type, child.value),
        value=child.value,
        yes=outline(child.value["yes"], _("%(number)s › yes › ") % {"number": number}) if branching else (),
        no=outline(child.value["no"], _("%(number)s › no › ") % {"number": number}) if branching else (),
    )


def _summary(kind: str, value: Any) -> str:
    match kind:
        case "send":
            return value.get("text") or ""
        case "wait":
            return _length(value)
        case "wait_until_time":
            return _time_of_day(value)
        case "wait_for_event":
            return _("%(events)s, at most %(time)s") % {
                "events": _either(_event(kind) for kind in value.get("events") or ()),
                "time": _length(value),
            }
        case "if_else":
            return describe_condition(value["condition"])
        case "exit":
            return value.get("reason") or ""
    return _("Not installed.") if kind == RETIRED else ""


def describe_condition(rules: Any) -> str:
    """Return the rules in one line of words."""
    return _(" and ").join(_rule(rule) for rule in rules) or "…"


def _rule(child: Any) -> str:
    value = child.value
    match child.block_type:
        case "compare":
            field = value.get("field") or ""
            label = value.get("custom") or "…" if field == CUSTOM_FIELD else _FIELDS.get(field, field)
            operator = _OPERATORS.get(value.get("operator"), "…")
            return f"{label} {operator} {value.get('value') or '…'}"
        case "tag":
            return _("has the tag %(tag)s") % {"tag": value.get("tag") or "…"}
        case "happened":
            return _happened(value)
        case "any_of":
            return "(" + (_(" or ").join(_rule(rule) for rule in value) or "…") + ")"
        case "none_of":
            return _("none of (%(rules)s)") % {"rules": ", ".join(_rule(rule) for rule in value) or "…"}
    return "…"


def _happened(value: Any) -> str:
    words = {"event": _event(value.get("event") or ""), "amount": value.get("amount") or "…"}
    period = value.get("period")
    if value.get("happened") == "yes":
        sentence = {
            "hours": _("“%(event)s” in the last %(amount)s hours"),
            "days": _("“%(event)s” in the last %(amount)s days"),
        }.get(period, _("“%(event)s” since entry"))
    else:
        sentence = {
            "hours": _("no “%(event)s” in the last %(amount)s hours"),
            "days": _("no “%(event)s” in the last %(amount)s days"),
        }.get(period, _("no “%(event)s” since entry"))
    return sentence % words


def _length(value: Any) -> str:
    return f"{value.get('amount') or '…'} {_UNITS.get(value.get('unit'), '…')}"


def _time_of_day(value: Any) -> str:
    time = time_format(value["time"], "H:i") if value.get("time") else "…"
    days = ", ".join(str(_WEEKDAYS.get(str(day), day)) for day in value.get("weekdays") or ())
    return f"{time} ({days})" if days else time


def _event(kind: str) -> str:
    return str(KINDS[kind].label) if kind in KINDS else kind or "…"


def _either(names: Iterator[str]) -> str:
    return _(" or ").join(names) or "…"
