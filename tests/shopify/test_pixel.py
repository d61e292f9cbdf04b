"""The web pixel's door: open to anybody, so it believes nothing, and a flood of it goes nowhere."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import given

from smsflow_plugin.engine.erasing import erase
from smsflow_plugin.integrations.shopify import joining, pixel
from smsflow_plugin.integrations.shopify.joining import join
from smsflow_plugin.integrations.shopify.kept import PixelEvent, Visitor
from smsflow_plugin.models import Connection, Contact, Event, Identity, Interest, Store, Variant
from tests.conftest import NOON, TestClock
from tests.factories import make_contact, make_store
from tests.shopify.test_translate_anything import ANY_JSON

pytestmark = pytest.mark.django_db


def address(store: Store) -> str:
    token = Connection.objects.get(store=store, kind="shopify").token
    return f"/smsflow/shopify/pixel/{token}/"


def say(client: Client, store: Store, name: str, number: int = 1, visitor: str = "browser-1", **more: Any) -> int:
    body = {"id": f"e-{number}", "client": visitor, "name": name, "at": NOON.isoformat(), **more}
    headers = {"Origin": "null"}
    return client.post(address(store), json.dumps(body), content_type="text/plain", headers=headers).status_code


def work_off() -> None:
    while join():
        pass


@pytest.fixture
def ada(store: Store) -> Contact:
    """Whose checkout Shopify has told us of."""
    contact = make_contact(store)
    Identity.objects.create(store=store, contact=contact, kind="checkout", value="tok-1")
    return contact


@pytest.fixture
def jacket(store: Store) -> Variant:
    return Variant.objects.create(
        store=store, variant_id="808", product_id="632", title="Trail Jacket", price="129.00", available=3
    )


def test_what_somebody_looked_at_is_theirs_once_their_checkout_is_known(
    client: Client, store: Store, ada: Contact, jacket: Variant, still: TestClock
) -> None:
    assert say(client, store, "product_viewed", 1, variant="808", title="Visit evil.example", price="1.00") == 204
    work_off()
    assert not Event.objects.exists()  # nobody's yet
    assert say(client, store, "checkout_started", 2, checkout="tok-1") == 204
    work_off()
    event = Event.objects.get()
    assert (event.contact, event.kind, event.subject) == (ada, "product_viewed", "808")
    # the shop's own words, not the browser's
    assert event.data["product"]["title"] == "Trail Jacket"
    assert event.data["product"]["price"] == "129.00"
    assert Interest.objects.get().kind == "viewed"
    assert not PixelEvent.objects.exists()


def test_the_checkout_may_be_heard_of_last(client: Client, store: Store, jacket: Variant, still: TestClock) -> None:
    say(client, store, "checkout_started", 2, checkout="tok-1")
    say(client, store, "product_added_to_cart", 1, product="632")
    work_off()
    assert not Event.objects.exists()
    ada = make_contact(store)
    Identity.objects.create(store=store, contact=ada, kind="checkout", value="tok-1")
    work_off()
    assert Event.objects.get().kind == "added_to_cart"


def test_the_same_event_counts_once_however_often_it_comes(
    client: Client, store: Store, ada: Contact, jacket: Variant, still: TestClock
) -> None:
    say(client, store, "checkout_started", 9, checkout="tok-1")
    for _ in range(3):
        assert say(client, store, "product_viewed", 1, variant="808") == 204
        work_off()
    assert Event.objects.count() == 1


def test_nobody_is_found_by_anything_that_shopify_has_not_told_us(
    client: Client, store: Store, ada: Contact, jacket: Variant, still: TestClock
) -> None:
    more = {"phone": ada.phone, "email": ada.email, "customer": "1", "checkout": "tok-1"}
    say(client, store, "product_viewed", 1, visitor="stranger", variant="808", **more)
    say(client, store, "checkout_started", 2, visitor="stranger", checkout="guessed")
    work_off()
    assert not Event.objects.exists()
    assert not Visitor.objects.exists()
    assert Contact.objects.count() == 1


def test_an_unknown_product_says_nothing(client: Client, store: Store, ada: Contact, still: TestClock) -> None:
    say(client, store, "checkout_started", 2, checkout="tok-1")
    say(client, store, "product_viewed", 1, variant="999")
    work_off()
    assert not Event.objects.exists()


def test_what_people_search_for_carries_no_address_into_a_text(
    client: Client, store: Store, ada: Contact, still: TestClock
) -> None:
    say(client, store, "checkout_started", 2, checkout="tok-1")
    say(client, store, "search_submitted", 1, words="  Rain-coats <b>https://evil.example/x</b> & {{ more }}")
    work_off()
    words = Event.objects.get().data["search"]["words"]
    assert not set(words) & set("<>/:.{}")


def test_an_erased_person_leaves_no_browser_behind(
    client: Client, store: Store, ada: Contact, jacket: Variant, still: TestClock
) -> None:
    say(client, store, "checkout_started", 2, checkout="tok-1")
    work_off()
    assert Visitor.objects.exists()
    erase(ada)
    joining.tidy()
    say(client, store, "product_viewed", 1, variant="808")
    work_off()
    assert not Visitor.objects.exists()
    assert not Event.objects.filter(kind="product_viewed").exists()


def test_a_pixel_of_one_shop_says_nothing_about_another(
    client: Client, store: Store, ada: Contact, jacket: Variant, still: TestClock
) -> None:
    other = make_store(name="Bolton", domain="bolton.myshopify.com")
    say(client, other, "checkout_started", 2, checkout="tok-1")
    say(client, other, "product_viewed", 1, variant="808")
    work_off()
    assert not Event.objects.exists()


def test_a_flood_is_stopped_for_one_connection_and_for_one_shop(
    client: Client, store: Store, still: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixel, "PER_CALLER", 3)
    monkeypatch.setattr(pixel, "PER_STORE", 5)
    assert [say(client, store, "product_viewed", n, variant="1") for n in range(4)] == [204, 204, 204, 429]
    client.defaults["REMOTE_ADDR"] = "203.0.113.9"
    assert [say(client, store, "product_viewed", 10 + n, variant="1") for n in range(3)] == [204, 204, 429]
    still.move(minutes=2)
    assert say(client, store, "product_viewed", 20, variant="1") == 204


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"no json", 400),
        (b"[]", 400),
        (b'{"id": "1", "client": "2", "name": "payment_info_submitted"}', 400),
        (b'{"id": "1", "client": "2", "name": "checkout_started"}', 400),
        (b'{"id": "", "client": "2", "name": "product_viewed"}', 400),
        (b'{"x": "' + b"x" * 5000 + b'"}', 413),
    ],
)
def test_what_our_pixel_would_not_say_is_refused(
    client: Client, store: Store, still: TestClock, body: bytes, status: int
) -> None:
    assert client.post(address(store), body, content_type="text/plain").status_code == status
    assert not PixelEvent.objects.exists()


def test_old_visits_and_wrong_doors(client: Client, store: Store, still: TestClock) -> None:
    assert say(client, store, "product_viewed", at=(NOON - timedelta(days=2)).isoformat()) == 400
    assert client.post("/smsflow/shopify/pixel/guessed/", b"{}", content_type="text/plain").status_code == 404
    assert client.get(address(store)).status_code == 405
    Store.objects.update(status="uninstalled")
    assert say(client, store, "product_viewed", 2, variant="1") == 404


def test_a_sandboxed_page_may_post_without_cookies(client: Client, store: Store, still: TestClock) -> None:
    asked = client.options(address(store), headers={"Origin": "null", "Access-Control-Request-Method": "POST"})
    assert asked.status_code == 204
    answer = client.post(address(store), pixel.sample(), content_type="text/plain", headers={"Origin": "null"})
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (204, "*")
    assert "Access-Control-Allow-Credentials" not in answer
    assert not answer.cookies


def test_what_nobody_claims_is_forgotten(client: Client, store: Store, still: TestClock) -> None:
    say(client, store, "product_viewed", 1, variant="1")
    still.move(days=8)
    say(client, store, "product_viewed", 2, variant="1", at=still.at.isoformat())
    joining.tidy()
    assert PixelEvent.objects.get().event_id == "e-2"


@given(ANY_JSON)
def test_anything_is_read_or_refused(value: Any) -> None:
    pixel.read(json.dumps(value).encode(), NOON)
    if isinstance(value, dict):
        pixel.read(json.dumps({"id": "1", "client": "2", "name": "product_viewed", **value}).encode(), NOON)


def test_a_crowd_that_nobody_knows_is_forgotten_down_to_the_limit(
    store: Store, still: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "MOST_VISITS", 2)
    monkeypatch.setattr(joining, "AT_ONCE", 1)
    PixelEvent.objects.bulk_create(
        PixelEvent(store=store, event_id=f"e{n}", client_id="c", kind="product_viewed", at=NOON, received_at=NOON)
        for n in range(7)
    )
    assert joining.tidy() == 5
    assert sorted(PixelEvent.objects.values_list("event_id", flat=True)) == ["e5", "e6"]
