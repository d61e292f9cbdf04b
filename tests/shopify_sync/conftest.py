"""A shop that answers what the test put into it, by page, as Shopify does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from smsflow_plugin.integrations.shopify.admin import client, tokens, transport
from smsflow_plugin.integrations.shopify.admin.grants import Granted
from smsflow_plugin.integrations.shopify.admin.transport import Answer
from smsflow_plugin.integrations.shopify.models import Grant, ShopifyApp
from smsflow_plugin.models import Connection, Store
from tests.conftest import NOON, TestClock

SCOPES = ("write_customers", "read_orders", "read_all_orders")


def iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def ago(**delta: float) -> str:
    return iso(NOON - timedelta(**delta))


def customer(number: int, updated: str, **values: Any) -> dict[str, Any]:
    phone = {
        "phoneNumber": f"+12025550{number:03d}",
        "marketingState": "NOT_SUBSCRIBED",
        "marketingOptInLevel": None,
        "marketingUpdatedAt": None,
        "marketingCollectedFrom": None,
    }
    return {
        "id": f"gid://shopify/Customer/{number}",
        "firstName": "Ada",
        "lastName": f"Lovelace {number}",
        "email": f"ada{number}@example.com",
        "locale": "en-US",
        "tags": [],
        "createdAt": updated,
        "updatedAt": updated,
        "numberOfOrders": "0",
        "defaultPhoneNumber": {**phone, **values.pop("phone", {})},
        "defaultAddress": {"countryCodeV2": "US", "provinceCode": "NY", "zip": "10001"},
        **values,
    }


def subscribed(at: str | None, level: str = "SINGLE_OPT_IN", state: str = "SUBSCRIBED") -> dict[str, Any]:
    return {
        "marketingState": state,
        "marketingOptInLevel": level,
        "marketingUpdatedAt": at,
        "marketingCollectedFrom": "SHOPIFY",
    }


LINE = {
    "title": "Trail Jacket",
    "quantity": 1,
    "variant": {"id": "gid://shopify/ProductVariant/31", "price": "129.0"},
    "product": {"id": "gid://shopify/Product/21"},
}


def order(number: int, updated: str, *, of: int = 1, **values: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/Order/{number}",
        "name": f"#{number}",
        "createdAt": updated,
        "processedAt": updated,
        "updatedAt": updated,
        "cancelledAt": None,
        "test": False,
        "sourceName": "web",
        "displayFinancialStatus": "PAID",
        "discountCodes": [],
        "statusPageUrl": f"https://sierra-gear.example/orders/{number}",
        "email": None,
        "phone": None,
        "customerLocale": "en",
        "checkoutToken": f"token-of-{number}",
        "cartToken": None,
        "customer": {"id": f"gid://shopify/Customer/{of}"},
        "totalPriceSet": {"shopMoney": {"amount": "129.0", "currencyCode": "USD"}},
        "shippingAddress": None,
        "billingAddress": None,
        "lineItems": {"nodes": [LINE]},
        **values,
    }


def checkout(token: str, updated: str, *, of: int = 1, **values: Any) -> dict[str, Any]:
    return {
        "id": "gid://shopify/AbandonedCheckout/77",
        "abandonedCheckoutUrl": f"https://sierra-gear.myshopify.com/548380009/checkouts/ac/{token}/recover?key=k",
        "createdAt": updated,
        "updatedAt": updated,
        "completedAt": None,
        "totalPriceSet": {"shopMoney": {"amount": "129.0", "currencyCode": "USD"}},
        "customer": customer(of, updated),
        "lineItems": {"nodes": [LINE]},
        **values,
    }


class Shop:
    """``faults`` are answers, or exceptions, that come before anything else."""

    def __init__(self) -> None:
        self.customers: list[dict[str, Any]] = []
        self.orders: list[dict[str, Any]] = []
        self.abandonedCheckouts: list[dict[str, Any]] = []
        self.page = 2
        self.faults: list[Answer | Exception | Callable[[], None]] = []
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.answers: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {}

    def post(self, url: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
        name, variables = body["operationName"], body["variables"]
        self.asked.append((name, variables))
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            if isinstance(fault, Answer):
                return fault
            fault()
        if name in self.answers:
            return Answer(200, {}, {"data": self.answers[name](variables)})
        fields = {
            "CustomersChanged": "customers",
            "OrdersChanged": "orders",
            "CheckoutsChanged": "abandonedCheckouts",
        }
        field = fields[name]
        found = re.fullmatch(r"updated_at:>='(.+)'", variables["query"])
        assert found, variables["query"]
        nodes = sorted(
            (node for node in getattr(self, field) if node["updatedAt"] >= found.group(1)),
            key=lambda node: node["updatedAt"],
        )
        start = int(variables["after"] or 0)
        end = start + self.page
        page = {"hasNextPage": end < len(nodes), "endCursor": str(end)}
        return Answer(200, {}, {"data": {field: {"nodes": nodes[start:end], "pageInfo": page}}})


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    made = Shop()
    monkeypatch.setattr(transport, "post", made.post)
    monkeypatch.setattr(client, "_buckets", {})
    return made


@pytest.fixture
def connection(store: Store, still: TestClock) -> Connection:
    return store.connections.get(kind="shopify")


def granted(connection: Connection, *scopes: str) -> Grant:
    app, _created = ShopifyApp.objects.get_or_create(
        client_id="app-1", defaults={"name": "Texts", "secrets": {"secret": "s3cret"}}
    )
    token = Granted("token-1", "refresh-1", scopes or SCOPES, timedelta(days=30), timedelta(days=90))
    return tokens.save(connection, kind=Grant.Kind.EXPIRING, granted=token, app=app)


@pytest.fixture
def grant(connection: Connection) -> Grant:
    return granted(connection)
