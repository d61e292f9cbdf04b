"""What a waiting run will want to send next, and when: so that a promotion can leave it its place. Pure."""

from __future__ import annotations

from datetime import datetime

from smsflow_plugin.engine.state import State
from smsflow_plugin.flows.program import (
    Branch,
    Discount,
    Exit,
    GoTo,
    HandOver,
    Jump,
    Listen,
    Program,
    Send,
    Split,
    Wait,
    WaitBestTime,
    WaitForEvent,
    WaitUntilDate,
    WaitUntilTime,
    Webhook,
)
from smsflow_plugin.flows.stages import stage_of
from smsflow_plugin.governance.rules import MessageClass, Planned

_WAITS = (Wait, WaitBestTime, WaitUntilDate, WaitUntilTime, WaitForEvent, Listen, Discount, Webhook, HandOver)


def next_text(program: Program, state: State, wake_at: datetime | None) -> datetime | None:
    """Return when a run that waits until ``wake_at`` may want to send its next text, None if it will not then.

    Every way that leads from the wait to a text counts, as nobody knows yet which one the run will take. What comes
    after a further wait does not.
    """
    if wake_at is None or state.at >= len(program.instructions):
        return None
    return wake_at if _leads_to_a_text(program, state.at) else None


def planned_text(
    program: Program, state: State, wake_at: datetime | None, *, flow_id: int, rank: int
) -> Planned | None:
    """Return the text that a waiting run will want to send next, None if it waits for something else."""
    if program.message_class != MessageClass.MARKETING:
        return None
    at = next_text(program, state, wake_at)
    return None if at is None else Planned(at, rank, flow_id, program.priority, stage_of(program))


def _leads_to_a_text(program: Program, start: int) -> bool:
    places, seen = _after_the_wait(program, start), set()
    while places:
        place = places.pop()
        if place in seen or place >= len(program.instructions):
            continue
        seen.add(place)
        instruction = program.instructions[place]
        match instruction:
            case Send():
                return True
            case Branch():
                places += [place + 1, instruction.otherwise]
            case Split():
                places += instruction.targets
            case Jump():
                places.append(instruction.target)
            case Exit():
                continue
            case GoTo(leave=True):
                continue
            case _ if not isinstance(instruction, _WAITS):
                places.append(place + 1)
    return False


def _after_the_wait(program: Program, at: int) -> list[int]:
    """Return where the run may go on from the instruction at which it waits, when the time comes."""
    instruction = program.instructions[at]
    match instruction:
        case Wait() | WaitBestTime() | WaitUntilTime() | WaitUntilDate():
            return [at + 1]
        case WaitForEvent() | Listen():
            return [at + 1 if instruction.on_timeout is None else instruction.on_timeout]
        case Discount() | Webhook() | HandOver():
            return [at + 1]
    return [at]
