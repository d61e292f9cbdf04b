"""What a waiting run will want to send next, and when."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from smsflow_plugin.audience.filters import ALWAYS
from smsflow_plugin.engine.state import State
from smsflow_plugin.engine.upcoming import next_text
from smsflow_plugin.flows.program import (
    Branch,
    Discount,
    Exit,
    GoTo,
    HandOver,
    Instruction,
    Jump,
    Listen,
    Program,
    Send,
    Split,
    Tag,
    Trigger,
    Wait,
    WaitForEvent,
)
from tests.conftest import NOON

LATER = NOON + timedelta(hours=1)
SEND, WAIT, TAG = Send("s", {"": "Hi"}), Wait("w", 1, "hours"), Tag("t", "x", True)


def upcoming(*instructions: Instruction, at: int = 0, wake_at: datetime | None = LATER) -> datetime | None:
    return next_text(Program((Trigger("opted_in"),), instructions), State(at=at), wake_at)


@pytest.mark.parametrize(
    "instructions",
    [
        (WAIT, SEND),
        (SEND,),
        (WAIT, TAG, SEND),
        (WAIT, Branch("b", ALWAYS, 3), Exit("e"), SEND),
        (WAIT, Branch("b", ALWAYS, 3), SEND, Exit("e")),
        (WAIT, Split("x", (50, 50), (2, 3)), Exit("e"), SEND),
        (WAIT, Jump("j", 3), Exit("e"), SEND),
        (WaitForEvent("v", ("order_created",), 1, "hours", on_timeout=2), Exit("e"), SEND),
        (Listen("l", (), 1, "hours"), SEND),
        (Discount("d", "discount"), SEND),
        (HandOver("h"), SEND),
        (WAIT, GoTo("g", 5, leave=False), SEND),
    ],
)
def test_any_way_that_may_lead_to_a_text_counts(instructions: tuple[Instruction, ...]) -> None:
    assert upcoming(*instructions) == LATER


@pytest.mark.parametrize(
    "instructions",
    [
        (WAIT,),
        (WAIT, TAG),
        (WAIT, WAIT, SEND),
        (WAIT, Exit("e"), SEND),
        (WAIT, GoTo("g", 5, leave=True), SEND),
        (WaitForEvent("v", ("order_created",), 1, "hours", on_timeout=2), SEND, Exit("e")),
    ],
)
def test_what_comes_after_another_wait_or_an_end_does_not(instructions: tuple[Instruction, ...]) -> None:
    assert upcoming(*instructions) is None


def test_a_run_that_waits_for_nothing_or_has_ended_plans_nothing() -> None:
    assert upcoming(WAIT, SEND, wake_at=None) is None
    assert upcoming(WAIT, SEND, at=2) is None
