"""Waits: for a date, for an event, for the best time."""

from __future__ import annotations

from typing import Any

import pytest

from smsflow_plugin.flows.program import Exit, Jump, WaitBestTime, WaitForEvent, WaitUntilDate
from smsflow_plugin.flows.trigger_blocks import event_trigger
from tests.flows.people import leave, send, wait
from tests.flows.steps import instructions, items, refused, said, step

BOOKED = [event_trigger("appointment_booked")]


def until(**values: Any) -> dict[str, Any]:
    given = {
        "source": "appointment", "custom": "", "direction": "before", "amount": 1, "unit": "days", "time": None,
        "if_past": "go_on",
    }  # fmt: skip
    return step("wait_until_date", **{**given, **values})


def event(**values: Any) -> dict[str, Any]:
    given = {"events": ["order_created"], "amount": 1, "unit": "days", "since": "entry", "same_subject": False}
    return step("wait_for_event", **{**given, **values})


@pytest.mark.parametrize(
    ("values", "path", "amount", "time"),
    [
        ({}, "trigger.appointment.starts_at", -1, ""),
        ({"direction": "after", "time": "10:00:00"}, "trigger.appointment.starts_at", 1, "10:00"),
        ({"direction": "on", "amount": None}, "trigger.appointment.starts_at", 0, ""),
        ({"source": "field", "custom": "birthday"}, "fields.birthday", -1, ""),
        ({"source": "field", "custom": "contact.fields.birthday"}, "fields.birthday", -1, ""),
        ({"source": "field", "custom": "last_order_at"}, "last_order_at", -1, ""),
        ({"source": "trigger", "custom": "appointment.ends_at"}, "trigger.appointment.ends_at", -1, ""),
    ],
)
def test_a_wait_for_a_date_names_where_the_date_stands(values: Any, path: str, amount: int, time: str) -> None:
    assert instructions(until(**values), send(), triggers=BOOKED)[0] == WaitUntilDate("s1", path, amount, "days", time)


def test_a_date_that_has_passed_skips_the_next_step() -> None:
    found = instructions(until(if_past="skip_next"), send("Tomorrow!"), send("Bye."), triggers=BOOKED)
    assert isinstance(found[0], WaitUntilDate) and found[0].otherwise == 2


def test_a_step_with_ways_is_skipped_as_a_whole() -> None:
    ways = step("split", ways=items({"weight": 1, "steps": [send("A")]}, {"weight": 1, "steps": [send("B")]}))
    found = instructions(until(if_past="skip_next"), ways, send("Bye."), triggers=BOOKED)
    assert isinstance(found[0], WaitUntilDate) and found[0].otherwise is not None
    assert found[found[0].otherwise].step == "s3"


def test_two_reminders_in_a_row_skip_one_text_each() -> None:
    found = instructions(
        until(if_past="skip_next"), send("A"), until(amount=2, unit="hours", if_past="skip_next"), send("B"),
        triggers=BOOKED,
    )  # fmt: skip
    assert [getattr(each, "otherwise", None) for each in found] == [2, None, 4, None]


def test_what_follows_a_skipped_end_can_be_reached() -> None:
    assert instructions(until(if_past="skip_next"), leave(), send("Soon."), triggers=BOOKED)


def test_a_date_that_has_passed_can_end_the_flow() -> None:
    wait_, jump, end, text = instructions(until(if_past="leave"), send(), triggers=BOOKED)
    assert isinstance(wait_, WaitUntilDate) and wait_.otherwise == 2
    assert (jump, end) == (Jump("s1", 3, "on"), Exit("s1", "date_passed", "past"))
    assert text.step == "s2"


def test_an_event_and_the_end_of_the_time_go_ways_of_their_own() -> None:
    found = instructions(event(happened=[{**send("Yes"), "id": "y"}], timed_out=[{**send("No"), "id": "n"}]), send())
    assert found[0] == WaitForEvent("s1", ("order_created",), 1, "days", on_timeout=3)
    assert [each.step for each in found[1:]] == ["y", "s1", "n", "s2"]
    assert found[2] == Jump("s1", 4, "end:happened")


def test_with_steps_for_the_end_of_the_time_only_an_event_jumps_over_them() -> None:
    found = instructions(event(timed_out=[{**send("No"), "id": "n"}]), send())
    assert [type(each).__name__ for each in found] == ["WaitForEvent", "Jump", "Send", "Send"]
    assert found[1] == Jump("s1", 3, "end:happened")


def test_the_same_subject_must_be_possible() -> None:
    wanted = event(events=["order_paid"], same_subject=True, since="wait")
    found = instructions(wanted, send(), triggers=[event_trigger("order_created")])
    assert found[0] == WaitForEvent("s1", ("order_paid",), 1, "days", "wait", True)
    assert said(refused(wanted, send(), triggers=[event_trigger("cart_updated")])) == [
        (("steps", 0, "same_subject"), "These events are about something else than what starts the flow.")
    ]


def test_the_best_time_has_a_limit() -> None:
    assert instructions(step("wait_best_time", within_hours=12), send())[0] == WaitBestTime("s1", 12)


@pytest.mark.parametrize(
    ("waits", "path", "message"),
    [
        (until(amount=0), ("amount",), "Give a number of at least 1."),
        (until(source="field"), ("custom",), "Give the name of the date."),
        (until(source="trigger", custom="cart.at"), ("custom",), "What starts this flow does not bring such a value."),
        (step("wait_best_time", within_hours=999), ("within_hours",), "Give a number from 1 to 168."),
        (wait(600, "weeks"), ("amount",), "Wait ten years at most."),
        (wait(1, "years"), ("unit",), "Choose a unit."),
        (event(events=["moon_landing"]), ("events",), "There is no event “moon_landing”."),
        (event(amount=None), ("amount",), "Give a time after which the flow goes on."),
    ],
)
def test_what_is_wrong_with_a_wait_is_said_at_its_field(waits: Any, path: Any, message: str) -> None:
    assert said(refused(waits, send(), triggers=BOOKED)) == [(("steps", 0, *path), message)]


def test_an_appointment_must_be_what_the_flow_is_about() -> None:
    assert said(refused(until(), send())) == [
        (("steps", 0, "source"), "What starts this flow is not about an appointment.")
    ]
