"""What governance must know of a contact."""

from __future__ import annotations

from datetime import datetime

from smsflow_plugin.audience import cases
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.audience.places import Place
from smsflow_plugin.audience.preferences import preferences_of
from smsflow_plugin.governance import sends
from smsflow_plugin.governance.rules import Recipient

CONFIRMED = "confirmed"


def recipient_of(
    contact: Contact,
    places: tuple[Place, ...],
    *,
    now: datetime,
    suppressed: str = "",
    in_flows: frozenset[int] = frozenset(),
) -> Recipient:
    """Return the person as plain values for ``decide()``.

    :raises TypeError, ValueError: if the contact's row holds what nobody can read.
    """
    refused, per_week = preferences_of(contact.preferences)
    return Recipient(
        has_phone=bool(contact.phone),
        marketing_consent=contact.marketing_consent,
        service_consent=contact.service_consent,
        places=places,
        sends=sends.read(contact.recent_sends),
        handed_over=contact.handed_over_at is not None,
        doubtful=contact.doubtful_at is not None,
        suppressed=suppressed,
        refused=refused,
        per_week=per_week,
        last_order_at=contact.last_order_at,
        open_case=cases.is_open(contact.open_case_at, now),
        in_flows=in_flows,
        confirmed=contact.opt_in_level == CONFIRMED,
    )
