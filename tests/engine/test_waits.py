"""Waits mean what people mean: tables over zones and seasons, and events that come early, twice or late."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.audience.filters import Facts, PastEvent
from smsflow_plugin.engine import doings
from smsflow_plugin.engine.interpreter import Outcome, State, Status, interpret, wakes_on
from smsflow_plugin.engine.waiting import BadProgram, add_months, after, from_date
from smsflow_plugin.flows.program import (
    HandOver,
    Instruction,
    Program,
    Send,
    Trigger,
    Wait,
    WaitBestTime,
    WaitForEvent,
    WaitUntilDate,
    WaitUntilTime,
    Webhook,
)
from smsflow_plugin.governance.rules import Decision, Reason, Verdict

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)
ALLOW = Decision(Verdict.ALLOW, Reason.ALLOWED)
NEW_YORK, COPENHAGEN, LORD_HOWE = "America/New_York", "Europe/Copenhagen", "Australia/Lord_Howe"
TEXT = Send("t", {"": "Hello"})


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "start", "amount", "unit", "end"),
    [
        # spring: the day has 23 hours
        (COPENHAGEN, "2026-03-28T11:00", 1, "days", "2026-03-29T10:00"),
        (COPENHAGEN, "2026-03-28T11:00", 24, "hours", "2026-03-29T11:00"),
        (COPENHAGEN, "2026-03-28T11:00", 1440, "minutes", "2026-03-29T11:00"),
        # 02:30 does not exist on that day: 03:30
        (COPENHAGEN, "2026-03-28T01:30", 1, "days", "2026-03-29T01:30"),
        (NEW_YORK, "2026-03-07T07:30", 1, "days", "2026-03-08T07:30"),
        # half an hour, at the other end of the year
        (LORD_HOWE, "2026-10-02T15:30", 1, "days", "2026-10-03T15:30"),
        (LORD_HOWE, "2026-10-02T23:00", 2, "days", "2026-10-04T22:30"),
        # autumn: the day has 25 hours, and 02:30 comes twice: the first counts
        (COPENHAGEN, "2026-10-24T10:00", 1, "days", "2026-10-25T11:00"),
        (COPENHAGEN, "2026-10-24T00:30", 1, "days", "2026-10-25T00:30"),
        (COPENHAGEN, "2026-10-25T01:30", 1, "days", "2026-10-26T01:30"),
        (COPENHAGEN, "2026-10-24T10:00", 24, "hours", "2026-10-25T10:00"),
        # weeks and months over a change
        (NEW_YORK, "2026-03-01T15:00", 2, "weeks", "2026-03-15T14:00"),
        (COPENHAGEN, "2026-01-31T09:00", 1, "months", "2026-02-28T09:00"),
        (COPENHAGEN, "2028-01-31T09:00", 1, "months", "2028-02-29T09:00"),
        (COPENHAGEN, "2026-03-31T08:00", 1, "months", "2026-04-30T08:00"),
        (COPENHAGEN, "2026-11-30T09:00", 3, "months", "2027-02-28T09:00"),
        # a year
        (COPENHAGEN, "2028-02-29T09:00", 12, "months", "2029-02-28T09:00"),
        (COPENHAGEN, "2026-07-01T08:00", 12, "months", "2027-07-01T08:00"),
        (NEW_YORK, "2026-01-01T17:00", 365, "days", "2027-01-01T17:00"),
        # backwards, as reminders go
        (COPENHAGEN, "2026-03-29T10:00", -1, "days", "2026-03-28T11:00"),
        (COPENHAGEN, "2026-03-31T08:00", -1, "months", "2026-02-28T09:00"),
        # no day is lost at the date line
        ("Pacific/Apia", "2026-01-31T12:00", 1, "months", "2026-02-28T12:00"),
    ],
)
def test_a_length_of_time_is_what_people_mean(zone: str, start: str, amount: int, unit: str, end: str) -> None:
    assert after(utc(start), amount, unit, zone) == utc(end)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(-600, 600))
def test_months_keep_the_day_or_take_the_last_one(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)


def test_a_wait_beyond_the_calendar_stops_its_own_run_only() -> None:
    with pytest.raises(BadProgram):
        after(NOW, 10**7, "weeks", "UTC")
    assert from_date("9999-12-31", 400, "days", "", "UTC") is None


@pytest.mark.parametrize(
    ("value", "amount", "unit", "at", "moment"),
    [
        ("2026-05-10T14:30:00+02:00", -1, "days", "", "2026-05-09T12:30"),
        ("2026-05-10T14:30:00+02:00", -2, "hours", "", "2026-05-10T10:30"),
        ("2026-05-10T14:30:00+02:00", -1, "days", "18:00", "2026-05-09T16:00"),
        ("2026-05-10T14:30:00", 0, "days", "", "2026-05-10T12:30"),
        ("2026-05-10", 0, "days", "", "2026-05-10T07:00"),
        ("2026-05-10", 1, "weeks", "10:00", "2026-05-17T08:00"),
        (date(2026, 5, 10), 0, "days", "", "2026-05-10T07:00"),
        # the day before the change: the wall time stays
        ("2026-03-29T12:00:00+02:00", -1, "days", "", "2026-03-28T11:00"),
        ("2028-02-29", 12, "months", "", "2029-02-28T08:00"),
    ],
)
def test_so_long_before_or_after_a_date(value: Any, amount: int, unit: str, at: str, moment: str) -> None:
    assert from_date(value, amount, unit, at, COPENHAGEN) == utc(moment)


@pytest.mark.parametrize("value", [None, "", "soon", "2026-02-30", 5, [], "2026-05-10T99:00"])
def test_what_is_no_date_is_none(value: Any) -> None:
    assert from_date(value, -1, "days", "", "UTC") is None


# Runs ----------------------------------------------------------------------------------------


def run(
    instructions: tuple[Instruction, ...],
    state: State | None = None,
    *,
    now: datetime = NOW,
    zone: str = "UTC",
    **facts: Any,
) -> Outcome:
    program = Program((Trigger("opted_in"),), instructions)
    stored = State.from_json((state or State()).to_json())
    return interpret(program, stored, Facts({}, NOW, **facts), now, zone=zone, ask=lambda ask: ALLOW)


def order(hours: float, number: int = 1, subject: str = "") -> PastEvent:
    return PastEvent("order_created", NOW + timedelta(hours=hours), subject=subject, id=number)


def sent(outcome: Outcome) -> list[str]:
    return [answer.ask.send.step for answer in outcome.answers]


WAIT_ENTRY = WaitForEvent("w", ("order_created",), 2, "hours", on_timeout=2)
WAIT_NEW = WaitForEvent("w", ("order_created",), 2, "hours", since="wait", on_timeout=2)
HAPPENED, LATE = Send("happened", {"": "!"}), Send("late", {"": "?"})


@pytest.mark.parametrize(
    ("wait", "event", "looked_at", "texts"),
    [
        (WAIT_ENTRY, 1, 1, ["happened", "late"]),
        (WAIT_ENTRY, 2, 2, ["happened", "late"]),  # at the last moment
        (WAIT_ENTRY, 2.5, 3, ["late"]),  # too late, and looked at late
        (WAIT_ENTRY, 1, 3, ["happened", "late"]),  # in time, and looked at late
        (WAIT_NEW, 1, 1, ["happened", "late"]),
        (WAIT_NEW, 2.5, 3, ["late"]),
    ],
)
def test_an_event_counts_by_when_it_happened(wait: Any, event: float, looked_at: float, texts: list[str]) -> None:
    waiting = run((wait, HAPPENED, LATE))
    outcome = run((wait, HAPPENED, LATE), waiting.state, now=NOW + timedelta(hours=looked_at), events=(order(event),))
    assert sent(outcome) == texts


def test_an_event_before_its_wait_counts_only_if_it_should() -> None:
    steps = (Wait("first", 1, "hours"),)
    for wait, status in ((WAIT_ENTRY, Status.FINISHED), (WAIT_NEW, Status.WAITING)):
        program = (*steps, WaitForEvent("w", wait.kinds, 2, "hours", since=wait.since), TEXT)
        waiting = run(program)
        assert run(program, waiting.state, now=NOW + timedelta(hours=1), events=(order(0.5),)).status is status


def test_one_event_ends_one_wait_for_something_new_and_a_second_one_the_next() -> None:
    wait = WaitForEvent("w", ("order_created",), 9, "hours", since="wait")
    program = (wait, WaitForEvent("x", ("order_created",), 9, "hours", since="wait"), TEXT)
    first = run(program)
    at = NOW + timedelta(hours=1)
    second = run(program, first.state, now=at, events=(order(1),))
    assert (second.status, second.state.at) == (Status.WAITING, 1)
    # the same event again, as every look at the run sees it
    again = run(program, second.state, now=at, events=(order(1),))
    assert again.state == second.state
    both = run(program, second.state, now=at, events=(order(1), order(1, 2)))
    assert both.status is Status.FINISHED


def test_an_event_about_something_else_is_not_waited_for() -> None:
    program = (WaitForEvent("w", ("order_created",), 9, "hours", same_subject=True), TEXT)
    waiting = run(program, subject="o1")
    at = NOW + timedelta(hours=1)
    assert run(program, waiting.state, now=at, subject="o1", events=(order(1, 1, "o2"),)).status is Status.WAITING
    assert run(program, waiting.state, now=at, subject="o1", events=(order(1, 2, "o1"),)).status is Status.FINISHED


BOOKED = "2026-03-12T14:30:00+00:00"
REMIND = WaitUntilDate("r", "trigger.appointment.starts_at", -1, "days", otherwise=2)
REMINDER, BYE = Send("reminder", {"": "Tomorrow!"}), Send("bye", {"": "Thanks."})


def booked(starts_at: Any) -> dict[str, Any]:
    return {"trigger": {"appointment": {"starts_at": starts_at}}}


def test_a_reminder_waits_for_the_day_before() -> None:
    waiting = run((REMIND, REMINDER, BYE), **booked(BOOKED))
    assert waiting.wake_at == utc("2026-03-11T14:30")
    assert sent(run((REMIND, REMINDER, BYE), waiting.state, now=waiting.wake_at, **booked(BOOKED))) == [
        "reminder",
        "bye",
    ]


@pytest.mark.parametrize(
    ("moved", "now", "wake_at", "texts"),
    [
        ("2026-03-20T10:00:00+00:00", "2026-03-06T10:00", "2026-03-19T10:00", []),  # later
        ("2026-03-09T10:00:00+00:00", "2026-03-06T10:00", "2026-03-08T10:00", []),  # earlier, still ahead
        ("2026-03-07T09:00:00+00:00", "2026-03-06T10:00", None, ["bye"]),  # so early that the reminder is past
        (None, "2026-03-06T10:00", None, ["bye"]),  # no date any more
        (BOOKED, "2026-03-11T15:30", None, ["reminder", "bye"]),  # not moved, looked at an hour late
    ],
)
def test_an_appointment_that_moves_is_followed(moved: Any, now: str, wake_at: str | None, texts: list[str]) -> None:
    waiting = run((REMIND, REMINDER, BYE), **booked(BOOKED))
    outcome = run((REMIND, REMINDER, BYE), waiting.state, now=utc(now), **booked(moved))
    assert sent(outcome) == texts
    assert outcome.wake_at == (utc(wake_at) if wake_at else None)


@pytest.mark.parametrize("starts_at", [None, "soon", "2026-03-05T10:00:00+00:00", "2020-01-01"])
def test_a_date_that_is_missing_or_past_on_arrival_goes_the_other_way(starts_at: Any) -> None:
    assert sent(run((REMIND, REMINDER, BYE), **booked(starts_at))) == ["bye"]


def test_a_change_of_the_date_wakes_the_run() -> None:
    for path, kinds in {"fields.birthday": {"field_changed"}, "last_order_at": {"order_created"}}.items():
        program = Program((Trigger("opted_in"),), (WaitUntilDate("r", path),))
        assert wakes_on(program, State()) == kinds


def test_the_best_time_is_the_person_s_hour_within_the_limit() -> None:
    program = (WaitBestTime("b", 12), TEXT)
    assert run(program, zone=NEW_YORK, best_hour=18).wake_at == utc("2026-03-04T23:00")  # 18:00 there
    assert run(program, zone=NEW_YORK, best_hour=9).wake_at == NOW + timedelta(hours=12)  # 22 hours away: the limit
    assert run(program, best_hour=None).status is Status.FINISHED


def test_a_wait_of_a_year_survives_storage() -> None:
    waiting = run((Wait("y", 12, "months"), TEXT), zone=COPENHAGEN)
    assert waiting.wake_at == utc("2027-03-04T16:00")
    assert run((Wait("y", 12, "months"), TEXT), waiting.state, now=waiting.wake_at, zone=COPENHAGEN).state.sent == 1


def test_weekdays_are_those_of_the_person() -> None:
    # Wednesday 16:00 UTC is Thursday in Auckland already
    program = (WaitUntilTime("u", "09:00", (3,)), TEXT)
    assert run(program, zone="Pacific/Auckland").wake_at == utc("2026-03-04T20:00")


# Hand-over -----------------------------------------------------------------------------------


@pytest.mark.parametrize("follows", [Wait("w", 1, "days"), WaitForEvent("w", ("order_created",), 1, "days")])
def test_what_follows_a_hand_over_begins_when_somebody_lets_it(follows: Instruction) -> None:
    program = (HandOver("h", "Call."), follows, TEXT)
    handed = run(program)
    assert (handed.status, handed.doings) == (Status.WAITING, (doings.HandingOver("h", "Call."),))
    resumed_at = NOW + timedelta(days=5)
    resumed = run(program, handed.state, now=resumed_at)
    assert (resumed.status, resumed.wake_at, resumed.doings) == (Status.WAITING, resumed_at + timedelta(days=1), ())


def test_a_request_after_a_hand_over_is_made_and_waited_for() -> None:
    program = (HandOver("h"), Webhook("x", "https://erp.example.com", save_as="erp", on_failure=2), TEXT)
    resumed = run(program, run(program).state, now=NOW + timedelta(days=5))
    assert resumed.status is Status.WAITING
    assert [type(doing) for doing in resumed.doings] == [doings.Requesting]


def test_a_hand_over_at_the_end_ends_the_run_when_somebody_lets_it() -> None:
    handed = run((TEXT, HandOver("h")))
    assert run((TEXT, HandOver("h")), handed.state, now=NOW + timedelta(days=1)).status is Status.FINISHED
