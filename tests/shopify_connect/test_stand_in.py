"""The whole way against a Shopify that executes what it is asked, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from django.test import Client
from django.urls import reverse

from smsflow_plugin.integrations.shopify.admin import client as admin_client
from smsflow_plugin.integrations.shopify.models import Grant, ShopifyApp, SubscriptionCheck
from smsflow_plugin.integrations.shopify.subscribing import compare_shop
from smsflow_plugin.integrations.shopify.topic_table import ALWAYS, OF_KIND, TOPICS
from smsflow_plugin.integrations.shopify.translate import TOPICS as UNDERSTOOD
from smsflow_plugin.integrations.simulator.shopify_api import RunningShop
from smsflow_plugin.models import Connection, Flow, Store
from smsflow_plugin.stores.roles import STORE_ADMIN
from tests.admin.people import client_of, make_user
from tests.shopify_connect.test_subscribing import live_flow

pytest.importorskip("graphql", reason="graphql-core is missing")
pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningShop]:
    from smsflow_plugin.integrations.simulator.shopify_api import running_shop

    monkeypatch.setattr(admin_client, "_buckets", {})
    with running_shop(pace=0.0002, webhooks_at_once=1) as running:
        settings.SMSFLOW = {
            **settings.SMSFLOW,
            "SHOPIFY_URL": f"{running.url}/shopify/{{shop}}",
            "PUBLIC_URL": "https://texts.example",
        }
        yield running


@pytest.fixture
def app(shop: RunningShop, store: Store) -> ShopifyApp:
    made = ShopifyApp.objects.create(name="Texts", client_id=shop.client_id, secrets={"secret": shop.secret})
    made.stores.add(store)
    Connection.objects.filter(store=store, kind="shopify").delete()
    return made


@pytest.fixture
def ines(store: Store, compared: list[int]) -> Client:
    return client_of(make_user("ines", STORE_ADMIN, store))


def connect(client: Client, store: Store, app: ShopifyApp, shop: RunningShop) -> Any:
    """Press the button, agree at Shopify, and come back."""
    url = reverse("smsflow_stores:shopify_connect", args=[store.pk])
    going = client.post(url, {"shop": shop.domain, "app": app.pk})
    assert going["Location"].startswith(f"{shop.shop_url}/admin/oauth/authorize?")
    back = requests.get(going["Location"], allow_redirects=False, timeout=10).headers["Location"]
    parts = urlsplit(back)
    assert parts.netloc == "texts.example"
    return client.get(parts.path, dict(parse_qsl(parts.query)))


def test_from_the_button_to_the_webhooks(ines: Client, store: Store, app: ShopifyApp, shop: RunningShop) -> None:
    answer = connect(ines, store, app, shop)
    assert answer["Location"] == reverse("smsflow_stores:shopify", args=[store.pk])
    grant = Grant.objects.get()
    assert grant.kind == Grant.Kind.EXPIRING and grant.expires_at and grant.refresh_until
    live_flow(store, *[kind for kind in OF_KIND if kind not in ("waitlist_joined", "price_dropped")], name="All of it")
    # what this flow needs is more than was agreed to
    assert compare_shop(grant.connection_id)
    check = SubscriptionCheck.objects.get()
    assert check.failed_because == "" and {row["topic"] for row in check.problems} >= {"returns/request"}
    assert set(ALWAYS) <= set(check.topics)
    # agree again: now to everything
    connect(ines, store, app, shop)
    assert compare_shop(grant.connection_id)
    check.refresh_from_db()
    assert check.problems == [] and check.failed_because == ""
    wanted = {topic for topics in OF_KIND.values() for topic in topics if topic in UNDERSTOOD} | set(ALWAYS)
    assert set(check.topics) == wanted <= set(TOPICS)
    # and the second time there is nothing left to do: Shopify has kept everything as we said it
    assert compare_shop(grant.connection_id)
    check.refresh_from_db()
    assert check.repairs == []
    Flow.objects.update(live=False)
    assert compare_shop(grant.connection_id)
    check.refresh_from_db()
    assert check.topics == sorted(ALWAYS)
    page = ines.get(answer["Location"]).content.decode()
    assert "Texts" in page and grant.secrets["access_token"] not in page


def test_without_a_page(ines: Client, store: Store, app: ShopifyApp, shop: RunningShop) -> None:
    ShopifyApp.objects.update(kind=ShopifyApp.Kind.CLIENT_CREDENTIALS)
    url = reverse("smsflow_stores:shopify_connect", args=[store.pk])
    assert ines.post(url, {"shop": shop.domain, "app": app.pk})["Location"].endswith("/shopify/")
    assert Grant.objects.get().kind == Grant.Kind.CLIENT_CREDENTIALS


def test_by_hand(ines: Client, store: Store, app: ShopifyApp, shop: RunningShop) -> None:
    url = reverse("smsflow_stores:shopify_token", args=[store.pk])
    data = {"shop": shop.domain, "token": "shpat_wrong", "secret": shop.secret}
    assert "not valid" in ines.post(url, data).content.decode()
    assert ines.post(url, {**data, "token": shop.token}).status_code == 302
    assert compare_shop(Grant.objects.get().connection_id)
    assert "orders/create" in SubscriptionCheck.objects.get().topics
    assert ines.post(reverse("smsflow_stores:shopify_disconnect", args=[store.pk])).status_code == 302
    assert not Grant.objects.exists()


def test_with_the_wrong_secret_nobody_is_connected(
    ines: Client, store: Store, app: ShopifyApp, shop: RunningShop
) -> None:
    app.secrets = {"secret": "wrong"}
    app.save(update_fields=["secrets"])
    assert connect(ines, store, app, shop).status_code == 400
    assert not Grant.objects.exists()
