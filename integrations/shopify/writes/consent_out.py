"""Tells a shop who agreed to texts and who took it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from smsflow_plugin import bulk, clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.integrations.shopify.admin.documents import (
    CUSTOMER_BY_PHONE,
    CUSTOMER_CONSENTS,
    CUSTOMER_PHONE,
    SMS_CONSENT_UPDATE,
)
from smsflow_plugin.integrations.shopify.payload import parse_time
from smsflow_plugin.integrations.shopify.writes.deciding import (
    OURS,
    Ours,
    Theirs,
    Verdict,
    consent_input,
    decide,
    stamp,
    written_at,
)
from smsflow_plugin.integrations.shopify.writes.echoes import remembered
from smsflow_plugin.integrations.shopify.writes.models import Write
from smsflow_plugin.integrations.shopify.writes.shift import Outcome, Shift, customers_of, gid, number_of, settle
from smsflow_plugin.models import Identity


@dataclass(frozen=True, slots=True)
class Found:
    """A customer of the shop."""

    customer: str
    theirs: Theirs


def serve(shift: Shift, rows: Sequence[Write]) -> None:
    """Write these entries: one call reads what Shopify knows of all of them, and each that differs takes one more."""
    if not shift.wishes.consent:
        for row in rows:
            settle(row, Outcome.OFF)
        return
    found: dict[int, Found] = {}
    if not shift.attempt(rows, lambda: found.update(_known(shift, rows))):
        return
    for row in rows:
        shift.attempt([row], lambda row=row: _serve(shift, row, found.get(row.contact_id)))  # type: ignore[misc]


def _known(shift: Shift, rows: Sequence[Write]) -> dict[int, Found]:
    """Return the customers behind these contacts, as Shopify knows them now."""
    customers = customers_of(rows)
    if not customers:
        return {}
    nodes = shift.api.ask(CUSTOMER_CONSENTS, ids=[gid(number) for number in sorted(set(customers.values()))])["nodes"]
    theirs = {number_of(node["id"]): _theirs(node) for node in nodes if isinstance(node, Mapping) and node.get("id")}
    return {
        contact: Found(number, theirs[number]) for contact, number in customers.items() if number in theirs
    }  # those who are missing were deleted or merged


def _serve(shift: Shift, row: Write, found: Found | None) -> None:
    found = found or _by_number(shift, row)
    if found is None:
        settle(row, Outcome.NO_CUSTOMER)
        return
    intent = _intend(row.pk, found, shift)
    if intent is None:
        return
    fresh, ours, verdict = intent
    now = clock.now()
    if verdict == Verdict.WRITE_PHONE:
        shift.api.ask(CUSTOMER_PHONE, input={"id": gid(found.customer), "phone": ours.phone})
    asked = {"customerId": gid(found.customer), "smsMarketingConsent": consent_input(ours, now)}
    answer = shift.api.ask(SMS_CONSENT_UPDATE, input=asked)
    _heard(fresh, answer)
    settle(fresh, Outcome.DONE)


@transaction.atomic
def _intend(pk: int, found: Found, shift: Shift) -> tuple[Write, Ours, Verdict] | None:
    """Decide by what is true now, and note what is about to be written: its echo may be faster than we are.

    :return: the entry as it is now, what to write, and how; None if there is nothing to write.
    """
    row = Write.objects.select_for_update().filter(pk=pk).first()
    contact = Contact.objects.filter(pk=row.contact_id, erased_at=None).first() if row else None
    if row is None or contact is None:
        return None  # erased meanwhile
    row.customer = found.customer
    ours = Ours(contact.phone, contact.marketing_consent, contact.opt_in_level, contact.consent_changed_at)
    sent = {(pair[0], pair[1]) for pair in row.sent}
    verdict = decide(ours, found.theirs, sent, may_write_phone=shift.wishes.phones)
    if verdict not in (Verdict.WRITE, Verdict.WRITE_PHONE):
        settle(row, Outcome(verdict.value))
        return None
    row.sent = remembered(row.sent, (ours.state, written_at(ours, clock.now())))
    row.save(update_fields=["customer", "sent"])
    return row, ours, verdict


def _heard(row: Write, answer: Mapping[str, Any]) -> None:
    """Remember also the time that Shopify itself gives to what we wrote: its echo may have that."""
    customer = (answer.get("customerSmsMarketingConsentUpdate") or {}).get("customer")
    theirs = _theirs(customer) if isinstance(customer, Mapping) else Theirs()
    own = OURS.get(theirs.state)
    if own is None or theirs.at is None:
        return
    with transaction.atomic():
        locked = Write.objects.select_for_update().filter(pk=row.pk).first()
        if locked is not None:
            locked.sent = remembered(locked.sent, stamp(own, theirs.at))
            locked.save(update_fields=["sent"])


def _by_number(shift: Shift, row: Write) -> Found | None:
    """Find the customer with the contact's number, and remember who it is. Nobody is created in the shop."""
    contact = Contact.objects.filter(pk=row.contact_id, erased_at=None).only("phone", "store_id").first()
    if contact is None or not contact.phone:
        return None
    node = shift.api.ask(CUSTOMER_BY_PHONE, phone=contact.phone).get("customerByIdentifier")
    if not isinstance(node, Mapping) or not node.get("id"):
        return None
    number = number_of(str(node["id"]))
    columns = ("store_id", "contact_id", "kind", "value")
    written = bulk.insert(Identity, columns, [(contact.store_id, contact.pk, Identity.Kind.CUSTOMER.value, number)])
    if (
        not written
        and not Identity.objects.filter(contact_id=contact.pk, kind=Identity.Kind.CUSTOMER, value=number).exists()
    ):
        return None  # known here by another number: a webhook will say which is right
    return Found(number, _theirs(node))


def _theirs(node: Mapping[str, Any]) -> Theirs:
    phone = node.get("defaultPhoneNumber")
    if not isinstance(phone, Mapping):
        return Theirs()
    return Theirs(
        phone=str(phone.get("phoneNumber") or ""),
        state=str(phone.get("marketingState") or "NOT_SUBSCRIBED"),
        level=str(phone.get("marketingOptInLevel") or ""),
        at=parse_time(str(phone.get("marketingUpdatedAt") or "")),
    )
