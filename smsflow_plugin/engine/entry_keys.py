"""What a person may enter a flow with once, and what a run is told by an event."""

from __future__ import annotations

from collections.abc import Mapping

from smsflow_plugin.engine.interpreter import State, current
from smsflow_plugin.engine.starting import NewEvent
from smsflow_plugin.events.inbox import shortened
from smsflow_plugin.flows.program import Discount, Program, WaitUntilDate, Webhook


def entry_key(program: Program, event: NewEvent) -> str:
    """Return what a person may enter with once."""
    if again_anyway(event):
        return shortened(f"again:{event.key}", 255)
    # a key tells events of one kind apart: a parcel is sent and delivered under the same number
    own = shortened(f"{event.kind}:{event.key}", 255)
    match program.reentry.mode:
        case "never":
            return ""
        case "always":
            return own
    return event.subject or own


def moves_date(program: Program, state: State, event: NewEvent) -> bool:
    """Return whether the date that a run waits for has just got another value."""
    instruction = current(program, state)
    if event.kind != "field_changed" or not isinstance(instruction, WaitUntilDate):
        return False
    return instruction.path == f"fields.{event.data.get('field')}"


def pace_of(event: NewEvent) -> int | None:
    """Return how many times less a test run waits; None if it is none."""
    pace = event.data.get("test_pace")
    return pace if isinstance(pace, int) and pace > 0 else None


def again_anyway(event: NewEvent) -> bool:
    """Return whether somebody enters whether or not they were in the flow before."""
    return pace_of(event) is not None or event.data.get("again") is True


def visits_after(program: Program | None, state: State) -> Mapping[str, int]:
    """Return how often steps were visited, with the request under way: its answer comes too late."""
    instruction = current(program, state) if program else None
    if not isinstance(instruction, Discount | Webhook) or state.waiting_until is None:
        return state.visits
    return {**state.visits, instruction.step: state.visits.get(instruction.step, 0) + 1}
