"""From the post to the contact: the door, the inbox, the translator and the ingest pump together."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.test import Client

from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.models import ConsentRecord, Contact, Delivery, Event, Identity, Store
from tests.shopify import payloads
from tests.shopify.payloads import CHECKOUT_TOKEN, CUSTOMER_ID, ORDER_ID, PHONE
from tests.shopify.webhooks import body_of, needs_shared, post, samples

STORY = [
    (
        "checkouts/create",
        payloads.checkout(updated_at="2026-03-04T10:20:00-05:00", customer=payloads.customer(phone=None)),
    ),
    ("customers/create", payloads.customer()),
    ("customers_marketing_consent/update", payloads.consent()),
    ("checkouts/update", payloads.checkout()),
    ("orders/create", payloads.order()),
    ("orders/paid", payloads.order()),
    ("fulfillments/create", payloads.fulfillment()),
    ("fulfillment_events/create", payloads.fulfillment_event(id=1, status="in_transit")),
    ("fulfillment_events/create", payloads.fulfillment_event(id=2)),
]


@pytest.fixture(autouse=True)
def _no_nudges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smsflow_plugin.events.inbox.nudge", lambda pump: None)


def deliver(client: Client, story: list[tuple[str, Any]]) -> None:
    for number, (topic, payload) in enumerate(story):
        assert post(client, body_of(payload), topic, webhook_id=f"w-{number}").status_code == 200
    while ingest():
        pass


@pytest.mark.parametrize("order", ["as it happened", "backwards", "shuffled", "twice"])
def test_a_customers_story_is_one_person_in_whatever_order_it_arrives(
    client: Client, store: Store, still: Any, order: str
) -> None:
    story = list(STORY)
    if order == "backwards":
        story.reverse()
    elif order == "shuffled":
        random.Random(7).shuffle(story)
    elif order == "twice":
        story *= 2
    deliver(client, story)
    contact = Contact.objects.get(store=store, phone=PHONE)
    assert (contact.name, contact.email, contact.postcode) == ("Ada Lovelace", "ada@example.com", "40202")
    assert (contact.marketing_consent, contact.orders_count) == ("granted", 1)
    assert ConsentRecord.objects.get().contact == contact
    assert sorted(Event.objects.filter(contact=contact).values_list("kind", flat=True)) == [
        "checkout_updated",
        "checkout_updated",
        "customer_created",
        "opted_in",
        "order_created",
        "order_paid",
        "parcel_delivered",
        "parcel_moved",
        "parcel_sent",
        "parcel_tracked",
    ]
    names = {("customer", str(CUSTOMER_ID)), ("checkout", CHECKOUT_TOKEN), ("order", str(ORDER_ID))}
    assert names <= set(Identity.objects.filter(contact=contact).values_list("kind", "value"))
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}


def test_an_old_profile_does_not_overwrite_a_newer_one(client: Client, store: Store, still: Any) -> None:
    new = payloads.customer(first_name="Augusta", updated_at="2026-03-04T10:50:00-05:00")
    deliver(client, [("customers/update", new), ("customers/update", payloads.customer())])
    assert Contact.objects.get().first_name == "Augusta"


def test_a_refusal_without_a_number_reaches_the_customer_who_had_agreed(
    client: Client, store: Store, still: Any
) -> None:
    refusal = payloads.consent(phone=None, state="unsubscribed", at="2026-03-04T10:41:00-05:00")
    deliver(client, [("customers_marketing_consent/update", payloads.consent())])
    assert Contact.objects.get().marketing_consent == "granted"
    Delivery.objects.all().delete()
    deliver(client, [("customers_marketing_consent/update", refusal)])
    assert Contact.objects.get().marketing_consent == "revoked"


def test_a_webhook_that_makes_no_sense_is_parked_with_the_reason(client: Client, store: Store, still: Any) -> None:
    deliver(client, [("orders/create", []), ("orders/create", {"test": True})])
    told = dict(Delivery.objects.values_list("state", "reason"))
    assert told["parked"] == "The body is not a JSON object."
    assert "test order" in told["ignored"]


def test_a_parcel_that_comes_before_its_order_finds_its_person_once_the_order_is_here(
    client: Client, store: Store, still: Any
) -> None:
    deliver(client, [("customers/create", payloads.customer()), ("fulfillments/create", payloads.fulfillment())])
    assert Event.objects.get(kind="parcel_sent").contact.phone is None
    assert post(client, body_of(payloads.order()), webhook_id="late").status_code == 200
    while ingest():
        pass
    assert Event.objects.get(kind="parcel_sent").contact == Contact.objects.get(phone=PHONE)


@needs_shared
def test_no_published_sample_breaks_the_pump(client: Client, store: Store, still: Any) -> None:
    for topic, body in samples():
        assert post(client, body, topic, webhook_id=topic).status_code == 200
    while ingest():
        pass
    parked = dict(Delivery.objects.filter(state="parked").values_list("topic", "reason"))
    # the samples name the shop by a placeholder
    assert set(parked) == {"customers/data_request", "customers/redact", "shop/redact"}
    assert all("its body is about {shop}.myshopify.com" in reason for reason in parked.values())
    assert not Delivery.objects.filter(state="pending").exists()
    assert Event.objects.filter(kind="checkout_updated").exists()
