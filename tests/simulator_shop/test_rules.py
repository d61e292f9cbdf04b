"""The pure parts: buckets, prices of documents, searches, ids, and a past from a seed."""

from __future__ import annotations

import pytest
from graphql import OperationDefinitionNode, parse
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.integrations.simulator.shopify_api import Shops
from smsflow_plugin.integrations.simulator.shopify_api.bucket import Bucket
from smsflow_plugin.integrations.simulator.shopify_api.costs import Costs
from smsflow_plugin.integrations.simulator.shopify_api.generating import fill
from smsflow_plugin.integrations.simulator.shopify_api.letters import selected
from smsflow_plugin.integrations.simulator.shopify_api.resolve_app import topic_scope
from smsflow_plugin.integrations.simulator.shopify_api.schema import admin_schema
from smsflow_plugin.integrations.simulator.shopify_api.scopes import expanded
from smsflow_plugin.integrations.simulator.shopify_api.search import fits, read
from smsflow_plugin.integrations.simulator.shopify_api.storage import Things
from smsflow_plugin.integrations.simulator.shopify_api.values import NotAnId, read_gid


def test_a_bucket_leaks_at_its_rate() -> None:
    bucket = Bucket.full(1000, 50, now=0)
    assert bucket.take(900, now=0)
    assert not bucket.take(101, now=0)
    assert bucket.status(0)["currentlyAvailable"] == 100
    # what Shopify tells to wait: (requested - available) / rate
    assert not bucket.take(400, now=5.99)
    assert bucket.take(400, now=6.01)
    bucket.give_back(5000, now=7)
    assert bucket.status(7)["currentlyAvailable"] == 1000


@given(st.lists(st.tuples(st.floats(0, 300), st.floats(-5, 60)), max_size=30))
def test_a_bucket_never_gives_more_than_it_has(calls: list[tuple[float, float]]) -> None:
    bucket, now, taken, latest = Bucket.full(1000, 100, now=0), 0.0, 0.0, 0.0
    gained = 0.0
    for points, passed in calls:
        before, now = now, now + passed
        gained += max(0.0, now - before) * 100
        taken += points if bucket.take(points, now) else 0
        assert -1e-6 <= bucket.available <= 1000
        latest = max(latest, now)
    assert taken <= 1000 + gained + 1e-6


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("{ shop { name } }", 1),
        ("{ shop { name plan { publicDisplayName } } }", 2),
        ("{ customers(first: 10) { nodes { id } } }", 12),
        ("{ customers(first: 10) { edges { node { id } } pageInfo { hasNextPage } } }", 12),
        ("{ orders(first: 10) { nodes { id lineItems(first: 5) { nodes { id } } } } }", 72),
        ("query Q($n: Int) { customers(first: $n) { nodes { id } } }", 42),
        ("mutation { tagsAdd(id: 1, tags: []) { node { id } } b: tagsAdd(id: 1, tags: []) { node { id } } }", 20),
        ("{ ...f } fragment f on QueryRoot { shop { ... on Shop { plan { shopifyPlus } } } }", 2),
    ],
)
def test_what_a_document_costs(text: str, cost: int) -> None:
    document = parse(text)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    assert Costs(admin_schema(), document, {"n": 40}).requested(operation) == cost


def test_a_search_is_read_as_shopify_reads_it() -> None:
    terms = read("updated_at:>='2026-01-01T10:00:00Z' AND -tag:vip status:open OR id:5")
    assert [[(one.field, one.operator, one.value, one.negated) for one in part] for part in terms] == [
        [
            ("updated_at", ">=", "2026-01-01T10:00:00Z", False),
            ("tag", "=", "vip", True),
            ("status", "=", "open", False),
        ],
        [("id", "=", "5", False)],
    ]


def test_a_filter_looks_into_a_payload() -> None:
    payload = {"status": "active", "total": "12.50", "test": False, "variants": [{"price": "5.00"}, {"price": "50.00"}]}
    assert fits("", payload)
    assert fits("status:active AND total:>=10", payload)
    assert fits("variants.price:>20", payload)
    assert fits("test:false", payload)
    assert fits("status:draft OR variants.price:<6", payload)
    assert not fits("variants.price:>60", payload)
    assert not fits("-status:active", payload)
    assert not fits("missing:1", payload)


def test_fields_are_chosen_by_path() -> None:
    payload = {"id": 1, "a": {"b": 2, "c": 3}, "list": [{"x": 1, "y": 2}, {"x": 3}]}
    assert selected(payload, []) == payload
    assert selected(payload, ["id", "a.b", "list.x", "none"]) == {"id": 1, "a": {"b": 2}, "list": [{"x": 1}, {"x": 3}]}


def test_who_may_write_may_read() -> None:
    assert expanded(["write_orders", "read_products"]) == {"write_orders", "read_orders", "read_products"}


def test_topics_need_scopes() -> None:
    assert topic_scope("CUSTOMERS_MARKETING_CONSENT_UPDATE") == "read_customers"
    assert topic_scope("FULFILLMENT_EVENTS_CREATE") == "read_fulfillments"
    assert topic_scope("APP_UNINSTALLED") is None


def test_ids() -> None:
    assert read_gid("gid://shopify/InventoryLevel/5?inventory_item_id=7") == ("InventoryLevel", 5)
    with pytest.raises(NotAnId):
        read_gid("5")


def test_a_seed_makes_the_same_past() -> None:
    made = []
    for _time in range(2):
        shops = Shops()
        shops.clock.advance(-shops.clock.now())
        shops.add_shop("a.myshopify.com")
        fill(shops, "a.myshopify.com", customers=20, orders=50, seed=7)
        things = Things(shops.database, 1)
        made.append([(one["phone"], one["amountSpent"], one["sms"]["state"]) for one in things.all("customer")])
        orders = things.all("order")
        assert sum(one["numberOfOrders"] for one in things.all("customer")) == len(orders) == 50
        shops.bulk.stop()
        shops.database.close()
    assert made[0] == made[1]
