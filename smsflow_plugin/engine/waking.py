"""Where a waiting run stands, and what wakes it before its time. Pure."""

from __future__ import annotations

from smsflow_plugin.engine.state import State
from smsflow_plugin.flows.program import Instruction, Listen, Program, WaitForEvent, WaitUntilDate

#: The kind of event that a text from the person is.
REPLY = "message_received"


def wakes_on(program: Program, state: State) -> frozenset[str]:
    """Return the kinds of event for which a waiting run must be looked at before its time."""
    kinds = {*program.exits}
    if program.goal and program.goal_leaves:
        kinds.add(program.goal)
    instruction = current(program, state)
    if isinstance(instruction, WaitForEvent):
        kinds.update(instruction.kinds)
    elif isinstance(instruction, Listen):
        kinds.add(REPLY)
    elif isinstance(instruction, WaitUntilDate):
        kinds.update(_moves(instruction.path))
    return frozenset(kinds)


def _moves(path: str) -> tuple[str, ...]:
    """Return the kinds of event that can move the date at ``path``."""
    if path.startswith("fields."):
        return ("field_changed",)
    return ("order_created",) if path in ("first_order_at", "last_order_at", "replenish_at") else ()


def current(program: Program, state: State) -> Instruction | None:
    """Return the instruction at which a run stands, None at the end."""
    return program.instructions[state.at] if state.at < len(program.instructions) else None
