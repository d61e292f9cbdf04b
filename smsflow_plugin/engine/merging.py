"""What a stand-in without a number leaves to the contact that it turned out to be.

Consent is not among it: refusals are told anew (``engine.writing``), and a grant is for one number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from smsflow_plugin import bulk
from smsflow_plugin.audience.models import Contact, ContactDate, Identity
from smsflow_plugin.catalogue.models import Interest
from smsflow_plugin.conversations.models import Thread
from smsflow_plugin.engine import habits
from smsflow_plugin.engine.changed_runs import note_people
from smsflow_plugin.engine.models import Enrollment, Incentive
from smsflow_plugin.engine.starting import TOO_LATE, NewEvent
from smsflow_plugin.events.models import Event

#: What is one of a kind for each contact, by the columns that name it.
_UNIQUE: tuple[tuple[type[Any], tuple[str, ...]], ...] = (
    (Interest, ("variant_id", "kind")),
    (ContactDate, ("name",)),
    (Thread, ()),
)

#: What an import writes of people.
_OF_HISTORY = ("customer_created", "opted_in", "opt_in_requested", "opted_out", "order_created", "tag_added")


def move(merged: Mapping[int, int], now: datetime) -> list[int]:
    """Hand over what belongs to the stand-ins, by the ids of contacts; return the ids of their events."""
    if not merged:
        return []
    events: list[int] = []
    for model in (Identity, Event, Incentive):
        rows = list(model.objects.filter(contact_id__in=merged).values_list("pk", "contact_id"))
        bulk.update(model, ("contact_id",), [(pk, merged[contact]) for pk, contact in rows])
        if model is Event:
            events = [pk for pk, _contact in rows]
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
    _move_runs(merged, now)
    return events


def _move_runs(merged: Mapping[int, int], now: datetime) -> None:
    """Let runs go on for the person: a parcel that was heard of before its order must be told of all the same.

    What the person is in already for the same order or cart ends.
    """
    people = {*merged, *merged.values()}
    rows = list(
        Enrollment.objects.filter(contact_id__in=people)
        .order_by("pk")
        .values_list("pk", "contact_id", "flow_id", "entry_key", "status", "wake_at")
    )
    taken = {(contact, flow, key) for _pk, contact, flow, key, *_rest in rows if contact not in merged}
    moved, due = [], []
    for pk, contact, flow, key, status, wake_at in rows:
        own = (merged.get(contact, contact), flow, key)
        if contact in merged and status == Enrollment.Status.WAITING and own not in taken:
            taken.add(own)
            moved.append((pk, own[0]))
            due.append((own[0], wake_at))
    bulk.update(Enrollment, ("contact_id",), moved)
    earliest = {contact: min(at for one, at in due if one == contact and at) for contact, at in due if at}
    bulk.update(Contact, ("wake_at",), sorted(earliest.items()), least=("wake_at",))
    ended = Enrollment.objects.filter(contact_id__in=merged, status=Enrollment.Status.WAITING).update(
        status=Enrollment.Status.EXITED, exit_reason="merged", finished_at=now, wake_at=None
    )
    note_people(merged if ended else (), now)


def again(event_ids: Sequence[int], now: datetime) -> list[NewEvent]:
    """Return what happened to stand-ins a short time ago: flows may let the people in whom they did not let in.

    What came with a shop's history stays untold: it is of these kinds, which a delivery brings otherwise.
    """
    rows = Event.objects.filter(pk__in=event_ids, occurred_at__gt=now - TOO_LATE).order_by("occurred_at", "pk")
    rows = rows.exclude(delivery=None, kind__in=_OF_HISTORY)
    columns = ("pk", "store_id", "contact_id", "kind", "key", "subject", "occurred_at", "data")
    return [NewEvent(*row) for row in rows.values_list(*columns)] if event_ids else []


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
    heard = [at for at in (contact.open_case_at, stand_in.open_case_at) if at]
    contact.open_case_at = max(heard, default=None)
    if not stand_in.orders_count:
        return
    contact.orders_count += stand_in.orders_count
    contact.total_spent += stand_in.total_spent
    firsts = [at for at in (contact.first_order_at, stand_in.first_order_at) if at]
    lasts = [at for at in (contact.last_order_at, stand_in.last_order_at) if at]
    contact.first_order_at, contact.last_order_at = min(firsts, default=None), max(lasts, default=None)
    contact.order_times = sorted({*contact.order_times, *stand_in.order_times})[-habits.REMEMBERED :]
    contact.replenish_at = habits.used_up_at(contact.order_times)
