"""The same against a Shopify that executes our documents by the real schema, over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from smsflow_plugin import clock
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.events.models import Event
from smsflow_plugin.integrations.shopify.admin import client, tokens
from smsflow_plugin.integrations.shopify.admin.grants import Granted
from smsflow_plugin.integrations.shopify.models import Grant, ImportRun, SyncFind, SyncRun, SyncState
from smsflow_plugin.integrations.shopify.sync.actions import StartImport
from smsflow_plugin.integrations.shopify.sync.comparing import compare_shops, settle, state_of
from smsflow_plugin.integrations.shopify.sync.importing import import_history
from smsflow_plugin.models import Connection, Contact, Store
from tests.factories import make_store

pytest.importorskip("graphql", reason="the stand-in Shopify needs graphql-core")

from smsflow_plugin.integrations.simulator.shopify_api import RunningShop, running_shop
from smsflow_plugin.integrations.simulator.shopify_api.generating import fill

pytestmark = pytest.mark.django_db

DOMAIN = "sierra-gear.myshopify.com"
SCOPES = ("write_customers", "read_orders", "read_all_orders")


@pytest.fixture
def shopify(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningShop]:
    monkeypatch.setattr(client, "_buckets", {})
    with running_shop(DOMAIN) as server:
        settings.SMSFLOW = {**settings.SMSFLOW, "SHOPIFY_URL": server.url + "/shopify/{shop}"}
        yield server


@pytest.fixture
def connected(store: Store, shopify: RunningShop) -> Connection:
    connection = store.connections.get(kind="shopify")
    forever = Granted(shopify.token, "", SCOPES, None, None)
    tokens.save(connection, kind=Grant.Kind.STATIC, granted=forever, app=None)
    return connection


def until(done: Callable[[], bool], work: Callable[[], object], rounds: int = 200) -> None:
    for _round in range(rounds):
        work()
        if done():
            return
        SyncState.objects.update(next_at=clock.now())
        ImportRun.objects.update(next_at=clock.now())
        time.sleep(0.02)
    trouble = [*SyncRun.objects.values_list("trouble", flat=True), *ImportRun.objects.values_list("trouble", flat=True)]
    raise AssertionError(f"It did not come to an end: {trouble}")


def read_all() -> None:
    while ingest():
        pass


def compared() -> bool:
    read_all()
    return SyncRun.objects.exists() and not SyncRun.objects.filter(finished_at=None).exists()


def test_what_no_webhook_has_brought_is_found(store: Store, connected: Connection, shopify: RunningShop) -> None:
    state = state_of(connected)
    SyncState.objects.filter(pk=state.pk).update(since=clock.now() - timedelta(hours=1))
    shop = shopify.shop
    ada = shop.add_customer(firstName="Ada", lastName="Lovelace", phone="+12025550143", email="ada@example.com")
    bob = shop.add_customer(firstName="Bob", lastName="Byrne", phone="+12025550144", email="bob@example.com")
    shop.set_consent(ada["id"], "SUBSCRIBED")
    placed = shop.place_order(ada["id"])
    shop.abandon_checkout(bob["id"])
    until(compared, compare_shops)
    settle(store.pk)
    person = Contact.objects.get(phone="+12025550143")
    assert (person.first_name, person.marketing_consent, person.orders_count) == ("Ada", "granted", 1)
    order = Event.objects.get(kind="order_created")
    assert order.key == str(placed["id"])
    assert order.data["order"]["lines"]
    assert Event.objects.get(kind="checkout_updated").contact.phone == "+12025550144"
    found = SyncFind.objects.values_list("topic", "state")
    assert ("checkouts/update", "recovered") in found
    assert {state for _topic, state in found} == {"recovered"}
    events = Event.objects.count()
    SyncState.objects.update(next_at=clock.now())
    until(compared, compare_shops)
    assert Event.objects.count() == events


def test_a_shop_in_trouble_is_compared_once_it_is_well(
    store: Store, connected: Connection, shopify: RunningShop
) -> None:
    state = state_of(connected)
    SyncState.objects.filter(pk=state.pk).update(since=clock.now() - timedelta(hours=1))
    ada = shopify.shop.add_customer(firstName="Ada", phone="+12025550143")
    shopify.shop.place_order(ada["id"])
    for kind in ("throttled", "unavailable"):
        shopify.shops.faults.add(kind, operation="OrdersChanged")
    until(compared, compare_shops)
    assert Event.objects.filter(kind="order_created").count() == 1
    assert SyncRun.objects.get().trouble == ""


def test_a_past_is_imported(store: Store, connected: Connection, shopify: RunningShop) -> None:
    fill(shopify.shops, DOMAIN, customers=400, orders=900, seed=5)
    StartImport(store, None).execute(skip_permission_checks=True)
    until(lambda: not ImportRun.objects.filter(state__in=ImportRun.ACTIVE).exists(), import_history)
    run = ImportRun.objects.get()
    assert (run.state, run.trouble) == ("done", "")
    assert run.report["customers"] == 400
    assert run.report["orders"] == 900
    assert run.report["orders_new"] == Event.objects.filter(kind="order_created").count() > 0
    events = Event.objects.count()
    StartImport(store, None).execute(skip_permission_checks=True)
    until(lambda: not ImportRun.objects.filter(state__in=ImportRun.ACTIVE).exists(), import_history)
    assert Event.objects.count() == events
    assert "created" not in ImportRun.objects.latest("pk").report


def test_two_shops_on_two_tokens_are_compared_side_by_side(
    store: Store, connected: Connection, shopify: RunningShop
) -> None:
    shopify.shops.add_shop("other.myshopify.com")
    shopify.shops.install("other.myshopify.com", shopify.client_id, scopes=",".join(SCOPES), token="other-token")
    other = make_store(name="Other", domain="other.myshopify.com", sender="+12025550177")
    theirs = other.connections.get(kind="shopify")
    tokens.save(theirs, kind=Grant.Kind.STATIC, granted=Granted("other-token", "", SCOPES, None, None), app=None)
    for connection in (connected, theirs):
        state_of(connection)
    shopify.shop.add_customer(firstName="Ada", phone="+12025550143")
    until(lambda: compared() and SyncRun.objects.count() == 2, compare_shops)
    assert list(Contact.objects.values_list("store__name", flat=True)) == [store.name]
