"""Turns rows into the plain facts that conditions, programs and governance ask for."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, JSONField, Value, When

from smsflow_plugin.audience.filters import (
    Condition,
    PastEvent,
    asks_for_spending,
    event_kinds,
    look_back,
    needs_event_data,
    parts,
)
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.audience.places import Place, candidate_places
from smsflow_plugin.audience.values import contact_values
from smsflow_plugin.engine import habits
from smsflow_plugin.events.models import Event
from smsflow_plugin.flows.models import FlowVersion
from smsflow_plugin.flows.program import Discount, Listen, Program, WaitForEvent, Webhook
from smsflow_plugin.governance.rules import MessageClass, Priority
from smsflow_plugin.stores.models import Store

__all__ = [
    "History",
    "Needs",
    "Programs",
    "asks_outside",
    "best_hour",
    "contact_values",
    "past_events",
    "places",
    "zone",
]

logger = logging.getLogger(__name__)

#: The kind of event whose data programs always read: what the person wrote.
TEXT = "message_received"

#: Fewer reactions than these say nothing about a person's habits.
ENOUGH_REACTIONS = 5


def places(contact: Contact, store: Store) -> tuple[Place, ...]:
    """Return everywhere where the contact may be, the most likely place first."""
    return candidate_places(
        str(contact.phone) if contact.phone else None,
        timezone=contact.timezone,
        timezone_source=contact.timezone_source,
        country=contact.country,
        province=contact.province,
        postcode=contact.postcode,
        store_timezone=store.timezone,
        store_country=store.country,
    )


def zone(contact: Contact, store: Store) -> str:
    """Return the time zone whose clock the contact's waits go by."""
    return places(contact, store)[0].zone


def best_hour(contact: Contact, store: Store) -> int | None:
    """Return the hour of the day at which this person usually reacts, else that of the store's people."""
    hours: Any = contact.active_hours
    own = habits.best_hour(hours, ENOUGH_REACTIONS) if isinstance(hours, list) else None
    return store.best_hour if own is None else own


class Programs:
    """Compiled programs by version id. Versions never change, so they are kept for good."""

    _kept: dict[int, Program | None] = {}

    @classmethod
    def load(cls, version_ids: Iterable[int]) -> Mapping[int, Program]:
        """Return the programs of these versions, with one query for those not seen before.

        Those that this software cannot read, as a newer one wrote them, are left out.
        """
        wanted = set(version_ids)
        kept = cls._kept
        missing = wanted - kept.keys()
        if missing:
            if len(kept) > 2_000:
                # a new one: other threads may still read from the old
                kept = cls._kept = {}
                missing = wanted
            rows = FlowVersion.objects.filter(pk__in=missing).values_list("pk", "program")
            kept.update({pk: _program(pk, data) for pk, data in rows})
        return {pk: program for pk in wanted if (program := kept.get(pk)) is not None}


def _program(version_id: int, data: Any) -> Program | None:
    """Return a stored program, or None if anything in it is beyond what this software knows."""
    try:
        program = Program.from_json(data)
        Priority(program.priority), MessageClass(program.message_class)
        needs = Needs()
        needs.of_run(program)
        needs.of_entry(program)
    except Exception:  # whatever it is, other people's runs must not suffer for it
        logger.exception("Flow version %s cannot be read; its runs wait.", version_id)
        return None
    return program


def asks_outside(program: Program) -> bool:
    """Return whether runs of the program may wait for another system."""
    return any(isinstance(instruction, Discount | Webhook) for instruction in program.instructions)


@dataclass
class Needs:
    """Which events must be read to answer what programs ask, and from how long ago."""

    kinds: set[str] = field(default_factory=set)
    #: Those of them whose data is asked for as well.
    with_data: set[str] = field(default_factory=lambda: {TEXT})
    back: timedelta = timedelta()
    #: Whether it is asked who the best customers are.
    spending: bool = False

    def of_run(self, program: Program) -> None:
        """Add what runs of ``program`` may ask."""
        self.kinds.update(program.exits)
        if program.goal and program.goal_leaves:
            self.kinds.add(program.goal)
        for condition in program.conditions():
            self.of_condition(condition)
        for instruction in program.instructions:
            if isinstance(instruction, WaitForEvent):
                self.kinds.update(instruction.kinds)
            elif isinstance(instruction, Listen):
                self.kinds.add(TEXT)

    def of_entry(self, program: Program) -> None:
        """Add what is asked before somebody is let in."""
        self.of_condition(program.audience)
        for trigger in program.triggers:
            self.of_condition(trigger.when)

    def of_condition(self, condition: Condition) -> None:
        self.kinds.update(event_kinds(condition))
        self.spending = self.spending or asks_for_spending(condition)
        self.back = max(self.back, look_back(condition))
        self.with_data.update(part["event"] for part in parts(condition) if "event" in part and needs_event_data(part))


@dataclass(frozen=True, slots=True)
class History:
    """What happened to some people, by contact, oldest first."""

    events: Mapping[int, Sequence[PastEvent]] = field(default_factory=dict)
    #: Texts that a run took as its answer: event id and enrollment id.
    heard: dict[int, int] = field(default_factory=dict)

    def of(self, contact_id: int, *, without: int | None, run: int | None = None) -> tuple[PastEvent, ...]:
        """Return a contact's events but for the one that started the run. The answers of other runs are taken."""
        return tuple(
            replace(event, taken=True) if run is not None and self.heard.get(event.id, run) != run else event
            for event in self.events.get(contact_id, ())
            if event.id != without
        )


def past_events(contact_ids: Iterable[int], needs: Needs, since: datetime) -> History:
    """Read what ``needs`` names from ``since`` on, with one query. Data comes only where it is asked for."""
    if not needs.kinds:
        return History()
    data = Case(
        When(kind__in=sorted(needs.with_data), then="data"),
        default=Value(None, JSONField()),
        output_field=JSONField(),
    )
    rows = (
        Event.objects.filter(contact_id__in=set(contact_ids), kind__in=needs.kinds, occurred_at__gte=since)
        .order_by("occurred_at", "pk")
        .values_list("contact_id", "pk", "kind", "occurred_at", "subject", "heard_by", data)
    )
    events: dict[int, list[PastEvent]] = defaultdict(list)
    heard: dict[int, int] = {}
    for contact_id, pk, kind, occurred_at, subject, heard_by, held in rows:
        events[contact_id].append(PastEvent(kind, occurred_at, subject, held or {}, pk))
        if heard_by is not None:
            heard[pk] = heard_by
    return History(events, heard)
