"""From Shopify and back: what a browser brings is believed only if Shopify signed it, for whom, and just now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import shopify as shopify_api  # type: ignore[import-untyped]
from django.db import connection as database
from django.test import Client
from django.urls import reverse

from smsflow_plugin import clock
from smsflow_plugin.integrations.shopify import oauth
from smsflow_plugin.integrations.shopify.admin import tokens
from smsflow_plugin.integrations.shopify.admin.grants import Granted
from smsflow_plugin.integrations.shopify.connecting import forget_uninstalled, tidy_pending
from smsflow_plugin.integrations.shopify.models import Grant, PendingInstall, ShopifyApp, SubscriptionCheck
from smsflow_plugin.models import Connection, Store, StoreLogEntry
from smsflow_plugin.stores.roles import AGENCY, STORE_ADMIN
from tests.admin.people import client_of, make_user
from tests.shopify_connect.conftest import SHOP, Shopify, signed

pytestmark = pytest.mark.django_db
INSTALL, CALLBACK = "/smsflow/shopify/install/", "/smsflow/shopify/callback/"


@pytest.fixture
def ines(store: Store, app: ShopifyApp, compared: list[int]) -> Client:
    """Who runs the store, and may use the app."""
    app.stores.add(store)
    return client_of(make_user("ines", STORE_ADMIN, store))


def begin(client: Client, store: Store, app: ShopifyApp, **values: str) -> dict[str, str]:
    """Press the button, and return the parameters with which Shopify's page is asked."""
    url = reverse("smsflow_stores:shopify_connect", args=[store.pk])
    answer = client.post(url, {"shop": SHOP, "app": app.pk, **values})
    assert answer.status_code == 302, answer.context["form"].errors
    parts = urlsplit(answer["Location"])
    assert (parts.scheme, parts.netloc, parts.path) == ("https", SHOP, "/admin/oauth/authorize")
    return {name: value for name, [value] in parse_qs(parts.query).items()}


def come_back(client: Client, state: str, secret: str = "s3cret", **values: str) -> Any:
    query = signed({"code": "code-1", "shop": SHOP, "state": state, "host": "YWRtaW4", **values}, secret)
    return client.get(CALLBACK, query)


def said(client: Client, answer: Any) -> str:
    """Return what the page says to which an answer leads."""
    page = client.get(answer["Location"]) if answer.status_code == 302 else answer
    return page.content.decode()


# --- there and back


def test_a_store_is_connected_by_going_to_shopify_and_back(
    ines: Client, store: Store, app: ShopifyApp, shopify: Shopify, compared: list[int], still: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    asked = begin(ines, store, app)
    assert asked["client_id"] == "app-1"
    assert asked["redirect_uri"] == "https://texts.example/smsflow/shopify/callback/"
    assert asked["scope"] == "read_customer_merge,read_orders,write_customers"
    shopify.codes["code-1"] = SHOP
    with django_capture_on_commit_callbacks(execute=True):
        answer = come_back(ines, asked["state"])
    assert answer["Location"] == reverse("smsflow_stores:shopify", args=[store.pk])
    grant = Grant.objects.get()
    assert (grant.connection.account, grant.app, grant.kind) == (SHOP, app, Grant.Kind.EXPIRING)
    assert grant.secrets["access_token"] in shopify.shop().tokens
    assert grant.connection.connected_at == grant.granted_at == still()
    assert compared == [grant.connection_id]
    assert PendingInstall.objects.count() == 0
    entry = StoreLogEntry.objects.get(action="smsflow.connect_shop")
    assert entry.store == store and entry.user.get_username() == "ines"
    assert "token" not in str(entry.data)
    assert "is connected to sierra-gear.myshopify.com" in said(ines, answer)


def test_nobody_comes_back_twice(ines: Client, store: Store, app: ShopifyApp, shopify: Shopify) -> None:
    state = begin(ines, store, app)["state"]
    shopify.codes["code-1"] = SHOP
    assert come_back(ines, state).status_code == 302
    shopify.codes["code-1"] = SHOP
    answer = come_back(ines, state)
    assert answer.status_code == 400 and "Begin again" in said(ines, answer)
    assert [what for _shop, what in shopify.asked] == ["code"]


def test_somebody_else_cannot_come_back_in_her_place(
    ines: Client, store: Store, app: ShopifyApp, shopify: Shopify
) -> None:
    state = begin(ines, store, app)["state"]
    for client in (Client(), client_of(make_user("omar", STORE_ADMIN, store))):
        assert come_back(client, state).status_code == 400
    assert PendingInstall.objects.count() == 1 and shopify.asked == []


def test_who_lost_the_right_meanwhile_connects_nothing(
    ines: Client, store: Store, app: ShopifyApp, shopify: Shopify
) -> None:
    state = begin(ines, store, app)["state"]
    store.memberships.all().delete()
    assert come_back(ines, state).status_code == 403
    assert Grant.objects.count() == 0 and shopify.asked == []


def test_who_takes_too_long_begins_again(ines: Client, store: Store, app: ShopifyApp, still: Any) -> None:
    state = begin(ines, store, app)["state"]
    still.move(minutes=31)
    assert come_back(ines, state).status_code == 400
    tidy_pending()
    assert PendingInstall.objects.count() == 0


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"hmac": "0" * 64}, "not signed"),
        ({"hmac": "é"}, "not signed"),
        ({"hmac": None}, "not signed"),
        ({"shop": "other.myshopify.com"}, "not signed"),
        ({"code": "code-2"}, "not signed"),
        ({"state": None}, "Begin again"),
        ({"state": "made-up:signature"}, "Begin again"),
    ],
)
def test_what_was_changed_on_the_way_is_refused(
    ines: Client, store: Store, app: ShopifyApp, shopify: Shopify, change: Mapping[str, str | None], why: str
) -> None:
    query = signed({"code": "code-1", "shop": SHOP, "state": begin(ines, store, app)["state"]})
    query = {name: value for name, value in {**query, **change}.items() if value is not None}
    answer = ines.get(CALLBACK, query)
    assert answer.status_code == 400 and why in said(ines, answer)
    assert shopify.asked == [] and PendingInstall.objects.count() == 1


# the clock goes on while the test runs: what is from the future comes nearer by the second
@pytest.mark.parametrize("age", [91, 3600, -150])
def test_an_old_address_is_refused_although_shopify_signed_it(
    ines: Client, store: Store, app: ShopifyApp, age: int
) -> None:
    query = signed({"code": "code-1", "shop": SHOP, "state": begin(ines, store, app)["state"]}, age=age)
    assert "too old" in said(ines, ines.get(CALLBACK, query))


@pytest.mark.parametrize("timestamp", ["", "soon", "1e9", "-5", "٣٤٥", "9" * 30])
def test_a_time_that_is_none_is_refused(ines: Client, store: Store, app: ShopifyApp, timestamp: str) -> None:
    state = begin(ines, store, app)["state"]
    query = signed({"code": "code-1", "shop": SHOP, "state": state, "timestamp": timestamp})
    assert "too old" in said(ines, ines.get(CALLBACK, query))


@pytest.mark.parametrize("name", ["shop", "hmac", "state", "code", "timestamp"])
def test_a_parameter_that_comes_twice_is_refused(ines: Client, store: Store, app: ShopifyApp, name: str) -> None:
    query = signed({"code": "code-1", "shop": SHOP, "state": begin(ines, store, app)["state"]})
    answer = ines.get(CALLBACK, {**query, name: [query[name], query[name]]})
    assert answer.status_code == 400


def test_another_shop_than_the_one_that_was_asked_is_refused(
    ines: Client, store: Store, app: ShopifyApp, shopify: Shopify
) -> None:
    state = begin(ines, store, app)["state"]
    answer = come_back(ines, state, shop="nordic-tea.myshopify.com")
    assert answer.status_code == 400 and "another shop" in said(ines, answer)


@pytest.mark.parametrize(
    "shop", ["evil.example", "sierra-gear.myshopify.com.evil.example", "SIERRA-GEAR.myshopify.com"]
)
def test_what_is_no_shop_of_shopify_is_refused_even_if_it_is_signed(
    ines: Client, store: Store, app: ShopifyApp, shopify: Shopify, shop: str
) -> None:
    state = begin(ines, store, app)["state"]
    assert come_back(ines, state, shop=shop).status_code == 400
    assert shopify.asked == []


def test_the_secret_of_another_app_does_not_count_and_the_previous_one_does(
    ines: Client, store: Store, app: ShopifyApp, shopify: Shopify
) -> None:
    ShopifyApp.objects.create(name="Other", client_id="app-2", secrets={"secret": "other"})
    state = begin(ines, store, app)["state"]
    assert come_back(ines, state, "other").status_code == 400
    shopify.apps["app-1"] = "new"
    app.secrets = {"secret": "new", "previous_secret": "s3cret"}
    app.save(update_fields=["secrets"])
    shopify.codes["code-1"] = SHOP
    assert come_back(ines, state, "s3cret").status_code == 302
    assert Grant.objects.count() == 1


def test_a_code_that_shopify_refuses_changes_nothing(
    ines: Client, store: Store, app: ShopifyApp, shopify: Shopify
) -> None:
    answer = come_back(ines, begin(ines, store, app)["state"])
    assert "The code was used, or is old." in said(ines, answer)
    assert Grant.objects.count() == 0


def test_a_shop_of_another_store_is_refused_with_a_sentence(
    ines: Client, store: Store, danish_store: Store, app: ShopifyApp, shopify: Shopify
) -> None:
    Connection.objects.filter(store=store, kind="shopify").delete()
    url = reverse("smsflow_stores:shopify_connect", args=[store.pk])
    page = ines.post(url, {"shop": "nordic-tea.myshopify.com", "app": app.pk}).content.decode()
    assert "nordic-tea.myshopify.com is connected to another store here." in page
    # somebody is faster while she agrees
    state = begin(ines, store, app)["state"]
    Connection.objects.filter(store=danish_store, kind="shopify").update(account=SHOP)
    shopify.codes["code-1"] = SHOP
    assert "is connected to another store here" in said(ines, come_back(ines, state))
    assert Grant.objects.count() == 0


# --- from Shopify's side


def test_an_install_begun_in_shopify_leads_through_the_sign_in_to_the_store(
    ines: Client, store: Store, app: ShopifyApp, shopify: Shopify
) -> None:
    answer = Client().get(INSTALL, signed({"shop": SHOP, "host": "YWRtaW4"}))
    assert answer.status_code == 302
    assert "/login/" in Client().get(answer["Location"])["Location"]
    page = ines.get(answer["Location"])
    assert [str(each) for each in page.context["stores"]] == [store.name]
    going = ines.post(answer["Location"], {"store": store.pk})
    assert going["Location"].startswith(f"https://{SHOP}/admin/oauth/authorize?")
    shopify.codes["code-1"] = SHOP
    state = parse_qs(urlsplit(going["Location"]).query)["state"][0]
    assert come_back(ines, state).status_code == 302
    assert Grant.objects.get().connection.store == store
    # whoever opens the app again is led to the page of the store
    again = ines.get(Client().get(INSTALL, signed({"shop": SHOP}))["Location"])
    assert again["Location"] == reverse("smsflow_stores:shopify", args=[store.pk])


def test_a_stranger_who_comes_from_the_shop_learns_nothing_of_the_store(
    store: Store, danish_store: Store, app: ShopifyApp, shopify: Shopify, compared: list[int]
) -> None:
    omar = client_of(make_user("omar", STORE_ADMIN, danish_store))
    arrival = Client().get(INSTALL, signed({"shop": SHOP}))["Location"]
    page = omar.get(arrival).content.decode()
    assert "cannot be connected by you" in page and store.name not in page
    assert omar.post(arrival, {"store": store.pk}).status_code == 200
    assert PendingInstall.objects.count() == 0


def test_agencies_who_may_not_change_connections_are_offered_no_store(
    store: Store, app: ShopifyApp, shopify: Shopify
) -> None:
    arrival = Client().get(INSTALL, signed({"shop": SHOP}))["Location"]
    page = client_of(make_user("agnes", AGENCY, store)).get(arrival).content.decode()
    assert "cannot be connected by you" in page


@pytest.mark.parametrize("arrival", ["", "made-up", "a:b:c"])
def test_an_arrival_that_is_made_up_leads_home(ines: Client, arrival: str) -> None:
    url = reverse("smsflow_shopify:arrive")
    assert ines.get(url, {"arrival": arrival})["Location"] == reverse("wagtailadmin_home")


def test_an_arrival_ends_after_an_hour(ines: Client, app: ShopifyApp, monkeypatch: pytest.MonkeyPatch) -> None:
    arrival = oauth.sign_arrival(app, SHOP)
    later = clock.system() + timedelta(minutes=61)
    monkeypatch.setattr(clock, "system", lambda: later)
    with pytest.raises(oauth.NotGenuine, match="too old"):
        oauth.read_arrival(arrival)


def test_an_install_that_no_known_app_has_signed_is_refused(app: ShopifyApp) -> None:
    answer = Client().get(INSTALL, signed({"shop": SHOP}, "another secret"))
    assert answer.status_code == 400 and b"not signed" in answer.content
    assert Client().get(INSTALL).status_code == 400
    assert Client().post(INSTALL).status_code == 405


def test_of_several_apps_the_one_that_signed_is_taken(app: ShopifyApp) -> None:
    other = ShopifyApp.objects.create(name="Other", client_id="app-2", secrets={"secret": "other"})
    found, shop = oauth.app_that_signed(signed({"shop": SHOP}, "other"))
    assert (found, shop) == (other, SHOP)


def test_inside_shopifys_admin_a_link_leads_out_of_the_frame(app: ShopifyApp) -> None:
    answer = Client().get(INSTALL, signed({"shop": SHOP, "embedded": "1"}))
    assert b'target="_blank"' in answer.content
    assert answer["Content-Security-Policy"] == f"frame-ancestors https://{SHOP} https://admin.shopify.com"
    assert "X-Frame-Options" not in answer


# --- id tokens


def id_token(secret: str = "s3cret", shop: str = SHOP, **values: Any) -> str:
    now = int(clock.system().timestamp())
    claims = {
        "iss": f"https://{shop}/admin", "dest": f"https://{shop}", "aud": "app-1", "sub": "42", "exp": now + 60,
        "nbf": now, "iat": now, "jti": "j", "sid": "s", **values,
    }  # fmt: skip
    return jwt.encode(claims, secret, algorithm="HS256")


def opened(token: str) -> Any:
    return Client().get(INSTALL, signed({"shop": SHOP, "embedded": "1", "id_token": token}))


def test_opening_the_app_in_shopify_brings_a_lost_token_back(
    grant: Grant, connection: Connection, shopify: Shopify, compared: list[int]
) -> None:
    tokens.set_broken(connection, "The refresh token has expired.")
    assert opened(id_token()).status_code == 200
    grant.refresh_from_db()
    assert grant.broken_at is None and grant.secrets["access_token"] in shopify.shop().tokens
    assert shopify.asked == [(SHOP, "urn:ietf:params:oauth:grant-type:token-exchange")]


def test_a_shop_that_nobody_has_connected_here_is_not_connected_by_opening_the_app(
    connection: Connection, app: ShopifyApp, shopify: Shopify
) -> None:
    """A store's form takes any domain: whoever wrote it down must not get the tokens of its owner."""
    assert opened(id_token()).status_code == 200
    assert Grant.objects.count() == 0 and shopify.asked == []


@pytest.mark.parametrize(
    "token",
    [
        "nonsense",
        id_token("other secret"),
        id_token(shop="nordic-tea.myshopify.com"),
        id_token(aud="app-2"),
        id_token(exp=1),
    ],
    ids=["nonsense", "other secret", "other shop", "other app", "old"],
)
def test_an_id_token_that_is_not_right_brings_nothing(
    grant: Grant, connection: Connection, shopify: Shopify, token: str
) -> None:
    tokens.set_broken(connection, "The refresh token has expired.")
    assert opened(token).status_code == 200
    assert shopify.asked == []


# --- gone and back


def test_an_uninstalled_shop_is_forgotten_and_a_new_install_brings_it_back(
    ines: Client, store: Store, app: ShopifyApp, grant: Grant, connection: Connection, shopify: Shopify, still: Any
) -> None:
    SubscriptionCheck.objects.create(connection=connection, topics=["orders/create"])
    Store.objects.filter(pk=store.pk).update(status=Store.Status.UNINSTALLED)
    assert (forget_uninstalled(), forget_uninstalled()) == (1, 0)
    grant.refresh_from_db()
    assert grant.secrets == {} and grant.broken_at is not None
    page = ines.get(reverse("smsflow_stores:shopify", args=[store.pk])).content.decode()
    assert "The app was taken away" in page and "Connect to Shopify" in page
    still.move(days=1)
    shopify.codes["code-1"] = SHOP
    come_back(ines, begin(ines, store, app)["state"])
    store.refresh_from_db()
    connection.refresh_from_db()
    assert store.status == Store.Status.ACTIVE and connection.connected_at == still()
    assert Grant.objects.get().broken_at is None
    # its subscriptions ended with the app: none of those that are made now was lost
    assert SubscriptionCheck.objects.get().topics == []
    assert forget_uninstalled() == 0


def test_a_token_whose_key_is_lost_does_not_keep_those_of_other_shops(
    grant: Grant, store: Store, danish_store: Store, still: Any
) -> None:
    other = tokens.save(
        danish_store.connections.get(kind="shopify"), kind=Grant.Kind.STATIC, granted=Granted("shpat_2"), app=None
    )
    with database.cursor() as cursor:
        cursor.execute(f"UPDATE {Grant._meta.db_table} SET secrets = 'sealed' WHERE id = {int(grant.pk)}")
    Store.objects.update(status=Store.Status.UNINSTALLED)
    assert forget_uninstalled() == 2
    other.refresh_from_db()
    assert other.secrets == {}
    assert forget_uninstalled() == 0


def test_a_shop_that_comes_back_while_it_is_being_forgotten_keeps_its_new_token(
    connection: Connection, grant: Grant, app: ShopifyApp, still: Any
) -> None:
    old = Grant.objects.get()
    still.move(seconds=1)
    new = tokens.save(connection, kind=Grant.Kind.STATIC, granted=oauth_granted("new"), app=app)
    tokens.forget(old, "The app was taken away.")
    new.refresh_from_db()
    assert new.secrets["access_token"] == "new" and new.broken_at is None


def test_a_renewal_does_not_undo_a_connect_that_happened_meanwhile(
    connection: Connection, grant: Grant, app: ShopifyApp, shopify: Shopify, still: Any, monkeypatch: Any
) -> None:
    Grant.objects.update(expires_at=clock.now())
    renew = shopify.post

    def slowly(*args: Any, **kwargs: Any) -> Any:
        answer = renew(*args, **kwargs)
        tokens.save(connection, kind=Grant.Kind.STATIC, granted=oauth_granted("connected meanwhile"), app=None)
        return answer

    monkeypatch.setattr("smsflow_plugin.integrations.shopify.admin.transport.post", slowly)
    assert tokens.usable(connection).token == "connected meanwhile"
    assert Grant.objects.get().secrets["access_token"] == "connected meanwhile"


def oauth_granted(token: str) -> Any:
    from smsflow_plugin.integrations.shopify.admin.grants import Granted

    return Granted(token)


def test_the_class_of_the_library_that_all_share_is_never_set_up(
    ines: Client, store: Store, app: ShopifyApp, shopify: Shopify
) -> None:
    state = begin(ines, store, app)["state"]
    come_back(ines, state)
    assert (shopify_api.Session.api_key, shopify_api.Session.secret) == (None, None)
    one, other = oauth.session_class(app), oauth.session_class(app, "other")
    assert (one.secret, other.secret) == ("s3cret", "other")
