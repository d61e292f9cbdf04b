"""Bulk operations: any number of rows, in order, without a mountain of memory."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from graphql import execute

from smsflow_plugin.integrations.simulator.shopify_api import RunningShop, Shops, running_shop
from smsflow_plugin.integrations.simulator.shopify_api.asking import BulkPage
from smsflow_plugin.integrations.simulator.shopify_api.bulk_query import BadBulkQuery, nodes_of, read
from smsflow_plugin.integrations.simulator.shopify_api.generating import fill
from smsflow_plugin.integrations.simulator.shopify_api.projecting import NotUnderstood, projection
from smsflow_plugin.integrations.simulator.shopify_api.schema import admin_schema
from tests.simulator_shop.conftest import Admin, wait_for
from tests.simulator_shop.documents import DOCS

ORDERS = "{ orders { edges { node { id name lineItems { edges { node { id quantity } } } } } } }"


def rows(url: str) -> list[dict[str, Any]]:
    with requests.get(url, stream=True, timeout=30) as answer:
        assert answer.headers["Content-Type"] == "application/jsonl"
        return [json.loads(line) for line in answer.iter_lines()]


def test_twenty_thousand_rows_stream(shopify: RunningShop, admin: Admin) -> None:
    fill(shopify.shops, shopify.domain, customers=2000, orders=9000, years=1.0)
    done = admin.finished(DOCS["bulk_inner_orders"])
    found = rows(done["url"])
    assert len(found) == int(done["objectCount"]) > 20_000
    assert int(done["rootObjectCount"]) == 9000
    parents: set[str] = set()
    for row in found:
        if "__parentId" in row:
            assert row["__parentId"] in parents
        else:
            parents.add(row["id"])
    assert len(parents) == 9000


def test_grouped_rows_follow_their_parent(shopify: RunningShop, admin: Admin) -> None:
    fill(shopify.shops, shopify.domain, customers=10, orders=30)
    text = (
        f'mutation {{ bulkOperationRunQuery(query: """{ORDERS}""", groupObjects: true) {{ bulkOperation {{ id }} }} }}'
    )
    number = admin(text)["bulkOperationRunQuery"]["bulkOperation"]["id"]
    url = wait_for(lambda: admin("bulk_poll", id=number)["bulkOperation"]["url"])
    parent = ""
    for row in rows(url):
        parent = row["id"] if "__parentId" not in row else parent
        assert row.get("__parentId", parent) == parent


def test_nothing_found_has_no_address(admin: Admin) -> None:
    done = admin.finished(DOCS["bulk_inner_orders"])
    assert (done["status"], done["objectCount"], done["url"]) == ("COMPLETED", "0", None)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ shop { id } }", "at least one connection"),
        ("{ customers { edges { node { id nope } } } }", "Invalid bulk query"),
        ("{ customers { edges { node { id } } } orders { edges { node { id } } } }", "single top-level field"),
        ("{ orders { edges { node { name lineItems { edges { node { id } } } } } } }", "must select the 'id' field"),
        (
            "{ customers { nodes { id orders { nodes { id lineItems { nodes { id } } } } } } }",
            "nesting depth greater than 2",
        ),
        ("mutation { tagsAdd(id: 1, tags: []) { node { id } } }", "exactly one query"),
    ],
)
def test_what_may_not_be_asked(admin: Admin, query: str, message: str) -> None:
    with pytest.raises(BadBulkQuery, match=message):
        read(query, admin_schema())
    answer = admin("bulk_run", q=query)["bulkOperationRunQuery"]
    assert answer["bulkOperation"] is None
    assert answer["userErrors"][0]["code"] == "INVALID"


def test_a_missing_scope_ends_it() -> None:
    with running_shop(scopes="read_orders") as shopify:
        admin = Admin(shopify.graphql_url, shopify.token)
        done = admin.finished(DOCS["bulk_inner_customers"])
        assert (done["status"], done["errorCode"], done["url"]) == ("FAILED", "ACCESS_DENIED", None)
        admin.session.close()


def test_it_can_be_called_off_and_only_so_many_run(admin: Admin, shopify: RunningShop) -> None:
    shopify.shops.bulk.seconds, shopify.shops.bulk_at_once = 1.0, 1
    number = admin("bulk_run", q=ORDERS)["bulkOperationRunQuery"]["bulkOperation"]["id"]
    second = admin("bulk_run", q=ORDERS)["bulkOperationRunQuery"]
    assert second["userErrors"][0]["code"] == "OPERATION_IN_PROGRESS"
    assert admin("bulk_cancel", id=number)["bulkOperationCancel"]["bulkOperation"]["status"] == "CANCELING"
    wait_for(lambda: admin("bulk_poll", id=number)["bulkOperation"]["status"] == "CANCELED")


def test_what_was_cut_off_begins_anew(tmp_path: Any) -> None:
    path = tmp_path / "shops.sqlite3"
    with running_shop(path=path, bulk_seconds=3600.0) as shopify:
        shopify.shop.place_order(shopify.shop.add_customer(phone="+12025550101")["id"])
        admin = Admin(shopify.graphql_url, shopify.token)
        number = admin("bulk_run", q=ORDERS)["bulkOperationRunQuery"]["bulkOperation"]["id"]
        shopify.shops.bulk._stopping.set()  # as a kill would
        admin.session.close()
    with running_shop(path=path) as shopify:
        admin = Admin(shopify.graphql_url, shopify.token)
        wait_for(lambda: admin("bulk_poll", id=number)["bulkOperation"]["status"] == "COMPLETED")
        admin.session.close()


@pytest.fixture
def filled() -> Any:
    shops = Shops()
    shops.add_shop("a.myshopify.com")
    shops.add_app("app", "secret")
    shops.install("a.myshopify.com", "app")
    fill(shops, "a.myshopify.com", customers=30, orders=60)
    yield shops
    shops.bulk.stop()
    shops.database.close()


def test_only_one_page_is_held_at_a_time(filled: Shops) -> None:
    fill(filled, filled.add_shop("b.myshopify.com")["domain"], customers=1100, orders=0)
    shop = filled.need_shop("b.myshopify.com")
    ask = filled.ask(shop, "app", ("read_customers",), "2026-10")
    pages = list(filled.bulk._pages(ask, read(DOCS["bulk_inner_customers"], admin_schema())))
    assert [len(nodes_of(page)) for page in pages] == [500, 500, 100]


FRAGMENTS = """
query {
  people: customers { edges { node { ...who orders { nodes { id total: totalPriceSet { shopMoney { amount } } } } } } }
}
fragment who on Customer { __typename id ... on Node { again: id } tags defaultAddress { zip } }
"""


@pytest.mark.parametrize("text", [DOCS["bulk_inner_customers"], DOCS["bulk_inner_orders"], FRAGMENTS])
def test_the_short_way_gives_what_graphql_gives(filled: Shops, text: str) -> None:
    query = read(text, admin_schema())
    shop = filled.need_shop("a.myshopify.com")
    ask = filled.ask(shop, "app", tuple(filled.granted(shop["number"], "app")), "2026-10")
    ask.bulk = BulkPage(25)
    slow = execute(admin_schema(), query.document, context_value=ask)
    assert slow.errors is None
    ask.bulk = BulkPage(25)
    assert projection(admin_schema(), query.document, ask)() == slow.data
    assert ask.bulk.next is not None


def test_what_the_short_way_does_not_know_it_leaves_alone(filled: Shops) -> None:
    text = "{ customers { edges { node { id @include(if: true) } } } }"
    with pytest.raises(NotUnderstood):
        projection(admin_schema(), read(text, admin_schema()).document, None)
