"""The words that templates are written in. Plain data; ``build`` turns it into a flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

#: Copy by language. English is always there.
Copy = Mapping[str, str]
#: A block of the form without its id: ``{"type": …, "value": …}``.
Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SendStep:
    """A text in every language that the template speaks. ``hold_hours``: how long it may be put off."""

    texts: Copy
    fallback: Copy | None = None
    hold_hours: int | None = None


@dataclass(frozen=True, slots=True)
class IfStep:
    rules: tuple[Raw, ...]
    yes: tuple[Step, ...]
    no: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Outside:
    """Steps that are left out for stores of some countries, because the law there forbids them."""

    countries: frozenset[str]
    steps: tuple[Step, ...]


Step = SendStep | IfStep | Outside | Raw


@dataclass(frozen=True, slots=True)
class FlowTemplate:
    """A flow that somebody has thought through, in several languages.

    ``goal`` is the kind of event that it is for. ``icon`` is a Wagtail icon.
    """

    key: str
    name: str | Promise
    description: str | Promise
    icon: str
    trigger: str
    steps: tuple[Step, ...]
    goal: str
    audience: tuple[Raw, ...] = ()
    exits: tuple[str, ...] = ()
    reentry: str = "never"
    reentry_days: int = 7
    restart: bool = False
    message_class: str = "marketing"
    priority: str = "lifecycle"
    priority_number: int = 100


def wait(amount: int, unit: str) -> Raw:
    return {"type": "wait", "value": {"amount": amount, "unit": unit}}


def wait_for(*events: str, amount: int, unit: str) -> Raw:
    return {"type": "wait_for_event", "value": {"events": list(events), "amount": amount, "unit": unit}}


def compare(field: str, operator: str, value: str) -> Raw:
    return {"type": "compare", "value": {"field": field, "custom": "", "operator": operator, "value": value}}


def not_happened(event: str, *, hours: int | None = None) -> Raw:
    """Not in the last ``hours``, or without them: not since entry."""
    period = "hours" if hours else "entry"
    return {"type": "happened", "value": {"happened": "no", "event": event, "period": period, "amount": hours}}
