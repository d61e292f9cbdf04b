"""The kinds of event, with the words that people see.

``fields`` is what ``Event.data`` may hold and copy may use, as Liquid paths; a
field marked ``None`` in ``sample`` may be missing and needs a default in copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class EventKind:
    """``name`` is stored; ``trigger`` says whether a flow may start on it."""

    name: str
    label: str | Promise
    trigger: bool = False
    #: What ``Event.subject`` is, for flows that run once for each of them.
    subject: str | Promise = ""
    sample: Mapping[str, Any] = field(default_factory=dict)


_LINES = [
    {"title": "Trail Jacket", "quantity": 1, "price": "129.00", "product_id": "632910392", "variant_id": "808950810"}
]
_CHECKOUT = {
    "cart": {
        "url": "https://sierra-gear.example/checkouts/c1/recover",
        "total": "129.00",
        "currency": "USD",
        "item_count": 1,
        "first_item": "Trail Jacket",
        "lines": _LINES,
        "discount_codes": [],
    }
}
_ORDER = {
    "order": {
        "name": "#1001",
        "url": "https://sierra-gear.example/orders/1001",
        "source": "web",
        "total": "129.00",
        "currency": "USD",
        "item_count": 1,
        "first_item": "Trail Jacket",
        "lines": _LINES,
        "discount_codes": [],
    }
}
_PARCEL = {
    "parcel": {
        "order_id": "1001",
        "order_name": None,
        "fulfillment_id": "2001",
        "status": "delivered",
        "tracking_company": None,
        "tracking_number": None,
        "tracking_url": None,
    }
}

KINDS: dict[str, EventKind] = {
    kind.name: kind
    for kind in (
        EventKind("opted_in", _("Agreed to marketing texts"), trigger=True),
        EventKind("opted_out", _("Opted out")),
        EventKind("customer_created", _("Customer account created"), trigger=True),
        EventKind("customer_updated", _("Customer details changed")),
        EventKind(
            "checkout_updated", _("Checkout started or changed"), trigger=True, subject=_("checkout"), sample=_CHECKOUT
        ),
        EventKind("order_created", _("Order placed"), trigger=True, subject=_("order"), sample=_ORDER),
        EventKind("order_paid", _("Order paid"), trigger=True, subject=_("order"), sample=_ORDER),
        EventKind("order_cancelled", _("Order cancelled"), trigger=True, subject=_("order"), sample=_ORDER),
        EventKind("parcel_sent", _("Parcel sent"), trigger=True, subject=_("order"), sample=_PARCEL),
        EventKind("parcel_moved", _("Parcel on its way"), trigger=True, subject=_("order"), sample=_PARCEL),
        EventKind("parcel_delivered", _("Parcel delivered"), trigger=True, subject=_("order"), sample=_PARCEL),
        EventKind("message_received", _("Text received"), trigger=True),
        EventKind("message_failed", _("Text could not be delivered")),
    )
}


def kind_choices(*, triggers_only: bool = False) -> list[tuple[str, str | Promise]]:
    """Return (name, label) pairs for a form."""
    return [(kind.name, kind.label) for kind in KINDS.values() if kind.trigger or not triggers_only]
