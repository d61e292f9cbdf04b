"""What a contact's runs will want to send next, read for one person: the pump reads it for a batch."""

from __future__ import annotations

from dataclasses import dataclass

from smsflow_plugin.engine.facts import Programs
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.engine.state import State
from smsflow_plugin.engine.upcoming import planned_text
from smsflow_plugin.governance.effective import StoreRules
from smsflow_plugin.governance.rules import Planned


@dataclass(frozen=True, slots=True)
class Outlook:
    """The flows that somebody is in, and the texts that they will want to send."""

    flows: frozenset[int] = frozenset()
    planned: tuple[Planned, ...] = ()


def outlook(contact_id: int, rules: StoreRules, *, without: int = 0) -> Outlook:
    """Return what to expect of the contact's runs, but for those of the flow ``without``: at most two queries."""
    rows = list(
        Enrollment.objects.filter(contact_id=contact_id, status=Enrollment.Status.WAITING)
        .order_by("pk")
        .values_list("flow_id", "flow__live", "flow__paused_at", "version_id", "state", "wake_at")
    )
    programs = Programs.load(version for _flow, _live, _paused, version, _state, _wake in rows)
    planned = []
    for flow_id, live, paused_at, version_id, state, wake_at in rows:
        program = programs.get(version_id)
        if program is None or not live or paused_at or flow_id == without:
            continue
        rank = rules.rank(flow_id, program.priority, program.priority_number)
        planned.append(planned_text(program, State.from_json(state), wake_at, flow_id=flow_id, rank=rank))
    return Outlook(frozenset(row[0] for row in rows), tuple(text for text in planned if text))
