"""A node of the Admin API says the same as the webhook of the same thing, under the same keys."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.events.facts import CannotUnderstand, PersonFact, RawDelivery, Translation
from smsflow_plugin.integrations.shopify.sync import mapping
from smsflow_plugin.integrations.shopify.translate import translate
from smsflow_plugin.integrations.simulator import payloads
from smsflow_plugin.integrations.simulator.goods import shelf
from smsflow_plugin.integrations.simulator.payload_parts import Cart, Customer, ShopInfo
from tests.shopify.webhooks import RECEIVED, US
from tests.shopify_sync.conftest import checkout, customer, order, subscribed

AT = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)


def told(topic: str, payload: dict[str, Any]) -> Translation:
    return translate(RawDelivery("shopify", topic, "x", {}, mapping.body(payload), RECEIVED), US)


def happenings(translation: Translation) -> set[tuple[str, str]]:
    return {
        (one.kind, one.key) for fact in translation.facts if isinstance(fact, PersonFact) for one in fact.happenings
    }


def test_the_keys_are_those_of_the_webhooks() -> None:
    shop = ShopInfo("sierra-gear.myshopify.com", "Sierra Gear", "USD", "US", "America/New_York", "en")
    ada = Customer(
        id=1, first_name="Ada", last_name="Lovelace", email="ada@example.com", phone="+12025550001", country="US"
    )
    cart = Cart(number=7, token="c7", articles=shelf("en")[:1], started_at=AT)
    cases = [
        ("orders/create", payloads.order(shop, ada, cart, AT, AT), mapping.order(order(cart.order_id, _iso(AT)))),
        ("orders/paid", payloads.order(shop, ada, cart, AT, AT), mapping.order(order(cart.order_id, _iso(AT)))),
        ("checkouts/update", payloads.checkout(shop, ada, cart, AT), mapping.checkout(checkout("c7", _iso(AT)))),
        ("customers/update", payloads.customer_created(shop, ada, AT), mapping.customer(customer(1, _iso(AT)))),
        ("customers/create", payloads.customer_created(shop, ada, AT), mapping.customer(customer(1, _iso(AT)))),
        (
            "customers_marketing_consent/update",
            payloads.consent_updated(shop, ada, AT, state="subscribed"),
            mapping.consent(customer(1, _iso(AT), phone=subscribed(_iso(AT), "CONFIRMED_OPT_IN"))),
        ),
    ]
    for topic, webhook, node in cases:
        assert node is not None
        by_webhook, by_node = told(topic, webhook), told(topic, node)
        assert happenings(by_webhook) == happenings(by_node), topic
        assert _consents(by_webhook) == _consents(by_node), topic


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _consents(translation: Translation) -> list[tuple[Any, ...]]:
    return [
        (one.key, one.action, one.effective_at, one.proof.opt_in_level)
        for fact in translation.facts
        if isinstance(fact, PersonFact)
        for one in fact.consents
    ]


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("https://a.myshopify.com/548380009/checkouts/123123123/recover?key=example", "123123123"),
        ("https://a.example/checkouts/cn/Z2NwLWV1cm9wZS13ZXN0MQ/recover?key=1&locale=en", "Z2NwLWV1cm9wZS13ZXN0MQ"),
        ("https://a.example/checkouts/ac/abc-123", "abc-123"),
        ("https://a.example/checkouts/c/abc", "abc"),
        ("https://[", ""),
        ("https://a.example/cart", ""),
        (None, ""),
    ],
)
def test_a_checkouts_token_is_in_its_address(url: str | None, token: str) -> None:
    assert mapping.token_of({"abandonedCheckoutUrl": url}) == token


def test_money_is_written_as_webhooks_write_it() -> None:
    node = order(1, _iso(AT))
    assert mapping.order(node)["total_price"] == "129.00"
    assert mapping.order({**node, "totalPriceSet": {"shopMoney": {"amount": "9.125"}}})["total_price"] == "9.125"
    for bad in ("", "NaN", "1e999", None, {}):
        assert mapping.order({"totalPriceSet": {"shopMoney": {"amount": bad}}})["total_price"] is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("gid://shopify/Order/9"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NAMES = st.sampled_from([*order(1, ""), *customer(1, ""), *checkout("t", "")])


@given(st.dictionaries(NAMES, JSON))
def test_whatever_a_node_holds_there_is_no_error(node: dict[str, Any]) -> None:
    mapping.tags_of(node)
    for topic, payload in (
        ("customers/update", mapping.customer(node)),
        ("customers_marketing_consent/update", mapping.consent(node) or {}),
        ("orders/create", mapping.order(node)),
        ("checkouts/update", mapping.checkout(node)),
    ):
        try:
            told(topic, payload)
        except CannotUnderstand:
            continue


def test_the_same_node_makes_the_same_bytes() -> None:
    node = order(1, _iso(AT))
    again = json.loads(json.dumps(node))
    assert mapping.body(mapping.order(node)) == mapping.body(mapping.order(dict(reversed(again.items()))))
    assert Decimal(mapping.line({"variant": {"price": "1.5"}})["price"]) == Decimal("1.50")
