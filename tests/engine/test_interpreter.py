"""The interpreter: what each instruction does, and what no program can ever do."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_plugin.audience.filters import Facts, PastEvent
from smsflow_plugin.engine.interpreter import (
    Ask,
    BadProgram,
    Outcome,
    State,
    Status,
    after,
    interpret,
    next_wall_time,
    wakes_on,
)
from smsflow_plugin.flows.program import (
    Branch,
    Exit,
    Instruction,
    Jump,
    Program,
    Send,
    Wait,
    WaitForEvent,
    WaitUntilTime,
)
from smsflow_plugin.governance.rules import Decision, Reason, Verdict

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)
NEW_YORK = "America/New_York"
ALLOW = Decision(Verdict.ALLOW, Reason.ALLOWED)


def send(step: str = "s1", **values: Any) -> Send:
    return Send(step, {"": "Hello"}, **values)


def program(*instructions: Instruction, **values: Any) -> Program:
    return Program("opted_in", instructions, **values)


def run(
    a_program: Program,
    state: State | None = None,
    *,
    now: datetime = NOW,
    events: tuple[PastEvent, ...] = (),
    ask: Any = lambda ask: ALLOW,
    contact: dict[str, Any] | None = None,
    entered_at: datetime = NOW,
) -> Outcome:
    facts = Facts(contact or {}, entered_at, {}, events)
    return interpret(a_program, state or State(), facts, now, zone=NEW_YORK, ask=ask)


def test_a_text_that_is_allowed_ends_a_one_step_program() -> None:
    outcome = run(program(send()))
    assert outcome.status is Status.FINISHED
    assert [answer.ask.send.step for answer in outcome.answers] == ["s1"]
    assert outcome.state.sent == 1
    assert outcome.state.visits == {"s1": 1}


def test_a_text_that_is_put_off_is_asked_for_again_and_keeps_its_expiry() -> None:
    a_program = program(send(expires_minutes=60))
    later = NOW + timedelta(minutes=30)
    asked: list[Ask] = []

    def put_off(ask: Ask) -> Decision:
        asked.append(ask)
        return Decision(Verdict.DEFER, Reason.QUIET_HOURS, later)

    first = run(a_program, ask=put_off)
    assert (first.status, first.wake_at) == (Status.WAITING, later)
    second = run(a_program, first.state, now=later, ask=lambda ask: asked.append(ask) or ALLOW)
    assert second.status is Status.FINISHED
    assert asked[0].expires_at == asked[1].expires_at == NOW + timedelta(minutes=60)
    assert asked[0].visit == asked[1].visit == 0


def test_a_run_that_is_woken_too_early_asks_nobody() -> None:
    a_program = program(send())
    waiting = State(reached_at=NOW, waiting_until=NOW + timedelta(hours=1))
    outcome = run(a_program, waiting, ask=lambda ask: pytest.fail("asked"))
    assert outcome.wake_at == NOW + timedelta(hours=1)
    assert outcome.answers == ()


def test_a_skipped_text_does_not_stop_the_run() -> None:
    no = Decision(Verdict.SKIP, Reason.NO_CONSENT)
    outcome = run(program(send("a"), send("b")), ask=lambda ask: no if ask.send.step == "a" else ALLOW)
    assert [(a.ask.send.step, a.decision.verdict) for a in outcome.answers] == [("a", "skip"), ("b", "allow")]
    assert outcome.state.sent == 1


def test_people_who_left_the_audience_are_not_texted() -> None:
    a_program = program(send(), audience={"tag": "vip"})
    outcome = run(a_program, contact={"tags": []}, ask=lambda ask: pytest.fail("asked"))
    assert outcome.answers[0].decision == Decision(Verdict.SKIP, Reason.AUDIENCE)
    assert run(a_program, contact={"tags": ["VIP"]}).answers[0].decision is ALLOW


def test_an_exit_event_ends_the_run_before_anything_is_sent() -> None:
    a_program = program(send(), exits=("order_created",))
    order = PastEvent("order_created", NOW + timedelta(minutes=1))
    outcome = run(a_program, events=(order,), ask=lambda ask: pytest.fail("asked"))
    assert (outcome.status, outcome.reason) == (Status.EXITED, "event:order_created")


def test_an_exit_event_from_before_the_entry_means_nothing() -> None:
    a_program = program(send(), exits=("order_created",))
    order = PastEvent("order_created", NOW - timedelta(minutes=1))
    assert run(a_program, events=(order,)).status is Status.FINISHED


def test_waiting_for_an_event_ends_with_the_event_or_the_timeout() -> None:
    a_program = program(WaitForEvent("w", ("order_created",), 60, "minutes"), send())
    waiting = run(a_program)
    assert waiting.wake_at == NOW + timedelta(minutes=60)
    assert wakes_on(a_program, waiting.state) == {"order_created"}
    order = PastEvent("order_created", NOW + timedelta(minutes=5))
    assert run(a_program, waiting.state, now=NOW + timedelta(minutes=5), events=(order,)).status is Status.FINISHED
    assert run(a_program, waiting.state, now=NOW + timedelta(minutes=60)).status is Status.FINISHED


def test_an_event_that_came_before_its_wait_counts() -> None:
    a_program = program(Wait("w1", 1, "hours"), WaitForEvent("w2", ("order_created",), 7, "days"), send())
    waiting = run(a_program)
    order = PastEvent("order_created", NOW + timedelta(minutes=5))
    assert run(a_program, waiting.state, now=NOW + timedelta(hours=1), events=(order,)).status is Status.FINISHED


def test_a_branch_takes_one_side_only() -> None:
    a_program = program(Branch("b", {"tag": "vip"}, 3), send("yes"), Jump("b", 4), send("no"))
    assert [a.ask.send.step for a in run(a_program, contact={"tags": ["vip"]}).answers] == ["yes"]
    assert [a.ask.send.step for a in run(a_program).answers] == ["no"]


def test_an_exit_step_says_why() -> None:
    outcome = run(program(Exit("e", "bought already"), send()))
    assert (outcome.status, outcome.reason, outcome.answers) == (Status.EXITED, "bought already", ())


def test_a_program_that_jumps_back_is_refused() -> None:
    with pytest.raises(BadProgram):
        run(program(Jump("j", 0)))


@pytest.mark.parametrize(
    ("start", "amount", "unit", "end"),
    [
        # New York springs forward on 8 March 2026 and falls back on 1 November
        ("2026-03-07T15:00", 1, "days", "2026-03-08T14:00"),
        ("2026-03-07T15:00", 24, "hours", "2026-03-08T15:00"),
        ("2026-10-31T14:00", 1, "days", "2026-11-01T15:00"),
        ("2026-10-31T14:00", 24, "hours", "2026-11-01T14:00"),
        ("2026-03-07T07:30", 1, "days", "2026-03-08T07:30"),  # 02:30, which does not exist: 03:30
        ("2026-03-04T16:00", 2, "weeks", "2026-03-18T15:00"),
        ("2028-02-29T16:00", 365, "days", "2029-02-28T16:00"),
    ],
)
def test_a_day_is_the_same_wall_time_tomorrow_and_hours_are_hours(start: str, amount: int, unit: str, end: str) -> None:
    begin, expected = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end))
    assert after(begin, amount, unit, NEW_YORK) == expected


def test_a_wall_time_is_found_today_tomorrow_or_on_the_right_weekday() -> None:
    # NOW is Wednesday, 11:00 in New York
    assert next_wall_time(NOW, time(12), (), NEW_YORK) == NOW + timedelta(hours=1)
    assert next_wall_time(NOW, time(11), (), NEW_YORK) == NOW
    assert next_wall_time(NOW, time(10), (), NEW_YORK) == NOW + timedelta(hours=23)
    assert next_wall_time(NOW, time(10), (2,), NEW_YORK) == NOW + timedelta(days=7, hours=-2)  # over the change to DST


def test_state_survives_being_stored() -> None:
    state = State(3, NOW, NOW + timedelta(days=400), {"a": 1}, 2)
    assert State.from_json(state.to_json()) == state


KINDS = ("order_created", "message_received")
conditions = st.one_of(
    st.builds(lambda kind: {"event": kind, "since": "entry"}, st.sampled_from(KINDS)),
    st.builds(lambda tag: {"tag": tag}, st.sampled_from(["vip", "new"])),
)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    size = draw(st.integers(1, 8))
    instructions: list[Instruction] = []
    for index in range(size):
        ahead = st.integers(index + 1, size)
        step = f"step{index}"
        instructions.append(
            draw(
                st.one_of(
                    st.just(send(step)),
                    st.builds(Wait, st.just(step), st.integers(0, 5), st.sampled_from(["minutes", "hours", "days"])),
                    st.just(WaitUntilTime(step, "09:00")),
                    st.builds(WaitForEvent, st.just(step), st.just(KINDS[:1]), st.integers(0, 5), st.just("hours")),
                    st.builds(Branch, st.just(step), conditions, ahead),
                    st.builds(Jump, st.just(step), ahead),
                    st.just(Exit(step)),
                )
            )
        )
    return Program("opted_in", tuple(instructions), exits=draw(st.sampled_from([(), KINDS[1:]])))


@settings(max_examples=300, deadline=None)
@given(
    programs(),
    st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 72)), max_size=4),
    st.lists(st.sampled_from(["allow", "skip", "defer"]), max_size=8),
    st.lists(st.integers(1, 50), max_size=6),
)
def test_every_run_ends_and_asks_for_each_text_at_most_once(
    a_program: Program, happenings: list[tuple[str, int]], answers: list[str], early: list[int]
) -> None:
    """Whatever happens when, and however often it is woken too early or stored and read again."""
    past = [PastEvent(kind, NOW + timedelta(hours=hours)) for kind, hours in happenings]
    sent: list[tuple[str, int]] = []

    def ask(ask: Ask) -> Decision:
        verdict = answers.pop() if answers else "allow"
        if verdict == "defer":
            return Decision(Verdict.DEFER, Reason.QUIET_HOURS, now + timedelta(hours=2))
        sent.append((ask.send.step, ask.visit))
        return Decision(Verdict(verdict), Reason.ALLOWED)

    state, now = State(), NOW
    for _turn in range(200):
        known = tuple(event for event in past if event.occurred_at <= now)
        outcome = run(a_program, State.from_json(state.to_json()), now=now, events=known, ask=ask)
        state = outcome.state
        if outcome.status is not Status.WAITING:
            break
        assert outcome.wake_at is not None and outcome.wake_at > now
        now = now + timedelta(minutes=early.pop()) if early else outcome.wake_at
    assert outcome.status is not Status.WAITING
    assert outcome.wake_at is None
    assert len(sent) == len(set(sent))
