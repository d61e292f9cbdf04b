"""Who may ask, what it costs, and how long lists are read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from smsflow_plugin.integrations.simulator.shopify_api import RunningShop, running_shop
from smsflow_plugin.integrations.simulator.shopify_api.doings import Doings
from smsflow_plugin.integrations.simulator.shopify_api.generating import fill
from tests.simulator_shop.conftest import Admin, gid

Doc = dict[str, Any]


def test_a_wrong_token_is_nobodys(shopify: RunningShop) -> None:
    for headers in ({}, {"X-Shopify-Access-Token": "shpat_wrong"}):
        answer = requests.post(shopify.graphql_url, json={"query": "{ shop { id } }"}, headers=headers, timeout=10)
        assert answer.status_code == 401
        assert "Invalid API key or access token" in answer.json()["errors"]


def test_a_token_is_good_in_its_own_shop_only(shopify: RunningShop, admin: Admin) -> None:
    shopify.shops.add_shop("other.myshopify.com")
    admin.url = admin.url.replace(shopify.domain, "other.myshopify.com")
    assert admin.post("shop").status_code == 401
    admin.url = admin.url.replace("other.myshopify.com", "unknown.myshopify.com")
    assert admin.post("shop").status_code == 404


def test_an_answer_names_itself_and_its_version(shopify: RunningShop, admin: Admin) -> None:
    answer = admin.post("shop")
    assert answer.headers["X-Shopify-API-Version"] == "2026-10"
    assert answer.headers["X-Request-Id"]
    admin.url = admin.url.replace("2026-10", "2024-01")
    assert admin.post("shop").headers["X-Shopify-API-Version"] == "2026-01"
    admin.url = admin.url.replace("2024-01", "2099-01")
    assert admin.post("shop").status_code == 404


def test_what_shopify_does_not_know_is_an_error(admin: Admin) -> None:
    assert admin.errors("{ shop { favouriteColour } }")[0]["extensions"]["code"] == "undefinedField"
    assert admin.errors("{ shop { ")[0]["message"].startswith("Syntax Error")
    assert admin.errors("customer")[0]["extensions"]["code"] == "INVALID_VARIABLE"
    assert "Invalid global id" in admin.errors("customer", id="7")[0]["message"]


def test_a_missing_scope_is_named() -> None:
    with running_shop(scopes="read_orders,write_discounts") as shopify:
        admin = Admin(shopify.graphql_url, shopify.token)
        ada = shopify.shop.add_customer(phone="+12025550101")
        shopify.shop.place_order(ada["id"])
        body = admin.post("customers").json()
        assert body["data"] is None
        assert body["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"
        assert "`read_customers` access scope" in body["errors"][0]["message"]
        # what may be seen is seen, and the rest is empty
        body = admin.post("{ orders(first: 1) { nodes { name customer { id } } } }").json()
        assert body["data"]["orders"]["nodes"][0]["customer"] is None
        assert body["errors"][0]["path"] == ["orders", "nodes", 0, "customer"]
        assert admin.errors("tags_add", id=gid("Customer", ada), tags=["x"])[0]["extensions"]["code"] == "ACCESS_DENIED"
        made = admin("webhook_create", topic="CUSTOMERS_UPDATE", w={"uri": "https://example.com/"})
        assert made["webhookSubscriptionCreate"]["userErrors"][0]["field"] == ["topic"]
        assert admin("discount_by_code", code="X") == {"codeDiscountNodeByCode": None}
        admin.session.close()


def test_old_orders_need_a_scope_of_their_own() -> None:
    with running_shop(scopes="read_orders,read_customers") as shopify:
        fill(shopify.shops, shopify.domain, customers=5, orders=100, years=1.0)
        admin = Admin(shopify.graphql_url, shopify.token)
        recent = admin("counts")["ordersCount"]["count"]
        assert 10 <= recent <= 25
        shopify.shops.install(shopify.domain, shopify.client_id, scopes="read_orders,read_customers,read_all_orders")
        assert admin("counts")["ordersCount"]["count"] == 100
        admin.session.close()


@pytest.mark.parametrize(("document", "root"), [("customers", "customers"), ("orders", "orders")])
def test_pages_hold_everybody_once(shopify: RunningShop, admin: Admin, document: str, root: str) -> None:
    fill(shopify.shops, shopify.domain, customers=23, orders=23)
    seen: list[str] = []
    after = None
    while True:
        page = admin(document, n=5, after=after)[root]
        seen += [one["id"] for one in page.get("nodes") or [edge["node"] for edge in page["edges"]]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len(seen) == len(set(seen)) == 23


def test_a_page_has_limits(admin: Admin) -> None:
    assert admin.errors("customers", n=251)[0]["extensions"]["code"] == "BAD_REQUEST"
    assert "provide one of first or last" in admin.errors("{ customers { nodes { id } } }")[0]["message"]
    assert "cursor" in admin.errors("customers", after="nonsense")[0]["message"]


def test_changes_are_found_by_their_time(shopify: RunningShop, admin: Admin) -> None:
    fill(shopify.shops, shopify.domain, customers=40, orders=0)
    everybody = [edge["node"] for edge in admin("customers", n=50)["customers"]["edges"]]
    assert [one["updatedAt"] for one in everybody] == sorted(one["updatedAt"] for one in everybody)
    since = everybody[29]["updatedAt"]
    late = admin("customers", n=50, q=f"updated_at:>='{since}'")["customers"]["edges"]
    assert [edge["node"]["id"] for edge in late] == [one["id"] for one in everybody[29:]]
    assert len(admin("customers", n=50, q=f"updated_at:<{since} OR id:1")["customers"]["edges"]) == 29
    phone = everybody[3]["phone"]
    assert len(admin("customers", q=f"phone:{phone}")["customers"]["edges"]) == 1
    body = admin.post("customers", q="colour:red").json()
    assert body["extensions"]["search"][0]["warnings"][0]["field"] == "colour"


def test_a_call_costs_what_it_asks_and_gets_back_what_it_did_not_use(shopify: RunningShop, admin: Admin) -> None:
    cost = admin.post("customers", n=100).json()["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (102, 2)
    assert cost["throttleStatus"] == {"maximumAvailable": 2000, "currentlyAvailable": 1998, "restoreRate": 100}
    too_much = admin.errors("{ customers(first: 250) { nodes { id orders(first: 10) { nodes { id } } } } }")
    assert too_much[0]["extensions"]["code"] == "MAX_COST_EXCEEDED"


def test_an_empty_bucket_throttles_until_it_fills() -> None:
    with running_shop(bucket=(200.0, 0.0)) as shopify:
        admin = Admin(shopify.graphql_url, shopify.token)
        assert "errors" not in admin.post("webhook_list").json()
        assert "errors" not in admin.post("{ customers(first: 150) { nodes { id } } }").json()
        for _call in range(20):
            admin.post("tags_add", id="gid://shopify/Customer/1", tags=["x"])
        answer = admin.post("tags_add", id="gid://shopify/Customer/1", tags=["x"])
        assert answer.status_code == 200
        body = answer.json()
        assert body["errors"][0]["extensions"]["code"] == "THROTTLED"
        assert "data" not in body
        assert body["extensions"]["cost"]["actualQueryCost"] is None
        shopify.shops.set_bucket(200.0, 100.0)
        assert "errors" not in admin.post("tags_add", id="gid://shopify/Customer/1", tags=["x"]).json()
        admin.session.close()


def test_two_shops_are_asked_at_once_and_nothing_crosses(shopify: RunningShop) -> None:
    shopify.shops.add_shop("second.myshopify.com", currency="DKK")
    shopify.shops.add_app("second", "second-secret")
    shopify.shops.install("second.myshopify.com", "second", token="shpat_second")
    places = {shopify.domain: shopify.token, "second.myshopify.com": "shpat_second"}
    people = {domain: Doings(shopify.shops, domain).add_customer(phone="+12025550101") for domain in places}

    def visit(number: int) -> list[str]:
        domain = sorted(places)[number % 2]
        admin = Admin(shopify.graphql_url.replace(shopify.domain, domain), places[domain])
        names = []
        for call in range(10):
            tags = [f"{domain}-{number}-{call}"]
            assert admin("tags_add", id=gid("Customer", people[domain]), tags=tags)["tagsAdd"]["userErrors"] == []
            names.append(admin("shop")["shop"]["myshopifyDomain"])
        admin.session.close()
        assert set(names) == {domain}
        return names

    with ThreadPoolExecutor(max_workers=8) as pool:
        assert sum(len(names) for names in pool.map(visit, range(8))) == 80
    for domain, token in places.items():
        admin = Admin(shopify.graphql_url.replace(shopify.domain, domain), token)
        tags = admin("customer", id=gid("Customer", people[domain]))["customer"]["tags"]
        assert len(tags) == 40
        assert all(one.startswith(f"{domain}-") for one in tags)
        admin.session.close()
