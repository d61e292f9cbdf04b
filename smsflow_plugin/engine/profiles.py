"""What a vendor's profile of a person changes about the contact, whatever order profiles come in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from smsflow_plugin.audience.models import Contact
from smsflow_plugin.events.facts import Person, Totals

PROFILE = ("email", "first_name", "last_name", "language", "country", "province", "postcode")
LIMITS = {name: Contact._meta.get_field(name).max_length for name in PROFILE}

#: The fields in which a vendor's own count of a person's orders is kept, and when it counted.
ORDERS, SPENT, COUNTED_AT = "shop_orders", "shop_spent", "shop_counted_at"


def update_profile(contact: Contact, person: Person) -> bool:
    """Take over what ``person`` says of the contact; return whether anything changed.

    A dated profile replaces an older one. Without a date it only fills in what is missing.
    """
    if person.forget:
        return _forget(contact, person)
    newer = person.profile_at is not None and (contact.profile_at is None or person.profile_at >= contact.profile_at)
    changed = False
    for name in PROFILE:
        value = getattr(person, name)
        if value is None or (not newer and getattr(contact, name)):
            continue
        value = value[: LIMITS[name]]
        if getattr(contact, name) != value:
            setattr(contact, name, value)
            changed = True
    tags = _tags(contact, person, newer=newer)
    if tags != contact.tags:
        contact.tags = tags
        changed = True
    fields = _with_totals(_fields(contact, person, newer=newer), person.totals)
    if fields != contact.fields:
        contact.fields = fields
        changed = True
    # what is not dated never undoes a refusal
    undated = person.profile_at is None and person.email_consent == Contact.Consent.REVOKED
    if person.email_consent and (newer or undated or contact.email_consent == Contact.Consent.UNKNOWN):
        changed = changed or contact.email_consent != person.email_consent
        contact.email_consent = person.email_consent
    if newer and contact.profile_at != person.profile_at:
        contact.profile_at = person.profile_at
        changed = True
    return changed


def _tags(contact: Contact, person: Person, *, newer: bool) -> list[str]:
    tags = list(person.tags) if person.tags is not None and newer else list(contact.tags)
    gone = {tag.casefold() for tag in person.tags_removed}
    tags = [tag for tag in tags if str(tag).casefold() not in gone]
    known = {str(tag).casefold() for tag in tags}
    return tags + [tag for tag in dict.fromkeys(person.tags_added) if tag.casefold() not in known]


def _fields(contact: Contact, person: Person, *, newer: bool) -> dict[str, Any]:
    if not person.fields or (person.profile_at is not None and not newer):
        return dict(contact.fields)
    fields = {**contact.fields, **person.fields}
    return {name: value for name, value in fields.items() if value is not None}


def _with_totals(fields: dict[str, Any], totals: Totals | None) -> dict[str, Any]:
    """Take over what the vendor has counted, unless a newer count is known."""
    if totals is None or (_moment(fields.get(COUNTED_AT)) or totals.at) > totals.at:
        return fields
    spent = fields.get(SPENT) if totals.spent is None else totals.spent
    counted = {**fields, ORDERS: totals.orders, SPENT: spent, COUNTED_AT: totals.at.isoformat()}
    return {name: value for name, value in counted.items() if value is not None}


def _forget(contact: Contact, person: Person) -> bool:
    """Take the profile away. What was agreed to and refused stays, and so does the number that it is about."""
    if person.profile_at is not None and contact.profile_at is not None and contact.profile_at > person.profile_at:
        return False  # somebody of the same number has told us who they are since
    for name in PROFILE:
        setattr(contact, name, "")
    contact.tags, contact.fields, contact.profile_at = [], {}, person.profile_at
    return True


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
