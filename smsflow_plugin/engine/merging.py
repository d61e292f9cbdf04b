"""What a stand-in without a number leaves to the contact that it turned out to be.

Consent is not among it: refusals are told anew (``engine.writing``), and a grant is for one number.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from smsflow_plugin import bulk
from smsflow_plugin.audience.models import Contact, ContactDate, Identity
from smsflow_plugin.catalogue.models import Interest
from smsflow_plugin.engine import habits
from smsflow_plugin.engine.models import Enrollment, Incentive
from smsflow_plugin.events.models import Event

#: What is one of a kind for each contact, by the columns that name it.
_UNIQUE = ((Interest, ("variant_id", "kind")), (ContactDate, ("name",)))


def move(merged: Mapping[int, int], now: datetime) -> None:
    """Hand over what belongs to the stand-ins: from contact to contact, by their ids."""
    if not merged:
        return
    for model in (Identity, Event, Incentive):
        rows = model.objects.filter(contact_id__in=merged).values_list("pk", "contact_id")
        bulk.update(model, ("contact_id",), [(pk, merged[contact]) for pk, contact in rows])
    for model, columns in _UNIQUE:
        people = {*merged, *merged.values()}
        rows = model.objects.filter(contact_id__in=people).order_by("pk").values_list("pk", "contact_id", *columns)
        stored = list(rows)
        taken = {(contact, *name) for _pk, contact, *name in stored if contact not in merged}
        moved = []
        for pk, contact, *name in stored:
            key = (merged.get(contact, contact), *name)
            if contact in merged and key not in taken:
                taken.add(key)
                moved.append((pk, key[0]))
        bulk.update(model, ("contact_id",), moved)
    Enrollment.objects.filter(contact_id__in=merged, status=Enrollment.Status.WAITING).update(
        status=Enrollment.Status.EXITED, exit_reason="merged", finished_at=now, wake_at=None
    )


def take_over(merged: Mapping[int, int], contacts: Mapping[int, Contact]) -> None:
    """Add up in memory what is kept of the stand-ins on the contacts that they turned out to be. One statement."""
    if not merged:
        return
    for stand_in in Contact.objects.filter(pk__in=merged).order_by("pk"):
        contact = contacts.get(merged[stand_in.pk])
        if contact is not None:
            _add(stand_in, contact)


def _add(stand_in: Contact, contact: Contact) -> None:
    known = {str(tag).casefold() for tag in contact.tags}
    contact.tags = [*contact.tags, *(tag for tag in stand_in.tags if str(tag).casefold() not in known)]
    contact.fields = {**stand_in.fields, **contact.fields}
    # who wants no e-mails wants none, whatever number they have; a yes was said by the person whom it names
    if stand_in.email_consent == Contact.Consent.REVOKED:
        contact.email_consent = stand_in.email_consent
    contact.open_case_at = contact.open_case_at or stand_in.open_case_at
    if not stand_in.orders_count:
        return
    contact.orders_count += stand_in.orders_count
    contact.total_spent += stand_in.total_spent
    firsts = [at for at in (contact.first_order_at, stand_in.first_order_at) if at]
    lasts = [at for at in (contact.last_order_at, stand_in.last_order_at) if at]
    contact.first_order_at, contact.last_order_at = min(firsts, default=None), max(lasts, default=None)
    contact.order_times = sorted({*contact.order_times, *stand_in.order_times})[-habits.REMEMBERED :]
    contact.replenish_at = habits.used_up_at(contact.order_times)
