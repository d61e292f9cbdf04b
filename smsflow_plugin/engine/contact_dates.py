"""Keeps the dates of people's lives where those of today are found by one step in an index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smsflow_plugin import bulk
from smsflow_plugin.audience.models import Contact, ContactDate
from smsflow_plugin.engine.due_days import OWN_NAMES, KeptDate, kept_date

#: By contact and name; None where there is no such date any more.
Wanted = Mapping[tuple[int, str], KeptDate | None]

_LONGEST = ContactDate._meta.get_field("name").max_length or 60


def changed_fields(contact_id: int, before: Mapping[str, Any], after: Mapping[str, Any], zone: str) -> Wanted:
    """Return what the change of a contact's own fields means for its dates."""
    return {
        (contact_id, name): kept_date(after.get(name), zone)
        for name in {**before, **after}
        if before.get(name) != after.get(name) and name not in OWN_NAMES and len(name) <= _LONGEST
    }


def write(wanted: Wanted, contacts: Mapping[int, Contact]) -> None:
    """Write the dates. The contacts must be locked. Four statements at the most, whatever their number."""
    if not wanted:
        return
    names = {name for _contact, name in wanted}
    rows = ContactDate.objects.filter(contact_id__in={contact for contact, _name in wanted}, name__in=names)
    stored = {
        (contact, name): (pk, KeptDate(at, month_day))
        for pk, contact, name, at, month_day in rows.values_list("pk", "contact_id", "name", "at", "month_day")
    }
    new, changed, gone = [], [], []
    for key, date in wanted.items():
        pk, kept = stored.get(key, (None, None))
        if date == kept:
            continue
        if date is None:
            gone.append(pk)
        elif pk is None:
            new.append((contacts[key[0]].store_id, *key, date.at, date.month_day))
        else:
            changed.append((pk, date.at, date.month_day))
    bulk.insert(ContactDate, ("store_id", "contact_id", "name", "at", "month_day"), new)
    bulk.update(ContactDate, ("at", "month_day"), changed)
    if gone:
        ContactDate.objects.filter(pk__in=gone).delete()
