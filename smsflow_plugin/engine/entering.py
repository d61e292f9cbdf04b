"""Which flows a batch of new events starts, wakes, starts afresh or ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from smsflow_plugin import bulk
from smsflow_plugin.audience.filters import Facts, PastEvent, event_kinds, look_back, matches
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.engine.facts import Programs, contact_values, past_events
from smsflow_plugin.engine.interpreter import State, wakes_on
from smsflow_plugin.engine.models import Decision, Enrollment
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.flows.program import Program
from smsflow_plugin.governance.rules import Reason
from smsflow_plugin.stores.models import Store

#: An event that arrives later than this no longer starts a flow: a history import
#: or a vendor's long outage must not text people about last week's cart.
TOO_LATE = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class NewEvent:
    pk: int
    store_id: int
    contact_id: int
    kind: str
    key: str
    subject: str
    occurred_at: datetime
    data: dict[str, Any]


@dataclass
class _Changes:
    #: By flow, contact and entry key.
    enrollments: dict[tuple[int, int, str], tuple[Any, ...]] = field(default_factory=dict)
    restarts: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    wakes: set[int] = field(default_factory=set)
    refusals: list[tuple[Any, ...]] = field(default_factory=list)
    due: set[int] = field(default_factory=set)


def react(events: Sequence[NewEvent], contacts: dict[int, Contact], opted_out: set[int], now: datetime) -> None:
    """Start, restart, wake and end enrollments for ``events``. The contacts must be locked."""
    end_for_opted_out(opted_out, now)
    events = [event for event in events if event.contact_id in contacts]
    if not events:
        return
    flows = _flows(events)
    runs = _runs(events, flows)
    started = [version for entries in flows.values() for _flow, version in entries]
    programs = Programs.load([*started, *(run.version_id for own in runs.values() for run in own)])
    history = _history(events, flows, programs, now)
    changes = _Changes()
    for event in events:
        contact, own = contacts[event.contact_id], runs[event.contact_id]
        _wake(event, own, programs, changes)
        for flow_id, version_id in flows.get((event.store_id, event.kind), ()):
            _start(event, contact, flow_id, version_id, programs[version_id], own, history, changes, now)
    _write(changes, now)


def end_for_opted_out(contact_ids: set[int], now: datetime) -> None:
    """End every run of people who want no more texts."""
    if contact_ids:
        Enrollment.objects.filter(contact_id__in=contact_ids, status=Enrollment.Status.WAITING).update(
            status=Enrollment.Status.EXITED, exit_reason="opted_out", finished_at=now, wake_at=None
        )


@dataclass
class _Run:
    """What entering needs to know of an enrollment; new ones get it too, with no id."""

    pk: int | None
    flow_id: int
    version_id: int
    entry_key: str
    entered_at: datetime
    waiting: bool
    state: State
    triggered_at: datetime | None


def _flows(events: Sequence[NewEvent]) -> dict[tuple[int, str], list[tuple[int, int]]]:
    """Return (flow id, version id) of the live flows by store and trigger."""
    rows = Flow.objects.filter(
        store_id__in={event.store_id for event in events},
        live=True,
        paused_at__isnull=True,
        current_version__isnull=False,
        store__status=Store.Status.ACTIVE,
    ).values_list("store_id", "pk", "current_version_id")
    rows = list(rows)
    programs = Programs.load(version for _store, _flow, version in rows)
    flows = defaultdict(list)
    for store_id, flow_id, version_id in rows:
        if version_id not in programs:
            continue
        for kind in {trigger.kind for trigger in programs[version_id].triggers}:
            flows[store_id, kind].append((flow_id, version_id))
    return flows


def _runs(events: Sequence[NewEvent], flows: dict[tuple[int, str], list[tuple[int, int]]]) -> dict[int, list[_Run]]:
    started = {flow for event in events for flow, _version in flows.get((event.store_id, event.kind), ())}
    rows = (
        Enrollment.objects.filter(contact_id__in={event.contact_id for event in events})
        .filter(Q(status=Enrollment.Status.WAITING) | Q(flow_id__in=started))
        .values_list(
            "contact_id", "pk", "flow_id", "version_id", "entry_key", "entered_at", "status", "state",
            "trigger_event__occurred_at",
        )
    )  # fmt: skip
    runs: dict[int, list[_Run]] = defaultdict(list)
    for contact_id, pk, flow_id, version_id, key, entered_at, status, state, triggered_at in rows:
        waiting = status == Enrollment.Status.WAITING
        run = _Run(pk, flow_id, version_id, key, entered_at, waiting, _state(state), triggered_at)
        runs[contact_id].append(run)
    return runs


def _state(data: Any) -> State:
    """Return a stored state. One that cannot be read has sent something: such a run is not started afresh."""
    try:
        return State.from_json(data)
    except (AttributeError, TypeError, ValueError):  # it fails when it is due, alone
        return State(sent=1)


def _history(
    events: Sequence[NewEvent],
    flows: dict[tuple[int, str], list[tuple[int, int]]],
    programs: Any,
    now: datetime,
) -> dict[int, list[tuple[int, PastEvent]]]:
    audiences = [
        programs[version].audience for event in events for _flow, version in flows.get((event.store_id, event.kind), ())
    ]
    kinds = {kind for audience in audiences for kind in event_kinds(audience)}
    back = max((look_back(audience) for audience in audiences), default=timedelta())
    return past_events({event.contact_id for event in events}, kinds, now - max(back, TOO_LATE))


def _wake(event: NewEvent, own: list[_Run], programs: Any, changes: _Changes) -> None:
    for run in own:
        program = programs.get(run.version_id)
        if program and run.pk and run.waiting and event.kind in wakes_on(program, run.state):
            changes.wakes.add(run.pk)
            changes.due.add(event.contact_id)


def _start(
    event: NewEvent,
    contact: Contact,
    flow_id: int,
    version_id: int,
    program: Program,
    own: list[_Run],
    history: dict[int, list[tuple[int, PastEvent]]],
    changes: _Changes,
    now: datetime,
) -> None:
    key = _entry_key(program, event)
    before = [run for run in own if run.flow_id == flow_id]
    same = next((run for run in before if run.entry_key == key), None)
    if same is not None:
        _restart(event, same, version_id, program, changes, now)
        return
    past = tuple(other for pk, other in history[event.contact_id] if pk != event.pk)
    facts = Facts(contact_values(contact), event.occurred_at, event.data, past)
    reason = _refusal(event, program, before, facts, now)
    if reason:
        changes.refusals.append(
            (event.store_id, event.contact_id, flow_id, now, "skip", reason.value, program.message_class)
        )
        return
    changes.enrollments[flow_id, event.contact_id, key] = _new(event, flow_id, version_id, key, now)
    changes.due.add(event.contact_id)
    own.append(_Run(None, flow_id, version_id, key, now, True, State(), event.occurred_at))


def _new(event: NewEvent, flow_id: int, version_id: int, key: str, now: datetime) -> tuple[Any, ...]:
    state = State().to_json()
    return event.store_id, flow_id, version_id, event.contact_id, key, event.pk, "waiting", state, now, now


def _entry_key(program: Program, event: NewEvent) -> str:
    match program.reentry.mode:
        case "never":
            return ""
        case "always":
            return event.key
    return event.subject or event.key


def _refusal(event: NewEvent, program: Program, before: list[_Run], facts: Facts, now: datetime) -> Reason | None:
    if now - event.occurred_at > TOO_LATE:
        return Reason.TOO_LATE
    if program.reentry.mode == "after":
        horizon = now - timedelta(days=program.reentry.days)
        if any(run.entered_at > horizon for run in before):
            return Reason.REENTRY
    return None if matches(program.audience, facts, now) else Reason.AUDIENCE


def _restart(event: NewEvent, run: _Run, version_id: int, program: Program, changes: _Changes, now: datetime) -> None:
    """Let a changed cart begin its wait anew, as long as nothing was sent about it."""
    newer = run.triggered_at is None or event.occurred_at > run.triggered_at
    if not (program.restart and run.waiting and newer and run.state.sent == 0):
        return
    if run.pk is None:
        # it starts in this very batch: with the cart as it is now
        new = _new(event, run.flow_id, version_id, run.entry_key, now)
        changes.enrollments[run.flow_id, event.contact_id, run.entry_key] = new
    else:
        state = State(visits=run.state.visits)
        changes.restarts[run.pk] = (run.pk, version_id, event.pk, state.to_json(), now)
    changes.due.add(event.contact_id)
    run.triggered_at = event.occurred_at


def _write(changes: _Changes, now: datetime) -> None:
    bulk.insert(
        Enrollment,
        ("store_id", "flow_id", "version_id", "contact_id", "entry_key", "trigger_event_id", "status", "state",
         "wake_at", "entered_at"),
        list(changes.enrollments.values()),
    )  # fmt: skip
    bulk.update(
        Enrollment,
        ("version_id", "trigger_event_id", "state", "wake_at"),
        [changes.restarts[pk] for pk in sorted(changes.restarts)],
    )
    bulk.update(Enrollment, ("wake_at",), [(pk, now) for pk in sorted(changes.wakes - changes.restarts.keys())])
    bulk.insert(
        Decision,
        ("store_id", "contact_id", "flow_id", "at", "verdict", "reason", "message_class", "step", "visit", "notes"),
        [(*row, "", 0, []) for row in changes.refusals],
    )
    bulk.update(Contact, ("wake_at",), [(pk, now) for pk in sorted(changes.due)], least=("wake_at",))
