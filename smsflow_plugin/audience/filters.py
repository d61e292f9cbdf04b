"""Conditions on a person: who may enter a flow, and which way a branch goes.

A condition is plain JSON, so that it can be stored, compared and, later, compiled
to SQL as well:

* ``{"all": [...]}``, ``{"any": [...]}``, ``{"not": {...}}``; an empty ``all`` is true
* ``{"field": "orders_count", "op": "gt", "value": 3}`` – a field of the contact, or
  ``fields.<name>`` for one of its custom fields, or ``trigger.<path>`` for the event
  that started the run
* ``{"tag": "vip"}``
* ``{"event": "order_created", "since": "entry"}`` or ``{"event": …, "hours": 24}``

Missing values: every comparison with a missing value is false, except ``ne``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

Condition = Mapping[str, Any]

ALWAYS: Condition = {"all": []}
OPERATORS = ("eq", "ne", "gt", "ge", "lt", "le", "contains")


class BadCondition(ValueError):
    """The condition is not one of the shapes above."""


@dataclass(frozen=True, slots=True)
class PastEvent:
    kind: str
    occurred_at: datetime
    subject: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    #: The event's primary key, 0 in simulations that do not need one.
    id: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known when a condition is asked.

    ``contact`` holds the contact's fields, with ``tags`` and ``fields``; ``trigger`` the
    data of the event that started the run, ``subject`` what it was about; ``events`` what
    happened, oldest first. ``run`` is what the run itself has gathered (``answers``, ``codes``,
    ``webhooks``); ``flows`` the ids of the other flows that the contact is in. ``results`` are the
    answers of requests, by "step:visit". ``key`` names the contact for chance, ``best_hour``
    is the hour of the day (0-23, local) at which the person usually reacts.
    """

    contact: Mapping[str, Any]
    entered_at: datetime
    trigger: Mapping[str, Any] = field(default_factory=dict)
    events: Sequence[PastEvent] = ()
    subject: str = ""
    key: str = ""
    run: Mapping[str, Any] = field(default_factory=dict)
    flows: frozenset[int] = frozenset()
    results: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    best_hour: int | None = None


def matches(condition: Condition, facts: Facts, now: datetime) -> bool:
    """Return whether ``condition`` holds.

    :raises BadCondition: if it has an unknown shape.
    """
    match condition:
        case {"all": list(parts)}:
            return all(matches(part, facts, now) for part in parts)
        case {"any": list(parts)}:
            return any(matches(part, facts, now) for part in parts)
        case {"not": dict(part)}:
            return not matches(part, facts, now)
        case {"tag": str(tag)}:
            return tag.casefold() in {str(t).casefold() for t in facts.contact.get("tags") or ()}
        case {"event": str(kind), "since": "entry"}:
            return _happened(facts, kind, facts.entered_at)
        case {"event": str(kind), "hours": int(hours)}:
            return _happened(facts, kind, now - timedelta(hours=hours))
        case {"field": str(path), "op": str(operator), "value": value}:
            return compare(lookup(path, facts), operator, value)
    raise BadCondition(f"Not a condition: {condition!r}.")


def event_kinds(condition: Condition) -> Iterator[str]:
    """Yield the kinds of event that ``condition`` asks for."""
    for part in condition.get("all") or condition.get("any") or ():
        yield from event_kinds(part)
    if "not" in condition:
        yield from event_kinds(condition["not"])
    if "event" in condition:
        yield condition["event"]


def look_back(condition: Condition) -> timedelta:
    """Return how long before now ``condition`` may look, beyond the time of entry."""
    parts = condition.get("all") or condition.get("any") or ([condition["not"]] if "not" in condition else [])
    own = timedelta(hours=condition.get("hours", 0))
    return max([own, *(look_back(part) for part in parts)])


def lookup(path: str, facts: Facts) -> Any:
    """Return the value at ``path``, or None. Never raises for what is missing."""
    first, _, rest = path.partition(".")
    value: Any
    if first == "trigger":
        value, keys = facts.trigger, rest.split(".")
    else:
        value, keys = facts.contact, path.split(".")
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def compare(left: Any, operator: str, right: Any) -> bool:
    """Compare as numbers when both can be, else as text regardless of case."""
    if operator not in OPERATORS:
        raise BadCondition(f"Unknown operator: {operator}.")
    if left is None or left == "":
        return operator == "ne"
    if operator == "contains":
        return str(right).casefold() in str(left).casefold()
    a, b = _comparable(left, right)
    match operator:
        case "eq":
            return bool(a == b)
        case "ne":
            return bool(a != b)
        case "gt":
            return bool(a > b)
        case "ge":
            return bool(a >= b)
        case "lt":
            return bool(a < b)
    return bool(a <= b)


def _happened(facts: Facts, kind: str, since: datetime) -> bool:
    return any(event.kind == kind and event.occurred_at >= since for event in facts.events)


def _comparable(left: Any, right: Any) -> tuple[Any, Any]:
    try:
        a, b = Decimal(str(left)), Decimal(str(right))
    except InvalidOperation:
        return str(left).casefold(), str(right).casefold()
    if a.is_nan() or b.is_nan():
        return str(left).casefold(), str(right).casefold()
    return a, b
