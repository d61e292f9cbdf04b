"""Runs a program until it waits. Pure: no Django, no clock, no database.

Live runs, previews, test runs and backtests all call ``interpret``; there is no
second engine. Waiting state is plain JSON, so a run survives restarts and years.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from smsflow_plugin.audience.filters import Facts
from smsflow_plugin.flows.program import Program, Send


@dataclass(frozen=True, slots=True)
class State:
    """Where a run stands.

    ``at`` is the next instruction. ``waiting_until`` is set while that instruction
    waits (a wait, or a send that was put off). ``visits`` counts how often each step
    sent or gave up, which makes (enrollment, step, visit) unique. ``sent`` counts texts.
    """

    at: int = 0
    waiting_until: datetime | None = None
    visits: Mapping[str, int] = field(default_factory=dict)
    sent: int = 0

    def to_json(self) -> dict[str, Any]:
        until = self.waiting_until.isoformat() if self.waiting_until else None
        return {"at": self.at, "waiting_until": until, "visits": dict(self.visits), "sent": self.sent}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> State:
        until = data.get("waiting_until")
        return cls(
            at=data.get("at", 0),
            waiting_until=datetime.fromisoformat(until) if until else None,
            visits=dict(data.get("visits", {})),
            sent=data.get("sent", 0),
        )
