"""What the shop tells: to whom, signed by what, and how often."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smsflow_plugin.integrations.shopify.verify import is_genuine
from smsflow_plugin.integrations.simulator.shopify_api import RunningShop
from smsflow_plugin.integrations.simulator.shopify_api.client import ShopClient
from tests.simulator_network.conftest import Listener
from tests.simulator_shop.conftest import Admin, gid, wait_for

Doc = dict[str, Any]


@pytest.fixture
def operator(shopify: RunningShop) -> ShopClient:
    return ShopClient(shopify.url)


def topics(listener: Listener) -> list[str]:
    return [headers["x-shopify-topic"] for headers, _body in listener.calls]


def test_a_webhook_is_signed_and_says_what_it_is(
    shopify: RunningShop, admin: Admin, ada: Doc, listener: Listener, operator: ShopClient
) -> None:
    admin.subscribe("ORDERS_CREATE", listener.url, name="orders")
    order = operator.do(shopify.domain, "place_order", customer=ada["id"])
    operator.wait_until_quiet()
    (headers, body), *others = listener.calls
    assert others == []
    assert is_genuine(body, headers["x-shopify-hmac-sha256"], secret=shopify.secret)
    assert not is_genuine(body, headers["x-shopify-hmac-sha256"], secret="another")
    assert headers["x-shopify-topic"] == "orders/create"
    assert headers["x-shopify-shop-domain"] == shopify.domain
    assert headers["x-shopify-api-version"] == "2026-10"
    assert headers["x-shopify-name"] == "orders"
    assert headers["x-shopify-triggered-at"].endswith("Z")
    assert headers["x-shopify-webhook-id"] != headers["x-shopify-event-id"]
    payload = json.loads(body)
    assert (payload["id"], payload["customer"]["phone"]) == (order["id"], ada["phone"])


def test_the_old_secret_signs_until_it_is_revoked(
    shopify: RunningShop, admin: Admin, ada: Doc, listener: Listener, operator: ShopClient
) -> None:
    admin.subscribe("ORDERS_CREATE", listener.url)
    operator.add_app(shopify.client_id, "new-secret", old_secret=shopify.secret)
    operator.do(shopify.domain, "place_order", customer=ada["id"])
    operator.wait_until_quiet()
    headers, body = listener.calls[0]
    assert is_genuine(body, headers["x-shopify-hmac-sha256"], secret="new-secret", previous_secret=shopify.secret)
    assert not is_genuine(body, headers["x-shopify-hmac-sha256"], secret="new-secret")


def test_every_change_is_told_to_those_who_asked(
    shopify: RunningShop, admin: Admin, ada: Doc, listener: Listener, operator: ShopClient
) -> None:
    wanted = (
        "CARTS_CREATE CARTS_UPDATE CHECKOUTS_CREATE CHECKOUTS_UPDATE ORDERS_CREATE ORDERS_PAID ORDERS_CANCELLED"
        " FULFILLMENTS_CREATE FULFILLMENT_EVENTS_CREATE REFUNDS_CREATE INVENTORY_LEVELS_UPDATE VARIANTS_IN_STOCK"
        " VARIANTS_OUT_OF_STOCK PRODUCTS_UPDATE CUSTOMERS_CREATE CUSTOMERS_UPDATE CUSTOMER_TAGS_ADDED"
        " CUSTOMER_TAGS_REMOVED CUSTOMERS_MARKETING_CONSENT_UPDATE APP_UNINSTALLED"
    )
    for topic in wanted.split():
        admin.subscribe(topic, listener.url)
    shop = shopify.shop
    cart = shop.change_cart()
    shop.change_cart(token=cart["token"])
    left = shop.abandon_checkout(ada["id"], agrees_with=ada["phone"])
    order = shop.place_order(ada["id"], checkout=left["token"])
    shop.send_parcel(order["id"])
    shop.move_parcel(order["id"])
    shop.refund_order(order["id"])
    shop.cancel_order(order["id"])
    variant = shop.variants()[2]["id"]
    shop.set_stock(variant, 0)
    shop.set_stock(variant, 3)
    shop.set_price(variant, "9.00", compare_at="12.00")
    shop.add_customer(phone="+12025550109")
    shop.change_customer(ada["id"], tags=["vip"])
    admin("tags_remove", id=gid("Customer", ada), tags=["vip"])
    shop.set_consent(ada["id"], "SUBSCRIBED")
    shop.uninstall(shopify.client_id)
    operator.wait_until_quiet()
    told = {topic.replace("/", "_").replace(".", "_").upper() for topic in topics(listener)}
    assert told == set(wanted.split())
    by_topic = dict(zip(topics(listener), listener.payloads, strict=True))
    assert by_topic["customer.tags_removed"]["customerId"] == gid("Customer", ada)
    assert by_topic["customers_marketing_consent/update"]["sms_marketing_consent"]["state"] == "subscribed"
    assert by_topic["checkouts/update"]["sms_marketing_phone"] == ada["phone"]
    assert by_topic["app/uninstalled"]["myshopify_domain"] == shopify.domain
    assert "customer" not in by_topic["carts/update"]
    # its token is dead, and its subscriptions are gone
    assert admin.post("shop").status_code == 401


def test_only_some_fields_and_only_some_things(
    shopify: RunningShop, admin: Admin, ada: Doc, listener: Listener, operator: ShopClient
) -> None:
    bo = shopify.shop.add_customer(phone="+12025550102")
    fields = ["id", "default_address.zip", "sms_marketing_consent.state"]
    consent = "CUSTOMERS_MARKETING_CONSENT_UPDATE"
    admin.subscribe(consent, listener.url, includeFields=fields, filter=f"id:{bo['id']}")
    for person in (ada, bo):
        shopify.shop.set_consent(person["id"], "SUBSCRIBED")
    operator.wait_until_quiet()
    assert listener.payloads == [{"id": bo["id"], "sms_marketing_consent": {"state": "subscribed"}}]


def test_webhooks_get_lost_come_twice_and_in_the_wrong_order(
    shopify: RunningShop, admin: Admin, ada: Doc, listener: Listener, operator: ShopClient
) -> None:
    admin.subscribe("CUSTOMERS_UPDATE", listener.url)
    for kind in ("lost", "duplicate", "reordered"):
        operator.add_fault(kind, operation="customers/update")
    for note in ("lost", "twice", "late", "on time"):
        shopify.shop.change_customer(ada["id"], note=note)
    wait_for(lambda: len(listener.calls) >= 4)
    operator.wait_until_quiet()
    assert [payload["note"] for payload in listener.payloads] == ["twice", "twice", "on time", "late"]
    ids = [headers["x-shopify-webhook-id"] for headers, _body in listener.calls]
    assert ids[0] == ids[1]
    assert operator.statistics()["webhooks"]["lost"] == 1


def test_it_is_tried_again_with_the_same_body(
    shopify: RunningShop, admin: Admin, ada: Doc, listener: Listener, operator: ShopClient
) -> None:
    admin.subscribe("CUSTOMERS_UPDATE", listener.url)
    listener.answers = [503, 302]
    shopify.shop.change_customer(ada["id"], note="hello")
    wait_for(lambda: len(listener.calls) == 3)
    operator.wait_until_quiet()
    assert len({body for _headers, body in listener.calls}) == 1
    assert len({headers["x-shopify-webhook-id"] for headers, _body in listener.calls}) == 1
    assert len(admin("webhook_list")["webhookSubscriptions"]["nodes"]) == 1


def test_after_eight_failures_nobody_is_subscribed_any_more(
    shopify: RunningShop, admin: Admin, ada: Doc, listener: Listener, operator: ShopClient
) -> None:
    admin.subscribe("CUSTOMERS_UPDATE", listener.url)
    listener.answers = [500] * 20
    shopify.shop.change_customer(ada["id"], note="hello")
    wait_for(lambda: admin("webhook_list")["webhookSubscriptions"]["nodes"] == [])
    assert len(listener.calls) >= 8


def test_duties_go_to_the_apps_own_address(
    shopify: RunningShop, ada: Doc, listener: Listener, operator: ShopClient
) -> None:
    operator.add_app(shopify.client_id, shopify.secret, compliance_url=listener.url)
    order = shopify.shop.place_order(ada["id"])
    operator.do(shopify.domain, "request_data", customer=ada["id"])
    operator.do(shopify.domain, "redact_customer", customer=ada["id"])
    operator.do(shopify.domain, "redact_shop", client_id=shopify.client_id)
    operator.wait_until_quiet()
    assert topics(listener) == ["customers/data_request", "customers/redact", "shop/redact"]
    assert listener.payloads[1]["orders_to_redact"] == [order["id"]]


def test_a_finished_bulk_operation_is_told(
    shopify: RunningShop, admin: Admin, ada: Doc, listener: Listener, operator: ShopClient
) -> None:
    admin.subscribe("BULK_OPERATIONS_FINISH", listener.url)
    done = admin.finished("{ customers { edges { node { id } } } }")
    wait_for(lambda: listener.calls)
    operator.wait_until_quiet()
    assert listener.payloads[0]["admin_graphql_api_id"] == done["id"]
    assert listener.payloads[0]["status"] == "completed"
