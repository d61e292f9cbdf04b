"""From Shopify's webhooks to facts. Pure; see docs/shopify.md for what each topic does."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from smsflow_plugin.events.facts import (
    CannotUnderstand,
    Happening,
    PersonFact,
    RawDelivery,
    StoreGone,
    StoreInfo,
    Translation,
)
from smsflow_plugin.integrations.shopify import orders, parcels
from smsflow_plugin.integrations.shopify.checkouts import checkout
from smsflow_plugin.integrations.shopify.consents import marketing_consent
from smsflow_plugin.integrations.shopify.headers import SHOP, shopify_header
from smsflow_plugin.integrations.shopify.letter import Letter
from smsflow_plugin.integrations.shopify.people import customer, needs_someone


def translate(raw: RawDelivery, store: StoreInfo) -> Translation:
    """Return what a webhook says.

    :raises CannotUnderstand: if its body is not a JSON object, or does not tell whom or
        what it is about. Anything else that is missing is simply not known.
    """
    topic = raw.topic.strip().lower()
    if not topic:
        raise CannotUnderstand("The webhook has no topic.")
    letter = Letter.open(raw, store)
    if topic in BY_HAND:
        raise CannotUnderstand(BY_HAND[topic])
    translator = TOPICS.get(topic)
    return translator(letter) if translator else Translation(ignored=f"SMSFlow makes no use of {topic}.")


def customer_created(letter: Letter) -> Translation:
    """``customers/create``."""
    customer_id = letter.payload.id("id")
    return _profile(letter, "customer_created", customer_id or letter.stamp(None), "created_at")


def customer_updated(letter: Letter) -> Translation:
    """``customers/update``."""
    stamp = letter.stamp(letter.payload.time("updated_at"))
    return _profile(letter, "customer_updated", f"{letter.payload.id('id')}:{stamp}", "updated_at")


def app_uninstalled(letter: Letter) -> Translation:
    """``app/uninstalled``. It can arrive hours late, after the shop was connected again; so it has its time.

    Only the body is signed: one of another shop must not close this one.
    """
    named = letter.payload.text("myshopify_domain").lower()
    shop = shopify_header(letter.raw.headers, SHOP).lower()
    if named and shop and named != shop:
        raise CannotUnderstand(f"It says that {shop} took the app away, but its body is about {named}.")
    return Translation(facts=(StoreGone(at=letter.triggered_at),))


def _profile(letter: Letter, kind: str, key: str, when: str) -> Translation:
    person, number = customer(letter)
    needs_someone(person, "a customer")
    happening = Happening(kind, key, letter.time(when, "updated_at"), data=number.note)
    return Translation(facts=(PersonFact(person, happenings=(happening,)),))


TOPICS: Mapping[str, Callable[[Letter], Translation]] = {
    "customers/create": customer_created,
    "customers/update": customer_updated,
    "customers_marketing_consent/update": marketing_consent,
    "checkouts/create": checkout,
    "checkouts/update": checkout,
    "orders/create": orders.order_created,
    "orders/paid": orders.order_paid,
    "orders/cancelled": orders.order_cancelled,
    "fulfillments/create": parcels.parcel_sent,
    "fulfillment_events/create": parcels.parcel_moved,
    "app/uninstalled": app_uninstalled,
}

#: What the law wants done within 30 days, and SMSFlow does not do by itself: parked, so that somebody sees it.
BY_HAND: Mapping[str, str] = {
    "customers/data_request": "A customer asks for their data. Send it to them within 30 days.",
    "customers/redact": "Shopify asks to erase a customer. Erase the contact within 30 days.",
    "shop/redact": "Shopify asks to erase everything of this shop. Delete the store within 30 days.",
}
