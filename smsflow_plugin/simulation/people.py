"""Who may be walked through a flow: real contacts of the store, and people at the edges."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from phonenumbers import PhoneNumberFormat, PhoneNumberType, example_number_for_type, format_number

from smsflow_plugin.audience.filters import PastEvent, event_kinds
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.events.models import Event
from smsflow_plugin.flows.program import Program
from smsflow_plugin.simulation.walk import Person
from smsflow_plugin.stores.models import Store

#: How many contacts a search offers.
MATCHES = 20
#: Of a contact's past, what conditions can see in a walk.
PAST_DAYS = 366
PAST_EVENTS = 500

ADA: Mapping[str, Any] = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "ada@example.com",
    "marketing_consent": Contact.Consent.GRANTED,
    "opt_in_level": "confirmed",
    "email_consent": Contact.Consent.GRANTED,
    "orders_count": 2,
}

#: People at the edges: what is different about them.
EDGE_CASES: Mapping[str, tuple[str | Promise, Mapping[str, Any]]] = {
    "example": (_("Somebody like most: Ada"), {}),
    "nobody": (_("Nothing is known: no name, no e-mail"), {"first_name": "", "last_name": "", "email": ""}),
    "long": (
        _("Very long names"),
        {"first_name": "Maximiliana-Theodora Konstantina", "last_name": "von und zu Hohenstaufen-Wittelsbach"},
    ),
    "emoji": (_("An emoji in the name"), {"first_name": "Zoë 🌻", "last_name": "Ødegård"}),
    "danish": (_("Writes Danish"), {"language": "da", "first_name": "Søren", "last_name": "Ågård"}),
    "german": (_("Writes German"), {"language": "de", "first_name": "Jürgen", "last_name": "Groß"}),
    "far": (_("Far away: Auckland"), {"timezone": "Pacific/Auckland", "country": "NZ", "phone": "+64211234567"}),
    "no_consent": (_("Never agreed to texts"), {"marketing_consent": Contact.Consent.UNKNOWN}),
    "opted_out": (
        _("Has opted out"),
        {"marketing_consent": Contact.Consent.REVOKED, "service_consent": Contact.Consent.REVOKED},
    ),
    "no_phone": (_("No phone number"), {"phone": None}),
    "first": (_("Buys for the first time"), {"orders_count": 0}),
    "vip": (_("Buys often, has the tag “vip”"), {"orders_count": 14, "tags": ["vip"], "total_spent": 2400}),
}


def edge_case(name: str, store: Store) -> Person:
    """Return one of ``EDGE_CASES`` in ``store``; the first of them if there is none of that name."""
    _label, different = EDGE_CASES.get(name) or EDGE_CASES["example"]
    values = {
        **ADA,
        "phone": _number(store.country),
        "country": store.country,
        "timezone": store.timezone,
        "language": store.language,
        **different,
    }
    # chance goes by the id: the same person goes the same way each time
    return Person(Contact(store_id=store.pk, uuid=uuid.uuid5(uuid.NAMESPACE_OID, name), **values))


def _number(country: str) -> str:
    """Return a number of the country: one from elsewhere would say that they may be there."""
    example = example_number_for_type(country, PhoneNumberType.MOBILE) if country != "US" else None
    return format_number(example, PhoneNumberFormat.E164) if example else "+12025550123"


def search(user: Any, store: Store, words: str) -> list[Contact]:
    """Return up to 20 contacts of ``store`` that ``user`` may see and that have all ``words``."""
    found = Contact.objects.visible_to(user).filter(store_id=store.pk)
    for word in words.replace("\0", " ").split():
        found = found.filter(
            Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
            | Q(email__icontains=word)
            | Q(phone__contains=word)
        )
    return list(found.order_by("-pk")[:MATCHES])


def known(user: Any, store: Store, pk: int, program: Program, now: datetime) -> Person | None:
    """Return a contact of ``store`` with what ``program`` may ask about their past; None if ``user`` may not."""
    contact = Contact.objects.visible_to(user).filter(store_id=store.pk, pk=pk).first()
    if contact is None:
        return None
    kinds = {kind for condition in program.conditions() for kind in event_kinds(condition)}
    past: list[PastEvent] = []
    if kinds:
        rows = Event.objects.filter(
            contact_id=pk, kind__in=kinds, occurred_at__gte=now - timedelta(days=PAST_DAYS), occurred_at__lt=now
        ).order_by("-occurred_at", "-pk")[:PAST_EVENTS]
        past = [PastEvent(row.kind, row.occurred_at, row.subject, row.data or {}, row.pk) for row in reversed(rows)]
    flows = Enrollment.objects.filter(
        contact_id=pk, status=Enrollment.Status.WAITING, test_pace__isnull=True
    ).values_list("flow_id", flat=True)[:PAST_EVENTS]
    return Person(contact, past, frozenset(flows))
