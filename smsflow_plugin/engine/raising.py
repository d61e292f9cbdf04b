"""Events that no webhook brings: dates, lapses, lists, stock. Written for a crowd at once."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from smsflow_plugin import bulk
from smsflow_plugin.engine import people
from smsflow_plugin.engine.entering import react
from smsflow_plugin.engine.facts import Programs
from smsflow_plugin.engine.starting import TOO_LATE, NewEvent
from smsflow_plugin.events.models import Event
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.flows.program import Program, Trigger
from smsflow_plugin.flows.publishing import first_published
from smsflow_plugin.governance.panic import stopped
from smsflow_plugin.stores.models import Store

logger = logging.getLogger(__name__)

#: Rows that a pump looks at with one statement: most of them need nothing.
LOOK = 2_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """An event to be written, unless there is one with this key already."""

    contact_id: int
    key: str
    occurred_at: datetime
    subject: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LiveFlow:
    """A flow that takes people in. ``since``: nothing before this is caught up with."""

    store_id: int
    pk: int
    zone: str
    program: Program
    since: datetime

    def triggers(self, kinds: Iterable[str]) -> Iterator[Trigger]:
        wanted = set(kinds)
        return (trigger for trigger in self.program.triggers if trigger.kind in wanted)


def live_flows(kinds: Iterable[str], now: datetime) -> list[LiveFlow]:
    """Return the flows that start on one of ``kinds`` and take people in now, in the order of their ids.

    What a stopped worker missed is caught up with for as long as events may be late; but
    never what was before the flow was published for the first time.
    """
    taking_in = Flow.objects.filter(
        live=True,
        paused_at__isnull=True,
        closed_at__isnull=True,
        current_version__isnull=False,
        store__status=Store.Status.ACTIVE,
    )
    rows = list(
        stopped().going(taking_in).order_by("pk").values_list("store_id", "pk", "store__timezone", "current_version_id")
    )
    programs = Programs.load(version for *_rest, version in rows)
    wanted = set(kinds)
    found = [
        (store_id, pk, zone, programs[version])
        for store_id, pk, zone, version in rows
        if version in programs and not wanted.isdisjoint(trigger.kind for trigger in programs[version].triggers)
    ]
    if not found:
        return []
    published = first_published([pk for _store, pk, *_rest in found])
    return [
        LiveFlow(store_id, pk, zone, program, max(now - TOO_LATE, published.get(pk, now - TOO_LATE)))
        for store_id, pk, zone, program in found
    ]


def unseen(store_id: int, kind: str, wanted: Sequence[Wanted]) -> list[Wanted]:
    """Return those of ``wanted`` that have no event yet, with one statement."""
    if not wanted:
        return []
    keys = [one.key for one in wanted]
    known = set(Event.objects.filter(store_id=store_id, kind=kind, key__in=keys).values_list("key", flat=True))
    return [one for one in wanted if one.key not in known]


def raise_events(store_id: int, kind: str, wanted: Sequence[Wanted], now: datetime) -> list[NewEvent]:
    """Lock the people, write their events, and let these start and wake runs; return those that are new.

    Must run in a transaction. The number of statements does not depend on how many there are.
    """
    if not wanted:
        return []
    contacts = people.lock(one.contact_id for one in wanted)
    by_key = {one.key: one for one in wanted if one.contact_id in contacts}
    rows = [
        (store_id, one.contact_id, kind, key, one.subject, min(one.occurred_at, now), now, dict(one.data))
        for key, one in sorted(by_key.items())
    ]
    written = bulk.insert(
        Event,
        ("store_id", "contact_id", "kind", "key", "subject", "occurred_at", "recorded_at", "data"),
        rows,
        returning=("id", "key"),
    )
    events = [
        NewEvent(pk, store_id, one.contact_id, kind, key, one.subject, min(one.occurred_at, now), dict(one.data))
        for pk, key in sorted(written)
        for one in [by_key[key]]
    ]
    react(events, contacts, set(), now)
    return events
