"""What governance costs: a share of a benchmark's run, and verdicts per second on their own."""

from __future__ import annotations

import time as timing
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from django.utils.module_loading import import_string

from smsflow_plugin.audience.places import Place
from smsflow_plugin.governance.decide import decide
from smsflow_plugin.governance.policy import Cap, PolicyRules, Scope
from smsflow_plugin.governance.rules import Intent, MessageClass, Planned, Recipient, Sent

#: Everything that pumps call of governance.
_CALLED = (
    "smsflow_plugin.engine.governor.decide",
    "smsflow_plugin.engine.governor.own_rules",
    "smsflow_plugin.engine.governor.recipient_of",
    "smsflow_plugin.engine.advance.places",
    "smsflow_plugin.engine.advance.rules_of",
    "smsflow_plugin.engine.advance.planned_text",
    "smsflow_plugin.messaging.gate.rules_of",
    "smsflow_plugin.messaging.gate.candidate_places",
    "smsflow_plugin.messaging.gate.decide",
)

_NOON = datetime(2026, 3, 4, 17, tzinfo=UTC)


@dataclass(slots=True)
class Spent:
    """The CPU seconds of this process that went into governance."""

    seconds: float = 0.0


@contextmanager
def watched(spent: Spent) -> Iterator[None]:
    """Add the CPU time of every call of governance inside to ``spent``."""
    with ExitStack() as stack:
        for name in _CALLED:
            stack.enter_context(patch(name, _timed(import_string(name), spent)))
        yield


def _timed(call: Callable[..., Any], spent: Spent) -> Callable[..., Any]:
    def timed(*arguments: Any, **named: Any) -> Any:
        start = timing.process_time()
        try:
            return call(*arguments, **named)
        finally:
            spent.seconds += timing.process_time() - start

    return timed


def verdicts_per_cpu_second(rounds: int = 20_000) -> dict[str, int]:
    """Return how many verdicts one CPU second makes: for a typical policy and person, and with a text planned."""
    rules = PolicyRules(caps=(Cap(2, "day"), Cap(5, "week"), Cap(1, "day", Scope.PRIORITY, "promo")))
    sends = tuple(Sent(_NOON - timedelta(days=days, hours=3), 7, "lifecycle", "cart") for days in (6, 4, 2))
    person = Recipient(True, "granted", "unknown", (Place("America/New_York", "US", "NY"),), sends, confirmed=True)
    planned = (Planned(_NOON + timedelta(hours=3), 1001, 1, "lifecycle", "cart"),)
    people = {"typical": person, "planned": replace(person, planned=planned)}
    intent = Intent(MessageClass.MARKETING, flow=3, priority="promo", rank=2001, stage="news")
    return {name: _rate(intent, rules, who, rounds) for name, who in people.items()}


def _rate(intent: Intent, rules: PolicyRules, person: Recipient, rounds: int) -> int:
    decide(intent, rules, person, _NOON)
    start = timing.process_time()
    for _n in range(rounds):
        decide(intent, rules, person, _NOON)
    return round(rounds / (timing.process_time() - start))
