"""Carries out what runs ask for beside texts, in the transaction that stores where they stand.

Everything is gathered in memory while the batch runs, so that the runs of one contact
see each other's changes, and then written set-based. What happens by it are events like
any other: they start and wake flows at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import uuid4

from smsflow_plugin import bulk
from smsflow_plugin.audience import ledger, outward, suppression
from smsflow_plugin.audience.consent import CONFIRMED, Consent, Proof
from smsflow_plugin.audience.filters import PastEvent
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.conversations import threads
from smsflow_plugin.engine import contact_dates, doings
from smsflow_plugin.engine.doings import Doing
from smsflow_plugin.engine.entering import react
from smsflow_plugin.engine.models import Effect
from smsflow_plugin.engine.offers import Offers
from smsflow_plugin.engine.requests import Maker, Request
from smsflow_plugin.engine.starting import LET_IN, NewEvent
from smsflow_plugin.events.models import Event
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.flows.program import Discount

#: What a run may change about a contact.
CHANGED = ("tags", "fields", *ledger.CONTACT_COLUMNS, "handed_over_at", "handed_over_note")

#: The longest value of a contact's own field; a text of ten parts fits.
LONGEST_VALUE = 2000


#: What the data of a trigger says about the entry itself.
HOW = frozenset({"apply_audience", "again", "test_pace", "by", "at", "hops"})


class RunRow(Protocol):
    """What carrying needs to know of a run."""

    @property
    def pk(self) -> int: ...
    @property
    def store_id(self) -> int: ...
    @property
    def contact_id(self) -> int: ...
    @property
    def flow_id(self) -> int: ...
    @property
    def trigger(self) -> Mapping[str, Any]: ...
    @property
    def trigger_kind(self) -> str | None: ...
    @property
    def subject(self) -> str: ...
    @property
    def test_pace(self) -> int | None: ...


@dataclass
class Carrier:
    """Everything that the runs of one batch have asked for. ``offers`` says which discounts may be given."""

    now: datetime
    offers: Offers | None = None
    changed: dict[int, Contact] = field(default_factory=dict)
    dates: dict[tuple[int, str], Any] = field(default_factory=dict)
    events: list[NewEvent] = field(default_factory=list)
    statements: list[ledger.Statement] = field(default_factory=list)
    heard: dict[int, int] = field(default_factory=dict)
    #: People whom flows have handed over, by store and contact, and why.
    handed_over: dict[threads.Key, str] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    tags: list[outward.TagChange] = field(default_factory=list)

    def carry_out(
        self,
        asked: Sequence[Doing],
        run: RunRow,
        contact: Contact,
        zone: str,
        past: Sequence[PastEvent],
        maker: Maker,
    ) -> bool:
        """Note what a run asks for, and change its contact in memory. ``past`` is what happened to the person.

        :return: whether it waits for a request that is settled already: it need not wait.
        """
        settled = False
        for doing in asked:
            match doing:
                case doings.Tagging():
                    self._tag(doing, run, contact)
                case doings.Setting():
                    self._set(doing, run, contact, zone)
                case doings.Agreeing():
                    self._agree(doing, run, contact, past)
                case doings.HandingOver():
                    self._hand_over(doing, contact)
                case doings.Entering():
                    self._happened(run, "entered_from_flow", _passed_on(run, doing.flow))
                case doings.Reaching():
                    self._happened(run, "goal_reached", {"goal": doing.name, "enrollment": run.pk})
                case doings.Hearing():
                    self.heard[doing.reply] = run.pk
                case doings.Requesting():
                    request = maker.make(doing, run, contact)
                    if self.offers is not None and isinstance(doing.instruction, Discount):
                        request = self.offers.weigh(doing.instruction, request, run)
                    self.requests.append(request)
                    settled = settled or (doing.waits and request.settled)
        return settled

    # The contact ---------------------------------------------------------------------------------

    def _tag(self, doing: doings.Tagging, run: RunRow, contact: Contact) -> None:
        written = next((str(tag) for tag in contact.tags if str(tag).casefold() == doing.tag.casefold()), "")
        has = bool(written)
        if has == doing.add or not doing.tag:
            return
        others = [tag for tag in contact.tags if str(tag).casefold() != doing.tag.casefold()]
        contact.tags = [*others, doing.tag] if doing.add else others
        self.changed[contact.pk] = contact
        self.tags.append(outward.TagChange(contact.store_id, contact.pk, written or doing.tag))
        self._happened(run, "tag_added" if doing.add else "tag_removed", {"tag": doing.tag})

    def _set(self, doing: doings.Setting, run: RunRow, contact: Contact, zone: str) -> None:
        before = contact.fields if isinstance(contact.fields, dict) else {}
        value = doing.value.replace("\0", "")[:LONGEST_VALUE]
        if not doing.name or before.get(doing.name, "") == value:
            return
        contact.fields = {**before, doing.name: value}
        self.changed[contact.pk] = contact
        self.dates.update(contact_dates.changed_fields(contact.pk, before, contact.fields, zone))
        self._happened(run, "field_changed", {"field": doing.name, "value": value})

    def _agree(self, doing: doings.Agreeing, run: RunRow, contact: Contact, past: Sequence[PastEvent]) -> None:
        """Write the answer into the ledger, word by word: it is the proof of the double opt-in."""
        reply = next((event for event in past if event.id == doing.reply), None)
        if reply is None:
            return  # nothing that could be shown for it: nobody has agreed
        consent = Consent(
            "granted",
            "marketing",
            "double_opt_in",
            reply.occurred_at,
            key=f"double_opt_in:{run.pk}:{doing.reply}",
            wording=str(reply.data.get("body") or ""),
            evidence={"event": doing.reply, "enrollment": run.pk, "step": doing.step, "opt_in_level": CONFIRMED},
            own_words=True,
            proof=Proof(channel="text", opt_in_level=CONFIRMED),
        )
        statement = ledger.Statement(contact, consent)
        self.statements.append(statement)
        self.changed[contact.pk] = contact
        if ledger.take_over(statement, self.now):
            self._happened(run, "opted_in", {"source": consent.source})

    def _hand_over(self, doing: doings.HandingOver, contact: Contact) -> None:
        if contact.handed_over_at is None:
            contact.handed_over_at, contact.handed_over_note = self.now, doing.note[:200]
            self.changed[contact.pk] = contact
            self.handed_over[contact.store_id, contact.pk] = contact.handed_over_note

    def _happened(self, run: RunRow, kind: str, data: Mapping[str, Any]) -> None:
        hops = run.trigger.get("hops")
        data = {**data, "hops": (hops if isinstance(hops, int) else 0) + 1}
        key = f"{run.pk}:{uuid4().hex}"
        self.events.append(NewEvent(0, run.store_id, run.contact_id, kind, key, run.subject, self.now, data))

    # Writing -------------------------------------------------------------------------------------

    def write(self, contacts: Mapping[int, Contact]) -> None:
        """Write everything, and let what has happened start and wake flows. The contacts must be locked."""
        self._write_ledger()
        bulk.update(
            Contact,
            CHANGED,
            [(pk, *(getattr(contact, name) for name in CHANGED)) for pk, contact in sorted(self.changed.items())],
        )
        threads.handed_over(self.handed_over, self.now)
        outward.tags_changed(self.tags, self.now)
        contact_dates.write(self.dates, contacts)
        bulk.update(Event, ("heard_by",), sorted(self.heard.items()))
        bulk.insert(Effect, Request.COLUMNS, [request.row(self.now) for request in self.requests])
        if self.offers is not None:
            self.offers.write()
        react(self._write_events(), contacts, set(), self.now)

    def _write_ledger(self) -> None:
        """Write what the ledger does not hold yet: a question that is asked twice may hear the same answer."""
        keys = {(one.contact.store_id, ledger.key_of(one.consent)): one for one in self.statements}
        known = ledger.known_keys(keys.keys())
        new = [statement for key, statement in keys.items() if key not in known]
        ledger.append(new, self.now)
        suppression.lift(new, self.now)

    def _write_events(self) -> list[NewEvent]:
        if not self.events:
            return []
        names = self._flow_names()
        events = [_named(event, names) for event in self.events]
        written = bulk.insert(
            Event,
            ("store_id", "contact_id", "kind", "key", "subject", "occurred_at", "recorded_at", "data"),
            [(e.store_id, e.contact_id, e.kind, e.key, e.subject, e.occurred_at, self.now, e.data) for e in events],
            returning=("id", "key"),
        )
        ids = {key: pk for pk, key in written}
        return [replace(event, pk=ids[event.key]) for event in events if event.key in ids]

    def _flow_names(self) -> dict[int, str]:
        flows = {event.data["from_flow"] for event in self.events if "from_flow" in event.data}
        return dict(Flow.objects.filter(pk__in=flows).values_list("pk", "name")) if flows else {}


def _passed_on(run: RunRow, flow_id: int) -> dict[str, Any]:
    """Return what the next flow is told: what this one was about, and not how people came into this one."""
    data = {key: value for key, value in run.trigger.items() if key not in HOW}
    pace = {"test_pace": run.test_pace} if run.test_pace else {}
    origin = run.trigger.get("origin") if run.trigger_kind in LET_IN else run.trigger_kind
    return {**data, **pace, "flow": flow_id, "from_flow": run.flow_id, "origin": origin}


def _named(event: NewEvent, names: Mapping[int, str]) -> NewEvent:
    if event.kind != "entered_from_flow":
        return event
    return replace(event, data={**event.data, "flow_name": names.get(event.data["from_flow"], "")})


def results_of(enrollment_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return what became of the requests of these runs, by run and "step:visit"."""
    results: dict[int, dict[str, Any]] = {}
    rows = Effect.objects.filter(
        enrollment_id__in=enrollment_ids, waits=True, state__in=(Effect.State.DONE, Effect.State.FAILED)
    ).values_list("enrollment_id", "step", "visit", "result")
    for enrollment_id, step, visit, result in rows:
        results.setdefault(enrollment_id, {})[f"{step}:{visit}"] = result or {"error": ""}
    return results
