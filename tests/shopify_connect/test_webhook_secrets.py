"""Webhooks of an app are signed with the app's secret, whichever store they are for."""

from __future__ import annotations

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.integrations.shopify import verify
from smsflow_plugin.integrations.shopify.models import Grant, ShopifyApp
from smsflow_plugin.models import Connection, Delivery, Store
from tests.factories import SHOPIFY_SECRET
from tests.shopify.webhooks import post
from tests.shopify_connect.conftest import Shopify, grant_to

pytestmark = pytest.mark.django_db
BODY = b'{"id": 1}'


@pytest.fixture(autouse=True)
def _no_nudges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smsflow_plugin.events.inbox.nudge", lambda pump: None)


def test_the_secrets_of_the_app_count_and_those_of_the_connection_still_do(grant: Grant, app: ShopifyApp) -> None:
    app.secrets = {"secret": "new", "previous_secret": "old"}
    app.save(update_fields=["secrets"])
    codes = [
        post(Client(), BODY, secret=secret, webhook_id=secret).status_code for secret in ("new", "old", SHOPIFY_SECRET)
    ]
    assert codes == [200, 200, 200]
    assert post(Client(), BODY, secret="another", webhook_id="x").status_code == 401
    assert Delivery.objects.count() == 3


def test_an_app_counts_for_its_own_stores_only(
    grant: Grant, danish_store: Store, shopify: Shopify, app: ShopifyApp
) -> None:
    other = ShopifyApp.objects.create(name="Other", client_id="app-2", secrets={"secret": "s-other"})
    tea = "nordic-tea.myshopify.com"
    grant_to(danish_store.connections.get(kind="shopify"), other, shopify)
    assert post(Client(), BODY, shop=tea, secret="s-other").status_code == 200
    assert post(Client(), BODY, shop=tea, secret="s3cret", webhook_id="w-2").status_code == 401
    assert post(Client(), BODY, secret="s-other", webhook_id="w-3").status_code == 401


def test_what_comes_after_the_app_was_taken_away_is_still_believed(
    grant: Grant, connection: Connection, app: ShopifyApp
) -> None:
    """The law's webhooks come two days later, when there is no token any more."""
    Grant.objects.update(secrets=Grant(secrets={}).secrets, broken_because="gone")
    assert post(Client(), BODY, "shop/redact", secret="s3cret").status_code == 200


def test_a_shop_without_a_secret_of_its_own_needs_none_with_an_app(grant: Grant, connection: Connection) -> None:
    connection.secrets = {}
    connection.save(update_fields=["secrets"])
    assert post(Client(), BODY, secret="s3cret").status_code == 200
    assert post(Client(), BODY, secret="", webhook_id="w-2").status_code == 401


def test_it_takes_two_statements_with_an_app_as_well(grant: Grant) -> None:
    with CaptureQueriesContext(database) as queries:
        assert post(Client(), BODY, secret="s3cret").status_code == 200
    assert [query["sql"].split()[0] for query in queries.captured_queries] == ["SELECT", "INSERT"]


def test_a_refusal_takes_the_same_work_for_a_shop_that_is_known_and_one_that_is_not(
    grant: Grant, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    sign = verify.sign
    monkeypatch.setattr(verify, "sign", lambda body, secret: made.append(secret) or sign(body, secret))
    counts = []
    for shop in ("sierra-gear.myshopify.com", "unknown.myshopify.com", "nonsense"):
        made.clear()
        assert post(Client(), BODY, secret="wrong", shop=shop).status_code == 401
        counts.append(len(made))
    assert counts == [4, 4, 4]


@pytest.mark.parametrize("topic", ["app/uninstalled", "app/scopes_update", "shop/redact"])
def test_the_app_that_a_store_had_before_cannot_speak_for_the_one_it_has(grant: Grant, topic: str) -> None:
    """Taking away the old custom app, whose secret is still stored, would close the store, and then delete it."""
    assert post(Client(), BODY, topic, secret=SHOPIFY_SECRET).status_code == 401
    assert post(Client(), BODY, topic, secret="s3cret").status_code == 200


@pytest.mark.parametrize("topic", ["customers/data_request", "customers/redact", "shop/redact"])
def test_what_the_law_asks_for_reaches_a_shop_that_was_disconnected(
    connection: Connection, app: ShopifyApp, topic: str
) -> None:
    connection.secrets = {}
    connection.save(update_fields=["secrets"])
    ShopifyApp.objects.create(name="Other", client_id="app-2", secrets={"secret": "s-other"})
    assert post(Client(), BODY, topic, secret="s3cret").status_code == 200
    assert post(Client(), BODY, topic, secret="nobody's", webhook_id="w-2").status_code == 401
    assert post(Client(), BODY, topic, secret="s3cret", shop="unknown.myshopify.com").status_code == 401
    assert post(Client(), BODY, "orders/create", secret="s3cret", webhook_id="w-3").status_code == 401
