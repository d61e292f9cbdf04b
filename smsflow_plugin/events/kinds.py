"""The kinds of event, with the words that people see.

``fields`` is what ``Event.data`` may hold and copy may use, as Liquid paths; a
field marked ``None`` in ``sample`` may be missing and needs a default in copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from smsflow_plugin.events import samples

#: An event that arrives later than this no longer starts a flow: a history import
#: or a vendor's long outage must not text people about last week's order.
TOO_LATE = timedelta(hours=48)

#: What somebody was just about to buy or looking at: after half a day a first reminder is no help any more.
_OF_TODAY = timedelta(hours=12)
#: Where a parcel was yesterday nobody needs to be told.
_OF_A_DAY = timedelta(hours=24)

_BOUGHT = frozenset({"order_created", "order_paid"})
_ARRIVED = frozenset({"parcel_delivered"})


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
    #: An event that is heard of later than this after it happened starts no flow.
    fresh_for: timedelta = TOO_LATE
    #: Kinds of event after which this one is no news any more: whoever has ordered has left no cart behind.
    outrun_by: frozenset[str] = frozenset()


_PERSON, _CART, _BUY, _SEND = _("Person"), _("Cart and products"), _("Orders"), _("Parcels")
_MEET, _TEXT, _TIME, _MORE = _("Appointments"), _("Texts"), _("Dates and lists"), _("Other")

_person = partial(EventKind, trigger=True, group=_PERSON)
_cart = partial(EventKind, group=_CART, fresh_for=_OF_TODAY, outrun_by=_BOUGHT)
_order = partial(EventKind, group=_BUY, subject=_("order"), about="order")
_return = partial(_order, trigger=True, sample=samples.RETURN)
_subscription = partial(
    EventKind,
    trigger=True,
    group=_BUY,
    subject=_("subscription"),
    about="subscription",
    sample=samples.SUBSCRIPTION,
)

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
        _person("customer_enabled", _("Customer account activated")),
        EventKind("customer_disabled", _("Customer account closed"), group=_PERSON),
        EventKind("customer_deleted", _("Customer deleted in the shop"), group=_PERSON),
        EventKind("customer_updated", _("Customer details changed"), group=_PERSON),
        EventKind("tag_added", _("Tag added"), group=_PERSON, sample={"tag": "vip"}),
        EventKind("tag_removed", _("Tag removed"), group=_PERSON, sample={"tag": "vip"}),
        EventKind("field_changed", _("Field changed"), group=_PERSON, sample={"field": "size", "value": None}),
        EventKind("segment_entered", _("Came into a segment"), group=_PERSON, sample={"segment_name": "VIP"}),
        _person("shop_segment_joined", _("Came into a segment of the shop"), sample=samples.SHOP_SEGMENT),
        _person("shop_segment_left", _("Left a segment of the shop"), sample=samples.SHOP_SEGMENT),
        _cart("collection_viewed", _("Collection viewed"), trigger=True, sample=samples.COLLECTION),
        _cart("search_submitted", _("Searched in the shop"), trigger=True, sample=samples.SEARCH),
        _cart(
            "added_to_cart",
            _("Product put into the cart"),
            trigger=True,
            subject=_("product"),
            about="product",
            sample=samples.PRODUCT,
        ),
        _cart("cart_emptied", _("Cart emptied"), subject=_("cart"), about="cart"),
        EventKind(
            "product_viewed",
            _("Product viewed"),
            trigger=True,
            subject=_("product"),
            about="product",
            group=_CART,
            sample=samples.PRODUCT,
            fresh_for=_OF_TODAY,
            outrun_by=_BOUGHT,
        ),
        EventKind(
            "waitlist_joined",
            _("Waits for a product to come back"),
            trigger=True,
            subject=_("product"),
            about="product",
            group=_CART,
            sample=samples.PRODUCT,
        ),
        EventKind(
            "back_in_stock",
            _("Product back in stock"),
            trigger=True,
            subject=_("product"),
            about="product",
            group=_CART,
            sample={"product": {**samples.PRODUCT["product"], "available": 3}},
        ),
        EventKind(
            "price_dropped",
            _("Price dropped"),
            trigger=True,
            subject=_("product"),
            about="product",
            group=_CART,
            sample={"product": {**samples.PRODUCT["product"], "old_price": "159.00", "drop_percent": 19}},
        ),
        EventKind(
            "cart_updated",
            _("Cart created or changed"),
            trigger=True,
            subject=_("cart"),
            about="cart",
            group=_CART,
            sample=samples.CHECKOUT,
            fresh_for=_OF_TODAY,
            outrun_by=_BOUGHT,
        ),
        EventKind(
            "checkout_updated",
            _("Checkout started or changed"),
            trigger=True,
            subject=_("checkout"),
            about="checkout",
            group=_CART,
            sample=samples.CHECKOUT,
            fresh_for=_OF_TODAY,
            outrun_by=_BOUGHT,
        ),
        EventKind(
            "order_created",
            _("Order placed"),
            trigger=True,
            subject=_("order"),
            about="order",
            group=_BUY,
            sample=samples.ORDER,
        ),
        EventKind(
            "order_paid",
            _("Order paid"),
            trigger=True,
            subject=_("order"),
            about="order",
            group=_BUY,
            sample=samples.ORDER,
        ),
        EventKind(
            "order_cancelled",
            _("Order cancelled"),
            trigger=True,
            subject=_("order"),
            about="order",
            group=_BUY,
            sample=samples.ORDER,
        ),
        EventKind(
            "order_refunded",
            _("Order refunded"),
            trigger=True,
            subject=_("order"),
            about="order",
            group=_BUY,
            sample=samples.REFUND,
        ),
        _order("order_edited", _("Order changed by the shop"), sample=samples.ORDER_ID),
        _order("order_fulfilled", _("Order sent in full"), trigger=True, sample=samples.ORDER),
        _return("return_requested", _("Return asked for")),
        _return("return_approved", _("Return approved")),
        _return("return_declined", _("Return declined")),
        _subscription("subscription_started", _("Subscription started")),
        _subscription("subscription_paused", _("Subscription paused")),
        _subscription("subscription_resumed", _("Subscription goes on")),
        _subscription("subscription_failed", _("Subscription failed")),
        _subscription("subscription_expired", _("Subscription ended")),
        _subscription("subscription_paid", _("Subscription paid"), trigger=False),
        _subscription("subscription_unpaid", _("Payment of a subscription failed")),
        _subscription("subscription_challenged", _("Payment of a subscription needs the customer")),
        EventKind(
            "subscription_cancelled",
            _("Subscription cancelled"),
            trigger=True,
            subject=_("subscription"),
            about="subscription",
            group=_BUY,
            sample=samples.SUBSCRIPTION,
        ),
        EventKind(
            "parcel_sent",
            _("Parcel sent"),
            trigger=True,
            subject=_("order"),
            about="order",
            group=_SEND,
            sample=samples.PARCEL,
            outrun_by=_ARRIVED,
        ),
        EventKind(
            "parcel_moved",
            _("Parcel on its way"),
            trigger=True,
            subject=_("order"),
            about="order",
            group=_SEND,
            sample=samples.PARCEL,
            fresh_for=_OF_A_DAY,
            outrun_by=_ARRIVED,
        ),
        EventKind(
            "parcel_delivered",
            _("Parcel delivered"),
            trigger=True,
            subject=_("order"),
            about="order",
            group=_SEND,
            sample=samples.PARCEL,
        ),
        EventKind(
            "parcel_tracked",
            _("Parcel has a tracking number"),
            trigger=True,
            subject=_("order"),
            about="order",
            group=_SEND,
            sample=samples.PARCEL,
            outrun_by=_ARRIVED,
        ),
        EventKind(
            "pickup_ready",
            _("Ready for pickup"),
            trigger=True,
            subject=_("order"),
            about="order",
            group=_SEND,
            sample=samples.PARCEL,
        ),
        EventKind(
            "appointment_booked",
            _("Appointment booked"),
            trigger=True,
            subject=_("appointment"),
            about="appointment",
            group=_MEET,
            sample=samples.APPOINTMENT,
        ),
        EventKind(
            "appointment_moved",
            _("Appointment moved"),
            trigger=True,
            subject=_("appointment"),
            about="appointment",
            group=_MEET,
            sample=samples.APPOINTMENT,
            moves=True,
        ),
        EventKind(
            "appointment_cancelled",
            _("Appointment cancelled"),
            trigger=True,
            subject=_("appointment"),
            about="appointment",
            group=_MEET,
            sample=samples.APPOINTMENT,
        ),
        EventKind(
            "message_received", _("Text received"), trigger=True, group=_TEXT, sample={"body": "Hello", "keyword": None}
        ),
        EventKind("message_failed", _("Text could not be delivered"), group=_TEXT),
        EventKind(
            "link_clicked",
            _("Link clicked"),
            trigger=True,
            group=_TEXT,
            sample={"url": "https://sierra-gear.example/", "flow_name": "Welcome"},
        ),
        EventKind(
            "case_opened",
            _("Support case opened"),
            trigger=True,
            subject=_("case"),
            about="case",
            group=_MORE,
            sample=samples.CASE,
        ),
        EventKind(
            "case_updated",
            _("News of a support case"),
            subject=_("case"),
            about="case",
            group=_MORE,
            sample=samples.CASE,
        ),
        EventKind(
            "case_closed",
            _("Support case closed"),
            trigger=True,
            subject=_("case"),
            about="case",
            group=_MORE,
            sample=samples.CASE,
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
            "replenishment_due",
            _("Probably used up"),
            subject=_("order"),
            about="order",
            group=_TIME,
            sample=samples.ORDER,
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
