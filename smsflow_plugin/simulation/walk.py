"""Walks one person through a program, in memory: what would happen, and when.

The run goes through the same ``interpret`` and the same ``Governor`` as a live one; only the
clock, the person's doings and the answers of other systems come from a script. Nothing is
read from the database or written to it, nothing is sent, and the same arguments give the same walk.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from smsflow_plugin.audience.filters import Facts, PastEvent, matches
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.audience.replies import read_reply
from smsflow_plugin.engine import doings
from smsflow_plugin.engine.facts import best_hour, contact_values, places
from smsflow_plugin.engine.governor import Governor
from smsflow_plugin.engine.inbound import KEYWORDS
from smsflow_plugin.engine.interpreter import REPLY, Ask, Outcome, State, Status, current, interpret, wakes_on
from smsflow_plugin.events.kinds import KINDS, Keyword
from smsflow_plugin.flows.arm_words import arm_words
from smsflow_plugin.flows.program import (
    Branch,
    Discount,
    Instruction,
    Jump,
    Listen,
    Program,
    Send,
    Split,
    Trigger,
    WaitForEvent,
)
from smsflow_plugin.governance import sends
from smsflow_plugin.governance.effective import StoreRules
from smsflow_plugin.governance.rules import Decision, Verdict
from smsflow_plugin.messaging.short_links import example_shortener
from smsflow_plugin.simulation.examples import kinds_of, made_up, object_of, trigger_data
from smsflow_plugin.simulation.footprints import Footprints, drawn, once
from smsflow_plugin.simulation.script import Input
from smsflow_plugin.simulation.story import Moment, Person, Walk
from smsflow_plugin.stores.models import Store

__all__ = ["Moment", "Person", "Walk", "kinds_of", "trigger_data", "walk"]

#: Runs of one walk: a program that asks more often is given up.
MAX_RUNS = 2_000

SUBJECT = "walk"


def walk(
    program: Program,
    person: Person,
    script: Sequence[Input],
    *,
    rules: StoreRules,
    store: Store,
    start: datetime,
    trigger: int = 0,
    pace: int = 1,
    key: str = "",
    data: Mapping[str, Any] | None = None,
) -> Walk:
    """Let ``person`` enter at ``start``, by the trigger at place ``trigger``, and follow ``script``.

    ``data`` is what the event brings that starts the run; without it an example.

    :raises BadProgram: if the program could loop for ever.
    """
    place = trigger if trigger < len(program.triggers) else 0
    walker = _Walker(program, person, rules, store, start, program.triggers[place], pace)
    if data is not None:
        walker.data = data
    walker.enter()
    for item in script:
        if not walker.take(item):
            walker.dropped += 1
    return walker.result()


@dataclass(frozen=True, slots=True)
class _NoRun:
    pk: int = 0
    flow_id: int = 0
    version_id: int | None = None


@dataclass
class _Walker:
    program: Program
    person: Person
    rules: StoreRules
    store: Store
    now: datetime
    trigger: Trigger
    pace: int
    moments: list[Moment] = field(default_factory=list)
    dropped: int = 0

    def __post_init__(self) -> None:
        self.entered_at = self.now
        self.contact = copy.copy(self.person.contact)
        for name in ("tags", "fields", "recent_sends"):
            setattr(self.contact, name, copy.copy(getattr(self.contact, name)))
        self.zone = places(self.contact, self.store)[0].zone
        self.data: Mapping[str, Any] = trigger_data(self.trigger, self._local_now())
        self.events: list[PastEvent] = list(self.person.past)
        self.results: dict[str, dict[str, Any]] = {}
        self.pending: doings.Requesting | None = None
        self.state = State()
        self.over = False
        self.handed_over = False
        self.wake_at: datetime | None = None
        self.path: list[str] = []
        self.runs = 0
        self.event_ids = 0
        self.shortener = example_shortener(self.store)

    # What the script says ----------------------------------------------------------------------

    def enter(self) -> None:
        if not matches(self.program.audience, self._facts(), self.now):
            self._note("refused")
            self.over = True
            return
        self._note("entered", name=self.trigger.kind)
        self._run()

    def take(self, item: Input) -> bool:
        """Let one thing happen; return whether it makes sense now."""
        if self.over:
            return False
        match item.do:
            case "next":
                return self._next()
            case "wait":
                self._pass(self.now + timedelta(minutes=item.minutes))
            case "reply":
                self._reply(item.text)
            case "event":
                self._event(item.kind, SUBJECT if item.same else f"{SUBJECT}-other")
            case "answer":
                return self._answer(item.works)
            case "resume":
                return self._resume()
        return True

    def _next(self) -> bool:
        if self.handed_over or self.wake_at is None:
            return False
        if self.pending is not None:
            return self._answer(True)
        self._pass(max(self.now, self.wake_at))
        return True

    def _pass(self, until: datetime) -> None:
        """Let the time go on until then, and everything happen that is due on the way."""
        before = len(self.moments)
        while not self.over and not self.handed_over and self.wake_at is not None and self.wake_at <= until:
            self.now = max(self.now, self.wake_at)
            self._run()
        self.now = max(self.now, until)
        if len(self.moments) == before:
            self._note("clock")

    def _reply(self, body: str) -> None:
        keyword = KEYWORDS[read_reply(body, self.contact.language, self.store.language).verdict]
        self._note("reply", text=body)
        self._happen(REPLY, "", {"body": body, "keyword": keyword.value if keyword else None})
        if keyword is Keyword.STOP:
            self._event("opted_out", "", quiet=True)
        elif keyword is Keyword.START:
            self._event("opted_in", "", quiet=True)
        elif keyword is not Keyword.UNCLEAR:
            self._wake(REPLY)

    def _event(self, kind: str, subject: str, *, quiet: bool = False) -> None:
        if not quiet:
            self._note("event", name=kind)
        data = trigger_data(Trigger(kind), self._local_now())
        if kind == "order_created":
            self.contact.orders_count += 1
            self.contact.last_order_at = self.now
            self.contact.first_order_at = self.contact.first_order_at or self.now
        self._happen(kind, subject, data)
        if kind == "opted_out":
            self.contact.marketing_consent = self.contact.service_consent = Contact.Consent.REVOKED
            self._leave("opted_out")
            return
        if kind == "opted_in":
            self.contact.marketing_consent, self.contact.opt_in_level = Contact.Consent.GRANTED, "confirmed"
        moved = KINDS[kind].moves
        starts = any(trigger.kind == kind for trigger in self.program.triggers)
        if starts and subject == SUBJECT and (moved or (self.program.restart and not self.state.sent)):
            self._restart(data)
            return
        self._wake(kind)

    def _answer(self, works: bool) -> bool:
        if self.pending is None or self.handed_over:
            return False
        self._settle(self.pending, works)
        self._run()
        return True

    def _settle(self, request: doings.Requesting, works: bool) -> None:
        result: dict[str, Any] = {"error": "walk"}
        if works:
            result = {"value": made_up(request.instruction)}
        self.results[f"{request.step}:{request.visit}"] = result
        self._note("answered", step=request.step, name=request.instruction.op, works=works)

    def _resume(self) -> bool:
        if not self.handed_over:
            return False
        self.handed_over = False
        self.contact.handed_over_at = None
        self._note("resumed")
        self._run()
        return True

    def _local_now(self) -> datetime:
        return self.now.astimezone(ZoneInfo(self.zone))

    # The run -------------------------------------------------------------------------------------

    def _facts(self) -> Facts:
        return Facts(
            contact_values(self.contact),
            self.entered_at,
            self.data,
            tuple(self.events),
            subject=SUBJECT,
            key=str(self.contact.uuid),
            flows=self.person.flows,
            results=self.results,
            best_hour=best_hour(self.contact, self.store),
            spend_marks=self.store.spend_marks,
            send_times=self.store.send_times,
        )

    def _run(self) -> None:
        self.runs += 1
        if self.runs > MAX_RUNS:
            self._leave("too_long")
            return
        facts = self._facts()
        where = places(self.contact, self.store)
        governor = Governor(self.contact, self.store, self.rules, where, self.now, shortener=self.shortener)
        decided = governor.for_run(_NoRun(), self.program, facts)
        texts: dict[tuple[str, int], Mapping[str, Any]] = {}

        def ask(request: Ask) -> Decision:
            before = len(governor.messages)
            decision = decided(request)
            if len(governor.messages) > before:
                texts[request.send.step, request.visit] = dict(
                    zip(governor.COLUMNS, governor.messages[-1], strict=True)
                )
            return decision

        footprints = Footprints(self.program.instructions)
        footprints.seen = []
        watched = replace(self.program, instructions=footprints)
        before = self.state
        outcome = interpret(
            watched,
            before,
            facts,
            self.now,
            zone=governor.zone,
            ask=ask,
            pace=self.pace,
            language=governor.language,
        )
        self.contact.recent_sends = sends.write(governor.sends, self.now)
        if texts:
            self.contact.last_texted_at = self.now
        self.state, self.wake_at = outcome.state, outcome.wake_at
        self.pending = None
        raised = self._tell(outcome, once(footprints.seen), before, texts)
        if outcome.status is Status.WAITING:
            self._wait(outcome, before, raised)
        elif outcome.status is Status.EXITED:
            self._leave(outcome.reason)
        else:
            self.over, self.wake_at = True, None
            self._note("finished")

    def _wait(self, outcome: Outcome, before: State, raised: list[tuple[str, dict[str, Any]]]) -> None:
        instruction = current(self.program, self.state)
        same = before.at == self.state.at and before.waiting_until == self.state.waiting_until
        if not self.handed_over and not same and not isinstance(instruction, Send):
            step = instruction.step if instruction else ""
            self._note("waiting", step=step, until=outcome.wake_at, name=instruction.op if instruction else "")
        if self.pending is None and isinstance(instruction, Discount) or self._waits_for_result(instruction):
            self.pending = self._request_at(instruction)
        awake = wakes_on(self.program, self.state)
        if any(kind in awake for kind, _data in raised) and not self.handed_over:
            self._run()

    def _waits_for_result(self, instruction: Instruction | None) -> bool:
        return bool(getattr(instruction, "save_as", "")) and not isinstance(instruction, Listen)

    def _request_at(self, instruction: Any) -> doings.Requesting:
        return doings.Requesting(instruction.step, self.state.visits.get(instruction.step, 0), instruction, True)

    def _wake(self, kind: str) -> None:
        """Look at the run because of an event, as the engine does."""
        if not self.over and not self.handed_over and kind in wakes_on(self.program, self.state):
            self._run()

    def _restart(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self.entered_at = self.now
        self.state = State(visits=self.state.visits)
        self._note("restarted")
        self._run()

    def _leave(self, reason: str) -> None:
        self.over, self.wake_at, self.pending = True, None, None
        self._note("left", text=reason)

    def _happen(self, kind: str, subject: str, data: Mapping[str, Any]) -> None:
        self.event_ids += 1
        self.events.append(PastEvent(kind, self.now, subject, data, -self.event_ids))

    # What is told of it --------------------------------------------------------------------------

    def _tell(
        self,
        outcome: Outcome,
        seen: list[int],
        before: State,
        texts: Mapping[tuple[str, int], Mapping[str, Any]],
    ) -> list[tuple[str, dict[str, Any]]]:
        """Note what the run did, in its order; return the events that this makes."""
        answers, done = list(outcome.answers), list(outcome.doings)
        raised: list[tuple[str, dict[str, Any]]] = []
        for number, place in enumerate(seen):
            instruction = self.program.instructions[place]
            if instruction.step and instruction.step not in self.path:
                self.path.append(instruction.step)
            after = seen[number + 1] if number + 1 < len(seen) else outcome.state.at
            if isinstance(instruction, Send) and answers and answers[0].ask.send is instruction:
                answer = answers.pop(0)
                self._tell_decision(instruction, answer.decision, texts.get((instruction.step, answer.ask.visit)))
            if arm := drawn(instruction, before, outcome.state):
                words = arm_words(instruction).get(arm, "")
                self._note("way", step=instruction.step, name="arm", text=f"{arm}: {words}" if words else arm)
            while done and done[0].step == instruction.step and not isinstance(instruction, Send | Jump):
                raised += self._do(done.pop(0))
            self._tell_way(instruction, place, after, outcome)
        for left_over in done:
            raised += self._do(left_over)
        for kind, data in raised:
            self._happen(kind, "", data)
        return raised

    def _tell_decision(self, send: Send, decision: Decision, row: Mapping[str, Any] | None) -> None:
        if row is not None:
            self._note(
                "text",
                step=send.step,
                name=str(row["variant"]),
                text=row["body"],
                parts=row["parts"],
                encoding=str(row["encoding"]),
                picture=str(row["media_url"]),
                decision=decision,
            )
        else:
            kind = "deferred" if decision.verdict is Verdict.DEFER else "skipped"
            self._note(kind, step=send.step, decision=decision, until=decision.until)

    def _tell_way(self, instruction: Instruction, place: int, after: int, outcome: Outcome) -> None:
        match instruction:
            case Branch():
                self._note("way", step=instruction.step, name="yes" if after == place + 1 else "no")
            case Split():
                way = outcome.state.gathered.get("ways", {}).get(instruction.step, 0)
                self._note("way", step=instruction.step, name="split", text=str(way + 1))
            case Listen() if after != place and self.moments[-1:] and self.moments[-1].kind != "heard":
                chosen = next((choice for choice in instruction.choices if choice.target == after), None)
                if chosen is None and after != instruction.on_other:
                    self._note("way", step=instruction.step, name="silence")
            case WaitForEvent() if after != place and instruction.on_timeout is not None:
                happened = after != instruction.on_timeout
                self._note("way", step=instruction.step, name="happened" if happened else "timed_out")

    def _do(self, doing: doings.Doing) -> list[tuple[str, dict[str, Any]]]:
        """Do in memory what ``advance`` would do; return the events that it makes."""
        match doing:
            case doings.Tagging(step, tag, add):
                return self._tag(step, tag, add)
            case doings.Setting(step, name, value):
                changed = self.contact.fields.get(name) != value
                self.contact.fields = {**self.contact.fields, name: value}
                self._note("field", step=step, name=name, text=value)
                return [("field_changed", {"field": name, "value": value})] if changed else []
            case doings.Agreeing(step):
                self.contact.marketing_consent, self.contact.opt_in_level = Contact.Consent.GRANTED, "confirmed"
                self._note("agreed", step=step)
                return [("opted_in", {"source": "double_opt_in"})]
            case doings.HandingOver(step, note):
                self.handed_over = True
                self.contact.handed_over_at = self.now
                self._note("handed_over", step=step, text=note)
            case doings.Entering(step, _visit, flow):
                self._note("entering", step=step, text=str(flow))
            case doings.Reaching(step, name):
                self._note("goal", step=step, text=name)
                return [("goal_reached", {"goal": name})]
            case doings.Hearing(step):
                self._hear(step)
            case doings.Requesting(step, _visit, instruction):
                self._note("asked", step=step, name=instruction.op, text=object_of(instruction))
        return []

    def _hear(self, step: str) -> None:
        """Say what was understood of the last reply that the run took."""
        value = self.state.gathered.get("answers", {})
        listen = next(i for i in self.program.instructions if isinstance(i, Listen) and i.step == step)
        at = current(self.program, self.state)
        still = isinstance(at, Listen) and at.step == step
        understood = value.get(listen.save_as or step)
        if understood is None or still:
            self._note("not_heard", step=step)
        else:
            self._note("heard", step=step, text=str(understood))

    def _tag(self, step: str, tag: str, add: bool) -> list[tuple[str, dict[str, Any]]]:
        had = tag.casefold() in {str(own).casefold() for own in self.contact.tags}
        self.contact.tags = [own for own in self.contact.tags if str(own).casefold() != tag.casefold()]
        if add:
            self.contact.tags = [*self.contact.tags, tag]
        self._note("tag", step=step, text=tag, works=add)
        return [("tag_added" if add else "tag_removed", {"tag": tag})] if had != add else []

    def _note(self, kind: str, **values: Any) -> None:
        self.moments.append(Moment(kind, self.now, **values))

    def result(self) -> Walk:
        instruction = None if self.over else current(self.program, self.state)
        return Walk(
            tuple(self.moments),
            self.now,
            self.zone,
            self.contact,
            self.over,
            self.wake_at,
            instruction.step if instruction else "",
            tuple(self.path),
            self.pending is not None,
            isinstance(instruction, Listen),
            self.handed_over,
            self.dropped,
        )
