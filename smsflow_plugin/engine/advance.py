"""The advance pump: runs the programs of people who are due.

Claims contacts, not enrollments: all due runs of a contact go together, the most
important first, so that two workers can never both spend the last slot of a cap.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import Min, QuerySet

from smsflow_plugin import bulk, clock
from smsflow_plugin.attribution.models import Exposure
from smsflow_plugin.audience.filters import Facts
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.audience.suppression import suppressed
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.engine import linking, paying
from smsflow_plugin.engine.carrying import Carrier, results_of
from smsflow_plugin.engine.doings import Hearing
from smsflow_plugin.engine.facts import (
    History,
    Needs,
    Programs,
    asks_outside,
    best_hour,
    contact_values,
    past_events,
    places,
)
from smsflow_plugin.engine.governor import Governor
from smsflow_plugin.engine.interpreter import Outcome, State, Status, current, interpret
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.engine.offers import Offers
from smsflow_plugin.engine.requests import Maker
from smsflow_plugin.engine.starting import class_of_run, goes_on
from smsflow_plugin.engine.stock import stock_of, with_stock
from smsflow_plugin.engine.trials import shown_ways
from smsflow_plugin.engine.upcoming import planned_text
from smsflow_plugin.flows.owners import owner_addresses
from smsflow_plugin.flows.program import HandOver, Program
from smsflow_plugin.governance import ledger, sends
from smsflow_plugin.governance.effective import RANK_WIDTH, StoreRules, rules_of
from smsflow_plugin.governance.panic import stands_for
from smsflow_plugin.governance.rules import Planned, Priority
from smsflow_plugin.governance.sends import Leaving
from smsflow_plugin.governance.spend import Till
from smsflow_plugin.messaging.choosing import Senders
from smsflow_plugin.messaging.places_taken import waiting_texts
from smsflow_plugin.messaging.senders import senders_of
from smsflow_plugin.messaging.short_links import shorteners_of
from smsflow_plugin.messaging.shortening import Shortener
from smsflow_plugin.stores.changes import note
from smsflow_plugin.stores.models import Store

logger = logging.getLogger(__name__)

EXPOSURE_COLUMNS = ("store_id", "experiment", "contact_id", "arm", "flow_id", "step", "enrollment_id", "at")

#: When somebody is looked at again who could not be advanced.
RETRY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Run:
    """A waiting enrollment, as plain values: making model instances would be half of the work."""

    pk: int
    store_id: int
    contact_id: int
    flow_id: int
    flow_live: bool
    paused_at: datetime | None
    version_id: int
    state: dict[str, Any]
    wake_at: datetime | None
    entered_at: datetime
    test_pace: int | None
    trigger_event_id: int | None
    triggered_at: datetime | None
    trigger_kind: str | None
    subject: str
    trigger: dict[str, Any]

    @property
    def since(self) -> datetime:
        """What "since entry" means: the event itself, not when we heard of it."""
        return min(self.entered_at, self.triggered_at) if self.triggered_at else self.entered_at


_RUN_COLUMNS = (
    "pk", "store_id", "contact_id", "flow_id", "flow__live", "flow__paused_at", "version_id", "state", "wake_at",
    "entered_at", "test_pace", "trigger_event_id", "trigger_event__occurred_at", "trigger_event__kind",
    "trigger_event__subject", "trigger_event__data",
)  # fmt: skip


@dataclass
class Batch:
    """Everything that one batch needs to be decided in memory."""

    now: datetime
    contacts: list[Contact]
    stores: Mapping[int, Store]
    rules: Mapping[int, StoreRules]
    runs: dict[int, list[Run]]
    programs: Mapping[int, Program]
    history: History
    #: What became of the requests that runs wait for, by run and "step:visit".
    answers: Mapping[int, Mapping[str, Any]]
    #: Why numbers are on the suppression list, by contact.
    suppressed: Mapping[int, str]
    #: Texts that are on their way and have not left, by contact.
    waiting: Mapping[int, Sequence[Leaving]] = field(default_factory=dict)
    #: From which numbers and names texts may come, by store.
    senders: Mapping[int, Senders] = field(default_factory=dict)
    #: How stores shorten the addresses in their texts; those that do not are missing.
    shorteners: Mapping[int, Shortener] = field(default_factory=dict)
    _owners: dict[int, str] | None = None

    def owner_email(self, flow_id: int) -> str:
        """Return where to write to whoever answers for a flow. Read once, when the first run asks."""
        if self._owners is None:
            flows = {run.flow_id for own in self.runs.values() for run in own}
            self._owners = owner_addresses(flows)
        return self._owners.get(flow_id, "")


@dataclass
class Results:
    carrier: Carrier
    enrollments: list[tuple[Any, ...]] = field(default_factory=list)
    contacts: list[tuple[Any, ...]] = field(default_factory=list)
    messages: list[tuple[Any, ...]] = field(default_factory=list)
    #: Short links in ``messages``, as (place there, code, target).
    links: list[tuple[int, str, str]] = field(default_factory=list)
    decisions: list[tuple[Any, ...]] = field(default_factory=list)
    exposures: list[tuple[Any, ...]] = field(default_factory=list)


def advance(limit: int | None = None) -> int:
    """Run one batch of due contacts; return how many there were. 0 means that nobody is due."""
    limit = limit or smsflow_settings.BATCH_SIZE
    try:
        return _advance_batch(_due().order_by("wake_at", "pk"), limit)
    except OperationalError:
        raise  # a deadlock or a lock on SQLite: both pass
    except Exception:
        logger.exception("A batch of due contacts failed; taking them one by one.")
    return _advance_singly(limit)


def _due() -> QuerySet[Contact]:
    """Return who is due. Whoever the panic switch holds is left alone: they are due when it is let go."""
    return Contact.objects.filter(~stands_for(), wake_at__lte=clock.now())


@transaction.atomic
def _advance_batch(due: QuerySet[Contact], limit: int) -> int:
    contacts = list(due.select_for_update(skip_locked=True)[:limit])
    if not contacts:
        return 0
    now = clock.now()
    batch = _load(contacts, now)
    results = _run(batch)
    if not paying.pay(results.messages, batch.stores, batch.rules, now):
        # another worker has spent the money meanwhile; now it waits for us, and what is left is known
        contacts = list(Contact.objects.filter(pk__in=[contact.pk for contact in contacts]).order_by("wake_at", "pk"))
        batch = _load(contacts, now)
        results = _run(batch)
        paying.pay(results.messages, batch.stores, batch.rules, now, again=True)
    _write(results, batch, {contact.pk: contact for contact in contacts})
    return len(contacts)


def _advance_singly(limit: int) -> int:
    """Find whoever breaks the batch, and look at them again later: nobody else waits for them."""
    ids = list(_due().order_by("wake_at", "pk").values_list("pk", flat=True)[:limit])
    for pk in ids:
        try:
            _advance_batch(_due().filter(pk=pk), 1)
        except OperationalError:
            raise
        except Exception:
            logger.exception("Contact %s could not be advanced and is put off.", pk)
            _due().filter(pk=pk).update(wake_at=clock.now() + RETRY)
    return len(ids)


def next_wake() -> datetime | None:
    """Return when the next contact is due, or None if nobody waits."""
    waiting = Contact.objects.filter(~stands_for(), wake_at__isnull=False)
    moment: datetime | None = waiting.aggregate(at=Min("wake_at"))["at"]
    return moment


def _load(contacts: list[Contact], now: datetime) -> Batch:
    store_ids = {contact.store_id for contact in contacts}
    stores = {store.pk: store for store in Store.objects.filter(pk__in=store_ids)}
    rules = rules_of(stores.values())
    runs: dict[int, list[Run]] = defaultdict(list)
    rows = Enrollment.objects.filter(
        contact_id__in=[contact.pk for contact in contacts], status=Enrollment.Status.WAITING
    ).values_list(*_RUN_COLUMNS)
    for *values, subject, trigger in rows:
        run = Run(*values, subject or "", trigger or {})
        runs[run.contact_id].append(run)
    _with_stock(runs)
    everything = [run for own in runs.values() for run in own]
    programs = Programs.load(run.version_id for run in everything)
    asking = [run.pk for run in everything if (own := programs.get(run.version_id)) and asks_outside(own)]
    answers = results_of(asking) if asking else {}
    history = _history(everything, programs, now)
    waiting = waiting_texts([contact.pk for contact in contacts if contact.recent_sends], now)
    senders = senders_of(stores.values())
    return Batch(
        now,
        contacts,
        stores,
        rules,
        runs,
        programs,
        history,
        answers,
        suppressed(contacts),
        waiting,
        senders,
        shorteners_of(stores),
    )


def _with_stock(runs: dict[int, list[Run]]) -> None:
    """Let runs about a product see how many there are now: what is sold out is not promised."""
    stock = stock_of((run.store_id, run.trigger) for own in runs.values() for run in own)
    for contact_id, own in runs.items() if stock else ():
        runs[contact_id] = [replace(run, trigger=dict(with_stock(run.store_id, run.trigger, stock))) for run in own]


def _history(runs: Sequence[Run], programs: Mapping[int, Program], now: datetime) -> History:
    """Return what happened to these people, as far back and of those kinds as their programs ask for."""
    if not runs:
        return History()
    needs = Needs()
    for version in {run.version_id for run in runs} & programs.keys():
        needs.of_run(programs[version])
    since = min([now - needs.back, *(run.since for run in runs)])
    return past_events({run.contact_id for run in runs}, needs, since)


def _run(batch: Batch) -> Results:
    offers = Offers(batch.now, batch.stores, batch.rules, [contact.pk for contact in batch.contacts])
    results = Results(Carrier(batch.now, offers))
    tills = {pk: Till(rules.budget) for pk, rules in batch.rules.items() if rules.budget}
    for contact in batch.contacts:
        _run_contact(contact, batch, results, tills.get(contact.store_id))
    return results


def _run_contact(contact: Contact, batch: Batch, results: Results, till: Till | None) -> None:
    """Run what is due of one contact. While staff has the person, only service is; what a pause holds up waits."""
    store = batch.stores[contact.store_id]
    rules = batch.rules[store.pk]
    own = batch.runs.get(contact.pk, [])
    in_flows = frozenset(run.flow_id for run in own)
    governor = Governor(
        contact,
        store,
        rules,
        places(contact, store),
        batch.now,
        suppressed=batch.suppressed.get(contact.pk, ""),
        in_flows=in_flows,
        till=till,
        senders=batch.senders.get(store.pk),
        shortener=batch.shorteners.get(store.pk),
    )
    governor.wait_for(batch.waiting.get(contact.pk, ()))
    running = [run for run in own if run.wake_at and not (run.flow_live and run.paused_at)]
    waits = [(run, run.wake_at) for run in running if run.wake_at and run.wake_at > batch.now]
    due = [run for run in running if run.wake_at and run.wake_at <= batch.now]
    planned = {run.pk: _planned(run, batch, rules) for run in running if run.wake_at and run.wake_at > batch.now}
    for run in sorted(due, key=lambda run: _order(batch.programs.get(run.version_id), run, rules)):
        if contact.handed_over_at is not None and not _goes_on(run, batch):
            continue
        governor.expect(tuple(text for text in planned.values() if text))
        state, wake_at = _run_one(run, contact, governor, batch, results)
        if wake_at:
            run = replace(run, state=state, wake_at=wake_at)
            waits.append((run, wake_at))
            planned[run.pk] = _planned(run, batch, rules)
    going = [at for run, at in waits if contact.handed_over_at is None or _goes_on(run, batch)]
    wake_at = min(going, default=None)
    recent = sends.write(governor.sends, batch.now)
    results.contacts.append((contact.pk, wake_at, recent, contact.last_texted_at, governor.sender))
    before = len(results.messages)
    results.links.extend((before + place, code, target) for place, code, target in governor.links)
    results.messages.extend(governor.messages)
    results.exposures.extend(
        (store.pk, each.experiment, contact.pk, each.arm, flow, each.step, enrollment, batch.now)
        for each, flow, enrollment in governor.exposures
    )


def _goes_on(run: Run, batch: Batch) -> bool:
    """Return whether a run goes on although staff has the person: service does, unless it handed them over itself."""
    program = batch.programs.get(run.version_id)
    if program is None or not goes_on(program):
        return False
    state = State.from_json(run.state)
    return not (isinstance(current(program, state), HandOver) and state.waiting_until is not None)


def _order(program: Program | None, run: Run, rules: StoreRules) -> tuple[Any, ...]:
    if program is None:
        return (len(Priority) + 1) * RANK_WIDTH, run.entered_at, run.pk
    return rules.rank(run.flow_id, program.priority, program.priority_number), run.entered_at, run.pk


def _planned(run: Run, batch: Batch, rules: StoreRules) -> Planned | None:
    """Return the text that a waiting run will want to send next, None if it waits for something else."""
    program = batch.programs.get(run.version_id)
    if program is None or not run.flow_live:
        return None
    rank = rules.rank(run.flow_id, program.priority, program.priority_number)
    return planned_text(program, State.from_json(run.state), run.wake_at, flow_id=run.flow_id, rank=rank)


def _run_one(
    run: Run, contact: Contact, governor: Governor, batch: Batch, results: Results
) -> tuple[dict[str, Any], datetime | None]:
    """Run one enrollment, note what came of it, and return its state and when it is due again."""
    if not run.flow_live and run.test_pace is None:
        _end(results, run, "exited", "flow_off", batch.now)
        return run.state, None
    program = batch.programs.get(run.version_id)
    if program is None:
        return run.state, batch.now + RETRY
    program = replace(program, message_class=class_of_run(program.message_class, run.trigger_kind, run.trigger))
    facts = _facts(run, contact, batch)
    marks = governor.mark()
    try:
        before = State.from_json(run.state)
        outcome = interpret(
            program,
            before,
            facts,
            batch.now,
            zone=governor.zone,
            ask=governor.for_run(run, program, facts),
            pace=run.test_pace or 1,
            language=governor.language,
        )
        if run.test_pace is None and "ways" in outcome.state.gathered:
            ways = shown_ways(run.flow_id, program, before.gathered, outcome.state.gathered)
            governor.exposures += [(each, run.flow_id, run.pk) for each in ways]
    except Exception as error:
        # one broken program must not stop everybody else's
        logger.exception("Enrollment %s failed.", run.pk)
        governor.reset(marks)
        _end(results, run, "failed", f"{type(error).__name__}: {error}"[:120], batch.now)
        return run.state, None
    if len(governor.messages) > marks.messages:
        contact.last_texted_at = batch.now
    wake_at = _carry_out(outcome, run, facts, governor, batch, results)
    _note(results, run, governor, program, outcome, wake_at)
    return outcome.state.to_json(), wake_at


def _facts(run: Run, contact: Contact, batch: Batch) -> Facts:
    others = {other.flow_id for other in batch.runs.get(contact.pk, ()) if other.flow_id != run.flow_id}
    return Facts(
        contact_values(contact),
        run.since,
        run.trigger,
        batch.history.of(contact.pk, without=run.trigger_event_id, run=run.pk),
        subject=run.subject,
        key=str(contact.uuid),
        flows=frozenset(others),
        results=batch.answers.get(run.pk, {}),
        best_hour=best_hour(contact, batch.stores[contact.store_id]),
        spend_marks=batch.stores[contact.store_id].spend_marks,
        send_times=batch.stores[contact.store_id].send_times,
    )


def _carry_out(
    outcome: Outcome, run: Run, facts: Facts, governor: Governor, batch: Batch, results: Results
) -> datetime | None:
    """Let the carrier take what the run asks for beside texts; return when the run is due again."""
    if not outcome.doings:
        return outcome.wake_at
    now_known = replace(facts, contact=contact_values(governor.contact), run=outcome.state.gathered)
    maker = Maker(governor.context(now_known), governor.language, governor.store.language, batch.owner_email)
    carrier = results.carrier
    settled = carrier.carry_out(outcome.doings, run, governor.contact, governor.zone, facts.events, maker)
    governor.look_again()
    # an answer that this run has taken is no answer for the next one
    batch.history.heard.update({doing.reply: run.pk for doing in outcome.doings if isinstance(doing, Hearing)})
    # what is settled already need not be waited for
    return batch.now if settled and outcome.wake_at else outcome.wake_at


def _note(
    results: Results, run: Run, governor: Governor, program: Program, outcome: Outcome, wake_at: datetime | None
) -> None:
    now = governor.now
    ended = None if outcome.status is Status.WAITING else now
    results.enrollments.append(
        (run.pk, outcome.status.value, outcome.state.to_json(), outcome.reason[:120], wake_at, ended)
    )
    for answer in outcome.answers:
        results.decisions.append(
            ledger.row(
                answer.decision,
                now,
                store_id=run.store_id,
                contact_id=run.contact_id,
                flow_id=run.flow_id,
                enrollment_id=run.pk,
                step=answer.ask.send.step,
                visit=answer.ask.visit,
                message_class=program.message_class,
                policy_id=governor.rules.rules.version,
                places=governor.places,
            )
        )


def _end(results: Results, run: Run, status: str, reason: str, now: datetime) -> None:
    results.enrollments.append((run.pk, status, run.state, reason, None, now))


def _write(results: Results, batch: Batch, contacts: Mapping[int, Contact]) -> None:
    bulk.update(
        Enrollment, ("status", "state", "exit_reason", "wake_at", "finished_at"), sorted(results.enrollments, key=_pk)
    )
    ledger.write(results.decisions)
    linking.write(results.messages, results.links, batch.stores, batch.now)
    # whoever was exposed before keeps the first time
    bulk.insert(Exposure, EXPOSURE_COLUMNS, results.exposures)
    bulk.update(Contact, ("wake_at", "recent_sends", "last_texted_at", "sender"), sorted(results.contacts, key=_pk))
    paying.count(results.messages, batch.stores, batch.rules, batch.now)
    _note_days(results, batch)
    # last, as what it sets in motion may be due at once
    results.carrier.write(contacts)


def _note_days(results: Results, batch: Batch) -> None:
    """Note that runs have ended or texts were decided against. Stores that texts were queued for are noted by these."""
    if not results.decisions and all(row[-1] is None for row in results.enrollments):
        return
    zones = {pk: store.timezone for pk, store in batch.stores.items()}
    note([(pk, batch.now) for pk in zones.keys() - {row[0] for row in results.messages}], zones)


def _pk(row: tuple[Any, ...]) -> Any:
    return row[0]
