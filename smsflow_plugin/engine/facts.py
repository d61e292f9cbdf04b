"""Turns rows into the plain facts that conditions, programs and governance ask for."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from smsflow_plugin.audience.filters import PastEvent, event_kinds, look_back
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.audience.zones import candidate_zones
from smsflow_plugin.events.models import Event
from smsflow_plugin.flows.models import FlowVersion
from smsflow_plugin.flows.program import Branch, Program
from smsflow_plugin.governance.rules import MessageClass, Priority
from smsflow_plugin.stores.models import Store

logger = logging.getLogger(__name__)


def contact_values(contact: Contact) -> dict[str, Any]:
    """Return the fields of a contact that conditions may ask for."""
    return {
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "email": contact.email,
        "language": contact.language,
        "country": contact.country,
        "province": contact.province,
        "postcode": contact.postcode,
        "orders_count": contact.orders_count,
        "marketing_consent": contact.marketing_consent,
        "tags": contact.tags,
        "fields": contact.fields,
    }


def zones(contact: Contact, store: Store) -> tuple[str, ...]:
    """Return every time zone that the contact may be in."""
    found = candidate_zones(
        str(contact.phone) if contact.phone else None,
        timezone=contact.timezone,
        country=contact.country,
        province=contact.province,
        store_timezone=store.timezone,
    )
    return found.names


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
        branches = (step.condition for step in program.instructions if isinstance(step, Branch))
        for condition in (program.audience, *branches):
            list(event_kinds(condition)), look_back(condition)
    except Exception:  # whatever it is, other people's runs must not suffer for it
        logger.exception("Flow version %s cannot be read; its runs wait.", version_id)
        return None
    return program


def past_events(
    contact_ids: Iterable[int], kinds: Iterable[str], since: datetime
) -> dict[int, list[tuple[int, PastEvent]]]:
    """Return (event id, event) pairs by contact, oldest first, with one query."""
    found: dict[int, list[tuple[int, PastEvent]]] = defaultdict(list)
    kinds = set(kinds)
    if not kinds:
        return found
    rows = (
        Event.objects.filter(contact_id__in=set(contact_ids), kind__in=kinds, occurred_at__gte=since)
        .order_by("occurred_at", "pk")
        .values_list("contact_id", "pk", "kind", "occurred_at", "subject")
    )
    for contact_id, pk, kind, occurred_at, subject in rows:
        found[contact_id].append((pk, PastEvent(kind, occurred_at, subject)))
    return found
