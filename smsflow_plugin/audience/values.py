"""A contact as the plain values that conditions, programs and copy ask for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from smsflow_plugin.audience.filters import DATE_PATHS
from smsflow_plugin.audience.models import Contact

#: The columns that conditions compare as texts.
TEXT_PATHS = frozenset(
    {
        "first_name",
        "last_name",
        "email",
        "language",
        "country",
        "province",
        "postcode",
        "timezone",
        "marketing_consent",
        "service_consent",
        "consent_source",
        "email_consent",
    }
)
_TEXTS, _DATES = sorted(TEXT_PATHS), sorted(DATE_PATHS | {"handed_over_at"})


def contact_values(contact: Contact) -> dict[str, Any]:
    """Return everything that the path of a condition may ask of a contact.

    Moments are ISO texts in UTC, or None; money is text, so that it survives JSON.
    """
    values: dict[str, Any] = {name: getattr(contact, name) for name in _TEXTS}
    for name in _DATES:
        moment: datetime | None = getattr(contact, name)
        values[name] = moment.isoformat() if moment else None
    values["orders_count"] = contact.orders_count
    values["total_spent"] = str(contact.total_spent)
    values["tags"] = contact.tags
    values["fields"] = contact.fields
    return values
