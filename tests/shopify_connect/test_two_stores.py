"""Two stores on two apps in one worker: no token and no row ever crosses, however many threads there are."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db import connections

from smsflow_plugin import clock
from smsflow_plugin.integrations.shopify.admin.client import AdminApi
from smsflow_plugin.integrations.shopify.admin.documents import SHOP as ASK_SHOP
from smsflow_plugin.integrations.shopify.models import Grant, ShopifyApp, SubscriptionCheck
from smsflow_plugin.integrations.shopify.subscribing import compare_shop
from smsflow_plugin.integrations.shopify.topic_table import ALWAYS, TOPICS
from smsflow_plugin.models import Connection
from tests.factories import make_store
from tests.shopify_connect.conftest import Shopify, grant_to

THREADS, CALLS = 8, 50
SIERRA, TEA = "sierra-gear.myshopify.com", "nordic-tea.myshopify.com"


@pytest.mark.django_db(transaction=True)
def test_no_token_and_no_row_crosses(shopify: Shopify, app: ShopifyApp) -> None:
    if database.vendor != "postgresql":
        pytest.skip("Threads with connections of their own need PostgreSQL.")
    stores = [make_store(), make_store(name="Nordic Tea", domain=TEA)]
    shopify.apps["app-2"] = "s-other"
    other = ShopifyApp.objects.create(name="Other", client_id="app-2", secrets={"secret": "s-other"})
    rows: list[Connection] = []
    for store, each in zip(stores, (app, other), strict=True):
        row = store.connections.get(kind="shopify")
        grant_to(row, each, shopify)
        rows.append(row)
    # tokens that end now: they are renewed in the middle of it, by whoever comes first
    Grant.objects.update(expires_at=clock.now() + timedelta(minutes=1))
    wrong: list[Any] = []
    start = threading.Barrier(THREADS)

    def work(number: int) -> None:
        try:
            start.wait()
            for call in range(CALLS):
                row = rows[(number + call) % 2]
                if call % 10 == 9:
                    compare_shop(row.pk)
                    continue
                shop = AdminApi(Connection.objects.get(pk=row.pk)).ask(ASK_SHOP)["shop"]
                if shop["myshopifyDomain"] != row.account:
                    wrong.append((row.account, shop))
        except BaseException as error:  # noqa: BLE001 - it would be lost in the thread
            wrong.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == [] and shopify.strangers == []
    for row, each in zip(rows, (app, other), strict=True):
        grant = Grant.objects.get(connection=row)
        assert grant.app == each and grant.secrets["access_token"] in shopify.shop(row.account).tokens
        assert grant.secrets["access_token"].startswith(row.account)
        # two workers that compare at once make no subscription twice
        assert shopify.shop(row.account).topics() == sorted(TOPICS[name].enum for name in ALWAYS)
        assert SubscriptionCheck.objects.get(connection=row).problems == []
        renewals = [what for shop, what in shopify.asked if shop == row.account and what == "refresh_token"]
        assert len(renewals) == 1
    asked = {shop: sum(1 for each, _what in shopify.asked if each == shop) for shop in (SIERRA, TEA)}
    assert sum(asked.values()) >= THREADS * CALLS * 0.9
