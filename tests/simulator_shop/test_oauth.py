"""How an app comes into a shop, stays there, and is thrown out."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import shopify as shopify_library

from smsflow_plugin.integrations.simulator.shopify_api import RunningShop
from smsflow_plugin.integrations.simulator.shopify_api.oauth import make_id_token
from tests.simulator_shop.conftest import Admin

BACK = "https://smsflow.example/shopify/callback/"


def approved(shopify: RunningShop, **query: str) -> dict[str, str]:
    asked = {
        "client_id": shopify.client_id,
        "scope": "read_orders,write_customers",
        "redirect_uri": BACK,
        "state": "s1",
    }
    url = f"{shopify.shop_url}/admin/oauth/authorize"
    answer = requests.get(url, params=asked | query, allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    target = urlsplit(answer.headers["Location"])
    assert f"{target.scheme}://{target.netloc}{target.path}" == BACK
    return {name: values[0] for name, values in parse_qs(target.query).items()}


def token(shopify: RunningShop, **body: str) -> requests.Response:
    data = {"client_id": shopify.client_id, "client_secret": shopify.secret, **body}
    return requests.post(f"{shopify.shop_url}/admin/oauth/access_token", json=data, timeout=10)


def works(shopify: RunningShop, access: str) -> bool:
    admin = Admin(shopify.graphql_url, access)
    status = admin.post("shop").status_code
    admin.session.close()
    return status == 200


def test_the_way_back_is_signed_as_the_library_checks_it(shopify: RunningShop) -> None:
    query = approved(shopify)
    assert (query["shop"], query["state"]) == (shopify.domain, "s1")
    session = type("OneApp", (shopify_library.Session,), {"secret": shopify.secret})
    assert session.validate_hmac(query)
    assert not session.validate_hmac(query | {"shop": "evil.myshopify.com"})


def test_a_code_gives_a_token_that_renews_itself(shopify: RunningShop) -> None:
    code = approved(shopify)["code"]
    first = token(shopify, code=code, expiring="1").json()
    assert (first["expires_in"], first["refresh_token_expires_in"]) == (3600, 90 * 86_400)
    assert first["scope"] == "read_orders,write_customers"
    assert works(shopify, first["access_token"])
    assert token(shopify, code=code).status_code == 400

    renew = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = token(shopify, **renew).json()
    # the answer may have been lost: the old one is good until the new one is used
    third = token(shopify, **renew).json()
    assert works(shopify, third["access_token"])
    assert token(shopify, **renew).json()["error"] == "invalid_grant"
    assert second["access_token"] != third["access_token"]

    shopify.shops.clock.advance(3601)
    assert not works(shopify, third["access_token"])
    assert token(shopify, grant_type="refresh_token", refresh_token=third["refresh_token"]).ok


def test_without_asking_a_token_never_ends(shopify: RunningShop) -> None:
    made = token(shopify, code=approved(shopify)["code"]).json()
    assert set(made) == {"access_token", "scope"}
    shopify.shops.clock.advance(10 * 365 * 86_400)
    assert works(shopify, made["access_token"])


def test_client_credentials_are_good_for_a_day(shopify: RunningShop) -> None:
    made = token(shopify, grant_type="client_credentials").json()
    assert made["expires_in"] == 86_399
    assert works(shopify, made["access_token"])
    shopify.shops.uninstall(shopify.domain, shopify.client_id)
    assert token(shopify, grant_type="client_credentials").status_code == 400
    assert not works(shopify, made["access_token"])


def test_an_id_token_is_exchanged(shopify: RunningShop) -> None:
    app: dict[str, Any] = shopify.shops.tokens.app(shopify.client_id) or {}
    grant = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
        "requested_token_type": "urn:shopify:params:oauth:token-type:offline-access-token",
        "expiring": "1",
    }
    good = make_id_token(app, shopify.domain, shopify.shops.clock.now())
    assert token(shopify, **grant, subject_token=good).json()["expires_in"] == 3600
    elsewhere = make_id_token(app, "other.myshopify.com", shopify.shops.clock.now())
    for bad in (elsewhere, good[:-2] + "xx", "", "a.b.c"):
        answer = token(shopify, **grant, subject_token=bad)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_subject_token")


@pytest.mark.parametrize("wrong", [{"client_secret": "wrong"}, {"client_id": "nobody"}])
def test_a_wrong_app_gets_nothing(shopify: RunningShop, wrong: dict[str, str]) -> None:
    answer = token(shopify, **({"code": approved(shopify)["code"]} | wrong))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_strange_way_back_is_refused(shopify: RunningShop) -> None:
    shopify.shops.add_app(shopify.client_id, shopify.secret, redirect_uris=(BACK,))
    approved(shopify)
    url = f"{shopify.shop_url}/admin/oauth/authorize"
    asked = {"client_id": shopify.client_id, "redirect_uri": "https://evil.example/"}
    assert requests.get(url, params=asked, allow_redirects=False, timeout=10).status_code == 400


def test_form_bodies_are_read_too(shopify: RunningShop) -> None:
    data = {
        "client_id": shopify.client_id,
        "client_secret": shopify.secret,
        "code": approved(shopify)["code"],
        "expiring": "1",
    }
    answer = requests.post(f"{shopify.shop_url}/admin/oauth/access_token", data=data, timeout=10)
    assert answer.json()["expires_in"] == 3600


def test_two_apps_in_one_shop_do_not_see_each_other(shopify: RunningShop, admin: Admin) -> None:
    shopify.shops.add_app("second", "second-secret")
    shopify.shops.install(shopify.domain, "second", token="shpat_second")
    admin.subscribe("ORDERS_CREATE", "https://example.com/one")
    other = Admin(shopify.graphql_url, "shpat_second")
    assert other("webhook_list")["webhookSubscriptions"]["nodes"] == []
    other.subscribe("ORDERS_CREATE", "https://example.com/one")
    assert len(admin("webhook_list")["webhookSubscriptions"]["nodes"]) == 1
    other.session.close()
