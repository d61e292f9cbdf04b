from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from smsflow_plugin import clock
from smsflow_plugin.integrations.simulator import payloads
from smsflow_plugin.integrations.simulator.models import SimulatedCart
from smsflow_plugin.integrations.simulator.payload_parts import Cart
from smsflow_plugin.integrations.simulator.people import customer_of, new_customer
from smsflow_plugin.integrations.simulator.shop import Shop, SiteUnreachable, over_http
from smsflow_plugin.integrations.simulator.shopping import (
    DOINGS,
    NotPossible,
    Visit,
    buttons_for,
    shop_of,
)
from smsflow_plugin.models import Connection, Contact, Identity, Store
from tests.conftest import NOON, TestClock
from tests.factories import SHOPIFY_SECRET, make_contact
from tests.simulator.conftest import Catcher

SAMPLES = Path(__file__).parents[3] / "shared" / "fixtures" / "shopify" / "samples-2026-07"

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(store: Store, still: TestClock, catcher: Catcher) -> Shop:
    return shop_of(store, catcher)


@pytest.fixture
def visit(shop: Shop, store: Store) -> Visit:
    return Visit(shop, make_contact(store, first_name="Anna"))


def body(catcher: Catcher, topic: str) -> dict[str, Any]:
    """The last payload of ``topic``."""
    found: dict[str, Any] = json.loads([w for w in catcher.webhooks if w.topic == topic][-1].body)
    return found


def test_every_webhook_is_signed_with_the_secret_of_the_store(visit: Visit, catcher: Catcher) -> None:
    DOINGS["opts-in"].do(visit)
    [webhook] = catcher.webhooks
    digest = hmac.new(SHOPIFY_SECRET.encode(), webhook.body, hashlib.sha256).digest()
    assert webhook.headers["X-Shopify-Hmac-Sha256"] == base64.b64encode(digest).decode()
    assert webhook.headers["X-Shopify-Shop-Domain"] == "sierra-gear.myshopify.com"
    assert webhook.url == "http://testserver/smsflow/shopify/webhooks/"


def test_webhooks_of_one_happening_share_the_event_and_never_the_delivery(visit: Visit, catcher: Catcher) -> None:
    DOINGS["orders"].do(visit)
    assert len({w.headers["X-Shopify-Event-Id"] for w in catcher.webhooks}) == 1
    assert len({w.headers["X-Shopify-Webhook-Id"] for w in catcher.webhooks}) == len(catcher.webhooks) == 2


def test_the_time_of_a_webhook_is_the_simulated_time(visit: Visit, catcher: Catcher) -> None:
    DOINGS["opts-in"].do(visit)
    assert catcher.webhooks[0].headers["X-Shopify-Triggered-At"] == "2026-03-04T16:00:00.000000000Z"
    said = body(catcher, "customers_marketing_consent/update")["sms_marketing_consent"]["consent_updated_at"]
    assert said == "2026-03-04T11:00:00-05:00"
    assert datetime.fromisoformat(said) == NOON


def test_opting_in_and_out_says_so_for_the_number_of_the_customer(visit: Visit, catcher: Catcher) -> None:
    DOINGS["opts-in"].do(visit)
    DOINGS["opts-out"].do(visit)
    states = [json.loads(w.body)["sms_marketing_consent"]["state"] for w in catcher.webhooks]
    assert states == ["subscribed", "unsubscribed"]
    assert body(catcher, "customers_marketing_consent/update")["phone"] == str(visit.contact.phone)


def test_an_abandoned_cart_is_begun_without_and_left_with_an_address(visit: Visit, catcher: Catcher) -> None:
    DOINGS["abandons"].do(visit)
    assert catcher.topics == ["checkouts/create", "checkouts/update"]
    begun, left = (json.loads(w.body) for w in catcher.webhooks)
    assert begun["token"] == left["token"]
    assert begun["shipping_address"] is None
    assert left["phone"] == left["shipping_address"]["phone"] == str(visit.contact.phone)
    assert begun["updated_at"] < left["updated_at"]
    assert left["completed_at"] is None
    assert "id" not in left  # gone since API 2026-04


def test_the_order_completes_the_checkout_that_was_abandoned(visit: Visit, catcher: Catcher) -> None:
    DOINGS["abandons"].do(visit)
    DOINGS["orders"].do(visit)
    order = body(catcher, "orders/paid")
    assert order["checkout_token"] == body(catcher, "checkouts/update")["token"]
    assert order["total_price"] == body(catcher, "checkouts/update")["total_price"] == "278.00"
    assert order["test"] is False
    assert body(catcher, "orders/create")["financial_status"] == "pending"
    assert order["financial_status"] == "paid"


def test_an_order_needs_no_cart_before(visit: Visit, catcher: Catcher) -> None:
    DOINGS["orders"].do(visit)
    assert catcher.topics == ["orders/create", "orders/paid"]
    assert SimulatedCart.objects.get(contact=visit.contact).state == SimulatedCart.State.ORDERED


def test_a_delivered_parcel_was_sent_and_seen_on_its_way(visit: Visit, catcher: Catcher) -> None:
    DOINGS["orders"].do(visit)
    DOINGS["parcel-delivered"].do(visit)
    assert catcher.topics[2:] == ["fulfillments/create", *["fulfillment_events/create"] * 3]
    seen = [json.loads(w.body) for w in catcher.webhooks if w.topic == "fulfillment_events/create"]
    assert [event["status"] for event in seen] == ["in_transit", "out_for_delivery", "delivered"]
    assert {event["order_id"] for event in seen} == {body(catcher, "orders/paid")["id"]}
    assert len({event["id"] for event in seen}) == 3


def test_a_parcel_that_was_sent_is_not_sent_again_when_it_is_delivered(visit: Visit, catcher: Catcher) -> None:
    DOINGS["orders"].do(visit)
    DOINGS["parcel-sent"].do(visit)
    DOINGS["parcel-delivered"].do(visit)
    assert catcher.topics.count("fulfillments/create") == 1


@pytest.mark.parametrize("name", ["parcel-sent", "parcel-delivered", "cancels"])
def test_without_an_order_there_is_no_parcel_and_nothing_to_cancel(name: str, visit: Visit, catcher: Catcher) -> None:
    with pytest.raises(NotPossible, match="Press “Orders” first"):
        DOINGS[name].do(visit)
    assert catcher.webhooks == []
    possible = {button.doing.name: button.possible for button in buttons_for(visit.contact)}
    assert possible[name] is False
    assert possible["orders"] is True


def test_a_cancelled_order_cannot_be_cancelled_or_sent_again(visit: Visit, catcher: Catcher) -> None:
    DOINGS["orders"].do(visit)
    DOINGS["cancels"].do(visit)
    assert body(catcher, "orders/cancelled")["cancelled_at"] == "2026-03-04T11:00:00-05:00"
    with pytest.raises(NotPossible):
        DOINGS["parcel-sent"].do(visit)


def test_what_the_site_refused_has_not_happened_in_the_shop_either(visit: Visit, catcher: Catcher) -> None:
    catcher.status = 503
    [answer] = DOINGS["orders"].do(visit)  # nothing is told after a refusal
    assert not answer.ok
    assert not SimulatedCart.objects.filter(contact=visit.contact, state=SimulatedCart.State.ORDERED).exists()
    DOINGS["abandons"].do(visit)
    assert SimulatedCart.objects.filter(contact=visit.contact).count() == 1


def test_the_danish_shop_sells_tea_for_kroner(danish_store: Store, still: TestClock, catcher: Catcher) -> None:
    anna = make_contact(danish_store, first_name="Anna")
    DOINGS["abandons"].do(Visit(shop_of(danish_store, catcher), anna))
    checkout = body(catcher, "checkouts/update")
    assert checkout["currency"] == "DKK"
    assert checkout["customer_locale"] == "da-DK"
    assert checkout["line_items"][0]["title"] == "Morgenlys økologisk sort te"
    assert checkout["updated_at"] == "2026-03-04T17:00:00+01:00"


def test_a_customer_keeps_the_id_that_the_shop_has_told_before(store: Store) -> None:
    anna = make_contact(store)
    assert customer_of(anna).id == customer_of(anna).id
    Identity.objects.create(store=store, contact=anna, kind=Identity.Kind.CUSTOMER, value="42")
    assert customer_of(anna).id == 42


def test_a_store_without_a_secret_says_what_is_missing(store: Store) -> None:
    Connection.objects.filter(store=store, kind="shopify").update(secrets={})
    with pytest.raises(NotPossible, match="no webhook secret"):
        shop_of(store)
    Connection.objects.filter(store=store).delete()
    with pytest.raises(NotPossible, match="no Shopify connection"):
        shop_of(store)


def test_nobody_at_the_address_is_told_apart_from_a_refusal() -> None:
    with pytest.raises(SiteUnreachable, match=r"http://127\.0\.0\.1:9/: ConnectionError"):
        over_http("http://127.0.0.1:9/", b"{}", {})


def _all_payloads(shop: Shop, contact: Contact) -> dict[str, dict[str, Any]]:
    customer = customer_of(contact)
    cart = Cart("c" * 32, 7, payloads_articles(), clock.now())
    at = clock.now()
    info = shop.info
    order = payloads.order(info, customer, cart, at, at)
    return {
        "customers__create": payloads.customer_created(info, customer, at),
        "customers_marketing_consent__update": payloads.consent_updated(info, customer, at, state="subscribed"),
        "checkouts__create": payloads.checkout(info, customer, cart, at, with_address=False),
        "checkouts__update": payloads.checkout(info, customer, cart, at),
        "orders__create": order,
        "orders__paid": order,
        "orders__cancelled": payloads.order(info, customer, cart, at, at, cancelled=True),
        "fulfillments__create": payloads.fulfillment(info, customer, cart, at),
        "fulfillment_events__create": payloads.fulfillment_event(info, customer, cart, at, status="delivered"),
    }


def payloads_articles() -> tuple[Any, ...]:
    from smsflow_plugin.integrations.simulator.goods import OUTDOOR

    return OUTDOOR[:2]


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="Shopify's published samples are not beside this checkout.")
def test_no_payload_has_a_key_that_shopifys_samples_do_not_have(shop: Shop, store: Store) -> None:
    for topic, payload in _all_payloads(shop, make_contact(store)).items():
        sample = json.loads((SAMPLES / f"{topic}.json").read_text())
        assert _unknown(payload, sample) == [], topic


def _unknown(payload: Any, sample: Any, path: str = "") -> list[str]:
    """Paths in ``payload`` that ``sample`` lacks. Where the sample has nothing to compare with, anything goes."""
    if isinstance(payload, list) and isinstance(sample, list):
        return [found for item in payload if sample for found in _unknown(item, sample[0], f"{path}[]")]
    if not (isinstance(payload, dict) and isinstance(sample, dict) and sample):
        return []
    missing = [f"{path}.{key}" for key in payload if key not in sample]
    return missing + [
        f for key in payload if key in sample for f in _unknown(payload[key], sample[key], f"{path}.{key}")
    ]


def test_a_new_customer_has_an_address_that_belongs_to_nobody(store: Store, shop: Shop, catcher: Catcher) -> None:
    customer = new_customer(store, first_name="Ida", last_name="Berg", phone="+12025550123")
    shop.new_customer(customer)
    told = body(catcher, "customers/create")
    assert told["email"].endswith("@example.com")
    assert told["phone"] == "+12025550123"
    assert told["default_address"]["country_code"] == "US"
