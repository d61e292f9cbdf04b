"""From Shopify's webhooks to facts. Pure; see docs/shopify.md for what each topic does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from smsflow_plugin.events.facts import (
    CannotUnderstand,
    Happening,
    Person,
    PersonFact,
    RawDelivery,
    StoreGone,
    StoreInfo,
    Translation,
)
from smsflow_plugin.integrations.shopify import orders, parcels, products
from smsflow_plugin.integrations.shopify.checkouts import checkout
from smsflow_plugin.integrations.shopify.consents import marketing_consent
from smsflow_plugin.integrations.shopify.headers import SHOP, shopify_header
from smsflow_plugin.integrations.shopify.letter import Letter
from smsflow_plugin.integrations.shopify.people import customer, email_consent, identities, needs_someone


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


def email_consent_changed(letter: Letter) -> Translation:
    """``customers_email_marketing_consent/update``."""
    person = Person(
        identities=identities(customer=letter.payload.id("customer_id") or letter.payload.id("id")),
        email_consent=email_consent(letter.payload),
    )
    needs_someone(person, "a customer who agreed to e-mails or refused them")
    return Translation(facts=(PersonFact(person),))


def tags_added(letter: Letter) -> Translation:
    """``customer.tags_added``: since its version 2025-01 a profile no longer holds them."""
    return _tags(letter, tags_added=tuple(letter.payload.texts("tags")))


def tags_removed(letter: Letter) -> Translation:
    """``customer.tags_removed``."""
    return _tags(letter, tags_removed=tuple(letter.payload.texts("tags")))


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


def _tags(letter: Letter, **changed: tuple[str, ...]) -> Translation:
    ids = identities(customer=letter.payload.id("customerId") or letter.payload.id("customer_id"))
    person = replace(Person(identities=ids), **changed)
    needs_someone(person, "a customer's tags")
    return Translation(facts=(PersonFact(person),))


TOPICS: Mapping[str, Callable[[Letter], Translation]] = {
    "customers/create": customer_created,
    "customers/update": customer_updated,
    "customers_marketing_consent/update": marketing_consent,
    "checkouts/create": checkout,
    "checkouts/update": checkout,
    "orders/create": orders.order_created,
    "orders/paid": orders.order_paid,
    "orders/cancelled": orders.order_cancelled,
    "refunds/create": orders.order_refunded,
    "products/create": products.product,
    "products/update": products.product,
    "variants/in_stock": products.variant,
    "variants/out_of_stock": products.variant,
    "customers_email_marketing_consent/update": email_consent_changed,
    "customer.tags_added": tags_added,
    "customer.tags_removed": tags_removed,
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
