"""Conditions on a person: who may enter a flow, and which way a branch goes.

A condition is plain JSON. ``matches`` asks it of one person in memory,
``engine.selection.select`` of a whole store in SQL; both give the same answer.

* ``{"all": [...]}``, ``{"any": [...]}``, ``{"not": {...}}``; an empty ``all`` is true, an empty ``any`` false
* ``{"tag": "vip"}``
* ``{"field": path, "op": operator, "value": value}``. Paths: a field of the contact
  (``NUMBER_PATHS``, ``DATE_PATHS``, or a text), ``fields.<name>`` for one of its own fields, and,
  only inside a run, ``trigger.<path>`` and ``run.<path>``. Operators: those of ``comparing``;
  ``in`` (the value is a list); ``known`` and ``unknown``; and those of ``dates``, the only
  ones besides ``known`` and ``unknown`` for ``DATE_PATHS``. Numbers neither contain nor start with anything.
* ``{"event": kind, "since": "entry"}``, ``{"event": kind, "hours": 24}`` or ``{"event": kind, "ever": true}``:
  it has happened. With ``"at_least": n`` so many times; with ``"where": [{"path", "op", "value"}]``
  only events whose data is so; with ``"same_subject": true``, only inside a run, only what is
  about the same cart, order or appointment as the run.
* ``{"in_flow": id}``, ``{"in_flow": "any"}``: the person is in that other flow, in any other flow, now
* ``{"handed_over": true}``: staff has taken the person over
* ``{"overdue": {"percent": 150, "days": 180}}`` and ``{"top_spender": 10}``: see ``behaviour``

What a comparison with a missing value means is said in ``comparing``, what a date is in ``dates``.
At the moment of entry nothing has happened since entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from smsflow_plugin.audience.behaviour import SHARES, among_the_best, overdue
from smsflow_plugin.audience.comparing import COMPARISONS, compare, fold, one_of, text_of
from smsflow_plugin.audience.dates import DATE_OPERATORS, MOST_DAYS, in_span, span

Condition = Mapping[str, Any]

ALWAYS: Condition = {"all": []}
PRESENCE = ("known", "unknown")
OPERATORS = (*COMPARISONS, "in", *PRESENCE, *DATE_OPERATORS)

#: The contact's fields that are numbers and moments; all others are texts.
NUMBER_PATHS = frozenset({"orders_count", "total_spent"})
DATE_PATHS = frozenset(
    {"created_at", "first_order_at", "last_order_at", "last_texted_at", "consent_changed_at", "replenish_at"}
)
#: What the paths begin with that only a run can answer.
RUN_PATHS = ("trigger", "run")

#: As far back as any condition looks; ``ever`` means this.
FOREVER = timedelta(days=MOST_DAYS)


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
    #: Another run has taken this text as its answer.
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known when a condition is asked.

    ``contact`` holds the contact's fields, with ``tags`` and ``fields`` (see ``audience.values``);
    ``trigger`` the data of the event that started the run, ``subject`` what it was about; ``events``
    what happened, oldest first. ``run`` is what the run itself has gathered (``answers``, ``codes``,
    ``webhooks``); ``flows`` the ids of the other flows that the contact is in. ``results`` are the
    answers of requests, by "step:visit". ``key`` names the contact for chance, ``best_hour``
    is the hour of the day (0-23, local) at which the person usually reacts; ``send_times`` is what is
    known of the store's people (see ``engine.send_times``). ``spend_marks`` are those of the store.
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
    spend_marks: Sequence[str] = ()
    send_times: Mapping[str, Any] = field(default_factory=dict)


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
            return has_tag(facts.contact.get("tags"), tag)
        case {"event": str(kind)}:
            return _happened(facts, kind, condition, now)
        case {"field": str(path), "op": str(operator)}:
            return holds(lookup(path, facts), path, operator, condition.get("value"), now)
        case {"in_flow": "any"}:
            return bool(facts.flows)
        case {"in_flow": int(flow)}:
            return flow in facts.flows
        case {"handed_over": True}:
            return bool(facts.contact.get("handed_over_at"))
        case {"overdue": dict(how)}:
            return _overdue(facts.contact, how, now)
        case {"top_spender": int(share)}:
            return among_the_best(facts.contact.get("total_spent"), facts.spend_marks, share_of(share))
    raise BadCondition(f"Not a condition: {condition!r}.")


def holds(left: Any, path: str, operator: str, value: Any, now: datetime) -> bool:
    """Return whether the value ``left``, found at ``path``, compares so with ``value``.

    :raises BadCondition: if the operator is unknown or does not suit the path or the value.
    """
    check_comparison(path, operator, value, now)
    if operator in PRESENCE:
        return (text_of(left) is not None) == (operator == "known")
    if operator in DATE_OPERATORS:
        return path not in NUMBER_PATHS and in_span(left, span(operator, value, now))
    if path in NUMBER_PATHS and operator in ("contains", "starts"):
        return False
    return one_of(left, value) if operator == "in" else compare(left, operator, value)


def check_comparison(path: str, operator: str, value: Any, now: datetime) -> None:
    """Refuse what is no comparison.

    :raises BadCondition: if the operator is unknown or does not suit the path or the value.
    """
    if operator not in OPERATORS:
        raise BadCondition(f"Unknown operator: {operator}.")
    if path in DATE_PATHS and operator not in (*PRESENCE, *DATE_OPERATORS):
        raise BadCondition(f"A date cannot be compared by {operator}.")
    if operator == "in" and not isinstance(value, list):
        raise BadCondition(f"Not a list: {value!r}.")
    if operator in DATE_OPERATORS:
        try:
            span(operator, value, now)
        except ValueError as error:
            raise BadCondition(str(error)) from error


def overdue_after(how: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many per cent of the usual interval, or days without one, make an order overdue.

    :raises BadCondition: if it does not say so.
    """
    match how:
        case {"percent": int(percent), "days": int(days)} if percent > 0 and 0 < days <= MOST_DAYS:
            return percent, days
    raise BadCondition(f"Overdue after how long? {how!r}.")


def share_of(share: int) -> int:
    """Return how many per cent of the customers are meant.

    :raises BadCondition: if there is no such share.
    """
    if isinstance(share, bool) or share not in SHARES:
        raise BadCondition(f"Not a share of the customers: {share!r}.")
    return share


def _overdue(contact: Mapping[str, Any], how: Mapping[str, Any], now: datetime) -> bool:
    percent, days = overdue_after(how)
    last, used_up = (_moment(contact.get(name)) for name in ("last_order_at", "replenish_at"))
    return overdue(last, used_up, now, percent=percent, days=days)


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def has_tag(tags: Any, wanted: str) -> bool:
    """Return whether one of ``tags`` is the one wanted, regardless of case."""
    found = (text_of(tag) for tag in tags) if isinstance(tags, list | tuple) else ()
    return fold(wanted) in {fold(tag) for tag in found if tag is not None}


def since(condition: Condition, now: datetime) -> datetime | None:
    """Return from when on the event of a condition counts; None means since entry.

    :raises BadCondition: if it does not say so.
    """
    match condition:
        case {"since": "entry"}:
            return None
        case {"hours": int(hours)} if not isinstance(hours, bool):
            return now - min(timedelta(hours=min(hours, MOST_DAYS * 24)), FOREVER)
        case {"ever": True}:
            return now - FOREVER
    raise BadCondition(f"Since when? {condition!r}.")


def at_least(condition: Condition) -> int:
    """Return how many times the event of a condition must have happened.

    :raises BadCondition: if that is no number of at least 1.
    """
    wanted: object = condition.get("at_least", 1)
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
        raise BadCondition(f"Not a number of times: {wanted!r}.")
    return wanted


def details(condition: Condition) -> list[tuple[str, str, Any]]:
    """Return (path, operator, value) of what the data of a condition's event must be.

    :raises BadCondition: if one of them has another shape.
    """
    found = []
    for detail in condition.get("where") or ():
        match detail:
            case {"path": str(path), "op": str(operator)}:
                found.append((path, operator, detail.get("value")))
            case _:
                raise BadCondition(f"Not about an event: {detail!r}.")
    return found


def parts(condition: Condition) -> Iterator[Condition]:
    """Yield ``condition`` and every condition inside it."""
    yield condition
    inside = condition.get("all") or condition.get("any") or ()
    for part in (*inside, *([condition["not"]] if "not" in condition else ())):
        yield from parts(part)


def event_kinds(condition: Condition) -> Iterator[str]:
    """Yield the kinds of event that ``condition`` asks for."""
    return (part["event"] for part in parts(condition) if "event" in part)


def asks_for_spending(condition: Condition) -> bool:
    """Return whether ``condition`` asks who the best customers are."""
    return any("top_spender" in part for part in parts(condition))


def look_back(condition: Condition) -> timedelta:
    """Return how long before now ``condition`` may look, beyond the time of entry. At most ``FOREVER``."""
    back = timedelta()
    for part in parts(condition):
        if "event" in part:
            own = FOREVER if part.get("ever") else timedelta(hours=min(part.get("hours", 0), MOST_DAYS * 24))
            back = max(back, own)
    return back


def needs_event_data(condition: Condition) -> bool:
    """Return whether ``condition`` asks what events hold, and not only whether they happened."""
    return any("event" in part and part.get("where") for part in parts(condition))


def lookup(path: str, facts: Facts) -> Any:
    """Return the value at ``path``, or None. Never raises for what is missing.

    The name of an own field is everything behind ``fields.``, with its dots.
    """
    first, _, rest = path.partition(".")
    if first == "trigger":
        return dig(facts.trigger, rest)
    if first == "run":
        return dig(facts.run, rest)
    if first == "fields" and rest:
        own = facts.contact.get("fields")
        return own.get(rest) if isinstance(own, Mapping) else None
    return facts.contact.get(path)


def dig(data: Any, path: str) -> Any:
    """Return what stands in ``data`` at a path of keys ("order.total"), or None."""
    for key in path.split("."):
        data = data.get(key) if isinstance(data, Mapping) else None
    return data


def _happened(facts: Facts, kind: str, condition: Condition, now: datetime) -> bool:
    start, wanted, where = since(condition, now), at_least(condition), details(condition)
    for path, operator, value in where:
        check_comparison(f"trigger.{path}", operator, value, now)
    first = facts.entered_at if start is None else start
    about = facts.subject if condition.get("same_subject") else None
    if about == "":
        return False  # the run is about nothing: nothing is about the same
    found = (
        event
        for event in facts.events
        if event.kind == kind
        and event.occurred_at >= first
        and (about is None or event.subject == about)
        and all(holds(dig(event.data, path), f"trigger.{path}", op, value, now) for path, op, value in where)
    )
    return sum(1 for _event in islice(found, wanted)) == wanted
