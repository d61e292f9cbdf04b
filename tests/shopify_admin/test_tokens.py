"""Tokens are renewed in time, once, by one worker; and what is lost is known to be lost."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db import connections

from smsflow_plugin import clock
from smsflow_plugin.integrations.shopify.admin import grants, tokens
from smsflow_plugin.integrations.shopify.admin.errors import Refused, Unreachable
from smsflow_plugin.integrations.shopify.admin.scopes import held, missing, shortest
from smsflow_plugin.integrations.shopify.admin.transport import Answer
from smsflow_plugin.integrations.shopify.models import Grant, ShopifyApp
from smsflow_plugin.models import Connection
from tests.conftest import TestClock
from tests.shopify_admin.conftest import Shop


def given(number: int, **values: Any) -> Answer:
    body = {
        "access_token": f"token-{number}",
        "refresh_token": f"refresh-{number}",
        "expires_in": 3600,
        "refresh_token_expires_in": 7_776_000,
        "scope": "write_customers,read_orders",
    }
    return Answer(200, {}, {**body, **values})


def test_a_young_token_is_used_as_it_is(shop: Shop, connection: Connection, grant: Grant) -> None:
    assert tokens.usable(connection).token == "token-1"
    assert shop.asked == []


def test_a_token_is_renewed_before_it_ends_and_the_new_one_is_kept(
    shop: Shop, connection: Connection, grant: Grant, still: TestClock
) -> None:
    still.move(minutes=56)
    shop.says(given(2))
    assert tokens.usable(connection).token == "token-2"
    [(url, body, _headers)] = shop.asked
    assert url == "https://sierra-gear.myshopify.com/admin/oauth/access_token"
    assert body == {
        "client_id": "app-1", "client_secret": "s3cret", "grant_type": "refresh_token", "refresh_token": "refresh-1",
    }  # fmt: skip
    grant.refresh_from_db()
    assert grant.secrets == {"access_token": "token-2", "refresh_token": "refresh-2"}
    assert grant.expires_at == clock.now() + timedelta(hours=1) and grant.renewing_until is None
    assert tokens.usable(connection).token == "token-2" and len(shop.asked) == 1


def test_while_shopify_does_not_answer_the_old_token_goes_on(
    shop: Shop, connection: Connection, grant: Grant, still: TestClock
) -> None:
    still.move(minutes=56)
    shop.says(Unreachable("no"))
    assert tokens.usable(connection).token == "token-1"
    still.move(minutes=5)
    with pytest.raises(Unreachable):
        tokens.usable(connection)
    shop.says(given(2))
    assert tokens.usable(connection).token == "token-2"


def test_a_refresh_token_that_is_refused_breaks_the_connection(
    shop: Shop, connection: Connection, grant: Grant, still: TestClock
) -> None:
    still.move(days=91)
    shop.says(Answer(400, {}, {"error": "invalid_grant", "error_description": "The refresh token has expired"}))
    for _try in range(2):
        with pytest.raises(Refused, match="refresh token has expired"):
            tokens.usable(connection)
    assert len(shop.asked) == 1


def test_a_client_credentials_token_is_asked_for_again_without_anybody(
    shop: Shop, connection: Connection, app: ShopifyApp, still: TestClock
) -> None:
    shop.says(Answer(200, {}, {"access_token": "day-1", "expires_in": 86399, "scope": "write_customers"}))
    granted = grants.by_client_credentials(app, connection.account)
    tokens.save(connection, kind=Grant.Kind.CLIENT_CREDENTIALS, granted=granted, app=app)
    assert tokens.usable(connection).token == "day-1"
    still.move(hours=24)
    shop.says(Answer(200, {}, {"access_token": "day-2", "expires_in": 86399}))
    key = tokens.usable(connection)
    assert key.token == "day-2" and key.scopes == ("write_customers",)
    assert shop.asked[-1][1]["grant_type"] == "client_credentials"


def test_a_static_token_never_ends(shop: Shop, connection: Connection, still: TestClock) -> None:
    tokens.save(connection, kind=Grant.Kind.STATIC, granted=grants.Granted("shpat_1"), app=None)
    still.move(days=900)
    key = tokens.usable(connection)
    assert key.token == "shpat_1" and key.scopes is None and shop.asked == []


def test_an_uninstalled_shop_has_no_token_any_more(connection: Connection, grant: Grant) -> None:
    tokens.forget(connection, "The app was uninstalled.")
    grant.refresh_from_db()
    assert grant.secrets == {}
    with pytest.raises(Refused, match="uninstalled"):
        tokens.usable(connection)


def test_a_token_of_before_does_not_break_the_connection_of_now(connection: Connection, grant: Grant) -> None:
    old = tokens.usable(connection)
    tokens.save(connection, kind=Grant.Kind.STATIC, granted=grants.Granted("token-new"), app=None)
    tokens.set_broken(connection, "A late 401.", old)
    assert tokens.usable(connection).token == "token-new"


def test_tokens_are_never_printed(connection: Connection, grant: Grant) -> None:
    assert "token-1" not in f"{tokens.usable(connection)!r}{grant!r}{grants.Granted('token-1')!r}"


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_renews(shop: Shop, connection: Connection, grant: Grant, still: TestClock) -> None:
    if database.vendor != "postgresql":
        pytest.skip("Threads with connections of their own need PostgreSQL.")
    still.move(minutes=61)
    arrived, found, answer = threading.Event(), [], given(2)

    def slowly(body: object, headers: object) -> Answer:
        arrived.wait(1)
        return answer

    shop.says(slowly)

    def work() -> None:
        try:
            found.append(tokens.usable(Connection.objects.get(pk=connection.pk)).token)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == ["token-2"] * 8
    assert len(shop.asked) == 1


def test_who_may_write_may_read() -> None:
    assert held(["write_customers"]) == {"write_customers", "read_customers"}
    assert missing(["read_customers", "read_orders"], ["write_customers"]) == {"read_orders"}
    assert missing(["read_orders"], None) == frozenset()
    assert shortest(["read_customers", "write_customers", "read_orders"]) == ["read_orders", "write_customers"]
