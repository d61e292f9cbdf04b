"""The kinds of event, with the words that people see.

``fields`` is what ``Event.data`` may hold and copy may use, as Liquid paths; a
field marked ``None`` in ``sample`` may be missing and needs a default in copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Keyword(StrEnum):
    """What a text means for consent, as its event keeps it (``data["keyword"]``); None is any other text."""

    STOP = "stop"
    HELP = "help"
    START = "start"
    #: Perhaps an opt-out: no flow hears of it before a person has read it.
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class EventKind:
    """``name`` is stored; ``trigger`` says whether people may choose it as what starts a flow."""

    name: str
    label: str | Promise
    trigger: bool = False
    #: What ``Event.subject`` is, for flows that run once for each of them.
    subject: str | Promise = ""
    sample: Mapping[str, Any] = field(default_factory=dict)
    #: What ``Event.subject`` names: events about the same thing have equal subjects.
    about: str = ""
    #: Starts the run about the same subject afresh, whatever it has sent: the appointment has moved.
    moves: bool = False
    #: Where people find it in lists.
    group: str | Promise = ""


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

_APPOINTMENT = {
    "appointment": {
        "title": "Bike fitting",
        "starts_at": "2026-03-12T14:30:00+01:00",
        "ends_at": None,
        "place": None,
        "staff": None,
        "url": None,
    }
}
_PRODUCT = {
    "product": {
        "title": "Trail Jacket",
        "url": "https://sierra-gear.example/products/trail-jacket",
        "product_id": "632910392",
        "variant_id": "808950810",
        "variant": None,
        "price": "129.00",
        "old_price": None,
        "currency": "USD",
    }
}
_SUBSCRIPTION = {
    "subscription": {"id": "9001", "title": "Coffee every month", "reason": None, "next_order_at": None, "url": None}
}
_CASE = {"case": {"id": "77", "title": "Wrong size", "url": None}}
_REFUND = {"order": {**_ORDER["order"], "refunded": "129.00"}}

_PERSON, _CART, _BUY, _SEND = _("Person"), _("Cart and products"), _("Orders"), _("Parcels")
_MEET, _TEXT, _TIME, _MORE = _("Appointments"), _("Texts"), _("Dates and lists"), _("Other")

KINDS: dict[str, EventKind] = {
    kind.name: kind
    for kind in (
        EventKind(
            "opted_in", _("Agreed to marketing texts"), trigger=True, group=_PERSON, sample={"source": "checkout"}
        ),
        EventKind("opt_in_requested", _("Asked for marketing texts, not yet confirmed"), trigger=True, group=_PERSON),
        EventKind("opted_out", _("Opted out"), group=_PERSON),
        EventKind("preferences_changed", _("Chose which texts they want"), group=_PERSON),
        EventKind("customer_created", _("Customer account created"), trigger=True, group=_PERSON),
        EventKind("customer_updated", _("Customer details changed"), group=_PERSON),
        EventKind("tag_added", _("Tag added"), group=_PERSON, sample={"tag": "vip"}),
        EventKind("tag_removed", _("Tag removed"), group=_PERSON, sample={"tag": "vip"}),
        EventKind("field_changed", _("Field changed"), group=_PERSON, sample={"field": "size", "value": None}),
        EventKind("segment_entered", _("Came into a segment"), group=_PERSON, sample={"segment_name": "VIP"}),
        EventKind(
            "product_viewed",
            _("Product viewed"),
            trigger=True,
            subject=_("product"),
            about="product",
            group=_CART,
            sample=_PRODUCT,
        ),
        EventKind(
            "waitlist_joined",
            _("Waits for a product to come back"),
            trigger=True,
            subject=_("product"),
            about="product",
            group=_CART,
            sample=_PRODUCT,
        ),
        EventKind(
            "back_in_stock",
            _("Product back in stock"),
            trigger=True,
            subject=_("product"),
            about="product",
            group=_CART,
            sample={"product": {**_PRODUCT["product"], "available": 3}},
        ),
        EventKind(
            "price_dropped",
            _("Price dropped"),
            trigger=True,
            subject=_("product"),
            about="product",
            group=_CART,
            sample={"product": {**_PRODUCT["product"], "old_price": "159.00", "drop_percent": 19}},
        ),
        EventKind(
            "cart_updated",
            _("Cart created or changed"),
            trigger=True,
            subject=_("cart"),
            about="cart",
            group=_CART,
            sample=_CHECKOUT,
        ),
        EventKind(
            "checkout_updated",
            _("Checkout started or changed"),
            trigger=True,
            subject=_("checkout"),
            about="checkout",
            group=_CART,
            sample=_CHECKOUT,
        ),
        EventKind(
            "order_created",
            _("Order placed"),
            trigger=True,
            subject=_("order"),
            about="order",
            group=_BUY,
            sample=_ORDER,
        ),
        EventKind(
            "order_paid", _("Order paid"), trigger=True, subject=_("order"), about="order", group=_BUY, sample=_ORDER
        ),
        EventKind(
            "order_cancelled",
            _("Order cancelled"),
            trigger=True,
            subject=_("order"),
            about="order",
            group=_BUY,
            sample=_ORDER,
        ),
        EventKind(
            "order_refunded",
            _("Order refunded"),
            trigger=True,
            subject=_("order"),
            about="order",
            group=_BUY,
            sample=_REFUND,
        ),
        EventKind(
            "subscription_cancelled",
            _("Subscription cancelled"),
            trigger=True,
            subject=_("subscription"),
            about="subscription",
            group=_BUY,
            sample=_SUBSCRIPTION,
        ),
        EventKind(
            "parcel_sent",
            _("Parcel sent"),
            trigger=True,
            subject=_("order"),
            about="order",
            group=_SEND,
            sample=_PARCEL,
        ),
        EventKind(
            "parcel_moved",
            _("Parcel on its way"),
            trigger=True,
            subject=_("order"),
            about="order",
            group=_SEND,
            sample=_PARCEL,
        ),
        EventKind(
            "parcel_delivered",
            _("Parcel delivered"),
            trigger=True,
            subject=_("order"),
            about="order",
            group=_SEND,
            sample=_PARCEL,
        ),
        EventKind(
            "pickup_ready",
            _("Ready for pickup"),
            trigger=True,
            subject=_("order"),
            about="order",
            group=_SEND,
            sample=_PARCEL,
        ),
        EventKind(
            "appointment_booked",
            _("Appointment booked"),
            trigger=True,
            subject=_("appointment"),
            about="appointment",
            group=_MEET,
            sample=_APPOINTMENT,
        ),
        EventKind(
            "appointment_moved",
            _("Appointment moved"),
            trigger=True,
            subject=_("appointment"),
            about="appointment",
            group=_MEET,
            sample=_APPOINTMENT,
            moves=True,
        ),
        EventKind(
            "appointment_cancelled",
            _("Appointment cancelled"),
            trigger=True,
            subject=_("appointment"),
            about="appointment",
            group=_MEET,
            sample=_APPOINTMENT,
        ),
        EventKind(
            "message_received", _("Text received"), trigger=True, group=_TEXT, sample={"body": "Hello", "keyword": None}
        ),
        EventKind("message_failed", _("Text could not be delivered"), group=_TEXT),
        EventKind(
            "link_clicked", _("Link clicked"), trigger=True, group=_TEXT, sample={"url": "https://sierra-gear.example/"}
        ),
        EventKind(
            "case_opened",
            _("Support case opened"),
            trigger=True,
            subject=_("case"),
            about="case",
            group=_MORE,
            sample=_CASE,
        ),
        EventKind(
            "case_closed",
            _("Support case closed"),
            trigger=True,
            subject=_("case"),
            about="case",
            group=_MORE,
            sample=_CASE,
        ),
        EventKind("custom", _("Event of your own"), group=_MORE, sample={"name": "quiz_finished", "data": {}}),
        EventKind("goal_reached", _("Goal of a flow reached"), group=_MORE, sample={"goal": "Confirmed"}),
        # made by the engine itself, when a flow asks for them
        EventKind(
            "date_due",
            _("A date has come"),
            subject=_("date"),
            about="date",
            group=_TIME,
            sample={"date": "2026-03-12", "field": "birthday"},
        ),
        EventKind("lapsed", _("No order for some time"), group=_TIME, sample={"days": 90}),
        EventKind(
            "replenishment_due", _("Probably used up"), subject=_("order"), about="order", group=_TIME, sample=_ORDER
        ),
        EventKind(
            "scheduled",
            _("The planned time has come"),
            group=_TIME,
            sample={"at": "2026-03-12T09:00:00+00:00"},
        ),
        EventKind("entered_by_hand", _("Let in by hand"), group=_TIME, sample={"by": "anna"}),
        EventKind("entered_from_flow", _("Came from another flow"), group=_TIME, sample={"flow_name": "Welcome"}),
    )
}


def kind_choices(*, triggers_only: bool = False) -> list[tuple[str, str | Promise]]:
    """Return (name, label) pairs for a form."""
    return [(kind.name, kind.label) for kind in KINDS.values() if kind.trigger or not triggers_only]


def grouped_kind_choices(*, triggers_only: bool = False) -> list[tuple[Any, list[tuple[str, str | Promise]]]]:
    """Return the same pairs in groups, as Django's choices take them."""
    groups: dict[Any, list[tuple[str, str | Promise]]] = {}
    for kind in KINDS.values():
        if kind.trigger or not triggers_only:
            groups.setdefault(kind.group, []).append((kind.name, kind.label))
    return list(groups.items())
