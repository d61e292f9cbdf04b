"""What will happen to a person next, as things stand now: their next texts, or what their runs wait for.

The waiting runs are read as the pump reads them and go on, in memory, through the same ``interpret`` and the same
``Governor``, at the moments at which they would be due: in their order, each text taking its place in caps. Nothing
is written and nothing is sent. What the person does meanwhile, what other systems answer and what others spend of a
budget nobody knows; so this is no promise, and whoever shows it says so.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from heapq import heapify, heappop, heappush
from typing import Any

from smsflow_plugin.audience.models import Contact
from smsflow_plugin.engine import advance, doings
from smsflow_plugin.engine.facts import places
from smsflow_plugin.engine.governor import Governor
from smsflow_plugin.engine.interpreter import Ask, Outcome, State, Status, current, interpret
from smsflow_plugin.engine.starting import class_of_run
from smsflow_plugin.flows.program import (
    Discount,
    HandOver,
    Listen,
    Program,
    Send,
    WaitForEvent,
    WaitUntilDate,
    Webhook,
)
from smsflow_plugin.governance import sends
from smsflow_plugin.governance.rules import Decision, Verdict
from smsflow_plugin.messaging.short_links import example_shortener

#: So many texts of one run are looked for, and so often the runs of one person go on, before it is enough.
MOST_TEXTS, MOST_TURNS = 3, 120

#: Stands for what another system will answer.
UNKNOWN = "…"


class Stands(StrEnum):
    """What a run waits for at this moment."""

    NOW = "now"
    TIME = "time"
    DATE = "date"
    ANSWER = "answer"
    EVENT = "event"
    TEXT = "text"
    OUTSIDE = "outside"
    STAFF = "staff"
    WITH_STAFF = "with_staff"
    PAUSED = "paused"
    FLOW_OFF = "flow_off"
    UNREADABLE = "unreadable"


#: Where a run stands still, whatever its time: nothing can be said of what comes.
STILL = frozenset({Stands.STAFF, Stands.WITH_STAFF, Stands.PAUSED, Stands.FLOW_OFF, Stands.UNREADABLE})


class End(StrEnum):
    """How a run would end."""

    FINISHED = "finished"
    LEFT = "left"
    HANDED_OVER = "handed_over"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class NextText:
    """A text that would go at ``at``. ``held``: the decisions by which it was put off until then.

    ``unless``: what the run waits for before, in vain: kinds of event, among them answers. ``assumed``: the words
    hold something that another system has yet to answer.
    """

    at: datetime
    step: str
    body: str
    held: tuple[tuple[datetime, Decision], ...] = ()
    unless: tuple[str, ...] = ()
    assumed: bool = False


@dataclass
class Prospect:
    """What lies ahead of one run. ``kinds`` are the events that it waits for, ``exits`` those that end it.

    ``refused`` are texts on its way that would not be sent, and when and why. ``end`` is how it would end, as far as
    that was looked at; ``reason`` says more about it. ``handed_by``: the flow that hands the person over before this
    one could go on, and ``handed_at`` when; 0 where staff has the person already.
    """

    run: int
    flow_id: int
    entered_at: datetime
    stands: Stands
    until: datetime | None = None
    kinds: tuple[str, ...] = ()
    exits: tuple[str, ...] = ()
    marketing: bool = True
    texts: list[NextText] = field(default_factory=list)
    refused: list[tuple[datetime, Decision]] = field(default_factory=list)
    end: End | None = None
    reason: str = ""
    handed_by: int = 0
    handed_at: datetime | None = None


def forecast(contact: Contact, now: datetime) -> list[Prospect]:
    """Return what lies ahead of ``contact``, the next text first. Reads as one batch of the pump does."""
    person = copy.copy(contact)
    person.tags, person.fields = list(contact.tags), dict(contact.fields)
    batch = advance._load([person], now)
    return _Ahead(person, batch).look()


def _state_of(run: advance.Run) -> State | None:
    """Return where a run stands; None if that cannot be read."""
    try:
        return State.from_json(run.state)
    except (ValueError, TypeError, KeyError):
        return None


class _Ahead:
    """One person's runs on their way into the future."""

    def __init__(self, contact: Contact, batch: advance.Batch) -> None:
        self.contact, self.batch = contact, batch
        self.rules, self.store = batch.rules[contact.store_id], batch.stores[contact.store_id]
        self.runs = {run.pk: run for run in batch.runs.get(contact.pk, [])}
        self.found = {pk: self._prospect(run) for pk, run in self.runs.items()}
        #: What is told of runs that were followed far enough.
        self.told: dict[int, Prospect] = {}
        self.moving = {
            pk for pk, run in self.runs.items() if run.wake_at is not None and self.found[pk].stands not in STILL
        }
        self.results: dict[int, dict[str, Mapping[str, Any]]] = {
            pk: dict(batch.answers.get(pk, {})) for pk in self.runs
        }
        self.held: dict[int, list[tuple[datetime, Decision]]] = {pk: [] for pk in self.runs}
        self.waited: dict[int, list[str]] = {pk: list(prospect.kinds) for pk, prospect in self.found.items()}
        self.assumed: set[int] = set()
        #: Which flow hands the person over, and when.
        self.handed: tuple[int, datetime | None] = (0, None)

    def look(self) -> list[Prospect]:
        queue = [self._turn(pk, self.runs[pk].wake_at) for pk in self.moving]
        heapify(queue)
        turns = 0
        while turns < MOST_TURNS and any(pk not in self.told for _at, _order, pk in queue):
            at, _order, pk = heappop(queue)
            turns += 1
            again = self._run(pk, at)
            if again is not None:
                heappush(queue, self._turn(pk, again))
        last = datetime.max.replace(tzinfo=self.batch.now.tzinfo)
        return sorted(
            {**self.found, **self.told}.values(),
            key=lambda one: (one.texts[0].at if one.texts else last, one.until or last, one.run),
        )

    def _turn(self, pk: int, at: datetime | None) -> tuple[datetime, tuple[Any, ...], int]:
        run = self.runs[pk]
        order = advance._order(self.batch.programs.get(run.version_id), run, self.rules)
        return max(at or self.batch.now, self.batch.now), order, pk

    # Where a run stands ---------------------------------------------------------------------------

    def _prospect(self, run: advance.Run) -> Prospect:
        program = self.batch.programs.get(run.version_id)
        prospect = Prospect(run.pk, run.flow_id, run.entered_at, Stands.UNREADABLE, run.wake_at)
        if not run.flow_live and run.test_pace is None:
            prospect.stands = Stands.FLOW_OFF
        elif program is not None and (state := _state_of(run)) is not None:
            prospect.stands, prospect.kinds = _stands(program, state)
            prospect.exits = _exits(program)
            prospect.marketing = program.message_class == "marketing"
            if run.flow_live and run.paused_at:
                prospect.stands = Stands.PAUSED
            elif self.contact.handed_over_at is not None and not advance._goes_on(run, self.batch):
                prospect.stands = Stands.WITH_STAFF
            elif prospect.stands is Stands.NOW and run.wake_at is not None and run.wake_at > self.batch.now:
                prospect.stands = Stands.TIME
        return prospect

    # How it goes on -------------------------------------------------------------------------------

    def _run(self, pk: int, at: datetime) -> datetime | None:
        """Let one run go on at ``at``; return when it would be due again, None if that need not be known."""
        run, prospect = self.runs[pk], self.found[pk]
        if self.contact.handed_over_at is not None and not advance._goes_on(run, self.batch):
            prospect.end, (prospect.handed_by, prospect.handed_at) = End.HANDED_OVER, self.handed
            return self._stop(pk)
        program = self.batch.programs[run.version_id]
        program = replace(program, message_class=class_of_run(program.message_class, run.trigger_kind, run.trigger))
        governor = self._governor(pk, at)
        facts = replace(advance._facts(run, self.contact, self.batch), results=self.results[pk])
        decided = governor.for_run(run, program, facts)

        def ask(request: Ask) -> Decision:
            before = len(governor.messages)
            decision = decided(request)
            row = governor.messages[-1] if len(governor.messages) > before else None
            self._note(pk, at, request, decision, dict(zip(governor.COLUMNS, row, strict=True)) if row else {})
            return decision

        state = State.from_json(run.state)
        try:
            outcome = interpret(
                program, state, facts, at,
                zone=governor.zone, ask=ask, pace=run.test_pace or 1, language=governor.language,
            )  # fmt: skip
        except Exception:  # noqa: BLE001 - whatever breaks here breaks in the pump, which says so
            prospect.end = End.UNKNOWN
            return self._stop(pk)
        self.contact.recent_sends = sends.write(governor.sends, at)
        self.contact.sender = governor.sender
        if governor.messages:
            self.contact.last_texted_at = at
        return self._after(pk, at, program, outcome)

    def _governor(self, pk: int, at: datetime) -> Governor:
        batch, contact = self.batch, self.contact
        governor = Governor(
            contact,
            self.store,
            self.rules,
            places(contact, self.store),
            at,
            suppressed=batch.suppressed.get(contact.pk, ""),
            in_flows=frozenset(self.runs[other].flow_id for other in self.runs),
            senders=batch.senders.get(self.store.pk),
            shortener=example_shortener(self.store),
        )
        governor.wait_for(batch.waiting.get(contact.pk, ()))
        later = (advance._planned(self.runs[other], batch, self.rules) for other in self.moving if other != pk)
        governor.expect(tuple(text for text in later if text and text.at > at))
        return governor

    def _note(self, pk: int, at: datetime, request: Ask, decision: Decision, row: Mapping[str, Any]) -> None:
        prospect = self.found[pk]
        if decision.verdict is Verdict.DEFER:
            self.held[pk].append((at, decision))
        elif decision.verdict is Verdict.SKIP:
            prospect.refused.append((at, decision))
            self.held[pk] = []
        else:
            held, unless = tuple(self.held[pk]), tuple(dict.fromkeys(self.waited[pk]))
            body = str(row.get("body", ""))
            prospect.texts.append(NextText(at, request.send.step, body, held, unless, pk in self.assumed))
            self.held[pk] = []

    def _after(self, pk: int, at: datetime, program: Program, outcome: Outcome) -> datetime | None:
        prospect = self.found[pk]
        self.runs[pk] = replace(self.runs[pk], state=outcome.state.to_json(), wake_at=outcome.wake_at)
        asked = self._do(pk, at, outcome)
        if outcome.status is not Status.WAITING:
            prospect.end = End.FINISHED if outcome.status is Status.FINISHED else End.LEFT
            prospect.reason = outcome.reason
            return self._stop(pk)
        if len(prospect.texts) >= MOST_TEXTS and pk not in self.told:
            # no more is told of it; it goes on all the same, for its later texts may stand in the way of others'
            self.told[pk] = replace(prospect, texts=[*prospect.texts], refused=[*prospect.refused])
        stands, kinds = _stands(program, outcome.state)
        if stands is Stands.STAFF:
            prospect.end, (prospect.handed_by, prospect.handed_at) = End.HANDED_OVER, self.handed
            return None
        self.waited[pk] += kinds
        return at if asked else outcome.wake_at

    def _do(self, pk: int, at: datetime, outcome: Outcome) -> bool:
        """Take over what the run would change of the person; return whether another system was asked."""
        asked = False
        for doing in outcome.doings:
            match doing:
                case doings.Tagging(tag=tag, add=add):
                    kept = [own for own in self.contact.tags if str(own).casefold() != tag.casefold()]
                    self.contact.tags = [*kept, tag] if add else kept
                case doings.Setting(name=name, value=value):
                    self.contact.fields = {**self.contact.fields, name: value}
                case doings.HandingOver():
                    self.contact.handed_over_at = at
                    self.handed = (self.runs[pk].flow_id, at)
                case doings.Requesting(step=step, visit=visit, instruction=instruction, waits=True):
                    value = UNKNOWN if isinstance(instruction, Discount) else {}
                    self.results[pk][f"{step}:{visit}"] = {"value": value}
                    self.assumed.add(pk)
                    asked = True
        return asked

    def _stop(self, pk: int) -> None:
        self.moving.discard(pk)


def _stands(program: Program, state: State) -> tuple[Stands, tuple[str, ...]]:
    """Return what a run waits for, and the kinds of event that it would hear."""
    instruction = current(program, state)
    if instruction is None or state.waiting_until is None:
        return Stands.NOW, ()
    match instruction:
        case Listen():
            return Stands.ANSWER, ("message_received",)
        case WaitForEvent():
            return Stands.EVENT, tuple(instruction.kinds)
        case WaitUntilDate():
            return Stands.DATE, ()
        case Send():
            return Stands.TEXT, ()
        case Discount() | Webhook():
            return Stands.OUTSIDE, ()
        case HandOver():
            return Stands.STAFF, ()
    return Stands.TIME, ()


def _exits(program: Program) -> tuple[str, ...]:
    """Return the kinds of event that end a run."""
    goal = (program.goal,) if program.goal and program.goal_leaves else ()
    return tuple(dict.fromkeys((*program.exits, *goal)))
