"""Runs a program until it waits. Pure: no Django, no clock, no database.

Live runs, previews, test runs and backtests all call ``interpret``; there is no
second engine. Waiting state is plain JSON, so a run survives restarts and years.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from smsflow_plugin.audience.filters import Facts, PastEvent, lookup, matches
from smsflow_plugin.engine import doings
from smsflow_plugin.engine.answers import Answered, understand
from smsflow_plugin.engine.chance import way
from smsflow_plugin.engine.doings import Doing
from smsflow_plugin.engine.planning import is_over, planned
from smsflow_plugin.engine.state import State
from smsflow_plugin.engine.trials import Copy, copy_for, offer_of, wait_of
from smsflow_plugin.engine.waiting import BadProgram, after, from_date, next_wall_time
from smsflow_plugin.engine.waking import REPLY, current, wakes_on
from smsflow_plugin.flows.program import (
    Agree,
    Branch,
    Discount,
    Email,
    Exit,
    Goal,
    GoTo,
    HandOver,
    Instruction,
    Jump,
    Listen,
    Notify,
    Program,
    Send,
    SetField,
    Split,
    Tag,
    Wait,
    WaitBestTime,
    WaitForEvent,
    WaitUntilDate,
    WaitUntilTime,
    Webhook,
    binding_targets,
)
from smsflow_plugin.governance.rules import Decision, Reason, Verdict

__all__ = [
    "REPLY",
    "Answer",
    "Ask",
    "BadProgram",
    "Outcome",
    "State",
    "Status",
    "after",
    "current",
    "interpret",
    "next_wall_time",
    "wakes_on",
]

#: How long a run waits for what it has asked of another system.
PATIENCE = timedelta(minutes=15)


class Status(StrEnum):
    WAITING = "waiting"
    FINISHED = "finished"
    EXITED = "exited"


@dataclass(frozen=True, slots=True)
class Ask:
    """A text that the run has come to, at ``reached_at``. ``expires_at``: later than this it is worth nothing.

    ``run`` is what the run has gathered so far, for the copy. ``answers`` is the time of the
    person's text to which this is the answer, None if it is not one. ``copy`` is the wording that the person gets.
    """

    send: Send
    visit: int
    expires_at: datetime | None
    facts: Facts
    answers: datetime | None = None
    reached_at: datetime | None = None

    @property
    def copy(self) -> Copy:
        return copy_for(self.send, self.facts.key)


@dataclass(frozen=True, slots=True)
class Answer:
    """What governance said to one ``Ask``."""

    ask: Ask
    decision: Decision


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where the run stands now, and every answer it got on the way.

    ``wake_at`` is when to run it again; None once it has ended. ``reason`` says why it left early.
    ``doings`` are to be done together with storing the state, in their order.
    """

    state: State
    status: Status
    wake_at: datetime | None = None
    reason: str = ""
    answers: tuple[Answer, ...] = ()
    doings: tuple[Doing, ...] = ()


Governor = Callable[[Ask], Decision]

#: What only leads on: it is done even where the rest of its step lies in the past.
_ALWAYS = (Branch, Exit, Jump, Split, Wait, WaitBestTime, WaitForEvent, WaitUntilDate, WaitUntilTime)


def interpret(
    program: Program,
    state: State,
    facts: Facts,
    now: datetime,
    *,
    zone: str,
    ask: Governor,
    pace: int = 1,
    language: str = "",
) -> Outcome:
    """Run ``program`` from ``state`` until it waits or ends.

    ``facts.events`` must hold what happened since entry, without the event that
    started the run. ``ask`` decides on each text and must itself be pure; it is not
    asked for people who no longer match the audience. Running again with the same
    arguments gives the same outcome. ``pace``: waits take so many times less, for test runs.
    ``language`` is the one that the person is written to in, and answers in.

    :raises BadProgram: if the program could loop for ever.
    """
    return _Run(program, state, facts, now, zone, ask, pace, language).to_the_next_wait()


@dataclass
class _Run:
    """One call of ``interpret``. ``state`` and ``facts`` move on from instruction to instruction."""

    program: Program
    state: State
    facts: Facts
    now: datetime
    zone: str
    ask: Governor
    pace: int
    language: str

    def __post_init__(self) -> None:
        self.answers: list[Answer] = []
        self.doings: list[Doing] = []
        self.facts = replace(self.facts, run=self.state.gathered)

    def to_the_next_wait(self) -> Outcome:
        left = self._left()
        if left:
            return self._end(Status.EXITED, left)
        while (instruction := current(self.program, self.state)) is not None:
            if self.state.reached_at is None:
                self.state = replace(self.state, reached_at=self.now)
            reason = self._step(instruction)
            if reason:
                return self._end(Status.EXITED, reason)
            if self.state.waiting_until:
                wake_at = self.state.waiting_until
                return Outcome(
                    self.state, Status.WAITING, wake_at, answers=tuple(self.answers), doings=tuple(self.doings)
                )
        return self._end(Status.FINISHED)

    def _end(self, status: Status, reason: str = "") -> Outcome:
        state = replace(self.state, reached_at=None, waiting_until=None)
        return Outcome(state, status, reason=reason, answers=tuple(self.answers), doings=tuple(self.doings))

    def _left(self) -> str:
        """Return why the run ends whatever it stands at, or an empty string."""
        program = self.program
        if program.leave_unmatched and not matches(program.audience, self.facts, self.now):
            return Reason.AUDIENCE.value
        for event in self._since_entry():
            # a run about nothing in particular ends with any
            own = event.kind not in program.own_exits or self.facts.subject in ("", event.subject)
            if program.goal_leaves and event.kind == program.goal and own:
                return f"goal:{event.kind}"
            if event.kind in program.exits and own:
                return f"event:{event.kind}"
        return ""

    def _step(self, instruction: Instruction) -> str:
        """Do one instruction: move on, or set ``waiting_until``. Returns a reason to leave, or an empty string."""
        if instruction.step in self.state.gathered.get("past", ()) and not isinstance(instruction, _ALWAYS):
            self._pass_over(instruction)
            return ""
        match instruction:
            case Send():
                return self._send(instruction)
            case Wait() | WaitUntilTime() | WaitBestTime():
                self._wait_until(self.state.waiting_until or self._planned(instruction))
            case WaitUntilDate():
                self._wait_until_date(instruction)
            case WaitForEvent():
                self._wait_for_event(instruction)
            case Listen():
                self._listen(instruction)
            case Branch():
                holds = matches(instruction.condition, self.facts, self.now)
                self._goto(None if holds else instruction.otherwise)
            case Split():
                place = way(self.facts.key, instruction.step, instruction.weights)
                self._gather("ways", instruction.step, place)
                self._goto(instruction.targets[place])
            case Jump():
                self._goto(instruction.target)
            case Discount() | Webhook():
                self._request(instruction)
            case Email() | Notify():
                self.doings.append(doings.Requesting(instruction.step, self._visit(instruction), instruction, False))
                self._leave_step(instruction)
            case HandOver():
                self._hand_over(instruction)
            case GoTo():
                self.doings.append(doings.Entering(instruction.step, self._visit(instruction), instruction.flow))
                self._leave_step(instruction)
                return "went_on" if instruction.leave else ""
            case Goal():
                self.doings.append(doings.Reaching(instruction.step, instruction.name))
                self._goto(None)
                return "goal" if instruction.leave else ""
            case Exit():
                return instruction.reason or "exit"
            case _:
                self._change_person(instruction)
        return ""

    def _pass_over(self, instruction: Instruction) -> None:
        """Leave out what the run did in an older version of the flow (``engine.transfer``).

        An answer counts as before.
        """
        if not isinstance(instruction, Listen):
            self._goto(None)
            return
        value = self.state.gathered.get("answers", {}).get(instruction.save_as or instruction.step)
        if value is None:
            self._goto(instruction.on_timeout)
            return
        same = next((choice for choice in instruction.choices if choice.value == value), None)
        if same is None and (known := self._understood(str(value), instruction)) is not None:
            same = known.choice
        self._goto(same.target if same else instruction.on_other)

    def _change_person(self, instruction: Instruction) -> None:
        match instruction:
            case Tag():
                self.doings.append(doings.Tagging(instruction.step, instruction.tag, instruction.add))
                tags = [
                    t for t in self.facts.contact.get("tags") or () if str(t).casefold() != instruction.tag.casefold()
                ]
                self._know(tags=[*tags, instruction.tag] if instruction.add else tags)
            case SetField():
                value = lookup(instruction.path, self.facts) if instruction.path else instruction.value
                self._set(instruction.step, instruction.name, "" if value is None else str(value))
            case Agree():
                if self.state.answer is not None:  # without an answer nobody has agreed to anything
                    self.doings.append(doings.Agreeing(instruction.step, self.state.answer))
        self._goto(None)

    def _hand_over(self, instruction: HandOver) -> None:
        """Stay here: the next run comes when somebody lets the person go on, and begins what follows then."""
        if self.state.waiting_until is not None:
            self._goto(None)
            return
        self.doings.append(doings.HandingOver(instruction.step, instruction.note))
        self.state = replace(self.state, waiting_until=self.now)

    # Texts -----------------------------------------------------------------------------------

    def _send(self, send: Send) -> str:
        if self.state.waiting_until and self.state.waiting_until > self.now:
            return ""
        visit = self._visit(send)
        reached = self.state.reached_at or self.now
        expires = reached + timedelta(minutes=send.expires_minutes) if send.expires_minutes else None
        request = Ask(send, visit, expires, self.facts, self.state.heard_at if send.reply else None, reached)
        if matches(self.program.audience, self.facts, self.now):
            decision = self.ask(request)
        else:
            decision = Decision(Verdict.SKIP, Reason.AUDIENCE)
        self.answers.append(Answer(request, decision))
        if decision.verdict is Verdict.DEFER and decision.until is not None:
            self.state = replace(self.state, waiting_until=decision.until)
            return ""
        self.state = replace(self.state, sent=self.state.sent + decision.allowed)
        if not send.reply:
            self.state = replace(self.state, asked_at=self.now if decision.allowed else None)
        self._leave_step(send)
        return ""

    def _listen(self, listen: Listen) -> None:
        asked_at = self.state.asked_at
        if asked_at is None:
            # the question was not sent: there is nothing to answer
            self._goto(listen.on_timeout)
            return
        until = self.state.waiting_until or self._later(listen.amount, listen.unit)
        for event in self._since_entry():
            # what came too late is no answer, however late this is looked at
            if event.kind != REPLY or not asked_at <= event.occurred_at <= until or event.id in self.state.heard:
                continue
            if event.taken or event.data.get("keyword"):
                continue  # STOP, HELP and START are never answers
            heard = (*self.state.heard, event.id)
            self.state = replace(self.state, heard=heard, heard_at=event.occurred_at, answer=event.id)
            self.doings.append(doings.Hearing(listen.step, event.id))
            answer = self._understood(str(event.data.get("body") or ""), listen)
            if answer is not None:
                self._remember(listen, answer)
                self._goto(answer.choice.target)
                return
            if listen.on_other is not None:
                self._goto(listen.on_other)
                return
        self._wait_until(until, listen.on_timeout)

    def _understood(self, body: str, listen: Listen) -> Answered | None:
        # what agrees to texts takes a plain yes, and no guess
        return understand(body, listen.choices, self.language, binding_targets(self.program))

    def _remember(self, listen: Listen, answer: Answered) -> None:
        """Keep an answer for the copy and the ways of this run, and with the person where the step says so."""
        self._gather("answers", listen.save_as or listen.step, answer.value)
        if listen.save_as:
            self._set(listen.step, listen.save_as, answer.value)
        if listen.score_as and answer.score is not None:
            self._gather("answers", listen.score_as, str(answer.score))
            self._set(listen.step, listen.score_as, str(answer.score))

    # Waits -----------------------------------------------------------------------------------

    def _wait_until(self, until: datetime, then: int | None = None) -> None:
        """Wait until then, or go on at ``then`` (None: the next instruction) if that has passed."""
        if until <= self.now:
            self._goto(then)
        else:
            self.state = replace(self.state, waiting_until=until)

    def _planned(self, instruction: Wait | WaitUntilTime | WaitBestTime) -> datetime:
        start = self.state.reached_at or self.now
        if isinstance(instruction, Wait):
            instruction = wait_of(instruction, self._arm(instruction))
        return self._paced(start, planned(instruction, start, self.facts, self.zone))

    def _arm(self, tried: Wait | Discount) -> int:
        """Return the place of what this run gets of a step that tries something: for good, once it has come there."""
        if not tried.variants:
            return 0
        place: int | None = self.state.gathered.get("ways", {}).get(tried.step)
        if place is not None:
            return place
        if self.state.reached_at != self.now:
            return 0  # it was here before anything was tried: it takes no part
        place = way(self.facts.key, tried.step, tried.weights)
        self._gather("ways", tried.step, place)
        return place

    def _wait_until_date(self, wait: WaitUntilDate) -> None:
        start = self.state.reached_at or self.now
        until = from_date(lookup(wait.path, self.facts), wait.amount, wait.unit, wait.time, self.zone)
        if until is not None:
            until = self._paced(start, until)
        planned = self.state.waiting_until
        missed = until is not None and planned is not None and until < planned and until <= self.now
        if until is None or until <= start or missed or is_over(wait, self.facts, self.now, self.zone):
            self._goto(wait.otherwise)
        else:
            self._wait_until(until)

    def _wait_for_event(self, wait: WaitForEvent) -> None:
        since = self.state.reached_at if wait.since == "wait" else None
        until = self.state.waiting_until or self._later(wait.amount, wait.unit)
        for event in self._since_entry():
            if (
                event.kind in wait.kinds
                and (since is None or event.occurred_at >= since)
                and event.occurred_at <= until
                and (not wait.same_subject or event.subject == self.facts.subject)
                and event.id not in self.state.heard_by_waits(wait.since)
            ):
                if wait.since == "wait" and event.id:
                    self.state = replace(self.state, heard=(*self.state.heard, event.id))
                self._goto(None)
                return
        self._wait_until(until, wait.on_timeout)

    def _request(self, instruction: Discount | Webhook) -> None:
        """Ask for something outside, and wait for the answer if there is one to wait for."""
        visit = self._visit(instruction)
        if isinstance(instruction, Webhook) and not instruction.save_as:
            self.doings.append(doings.Requesting(instruction.step, visit, instruction, False))
            self._leave_step(instruction)
            return
        result = self.facts.results.get(f"{instruction.step}:{visit}")
        if result is not None:
            self._leave_step(instruction, instruction.on_failure if "error" in result else None)
            if "error" not in result:
                kind, name = (
                    ("codes", instruction.name)
                    if isinstance(instruction, Discount)
                    else ("webhooks", instruction.save_as)
                )
                self._gather(kind, name, result.get("value"))
            elif isinstance(instruction, Discount):
                self._promise(instruction.name)
            return
        if self.state.waiting_until is None:
            if isinstance(instruction, Discount):
                # what is asked for is what texts say, whatever a later version of the flow offers
                instruction = offer_of(instruction, self._arm(instruction))
                self._promise(instruction.name, instruction.kind, instruction.amount)
            self.doings.append(doings.Requesting(instruction.step, visit, instruction, True))
            self.state = replace(self.state, waiting_until=self.now + PATIENCE)
        elif self.state.waiting_until <= self.now:
            self._leave_step(instruction, instruction.on_failure)
            if isinstance(instruction, Discount):
                self._promise(instruction.name)

    def _promise(self, name: str, kind: str = "", amount: str = "") -> None:
        """Let texts say what a code takes off; nothing where there is no code."""
        self._gather("offers", name, amount or None)
        self._gather("offer_kinds", name, kind or None)

    # Moving on -------------------------------------------------------------------------------

    def _since_entry(self) -> list[PastEvent]:
        return [event for event in self.facts.events if event.occurred_at >= self.facts.entered_at]

    def _later(self, amount: int, unit: str) -> datetime:
        start = self.state.reached_at or self.now
        return self._paced(start, after(start, amount, unit, self.zone))

    def _paced(self, start: datetime, until: datetime) -> datetime:
        return until if self.pace == 1 else start + (until - start) / self.pace

    def _visit(self, instruction: Instruction) -> int:
        return self.state.visits.get(instruction.step, 0)

    def _leave_step(self, instruction: Instruction, target: int | None = None) -> None:
        """Go on, and count the visit: what this step does next has another name."""
        visits = {**self.state.visits, instruction.step: self._visit(instruction) + 1}
        self.state = replace(self.state, visits=visits)
        self._goto(target)

    def _goto(self, target: int | None) -> None:
        """Go on at ``target``, None for the next instruction."""
        target = self.state.at + 1 if target is None else target
        if target <= self.state.at:
            raise BadProgram(f"Instruction {self.state.at} leads back to {target}.")
        self.state = replace(self.state, at=target, reached_at=None, waiting_until=None)

    def _gather(self, kind: str, name: str, value: object) -> None:
        gathered = {**self.state.gathered, kind: {**self.state.gathered.get(kind, {}), name: value}}
        self.state = replace(self.state, gathered=gathered)
        self.facts = replace(self.facts, run=gathered)

    def _set(self, step: str, name: str, value: str) -> None:
        self.doings.append(doings.Setting(step, name, value))
        self._know(fields={**(self.facts.contact.get("fields") or {}), name: value})

    def _know(self, **values: object) -> None:
        """Let the rest of this run see what has just changed."""
        self.facts = replace(self.facts, contact={**self.facts.contact, **values})
