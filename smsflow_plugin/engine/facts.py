"""Turns rows into the plain facts that conditions, programs and governance ask for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from smsflow_plugin.audience.filters import PastEvent
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.audience.zones import candidate_zones
from smsflow_plugin.events.models import Event
from smsflow_plugin.flows.models import FlowVersion
from smsflow_plugin.flows.program import Program
from smsflow_plugin.stores.models import Store


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

    _kept: dict[int, Program] = {}

    @classmethod
    def load(cls, version_ids: Iterable[int]) -> Mapping[int, Program]:
        """Return the programs of these versions, with one query for those not seen before."""
        wanted = set(version_ids)
        missing = wanted - cls._kept.keys()
        if missing:
            if len(cls._kept) > 2_000:
                cls._kept.clear()
                missing = wanted
            rows = FlowVersion.objects.filter(pk__in=missing).values_list("pk", "program")
            cls._kept.update({pk: Program.from_json(program) for pk, program in rows})
        return cls._kept


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
