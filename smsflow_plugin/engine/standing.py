"""What is counted and kept about a person as things happen: orders, habits, dates, changed tags and fields.

It is kept on the contact so that neither a filter nor a pump ever has to scan events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from smsflow_plugin.audience import cases
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.engine import contact_dates, habits
from smsflow_plugin.engine.due_days import KeptDate, kept_moment
from smsflow_plugin.engine.facts import zone as zone_of
from smsflow_plugin.engine.starting import NewEvent
from smsflow_plugin.events.facts import Happening, PersonFact
from smsflow_plugin.events.models import Event
from smsflow_plugin.stores.models import Store

#: The largest amount that a column takes; whoever writes more has made a typing error.
_MOST = Decimal("999999999999.99")

#: What stands behind the dates that SMSFlow keeps of everybody.
_DATES = {"customer_created": "signed_up", "opted_in": "opted_in"}


def snapshot(contact: Contact) -> tuple[list[str], dict[str, Any]]:
    """Return a contact's tags and fields as they are now."""
    return list(contact.tags), dict(contact.fields)


def with_changes(
    fact: PersonFact, contact: Contact, before: tuple[list[str], dict[str, Any]], delivery_id: int | None, now: datetime
) -> PersonFact:
    """Return ``fact`` with what it has changed of the contact's tags and fields as happenings of their own."""
    tags, fields = before
    if tags == contact.tags and fields == contact.fields:
        return fact
    at = fact.person.profile_at or max((one.occurred_at for one in fact.happenings), default=now)
    known, current = _folded(tags), _folded(contact.tags)
    changes = [
        *(("tag_added", tag, {"tag": tag}) for folded, tag in current.items() if folded not in known),
        *(("tag_removed", tag, {"tag": tag}) for folded, tag in known.items() if folded not in current),
        *(("field_changed", name, {"field": name, "value": value}) for name, value in _changed(fields, contact.fields)),
    ]
    happened = (Happening(kind, f"{delivery_id}:{contact.pk}:{what}", at, data=data) for kind, what, data in changes)
    return replace(fact, happenings=(*fact.happenings, *happened))


def count(
    events: Sequence[NewEvent],
    contacts: Mapping[int, Contact],
    stores: Mapping[int, Store],
    fields_before: Mapping[int, Mapping[str, Any]],
) -> None:
    """Count new events on their contacts, and write the dates that came with them. The contacts must be locked."""
    dates: dict[tuple[int, str], KeptDate | None] = {}
    for event in events:
        contact = contacts[event.contact_id]
        zone = zone_of(contact, stores[event.store_id])
        if event.kind in habits.ACTIVE:
            contact.active_hours = habits.count_hour(contact.active_hours, event.occurred_at.astimezone(ZoneInfo(zone)))
        if event.kind == "order_created":
            _count_order(contact, event, stores[event.store_id].currency)
            dates[contact.pk, "first_order"] = kept_moment(contact.first_order_at or event.occurred_at, zone)
        if event.kind in _DATES:
            dates[contact.pk, _DATES[event.kind]] = kept_moment(event.occurred_at, zone)
    for pk, fields in fields_before.items():
        contact = contacts[pk]
        if fields != contact.fields:
            zone = zone_of(contact, stores[contact.store_id])
            dates.update(contact_dates.changed_fields(pk, fields, contact.fields, zone))
    contact_dates.write(dates, contacts)
    _weigh_cases({event.contact_id for event in events if event.kind in cases.KINDS}, contacts)


def _weigh_cases(contact_ids: set[int], contacts: Mapping[int, Contact]) -> None:
    """Say whether these people have an open support case, whatever the order in which it was told. One query."""
    if not contact_ids:
        return
    rows = Event.objects.filter(contact_id__in=contact_ids, kind__in=cases.KINDS)
    told: dict[int, list[tuple[str, str, datetime]]] = {pk: [] for pk in contact_ids}
    for contact_id, *event in rows.values_list("contact_id", "subject", "kind", "occurred_at"):
        told[contact_id].append((event[0], event[1], event[2]))
    for pk, events in told.items():
        contacts[pk].open_case_at = cases.last_heard(events)


def _count_order(contact: Contact, event: NewEvent, currency: str) -> None:
    at = event.occurred_at
    contact.orders_count += 1
    contact.first_order_at = min(contact.first_order_at or at, at)
    contact.last_order_at = max(contact.last_order_at or at, at)
    contact.order_times = habits.remember_order(contact.order_times, at)
    contact.replenish_at = habits.used_up_at(contact.order_times)
    contact.total_spent = min(contact.total_spent + order_total(event.data, currency), _MOST)


def order_total(data: Mapping[str, Any], currency: str) -> Decimal:
    """Return what an order cost; 0 if its event does not say, or says it in another currency than the store's."""
    order = data.get("order")
    if not isinstance(order, Mapping) or (order.get("currency") or currency) != currency:
        return Decimal(0)
    try:
        total = Decimal(str(order.get("total") or 0))
    except InvalidOperation:
        return Decimal(0)
    return min(total, _MOST) if total.is_finite() and total > 0 else Decimal(0)


def _folded(tags: Sequence[str]) -> dict[str, str]:
    return {str(tag).casefold(): str(tag) for tag in tags}


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in {**before, **after}:
        if before.get(name) != after.get(name):
            yield name, after.get(name)
