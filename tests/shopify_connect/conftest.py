"""Shops that hold tokens and subscriptions, and notice when somebody comes with the token of another."""

from __future__ import annotations

import hashlib
import hmac
import itertools
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import pytest

from smsflow_plugin import clock
from smsflow_plugin.integrations.shopify.admin import client, tokens, transport
from smsflow_plugin.integrations.shopify.admin.errors import Unreachable
from smsflow_plugin.integrations.shopify.admin.grants import Granted
from smsflow_plugin.integrations.shopify.admin.transport import Answer
from smsflow_plugin.integrations.shopify.models import Grant, ShopifyApp
from smsflow_plugin.models import Connection, Store

SCOPES = ("write_customers", "read_orders", "read_customer_merge", "read_fulfillments", "read_products")
SHOP = "sierra-gear.myshopify.com"


class Shop:
    """One shop: which tokens open it, what it was granted, and its subscriptions by id."""

    def __init__(self, domain: str, shopify: Shopify) -> None:
        self.domain = domain
        self.shopify = shopify
        self.tokens: set[str] = set()
        self.scopes: list[str] = list(SCOPES)
        self.webhooks: dict[str, dict[str, Any]] = {}
        self.refuses: dict[str, str] = {}

    def answer(self, name: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        answers: dict[str, Any] = {
            "Shop": self._shop,
            "Webhooks": self._list,
            "WebhookCreate": self._create,
            "WebhookUpdate": self._update,
            "WebhookDelete": self._delete,
        }
        found: dict[str, Any] = answers[name](variables)
        return found

    def topics(self) -> list[str]:
        return sorted(row["topic"] for row in self.webhooks.values())

    def loses(self, topic: str) -> None:
        """Delete a subscription after eight failures, and say nothing."""
        [pk] = [pk for pk, row in self.webhooks.items() if row["topic"] == topic]
        del self.webhooks[pk]

    def _shop(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "shop": {"id": "gid://shopify/Shop/1", "name": self.domain, "myshopifyDomain": self.domain},
            "currentAppInstallation": {"accessScopes": [{"handle": scope} for scope in self.scopes]},
        }

    def _list(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        rows = [{"id": pk, "apiVersion": {"handle": "2026-10"}, **row} for pk, row in self.webhooks.items()]
        # two pages, as soon as there are many
        first, rest = rows[:10], rows[10:]
        page = rest if variables.get("after") else first
        more = {"hasNextPage": bool(rest) and not variables.get("after"), "endCursor": "10"}
        return {"webhookSubscriptions": {"nodes": page, "pageInfo": more}}

    def _create(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        topic = variables["topic"]
        if said := self.refuses.get(topic):
            return {"webhookSubscriptionCreate": {"userErrors": [{"field": ["topic"], "message": said}]}}
        taken = [row for row in self.webhooks.values() if row["topic"] == topic and row["uri"] == _uri(variables)]
        if taken:
            errors = [{"field": ["webhookSubscription"], "message": "Address for this topic has already been taken"}]
            return {"webhookSubscriptionCreate": {"userErrors": errors}}
        self.webhooks[f"gid://shopify/WebhookSubscription/{next(self.shopify.ids)}"] = {
            "topic": topic, **variables["webhook"]
        }  # fmt: skip
        return {"webhookSubscriptionCreate": {"webhookSubscription": {}, "userErrors": []}}

    def _update(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        self.webhooks[variables["id"]].update(variables["webhook"])
        return {"webhookSubscriptionUpdate": {"userErrors": []}}

    def _delete(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        del self.webhooks[variables["id"]]
        return {"webhookSubscriptionDelete": {"userErrors": []}}


class Shopify:
    """All shops. ``asked`` is what was asked, in order: (shop, what); ``strangers`` came with another shop's token.

    A new token ends the old one at once, which is harder than Shopify is.
    """

    def __init__(self) -> None:
        self.shops: dict[str, Shop] = {}
        self.apps: dict[str, str] = {}
        self.codes: dict[str, str] = {}
        self.ids = itertools.count(1)
        self.asked: list[tuple[str, str]] = []
        self.strangers: list[tuple[str, str]] = []
        self.down = False
        self._guard = Lock()

    def shop(self, domain: str = SHOP) -> Shop:
        return self.shops.setdefault(domain, Shop(domain, self))

    def post(self, url: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
        with self._guard:
            return self._post(url, body, headers or {})

    def _post(self, url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
        if self.down:
            raise Unreachable("Shopify does not answer.")
        domain, path = urlsplit(url).netloc, urlsplit(url).path
        shop = self.shop(domain)
        if path == "/admin/oauth/access_token":
            self.asked.append((domain, str(body.get("grant_type") or "code")))
            return self._token(shop, body)
        self.asked.append((domain, body["operationName"]))
        token = headers.get("X-Shopify-Access-Token", "")
        if not token.startswith((domain, "shpat_")):
            self.strangers.append((domain, token))
        if token not in shop.tokens:
            return Answer(401, {}, {"errors": "[API] Invalid API key or access token"})
        return Answer(200, {}, {"data": shop.answer(body["operationName"], body["variables"])})

    def _token(self, shop: Shop, body: Mapping[str, Any]) -> Answer:
        if self.apps.get(body["client_id"]) != body["client_secret"]:
            return Answer(401, {}, {"error": "invalid_client"})
        if "code" in body and self.codes.pop(body["code"], "") != shop.domain:
            return Answer(400, {}, {"error": "invalid_request", "error_description": "The code was used, or is old."})
        number = next(self.ids)
        token = f"{shop.domain}-token-{number}"
        shop.tokens = {token}
        answer = {"access_token": token, "expires_in": 3600, "scope": ",".join(shop.scopes)}
        if body.get("grant_type") != "client_credentials":
            answer |= {"refresh_token": f"refresh-{number}", "refresh_token_expires_in": 7_776_000}
        return Answer(200, {}, answer)


def _uri(variables: Mapping[str, Any]) -> str:
    return str(variables["webhook"]["uri"])


@pytest.fixture
def shopify(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Shopify]:
    made = Shopify()
    monkeypatch.setattr(transport, "post", made.post)
    monkeypatch.setattr(client, "_buckets", {})
    settings.SMSFLOW = {**settings.SMSFLOW, "PUBLIC_URL": "https://texts.example"}
    yield made


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The connections whose subscriptions somebody wanted compared soon."""
    seen: list[int] = []
    monkeypatch.setattr("smsflow_plugin.integrations.shopify.soon._enqueue", seen.append)
    return seen


@pytest.fixture
def app(db: None, shopify: Shopify) -> ShopifyApp:
    shopify.apps["app-1"] = "s3cret"
    return ShopifyApp.objects.create(name="Texts", client_id="app-1", secrets={"secret": "s3cret"})


@pytest.fixture
def connection(store: Store) -> Connection:
    return store.connections.get(kind="shopify")


@pytest.fixture
def grant(connection: Connection, app: ShopifyApp, shopify: Shopify) -> Grant:
    return grant_to(connection, app, shopify)


def grant_to(connection: Connection, app: ShopifyApp, shopify: Shopify) -> Grant:
    """What the shop of ``connection`` grants, without anybody having to agree."""
    shop = shopify.shop(connection.account)
    shop.tokens.add(f"{connection.account}-token")
    granted = Granted(f"{connection.account}-token", "refresh", tuple(shop.scopes))
    return tokens.save(connection, kind=Grant.Kind.EXPIRING, granted=granted, app=app)


def signed(values: Mapping[str, str], secret: str = "s3cret", *, age: int = 0) -> dict[str, str]:
    """Sign the parameters of an address as Shopify does: sorted, joined with "&", in hex."""
    timestamp = str(int(clock.system().timestamp()) - age)
    given = {"timestamp": timestamp, **values}
    message = "&".join(sorted(f"{name}={value}" for name, value in given.items()))
    return {**given, "hmac": hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()}
