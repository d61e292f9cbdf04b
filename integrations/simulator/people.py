"""A person of the demo as the simulated shop knows them."""

from __future__ import annotations

import secrets

from smsflow_plugin.integrations.simulator.payload_parts import Customer
from smsflow_plugin.models import Contact, Identity, Store

#: Customer ids that the shop makes up for contacts whom it has not met.
_MADE_UP = 7_300_000_000_000
_NEW = 7_400_000_000_000


def customer_of(contact: Contact) -> Customer:
    """Return the shop's customer for ``contact``, with the id that the shop told us before."""
    known = (
        Identity.objects.filter(contact=contact, kind=Identity.Kind.CUSTOMER)
        .order_by("-pk")
        .values_list("value", flat=True)
        .first()
    )
    return Customer(
        id=int(known) if known and known.isdigit() else _MADE_UP + contact.pk,
        first_name=contact.first_name,
        last_name=contact.last_name,
        email=contact.email,
        phone=str(contact.phone),
        country=contact.country or contact.store.country,
        province=contact.province,
        postcode=contact.postcode,
    )


def new_customer(store: Store, *, first_name: str, last_name: str, phone: str) -> Customer:
    """Return a customer whom nobody knows yet, with an address at example.com."""
    number = _NEW + secrets.randbelow(10**11)
    return Customer(
        id=number,
        first_name=first_name,
        last_name=last_name,
        email=f"customer-{number}@example.com",
        phone=phone,
        country=store.country,
    )
