"""What people see of their shop, and what they may do with it."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve, reverse

from smsflow_plugin import clock
from smsflow_plugin.integrations.shopify.admin import tokens
from smsflow_plugin.integrations.shopify.models import CodePool, Grant, ShopifyApp, SubscriptionCheck, SyncState
from smsflow_plugin.integrations.shopify.subscribing import compare_shop
from smsflow_plugin.integrations.shopify.sync.comparing import state_of
from smsflow_plugin.integrations.shopify.writes.definition import Definition
from smsflow_plugin.integrations.shopify.writes.pool import pool_for
from smsflow_plugin.models import Connection, Delivery, Store
from smsflow_plugin.stores.roles import AGENCY, STORE_ADMIN, SUPPORT
from tests.admin.people import client_of, make_user
from tests.shopify_connect.conftest import SHOP, Shopify
from tests.shopify_connect.test_subscribing import live_flow

pytestmark = pytest.mark.django_db


@pytest.fixture
def ines(store: Store, compared: list[int]) -> Client:
    return client_of(make_user("ines", STORE_ADMIN, store))


@pytest.fixture
def apps_person(db: None) -> Client:
    """Who looks after the apps of the whole site, and is in no store."""
    user = make_user("sam", STORE_ADMIN)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="smsflow_shopify"))
    return client_of(user)


def address(name: str, store: Store) -> str:
    return reverse(f"smsflow_stores:shopify{name}", args=[store.pk])


def page(client: Client, store: Store) -> str:
    answer = client.get(address("", store))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


# --- how it stands


def test_a_store_without_a_shop_is_told_to_connect_one(ines: Client, store: Store) -> None:
    Connection.objects.filter(store=store).delete()
    shown = page(ines, store)
    assert "This store is not connected to a shop yet." in shown
    assert f'href="{address("_connect", store)}"' in shown


def test_the_address_for_the_web_pixel_can_be_read(ines: Client, store: Store, connection: Connection) -> None:
    assert f"/smsflow/shopify/pixel/{connection.token}/" in page(ines, store)


def test_a_shop_with_a_secret_only_is_told_what_an_app_adds(ines: Client, store: Store) -> None:
    assert "nothing can be asked of it" in page(ines, store)


def test_all_is_well(ines: Client, store: Store, grant: Grant, connection: Connection, shopify: Shopify) -> None:
    live_flow(store, "parcel_delivered", name="How was it?")
    Delivery.objects.create(store=store, source="shopify", external_id="w", topic="shop/update", body=b"{}")
    compare_shop(connection.pk)
    shown = page(ines, store)
    assert "Nothing: the shop is connected" in shown
    assert "fulfillment_events/create" in shown and "How was it?" in shown
    assert "Not yet" not in shown and "Missing" not in shown
    assert shown.count("(done)") == 5
    assert grant.secrets["access_token"] not in shown and "s3cret" not in shown


def test_a_right_that_is_missing_is_named_with_the_flow_that_needs_it(
    ines: Client, store: Store, grant: Grant, connection: Connection
) -> None:
    live_flow(store, "return_requested", name="Sorry to see it go")
    compare_shop(connection.pk)
    shown = page(ines, store)
    assert "rights that the shop has not granted: read_returns." in shown
    assert "Agree again" in shown and "Sorry to see it go" in shown


def test_a_broken_connection_says_why_and_what_helps(
    ines: Client, store: Store, grant: Grant, connection: Connection
) -> None:
    tokens.set_broken(connection, "The shop is frozen: its plan is not paid.")
    shown = page(ines, store)
    assert "The shop does not let us in: The shop is frozen: its plan is not paid." in shown
    assert "Ask again" in shown and "Connect to Shopify" in shown


def test_what_shopify_did_not_do_and_what_was_put_right_are_told(
    ines: Client, store: Store, grant: Grant, connection: Connection, shopify: Shopify
) -> None:
    compare_shop(connection.pk)
    shopify.shop().loses("ORDERS_CREATE")
    shopify.shop().loses("CUSTOMERS_UPDATE")
    shopify.shop().refuses["CUSTOMERS_UPDATE"] = "Not approved."
    compare_shop(connection.pk)
    shown = page(ines, store)
    assert "orders/create was gone at Shopify, and was set up again." in shown
    assert "Shopify did not set up customers/update: Not approved." in shown


def test_a_worker_that_is_not_there_is_noticed(
    ines: Client, store: Store, grant: Grant, connection: Connection, still: Any
) -> None:
    compare_shop(connection.pk)
    still.move(hours=3)
    assert "Is the worker running?" in page(ines, store)


def test_a_lost_key_does_not_take_the_page_away(
    ines: Client, store: Store, grant: Grant, connection: Connection, settings: Any
) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "ENCRYPTION_KEYS": ["YW5vdGhlci1rZXktYW5vdGhlci1rZXktYW5vdGhlci0="]}
    assert page(ines, store)
    ines.post(address("_check", store))
    assert "cannot be read" in page(ines, store)


def test_the_page_takes_the_same_number_of_queries_whatever_there_is(
    ines: Client, store: Store, grant: Grant, connection: Connection
) -> None:
    compare_shop(connection.pk)
    page(ines, store)

    def count() -> int:
        with CaptureQueriesContext(database) as queries:
            page(ines, store)
        return len(queries)

    few = count()
    for number in range(12):
        live_flow(store, "parcel_delivered", "checkout_updated", name=f"Flow {number}")
    page(ines, store)  # programs are read once in the life of a process
    assert count() == few <= 30


# --- buttons


def test_checking_asks_the_shop_and_mends_what_a_person_has_put_right(
    ines: Client, store: Store, grant: Grant, connection: Connection, shopify: Shopify
) -> None:
    tokens.set_broken(connection, "The shop is frozen.")
    ines.post(address("_check", store))
    grant.refresh_from_db()
    assert grant.broken_at is None and SubscriptionCheck.objects.get().answered_at is not None
    assert "sierra-gear.myshopify.com answers." in page(ines, store)
    shopify.shop().tokens.clear()
    shopify.apps.clear()
    ines.post(address("_check", store))
    grant.refresh_from_db()
    assert grant.broken_at is not None


def test_comparing_is_left_to_a_worker(
    ines: Client, store: Store, grant: Grant, compared: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        ines.post(address("_compare", store))
    assert compared == [grant.connection_id]


def test_disconnecting_ends_the_webhooks_and_forgets_the_token(
    ines: Client, store: Store, grant: Grant, connection: Connection, shopify: Shopify
) -> None:
    compare_shop(connection.pk)
    shopify.shop().webhooks["gid://theirs"] = {"topic": "ORDERS_PAID", "uri": "https://elsewhere.example/"}
    ines.post(address("_disconnect", store))
    assert list(shopify.shop().webhooks) == ["gid://theirs"]
    assert not Grant.objects.exists() and Connection.objects.filter(pk=connection.pk).exists()


def test_another_shop_is_connected_after_the_first_was_disconnected(
    ines: Client, store: Store, app: ShopifyApp, grant: Grant, connection: Connection, shopify: Shopify
) -> None:
    connection.secrets = {}
    connection.save(update_fields=["secrets"])
    app.kind = ShopifyApp.Kind.CLIENT_CREDENTIALS
    app.save(update_fields=["kind"])
    app.stores.add(store)
    state_of(connection)
    pool_for(connection, Definition("percent", Decimal(10), None, 7, ""), clock.now())
    other = {"shop": "sierra-gear-2.myshopify.com", "app": app.pk}
    ines.post(address("_connect", store), other)
    assert store.connections.get(kind="shopify").account == SHOP  # while it is connected, the field is locked
    ines.post(address("_disconnect", store))
    # codes that the next shop does not know are given to nobody
    assert not CodePool.objects.exists()
    assert SyncState.objects.exists()
    answer = ines.post(address("_connect", store), other)
    assert answer.status_code == 302, answer.context["form"].errors
    assert store.connections.get(kind="shopify").account == "sierra-gear-2.myshopify.com"
    assert not SyncState.objects.exists()


def test_a_secret_of_its_own_still_binds_a_store_to_its_shop(ines: Client, store: Store, app: ShopifyApp) -> None:
    app.stores.add(store)
    ines.post(address("_connect", store), {"shop": "sierra-gear-2.myshopify.com", "app": app.pk})
    assert store.connections.get(kind="shopify").account == SHOP


@pytest.mark.parametrize("role", [AGENCY, SUPPORT])
def test_who_may_not_change_connections_changes_none(
    store: Store, grant: Grant, shopify: Shopify, role: str, compared: list[int]
) -> None:
    client = client_of(make_user("agnes", role, store))
    for name in ("_connect", "_token"):
        assert client.get(address(name, store)).status_code == 302, name
    client.post(address("_disconnect", store))
    assert Grant.objects.exists() and shopify.asked == []
    # an agency sees how it stands, but no way to change it
    answer = client.get(address("", store))
    assert answer.status_code == (200 if role == AGENCY else 302)
    assert address("_connect", store) not in answer.content.decode()


# --- connecting


def test_an_app_is_offered_to_its_stores_and_to_those_who_manage_apps(
    ines: Client, store: Store, danish_store: Store, app: ShopifyApp
) -> None:
    app.stores.add(danish_store)
    shown = ines.get(address("_connect", store)).content.decode()
    assert "Texts" not in shown and "Ask somebody who looks after the site" in shown
    refused = ines.post(address("_connect", store), {"shop": SHOP, "app": app.pk})
    assert refused.status_code == 200 and not Grant.objects.exists()
    app.stores.add(store)
    assert "Texts" in ines.get(address("_connect", store)).content.decode()


def test_without_a_page_the_shop_of_the_apps_own_organisation_is_connected_at_once(
    ines: Client, store: Store, app: ShopifyApp, shopify: Shopify
) -> None:
    ShopifyApp.objects.filter(pk=app.pk).update(kind=ShopifyApp.Kind.CLIENT_CREDENTIALS)
    app.stores.add(store)
    assert ines.post(address("_connect", store), {"shop": SHOP, "app": app.pk}).status_code == 302
    assert Grant.objects.get().kind == Grant.Kind.CLIENT_CREDENTIALS
    assert shopify.asked == [(SHOP, "client_credentials")]


def test_an_app_of_several_stores_connects_nobody_elses_shop_without_a_page(
    ines: Client, store: Store, danish_store: Store, app: ShopifyApp, shopify: Shopify
) -> None:
    ShopifyApp.objects.filter(pk=app.pk).update(kind=ShopifyApp.Kind.CLIENT_CREDENTIALS)
    app.stores.set([store, danish_store])
    Connection.objects.filter(kind="shopify").delete()
    shown = ines.post(address("_connect", store), {"shop": "nordic-tea.myshopify.com", "app": app.pk})
    assert "This app serves other stores as well." in shown.content.decode()
    assert shopify.asked == [] and not Grant.objects.exists()


def test_a_token_is_tried_before_it_is_kept(ines: Client, store: Store, shopify: Shopify) -> None:
    shop = shopify.shop()
    data = {"shop": SHOP, "token": "shpat_1", "secret": ""}
    shown = ines.post(address("_token", store), data).content.decode()
    assert "The token is not valid" in shown and "shpat_1" not in shown
    shop.tokens.add("shpat_1")
    assert ines.post(address("_token", store), data).status_code == 302
    grant = Grant.objects.get()
    assert (grant.kind, grant.app, grant.secrets["access_token"]) == (Grant.Kind.STATIC, None, "shpat_1")
    assert set(grant.scopes) == set(shop.scopes)
    assert "shpat_1" not in page(ines, store)


def test_a_token_of_another_shop_is_refused(ines: Client, store: Store, shopify: Shopify) -> None:
    shop = shopify.shop()
    shop.tokens.add("shpat_1")
    shop.domain = "elsewhere.myshopify.com"
    shown = ines.post(address("_token", store), {"shop": SHOP, "token": "shpat_1", "secret": ""}).content.decode()
    assert "This token belongs to elsewhere.myshopify.com." in shown
    assert not Grant.objects.exists()


@pytest.mark.parametrize(
    "written",
    [SHOP, f" https://{SHOP}/admin ", "https://admin.shopify.com/store/sierra-gear/products", SHOP.upper()],
)
def test_a_shop_is_understood_however_it_is_copied(
    ines: Client, store: Store, app: ShopifyApp, shopify: Shopify, written: str
) -> None:
    Connection.objects.filter(store=store, kind="shopify").delete()
    app.stores.add(store)
    answer = ines.post(address("_connect", store), {"shop": written, "app": app.pk})
    assert answer["Location"].startswith(f"https://{SHOP}/admin/oauth/authorize?")


@pytest.mark.parametrize("written", ["", "evil.example", "sierra-gear.example", "a b.myshopify.com", "[.myshopify.com"])
def test_what_is_no_shop_is_refused(ines: Client, store: Store, app: ShopifyApp, written: str) -> None:
    Connection.objects.filter(store=store, kind="shopify").delete()
    app.stores.add(store)
    answer = ines.post(address("_connect", store), {"shop": written, "app": app.pk})
    assert answer.status_code == 200 and "shop" in answer.context["form"].errors


def test_the_domain_of_a_connected_shop_is_not_changed_under_its_token(
    ines: Client, store: Store, grant: Grant
) -> None:
    url = reverse("smsflow_stores:edit", args=[store.pk])
    form = ines.get(url).context["form"]
    data = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    shown = ines.post(url, {**data, "shop_domain": "elsewhere.myshopify.com"}).content.decode()
    assert "Disconnect it first." in shown
    assert Connection.objects.get(store=store, kind="shopify").account == SHOP
    # and with an app the shop needs no secret of its own
    Connection.objects.filter(store=store, kind="shopify").update(secrets=Connection(secrets={}).secrets)
    assert ines.post(url, data).status_code == 302


# --- apps


def test_apps_are_for_those_who_look_after_the_site(ines: Client, app: ShopifyApp, store: Store) -> None:
    app.stores.add(store)
    for name, args in (("index", []), ("add", []), ("edit", [app.pk]), ("delete", [app.pk]), ("toml", [app.pk])):
        answer = ines.get(reverse(f"smsflow_shopify_apps:{name}", args=args))
        assert answer.status_code == 302, name


def test_an_app_is_added_and_its_secret_never_shown_again(apps_person: Client, store: Store) -> None:
    url = reverse("smsflow_shopify_apps:add")
    data = {"name": "Texts", "kind": "oauth", "client_id": "abc-1", "secret": "s3cret", "stores": [store.pk]}
    assert "secret" in apps_person.post(url, {**data, "secret": ""}).context["form"].errors
    assert "client_id" in apps_person.post(url, {**data, "client_id": "a b"}).context["form"].errors
    assert apps_person.post(url, data).status_code == 302
    app = ShopifyApp.objects.get()
    assert app.secret == "s3cret" and list(app.stores.all()) == [store]
    edit = reverse("smsflow_shopify_apps:edit", args=[app.pk])
    assert "s3cret" not in apps_person.get(edit).content.decode()
    assert apps_person.post(edit, {**data, "secret": "", "name": "Texting"}).status_code == 302
    app.refresh_from_db()
    assert (app.name, app.secret, app.all_secrets) == ("Texting", "s3cret", ("s3cret",))
    # a new secret keeps the one before it, until somebody says that it is revoked
    apps_person.post(edit, {**data, "secret": "new"})
    app.refresh_from_db()
    assert app.all_secrets == ("new", "s3cret")
    apps_person.post(edit, {**data, "secret": "", "forget_previous": "on"})
    app.refresh_from_db()
    assert app.all_secrets == ("new",)


def test_an_app_in_use_is_neither_deleted_nor_made_another(apps_person: Client, grant: Grant, app: ShopifyApp) -> None:
    apps_person.post(reverse("smsflow_shopify_apps:delete", args=[app.pk]))
    assert ShopifyApp.objects.filter(pk=app.pk).exists()
    data = {"name": "Texts", "kind": "oauth", "client_id": "another", "secret": "s"}
    answer = apps_person.post(reverse("smsflow_shopify_apps:edit", args=[app.pk]), data)
    assert "client_id" in answer.context["form"].errors
    assert "Sierra Gear" in apps_person.get(reverse("smsflow_shopify_apps:index")).content.decode()


def test_the_file_for_shopify_holds_addresses_scopes_and_what_the_law_wants(
    apps_person: Client, grant: Grant, app: ShopifyApp, store: Store
) -> None:
    live_flow(store, "parcel_delivered")
    ShopifyApp.objects.filter(pk=app.pk).update(name='Sierra "Gear" \\ Æ')
    answer = apps_person.get(reverse("smsflow_shopify_apps:toml", args=[app.pk]))
    assert answer["Content-Disposition"] == 'attachment; filename="shopify.app.sierra-gear.toml"'
    found = tomllib.loads(answer.content.decode())
    assert found["name"] == 'Sierra "Gear" \\ Æ' and found["client_id"] == "app-1"
    base = "https://texts.example/smsflow/shopify/"
    assert found["application_url"] == f"{base}install/" and found["embedded"] is False
    assert found["auth"]["redirect_urls"] == [f"{base}callback/"]
    assert found["access_scopes"] == {
        "scopes": "read_customer_merge,read_fulfillments,read_orders,write_customers",
        "use_legacy_install_flow": True,
    }
    assert found["webhooks"]["api_version"] == "2026-10"
    assert found["webhooks"]["subscriptions"] == [
        {
            "compliance_topics": ["customers/data_request", "customers/redact", "shop/redact"],
            "uri": f"{base}webhooks/",
        }
    ]
    assert "s3cret" not in answer.content.decode()


def test_the_command_writes_the_same_file(apps_person: Client, app: ShopifyApp) -> None:
    out = StringIO()
    call_command("smsflow_shopify_toml", "app-1", stdout=out)
    assert out.getvalue() == apps_person.get(reverse("smsflow_shopify_apps:toml", args=[app.pk])).content.decode()
    with pytest.raises(CommandError, match="no app"):
        call_command("smsflow_shopify_toml", "another")


def test_before_any_store_is_connected_the_file_asks_for_what_is_always_needed(app: ShopifyApp) -> None:
    out = StringIO()
    call_command("smsflow_shopify_toml", "Texts", stdout=out)
    assert tomllib.loads(out.getvalue())["access_scopes"]["scopes"] == "read_customer_merge,read_orders,write_customers"


@pytest.mark.parametrize(
    "name",
    [
        "smsflow_stores:check", "smsflow_stores:shopify_connect", "smsflow_stores:shopify_token",
        "smsflow_stores:shopify_check", "smsflow_stores:shopify_disconnect", "smsflow_shopify:arrive",
        "smsflow:shopify:install", "smsflow:shopify:callback",
    ],
)  # fmt: skip
def test_what_calls_the_network_is_never_in_a_transaction_of_the_request(name: str) -> None:
    in_a_store = name.startswith("smsflow_stores:")
    view = resolve(reverse(name, args=[1] if in_a_store else [])).func
    assert view._non_atomic_requests == {"default"}
