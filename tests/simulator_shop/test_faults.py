"""Trouble on order."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from smsflow_plugin.integrations.simulator.shopify_api import RunningShop
from smsflow_plugin.integrations.simulator.shopify_api.client import ShopClient, ShopUnavailable
from tests.simulator_shop.conftest import Admin, gid

Doc = dict[str, Any]


@pytest.fixture
def operator(shopify: RunningShop) -> ShopClient:
    return ShopClient(shopify.url)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("unauthorized", 401),
        ("payment_required", 402),
        ("forbidden", 403),
        ("locked", 423),
        ("rate_limit", 429),
        ("server_error", 500),
        ("bad_gateway", 502),
        ("unavailable", 503),
    ],
)
def test_the_next_call_is_refused_and_the_one_after_is_not(
    admin: Admin, operator: ShopClient, kind: str, status: int
) -> None:
    operator.add_fault(kind)
    assert admin.post("shop").status_code == status
    assert admin.post("shop").status_code == 200


def test_a_call_is_throttled_as_shopify_does_it(admin: Admin, operator: ShopClient) -> None:
    operator.add_fault("throttled", count=2)
    for _call in range(2):
        answer = admin.post("shop")
        assert answer.status_code == 200
        assert answer.json()["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert "errors" not in admin.post("shop").json()


def test_a_fault_waits_for_its_operation_and_shop(admin: Admin, operator: ShopClient, ada: Doc) -> None:
    operator.add_fault("user_errors", operation="tagsAdd", message="Not today")
    operator.add_fault("server_error", operation="Hooks")
    operator.add_fault("server_error", shop="other.myshopify.com")
    assert admin.post("shop").status_code == 200
    assert admin.post("webhook_list").status_code == 500
    refused = admin("tags_add", id=gid("Customer", ada), tags=["x"])["tagsAdd"]
    assert refused == {"node": None, "userErrors": [{"field": None, "message": "Not today"}]}
    assert admin("customer", id=gid("Customer", ada))["customer"]["tags"] == []
    operator.clear_faults()


def test_lines_break_before_and_after_the_work_is_done(admin: Admin, operator: ShopClient, ada: Doc) -> None:
    identifier = gid("Customer", ada)
    for kind, tag in (("timeout_before", "a"), ("timeout_after", "b"), ("broken_answer", "c")):
        operator.add_fault(kind, operation="tagsAdd")
        with pytest.raises(requests.RequestException):
            admin.post("tags_add", id=identifier, tags=[tag])
    assert admin("customer", id=identifier)["customer"]["tags"] == ["b", "c"]


def test_tokens_and_files_can_fail_too(shopify: RunningShop, admin: Admin, operator: ShopClient, ada: Doc) -> None:
    done = admin.finished("{ customers { edges { node { id phone } } } }")
    operator.add_fault("broken_answer", operation="bulk_file")
    with pytest.raises(requests.RequestException):
        requests.get(done["url"], timeout=10)
    assert requests.get(done["url"], timeout=10).ok
    operator.add_fault("unavailable", operation="oauth")
    url = f"{shopify.shop_url}/admin/oauth/access_token"
    assert requests.post(url, json={}, timeout=10).status_code == 503
    assert requests.post(url, json={}, timeout=10).status_code == 401


def test_calls_are_counted(shopify: RunningShop, admin: Admin, operator: ShopClient) -> None:
    admin.post("shop")
    operator.add_fault("server_error")
    admin.post("shop")
    counts = {(one["operation"], one["answer"]): one["count"] for one in operator.statistics()["calls"]}
    assert counts == {("currentAppInstallation,shop", "200"): 1, ("currentAppInstallation,shop", "500"): 1}


def test_the_operator_is_told_what_cannot_be(shopify: RunningShop, operator: ShopClient) -> None:
    with pytest.raises(ShopUnavailable, match="no fault"):
        operator.add_fault("earthquake")
    with pytest.raises(ShopUnavailable, match="no customer 5"):
        operator.do(shopify.domain, "place_order", customer=5)
    with pytest.raises(ShopUnavailable, match="no shop"):
        operator.do("unknown.myshopify.com", "variants")
    with pytest.raises(ShopUnavailable):
        operator.do(shopify.domain, "_tell")


def test_shops_can_be_opened_and_filled_from_outside(shopify: RunningShop, operator: ShopClient) -> None:
    operator.add_shop("nordic.myshopify.com", language="da", country="DK", currency="DKK", timezone="Europe/Copenhagen")
    operator.install("nordic.myshopify.com", shopify.client_id, token="shpat_nordic")
    operator.fill("nordic.myshopify.com", customers=12, orders=30)
    assert operator.statistics()["shops"]["nordic.myshopify.com"]["order"] == 30
    admin = Admin(shopify.graphql_url.replace(shopify.domain, "nordic.myshopify.com"), "shpat_nordic")
    assert admin("shop")["shop"]["currencyCode"] == "DKK"
    admin.session.close()
    with pytest.raises(ShopUnavailable, match="Only an empty shop"):
        operator.fill("nordic.myshopify.com", customers=1, orders=1)
    operator.reset()
    assert "order" not in operator.statistics()["shops"]["nordic.myshopify.com"]
