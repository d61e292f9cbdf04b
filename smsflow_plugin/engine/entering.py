"""Which flows a batch of new events starts, wakes, starts afresh or ends."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from smsflow_plugin import bulk
from smsflow_plugin.audience.filters import Facts, matches
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.conversations.routing import By, unanswered
from smsflow_plugin.engine.admission import Entry, LiveFlow, admit, turn
from smsflow_plugin.engine.changed_runs import note_people, note_runs
from smsflow_plugin.engine.entry_keys import again_anyway, entry_key, moves_date, pace_of, visits_after
from smsflow_plugin.engine.facts import History, Needs, Programs, contact_values, past_events
from smsflow_plugin.engine.interpreter import State, current, wakes_on
from smsflow_plugin.engine.known_runs import FINISHED, WAITING, Run, known_runs, live_flows, starts_at
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.engine.starting import (
    LET_IN,
    MOST_HOPS,
    TEXT,
    TOO_LATE,
    Call,
    NewEvent,
    call,
    goes_on,
    is_late,
    is_outrun,
    listens,
)
from smsflow_plugin.engine.texts import Texts
from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.program import Program, WaitUntilDate
from smsflow_plugin.governance import ledger
from smsflow_plugin.governance.rules import Decision, Priority, Reason, Verdict

__all__ = ["TOO_LATE", "NewEvent", "end_for_opted_out", "react"]
from smsflow_plugin.stores.changes import note_of
from smsflow_plugin.stores.models import Store

logger = logging.getLogger(__name__)


def react(
    events: Sequence[NewEvent],
    contacts: Mapping[int, Contact],
    opted_out: set[int],
    now: datetime,
    *,
    texts: Texts | None = None,
) -> None:
    """Start, restart, wake and end enrollments for ``events``. The contacts must be locked.

    ``texts`` routes the texts among them, and is told who has taken which.

    The data of an event may say more about the entry: ``flow``, which flow alone it is for;
    ``apply_audience`` False, that its audience is not asked; ``again``, that they may have been in
    it before; ``test_pace``, that it is a test run.
    """
    end_for_opted_out(opted_out, now)
    events = [event for event in events if event.contact_id in contacts]
    if events:
        _Reaction(events, contacts, now, texts).work_off()


def end_for_opted_out(contact_ids: set[int], now: datetime) -> None:
    """End every run of people who want no more texts."""
    if contact_ids:
        ended = Enrollment.objects.filter(contact_id__in=contact_ids, status=Enrollment.Status.WAITING).update(
            status=Enrollment.Status.EXITED, exit_reason="opted_out", finished_at=now, wake_at=None
        )
        note_people(contact_ids if ended else (), now)


@dataclass
class _Changes:
    #: By flow, contact and entry key.
    entries: dict[tuple[int, int, str], Entry] = field(default_factory=dict)
    #: Runs that start afresh or get another trigger, and runs that are only looked at, by id.
    rewritten: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    wakes: set[int] = field(default_factory=set)
    refusals: list[tuple[Any, ...]] = field(default_factory=list)
    due: dict[int, datetime] = field(default_factory=dict)


class _Reaction:
    """One batch of events, with everything that it takes to decide in memory."""

    def __init__(
        self, events: Sequence[NewEvent], contacts: Mapping[int, Contact], now: datetime, texts: Texts | None
    ) -> None:
        self.events = events
        self.texts = texts
        self.contacts = contacts
        self.now = now
        self.flows = live_flows({event.store_id for event in events})
        called = {flow.pk for event in events for flow in self._candidates(event)}
        self.runs = known_runs({event.contact_id for event in events}, called)
        self.programs = Programs.load(run.version_id for own in self.runs.values() for run in own if run.waiting)
        self.spend_marks: dict[int, list[str]] = {}
        self.history = self._read_history()
        self.changes = _Changes()
        self._values: dict[int, dict[str, Any]] = {}

    def work_off(self) -> None:
        """Decide on every event in its turn, and write what comes of it."""
        for event in self.events:
            self._wake(event)
            if event.kind == TEXT and self.texts is not None:
                self._route(event, self.texts)
            else:
                for flow, facts in self._called(event):
                    self._start(event, flow, facts)
            if event.moves:
                self._follow(event)
        entries = list(self.changes.entries.values())
        admit(entries, self.now)
        for entry in entries:
            if entry.refused:
                self._refuse(entry.event, entry.flow, Reason.FLOW_FULL)
            else:
                self._due(entry.event.contact_id, entry.at, entry.flow.program)
        self._tell_turned_away(entries)
        _write(self.changes, self.now)

    def _tell_turned_away(self, entries: Sequence[Entry]) -> None:
        """Say which texts nobody has taken in the end, because the flows that they call were full."""
        let_in = {entry.event.pk for entry in entries if not entry.refused}
        for entry in entries:
            if self.texts is not None and entry.refused and entry.event.pk not in let_in:
                self.texts.turned_away(entry.event)

    # What is known -------------------------------------------------------------------------------

    def _candidates(self, event: NewEvent) -> Iterator[LiveFlow]:
        """Yield the flows that events of this kind may start."""
        words = self.texts.started_by_words(event.store_id) if self.texts and event.kind == TEXT else ()
        for flow in self.flows.get(event.store_id, ()):
            if flow.pk in words:
                yield flow
            elif event.kind in LET_IN:
                if event.data.get("flow") == flow.pk:
                    yield flow
            elif any(True for _trigger in flow.program.triggers_on(event.kind)):
                yield flow

    def _has_candidates(self, event: NewEvent) -> bool:
        return any(True for _flow in self._candidates(event))

    def _read_history(self) -> History:
        needs = Needs()
        for program in {flow.pk: flow.program for event in self.events for flow in self._candidates(event)}.values():
            needs.of_entry(program)
        for kind in {event.kind for event in self.events if self._has_candidates(event)} & KINDS.keys():
            needs.kinds.update(KINDS[kind].outrun_by)
            needs.with_data.update(KINDS[kind].outrun_by)
        if needs.spending:
            stores = Store.objects.filter(pk__in={event.store_id for event in self.events})
            self.spend_marks = dict(stores.values_list("pk", "spend_marks"))
        since = self.now - max(needs.back, TOO_LATE)
        return past_events({event.contact_id for event in self.events}, needs, since)

    def _facts(self, event: NewEvent, flow: LiveFlow) -> Facts:
        contact = self.contacts[event.contact_id]
        values = self._values.setdefault(contact.pk, contact_values(contact))
        flows = {run.flow_id for run in self.runs[contact.pk] if run.waiting} - {flow.pk}
        return Facts(
            values,
            event.occurred_at,
            event.data,
            self.history.of(contact.pk, without=event.pk),
            subject=event.subject,
            key=str(contact.uuid),
            flows=frozenset(flows),
            spend_marks=self.spend_marks.get(event.store_id, ()),
        )

    # What follows from an event ------------------------------------------------------------------

    def _wake(self, event: NewEvent) -> None:
        for run in self.runs[event.contact_id]:
            program = self.programs.get(run.version_id)
            if not (program and run.pk and run.waiting) or run.entered_at > self.now:
                continue
            if event.kind in wakes_on(program, run.state) or moves_date(program, run.state, event):
                self.changes.wakes.add(run.pk)
                self._due(event.contact_id, self.now, program)

    def _called(self, event: NewEvent) -> list[tuple[LiveFlow, Facts]]:
        """Return the flows that the event starts. A text starts none that is an answer, else those that it names."""
        if self._asked(event) is not None:
            return []
        calls = self._calls(event)
        loudest = max((loudness for loudness, _flow, _facts in calls), default=Call.NONE)
        return [(flow, facts) for loudness, flow, facts in calls if loudness and loudness == loudest]

    def _calls(self, event: NewEvent) -> list[tuple[Call, LiveFlow, Facts]]:
        """Return all flows that the event may start, and how loudly it calls them."""
        calls = []
        for flow in self._candidates(event):
            facts = self._facts(event, flow)
            try:
                calls.append((call(flow.program, flow.pk, event, facts, self.now), flow, facts))
            except Exception:  # a condition that makes no sense must not stop everybody else's flows
                logger.exception("Flow %s cannot be started by event %s.", flow.pk, event.pk)
        return calls

    def _route(self, event: NewEvent, texts: Texts) -> None:
        """Let somebody take the text. A flow that does not let the person in has not taken it."""
        asked = self._asked(event)
        calls = self._calls(event) if asked is None else []
        named = [flow.pk for loudness, flow, _facts in calls if loudness is Call.NAMED]
        any_text = [flow.pk for loudness, flow, _facts in calls if loudness is Call.ANY_TEXT]
        taken = texts.route(event, asked, named, any_text)
        while taken.by in (By.FLOW, By.ANY_TEXT) and not self._start_all(event, calls, taken.flows):
            named, any_text = [], any_text if taken.by is By.FLOW else []
            taken = texts.route(event, asked, named, any_text)
        if taken.by in (By.KEYWORD, By.START):
            started = self._start_all(event, calls, taken.flows)
            if taken.by is By.KEYWORD and taken.flows and not started:
                taken = unanswered(taken)
        texts.take(event, taken)

    def _start_all(
        self, event: NewEvent, calls: Sequence[tuple[Call, LiveFlow, Facts]], flow_ids: Collection[int]
    ) -> bool:
        """Start these flows; return whether the person is let into one of them, or is in it with this text."""
        refused = len(self.changes.refusals)
        wanted = [(flow, facts) for _loudness, flow, facts in calls if flow.pk in flow_ids]
        for flow, facts in wanted:
            self._start(event, flow, facts)
        return len(self.changes.refusals) - refused < len(wanted)

    def _asked(self, event: NewEvent) -> tuple[int, int] | None:
        """Return the run, and its flow, that stands at a question which the text answers in time."""
        if event.kind != TEXT:
            return None
        handed_over = self.contacts[event.contact_id].handed_over_at is not None
        found = []
        for run in self.runs[event.contact_id]:
            program = self.programs.get(run.version_id)
            if program is None or not run.pk or not run.waiting or not (run.flow_live or run.test_pace is not None):
                continue
            if (not handed_over or goes_on(program)) and listens(program, run.state, event):
                found.append((Priority(program.priority).rank, program.priority_number, run.entered_at, run.pk, run))
        if not found:
            return None
        run = min(found)[-1]
        return run.pk, run.flow_id

    def _start(self, event: NewEvent, flow: LiveFlow, facts: Facts) -> None:
        own = self.runs[event.contact_id]
        pace = pace_of(event)
        before = [run for run in own if run.flow_id == flow.pk and run.test_pace is None]
        key = entry_key(flow.program, event)
        same = next((run for run in before if run.entry_key == key), None) if pace is None else None
        if event.moves:
            # one run per appointment, however often people may enter
            about = (run for run in before if run.is_about(event))
            same = max(about, key=lambda run: (run.waiting, run.entered_at), default=same)
        if same is not None:
            self._again(event, same, flow)
            return
        try:
            reason = self._refusal(event, flow, before, facts)
        except Exception:
            logger.exception("Nobody can be let into flow %s: its conditions make no sense.", flow.pk)
            return
        if reason:
            self._refuse(event, flow, reason)
            return
        entry = Entry(event, flow, key, self.now, pace, known=bool(before))
        self.changes.entries[flow.pk, event.contact_id, key] = entry
        state = State()
        own.append(
            Run(
                None, flow.pk, flow.version_id, key, self.now, WAITING, state.to_json(), self.now, pace, True,
                event.occurred_at, event.subject, event.kind, starts_at(event),
            )
        )  # fmt: skip

    def _refusal(self, event: NewEvent, flow: LiveFlow, before: list[Run], facts: Facts) -> Reason | None:
        program = flow.program
        if is_late(event, self.now):
            return Reason.TOO_LATE
        if is_outrun(event, facts.events):
            return Reason.OUTRUN
        if event.hops >= MOST_HOPS:
            return Reason.CHAIN
        if program.reentry.mode == "after" and not again_anyway(event):
            horizon = self.now - timedelta(days=program.reentry.days)
            if any(run.entered_at > horizon for run in before):
                return Reason.REENTRY
        if event.data.get("apply_audience") is not False and not matches(program.audience, facts, self.now):
            return Reason.AUDIENCE
        if self.contacts[event.contact_id].handed_over_at is not None and not goes_on(program):
            return Reason.HANDED_OVER
        return Reason.FLOW_PAUSED if flow.paused else None

    def _refuse(self, event: NewEvent, flow: LiveFlow, reason: Reason) -> None:
        self.changes.refusals.append(
            ledger.row(
                Decision(Verdict.SKIP, reason),
                self.now,
                store_id=event.store_id,
                contact_id=event.contact_id,
                flow_id=flow.pk,
                message_class=flow.program.message_class,
            )
        )

    # Runs that are there already -----------------------------------------------------------------

    def _again(self, event: NewEvent, run: Run, flow: LiveFlow) -> None:
        """Let a run begin anew, or at least know the newest about its cart, order or appointment."""
        if not run.is_older(event):
            self._refuse(event, flow, Reason.SAME_RUN)
            return
        moved = event.moves and run.is_about(event) and run.status in (WAITING, FINISHED)
        # who has had every text gets them again for another time only, and never for what is long known
        if moved and run.status == FINISHED:
            moved = run.is_at_another_time(event) and self.now - event.occurred_at <= TOO_LATE
        if moved or (flow.program.restart and run.waiting and run.state.sent == 0):
            self._restart(event, run, flow, moved=moved)
        elif run.waiting and run.is_about(event):
            self._replace_trigger(event, run)
        else:
            self._refuse(event, flow, Reason.SAME_RUN)

    def _restart(self, event: NewEvent, run: Run, flow: LiveFlow, *, moved: bool) -> None:
        """Begin anew with the event: the timer of a changed cart, the reminders of a moved appointment."""
        if run.pk is None:
            self._enter_with(event, run)
            return
        # what was sent before the appointment moved keeps its name, so that the new texts have others
        state = State(visits=visits_after(self.programs.get(run.version_id), run.state))
        at = turn(self.now, run.entered_at)
        entered_at = at if moved else run.entered_at
        self.changes.rewritten[run.pk] = (
            run.pk, flow.version_id, event.pk, state.to_json(), at, entered_at, WAITING, "", None,
        )  # fmt: skip
        self._due(event.contact_id, at, flow.program)
        run.triggered_at, run.status, run.wake_at, run.entered_at = event.occurred_at, WAITING, at, entered_at
        run.starts_at = starts_at(event)
        run.version_id, run.stored = flow.version_id, state.to_json()
        run.__dict__["state"] = state

    def _follow(self, event: NewEvent) -> None:
        """Let runs that do not begin anew know the new date: they wait for it."""
        for run in self.runs[event.contact_id]:
            if run.waiting and run.is_about(event) and run.is_older(event):
                self._replace_trigger(event, run)

    def _replace_trigger(self, event: NewEvent, run: Run) -> None:
        if run.pk is None:
            self._enter_with(event, run)
            return
        program = self.programs.get(run.version_id)
        waits_for_date = program is not None and isinstance(current(program, run.state), WaitUntilDate)
        wake_at = turn(self.now, run.entered_at) if waits_for_date else run.wake_at
        # "since entry" goes back to the first event: what came in between it and now still counts
        first = min(run.entered_at, run.triggered_at or run.entered_at)
        entered_at = run.entered_at if run.entered_at > self.now else first
        self.changes.rewritten[run.pk] = (
            run.pk, run.version_id, event.pk, run.stored, wake_at, entered_at, WAITING, "", None,
        )  # fmt: skip
        if wake_at is not None:
            self._due(event.contact_id, wake_at, program)
        run.triggered_at, run.wake_at, run.entered_at = event.occurred_at, wake_at, entered_at
        run.starts_at = starts_at(event)

    def _enter_with(self, event: NewEvent, run: Run) -> None:
        """Somebody who enters in this very batch enters with the newest event."""
        key = run.flow_id, event.contact_id, run.entry_key
        if key in self.changes.entries:
            self.changes.entries[key] = replace(self.changes.entries[key], event=event)
            run.triggered_at = event.occurred_at

    def _due(self, contact_id: int, at: datetime, program: Program | None) -> None:
        if self.contacts[contact_id].handed_over_at is None or (program is not None and goes_on(program)):
            self.changes.due[contact_id] = min(at, self.changes.due.get(contact_id, at))


def _write(changes: _Changes, now: datetime) -> None:
    entries = [entry for entry in changes.entries.values() if not entry.refused]
    state = State().to_json()
    bulk.insert(
        Enrollment,
        ("store_id", "flow_id", "version_id", "contact_id", "entry_key", "trigger_event_id", "status", "state",
         "wake_at", "entered_at", "test_pace"),
        [
            (
                entry.event.store_id, entry.flow.pk, entry.flow.version_id, entry.event.contact_id, entry.key,
                entry.event.pk, WAITING, state, entry.at, entry.at, entry.pace,
            )
            for entry in entries
        ],
    )  # fmt: skip
    note_of((entry.event.store_id, entry.at) for entry in entries)
    note_runs(changes.rewritten)
    bulk.update(
        Enrollment,
        ("version_id", "trigger_event_id", "state", "wake_at", "entered_at", "status", "exit_reason", "finished_at"),
        [(*row[:4], now if pk in changes.wakes else row[4], *row[5:]) for pk, row in sorted(changes.rewritten.items())],
    )
    note_runs(changes.rewritten)
    bulk.update(Enrollment, ("wake_at",), [(pk, now) for pk in sorted(changes.wakes - changes.rewritten.keys())])
    ledger.write(changes.refusals)
    bulk.update(Contact, ("wake_at",), sorted(changes.due.items()), least=("wake_at",))
