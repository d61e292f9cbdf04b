"""Shopify promises no order, and repeats itself. Whatever comes when, the same is known in the end."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.flows.program import Reentry, Send, Trigger, Wait
from smsflow_plugin.integrations.shopify.joining import join
from smsflow_plugin.integrations.shopify.kept import AnonymousCart
from smsflow_plugin.models import ConsentRecord, Contact, Delivery, Enrollment, Event, Store
from tests.conftest import NOON, TestClock
from tests.engine.helpers import make_flow, pump
from tests.shopify.day import Said, day, put

pytestmark = pytest.mark.django_db

START = NOON - timedelta(hours=6)
LATER = (Wait("w1", 3, "days"), Send("s1", {"": "Hello"}))


class _Back(Exception):
    """Undoes what one order of the day has written, so that the next one begins afresh."""


@pytest.fixture
def shop(store: Store, still: TestClock, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store with a flow for everything that a day brings. Nobody is texted before three days have passed."""
    monkeypatch.setattr("smsflow_plugin.events.inbox.nudge", lambda pump: None)
    per_subject = {"reentry": Reentry("subject"), "message_class": "service"}
    make_flow(store, *LATER, name="Welcome", trigger="opted_in")
    make_flow(
        store, *LATER, name="Checkout", trigger="checkout_updated", restart=True, exits=("order_created",),
        reentry=Reentry("subject"),
    )  # fmt: skip
    make_flow(
        store, *LATER, name="Cart", trigger="cart_updated", restart=True, exits=("order_created",),
        reentry=Reentry("subject"),
    )  # fmt: skip
    make_flow(store, *LATER, name="Order", trigger="order_created", exits=("order_cancelled",), **per_subject)
    make_flow(store, *LATER, name="Delivered", trigger="parcel_delivered", **per_subject)
    make_flow(store, *LATER, name="On its way", trigger="parcel_moved", exits=("parcel_delivered",), **per_subject)
    make_flow(store, *LATER, name="Tracking", triggers=(Trigger("parcel_tracked"),), **per_subject)
    make_flow(store, *LATER, name="Payment", trigger="subscription_unpaid", exits=("subscription_cancelled",))
    make_flow(store, *LATER, name="Segment", trigger="shop_segment_joined")
    return store


def told(store: Store, said: Sequence[Said], batches: random.Random) -> dict[str, Any]:
    """Ingest webhooks in this order, in batches of any size; return what is known then, and undo it."""
    known: dict[str, Any] = {}
    try:
        with transaction.atomic():
            put(store, said, NOON)
            while ingest(batches.choice([1, 3, 20, 300]) if len(said) < 100 else batches.choice([50, 300, 500])):
                if batches.random() < 0.5:
                    join()
            while join():
                pass
            pump()
            known = what_is_known(store)
            raise _Back
    except _Back:
        return known


def what_is_known(store: Store) -> dict[str, Any]:
    """Return contacts, events, consent and the runs that go on, without ids."""
    assert set(Delivery.objects.values_list("state", flat=True)) <= {"done", "ignored"}
    assert not AnonymousCart.objects.exists()
    columns = (
        "phone", "first_name", "last_name", "email", "country", "province", "postcode", "language", "tags", "fields",
        "marketing_consent", "service_consent", "opt_in_level", "consent_changed_at", "orders_count", "total_spent",
        "first_order_at", "last_order_at", "order_times",
    )  # fmt: skip
    contacts = Contact.objects.filter(store=store)
    # a stand-in that turned out to be somebody is empty, and nobody's
    nobody = [pk for pk, phone in contacts.values_list("pk", "phone") if phone is None]
    assert not Event.objects.filter(contact__in=nobody).exists()
    assert not Enrollment.objects.filter(contact__in=nobody, status="waiting").exists()
    runs = Enrollment.objects.filter(store=store).exclude(status="exited")
    return {
        "contacts": sorted(map(str, contacts.exclude(pk__in=nobody).values_list(*columns))),
        "events": sorted(
            map(str, Event.objects.filter(store=store).values_list("kind", "key", "subject", "contact__phone"))
        ),
        "consent": sorted(
            map(str, ConsentRecord.objects.filter(store=store).values_list("key", "action", "contact__phone"))
        ),
        "runs": sorted(
            map(str, runs.values_list("flow__name", "contact__phone", "entry_key", "trigger_event__key", "status"))
        ),
    }


def compare(found: dict[str, Any], expected: dict[str, Any]) -> None:
    for name, rows in expected.items():
        assert found[name] == rows, name


def test_a_day_of_200_customers_shuffled_and_told_twice_ends_the_same(shop: Store) -> None:
    said = day(200, START)
    expected = told(shop, said, random.Random(1))
    assert len(expected["contacts"]) == 200
    shuffled = [*said, *random.Random(3).sample(said, len(said) // 2)]
    random.Random(2).shuffle(shuffled)
    compare(told(shop, shuffled, random.Random(4)), expected)
    compare(told(shop, said[::-1], random.Random(5)), expected)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_any_order_of_a_few_customers_day_ends_the_same(shop: Store, data: st.DataObject) -> None:
    said = [one for one in day(6, START) if one.payload]
    if not hasattr(shop, "expected"):
        shop.expected = told(shop, said, random.Random(1))  # type: ignore[attr-defined]
    again = data.draw(st.lists(st.sampled_from(range(len(said))), max_size=8))
    order = data.draw(st.permutations([*range(len(said)), *again]))
    found = told(shop, [said[place] for place in order], random.Random(data.draw(st.integers(0, 99))))
    compare(found, shop.expected)  # type: ignore[attr-defined]


def test_the_day_holds_what_it_is_meant_to(shop: Store) -> None:
    known = told(shop, day(6, START), random.Random(1))
    text = "\n".join(known["runs"])
    # who bought has left nothing behind, who did not has, once for the cart and once for the checkout
    assert [row.split("'")[1] for row in known["runs"] if "+12025550001" in row] == ["Cart", "Checkout", "Welcome"]
    assert [row.split("'")[1] for row in known["runs"] if "+12025550000" in row] == [
        "Delivered", "Order", "Tracking", "Welcome",
    ]  # fmt: skip
    assert "Segment" in text
    assert "Payment" not in text
