"""Runs a program until it waits. Pure: no Django, no clock, no database.

Live runs, previews, test runs and backtests all call ``interpret``; there is no
second engine. Waiting state is plain JSON, so a run survives restarts and years.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from smsflow_plugin.audience.filters import Facts, matches
from smsflow_plugin.flows.program import Branch, Exit, Jump, Program, Send, Wait, WaitForEvent, WaitUntilTime
from smsflow_plugin.governance.rules import Decision, Reason, Verdict


class BadProgram(Exception):
    """The program cannot be run: it jumps backwards or out of itself."""


class Status(StrEnum):
    WAITING = "waiting"
    FINISHED = "finished"
    EXITED = "exited"


@dataclass(frozen=True, slots=True)
class State:
    """Where a run stands.

    ``at`` is the next instruction; ``reached_at`` is when the run came to it. ``waiting_until``
    is set while that instruction waits (a wait, or a send that was put off). ``visits`` counts
    how often each step sent or gave up, which makes (enrollment, step, visit) unique.
    ``sent`` counts the texts that governance allowed.
    """

    at: int = 0
    reached_at: datetime | None = None
    waiting_until: datetime | None = None
    visits: Mapping[str, int] = field(default_factory=dict)
    sent: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "at": self.at,
            "reached_at": self.reached_at.isoformat() if self.reached_at else None,
            "waiting_until": self.waiting_until.isoformat() if self.waiting_until else None,
            "visits": dict(self.visits),
            "sent": self.sent,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> State:
        return cls(
            at=data.get("at", 0),
            reached_at=_moment(data.get("reached_at")),
            waiting_until=_moment(data.get("waiting_until")),
            visits=dict(data.get("visits", {})),
            sent=data.get("sent", 0),
        )


@dataclass(frozen=True, slots=True)
class Ask:
    """A text that the run has come to. ``expires_at``: later than this it is worth nothing."""

    send: Send
    visit: int
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What governance said to one ``Ask``."""

    ask: Ask
    decision: Decision


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where the run stands now, and every answer it got on the way.

    ``wake_at`` is when to run it again; None once it has ended. ``reason`` says why it left early.
    """

    state: State
    status: Status
    wake_at: datetime | None = None
    reason: str = ""
    answers: tuple[Answer, ...] = ()


Governor = Callable[[Ask], Decision]


def interpret(program: Program, state: State, facts: Facts, now: datetime, *, zone: str, ask: Governor) -> Outcome:
    """Run ``program`` from ``state`` until it waits or ends.

    ``facts.events`` must hold what happened since entry, without the event that
    started the run. ``ask`` decides on each text and must itself be pure; it is not
    asked for people who no longer match the audience. Running again with the same
    arguments gives the same outcome.

    :raises BadProgram: if the program could loop for ever.
    """
    answers: list[Answer] = []
    left = _exit_event(program, facts)
    if left:
        return Outcome(_halt(state), Status.EXITED, reason=f"event:{left}")
    while state.at < len(program.instructions):
        instruction = program.instructions[state.at]
        state = state if state.reached_at else replace(state, reached_at=now)
        match instruction:
            case Send():
                state, answer = _send(program, instruction, state, facts, now, ask)
                if answer:
                    answers.append(answer)
                if state.waiting_until:
                    return Outcome(state, Status.WAITING, state.waiting_until, answers=tuple(answers))
            case Wait() | WaitUntilTime() | WaitForEvent():
                state = _wait(instruction, state, facts, now, zone)
                if state.waiting_until:
                    return Outcome(state, Status.WAITING, state.waiting_until, answers=tuple(answers))
            case Branch():
                holds = matches(instruction.condition, facts, now)
                state = _goto(state, state.at + 1 if holds else instruction.otherwise)
            case Jump():
                state = _goto(state, instruction.target)
            case Exit():
                return Outcome(_halt(state), Status.EXITED, reason=instruction.reason or "exit", answers=tuple(answers))
    return Outcome(_halt(state), Status.FINISHED, answers=tuple(answers))


def wakes_on(program: Program, state: State) -> frozenset[str]:
    """Return the kinds of event for which a waiting run must be looked at before its time."""
    kinds = set(program.exits)
    if state.at < len(program.instructions):
        instruction = program.instructions[state.at]
        if isinstance(instruction, WaitForEvent):
            kinds.update(instruction.kinds)
    return frozenset(kinds)


def after(start: datetime, amount: int, unit: str, zone: str) -> datetime:
    """Return the end of a wait. Days and weeks keep the wall time in ``zone``; minutes and hours are absolute."""
    match unit:
        case "minutes":
            return start + timedelta(minutes=amount)
        case "hours":
            return start + timedelta(hours=amount)
        case "days" | "weeks":
            local = start.astimezone(ZoneInfo(zone))
            days = amount * (7 if unit == "weeks" else 1)
            # a wall time that DST skips means the same distance after the gap (PEP 495)
            there = datetime.combine(local.date() + timedelta(days=days), local.time(), ZoneInfo(zone))
            return there.astimezone(UTC)
    raise BadProgram(f"Unknown unit of time: {unit}.")


def next_wall_time(now: datetime, at: time, weekdays: tuple[int, ...], zone: str) -> datetime:
    """Return the first moment from ``now`` on that reads ``at`` on a clock in ``zone``."""
    day = now.astimezone(ZoneInfo(zone)).date()
    for offset in range(9):
        candidate_day = day + timedelta(days=offset)
        moment = datetime.combine(candidate_day, at, ZoneInfo(zone)).astimezone(UTC)
        if moment >= now and (not weekdays or candidate_day.weekday() in weekdays):
            return moment
    raise BadProgram(f"No such weekday: {weekdays}.")


def _exit_event(program: Program, facts: Facts) -> str:
    seen = {event.kind for event in facts.events if event.occurred_at >= facts.entered_at}
    return next((kind for kind in program.exits if kind in seen), "")


def _send(
    program: Program, send: Send, state: State, facts: Facts, now: datetime, ask: Governor
) -> tuple[State, Answer | None]:
    if state.waiting_until and state.waiting_until > now:
        return state, None
    visit = state.visits.get(send.step, 0)
    reached = state.reached_at or now
    expires = reached + timedelta(minutes=send.expires_minutes) if send.expires_minutes else None
    request = Ask(send, visit, expires)
    if matches(program.audience, facts, now):
        decision = ask(request)
    else:
        decision = Decision(Verdict.SKIP, Reason.AUDIENCE)
    answer = Answer(request, decision)
    if decision.verdict is Verdict.DEFER and decision.until is not None:
        return replace(state, waiting_until=decision.until), answer
    done = replace(state, visits={**state.visits, send.step: visit + 1}, sent=state.sent + decision.allowed)
    return _goto(done, state.at + 1), answer


def _wait(wait: Wait | WaitUntilTime | WaitForEvent, state: State, facts: Facts, now: datetime, zone: str) -> State:
    if isinstance(wait, WaitForEvent) and any(
        event.kind in wait.kinds and event.occurred_at >= facts.entered_at for event in facts.events
    ):
        return _goto(state, state.at + 1)
    until = state.waiting_until
    if until is None:
        if isinstance(wait, WaitUntilTime):
            until = next_wall_time(now, time.fromisoformat(wait.time), wait.weekdays, zone)
        else:
            until = after(now, wait.amount, wait.unit, zone)
    if until <= now:
        return _goto(state, state.at + 1)
    return replace(state, waiting_until=until)


def _goto(state: State, target: int) -> State:
    if target <= state.at:
        raise BadProgram(f"Instruction {state.at} leads back to {target}.")
    return replace(state, at=target, reached_at=None, waiting_until=None)


def _halt(state: State) -> State:
    return replace(state, reached_at=None, waiting_until=None)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
