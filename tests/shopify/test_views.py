"""The door: what Shopify gets for an answer, and what is in the inbox afterwards."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, connections
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from smsflow_plugin.integrations.shopify import views
from smsflow_plugin.integrations.shopify.verify import DEMO_SECRET
from smsflow_plugin.models import Connection, Delivery, Store
from smsflow_plugin.stores.crypto import encrypt
from tests.factories import SHOPIFY_SECRET
from tests.shopify import payloads
from tests.shopify.webhooks import ADDRESS, SHOP, body_of, headers, needs_shared, post, samples

BODY = body_of(payloads.order())


@pytest.fixture(autouse=True)
def nudges(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pumps that were nudged."""
    seen: list[str] = []
    monkeypatch.setattr("smsflow_plugin.events.inbox.nudge", seen.append)
    return seen


@pytest.fixture
def client() -> Client:
    return Client(enforce_csrf_checks=True, raise_request_exception=True)


def set_secrets(store: Store, **secrets: str) -> None:
    found = Connection.objects.get(store=store, kind="shopify")
    found.secrets = secrets
    found.save()


# --- what comes in


@pytest.mark.parametrize("address", [ADDRESS, ADDRESS.rstrip("/")])
def test_a_webhook_is_stored_to_the_byte_and_ingest_is_nudged(
    client: Client, store: Store, still: Any, nudges: list[str], address: str
) -> None:
    body = b'{ "id": 1,\n  "name":"\xc3\x86" }'
    assert post(client, body, "orders/paid", address=address).status_code == 200
    delivery = Delivery.objects.get()
    assert (delivery.store, delivery.source, delivery.topic) == (store, "shopify", "orders/paid")
    assert (delivery.external_id, delivery.state, delivery.received_at) == ("w-1", "pending", still())
    assert bytes(delivery.body) == body
    assert delivery.headers["x-shopify-shop-domain"] == SHOP
    assert nudges == ["ingest"]


def test_a_webhook_takes_two_statements_and_a_duplicate_no_more(client: Client, store: Store) -> None:
    for answer in ("new", "duplicate"):
        with CaptureQueriesContext(connection) as queries:
            assert post(client, BODY).status_code == 200, answer
        words = [query["sql"].split()[0] for query in queries.captured_queries]
        assert words == ["SELECT", "INSERT"]


def test_a_duplicate_is_answered_like_the_original_and_changes_nothing(
    client: Client, store: Store, nudges: list[str]
) -> None:
    assert [post(client, BODY).status_code for _ in range(3)] == [200, 200, 200]
    assert Delivery.objects.count() == 1
    assert nudges == ["ingest"]


def test_the_same_id_in_another_store_is_another_delivery(client: Client, store: Store, danish_store: Store) -> None:
    assert post(client, BODY).status_code == 200
    assert post(client, BODY, shop="nordic-tea.myshopify.com").status_code == 200
    assert set(Delivery.objects.values_list("store", flat=True)) == {store.pk, danish_store.pk}


def test_without_a_webhook_id_topic_and_body_tell_deliveries_apart(client: Client, store: Store) -> None:
    for topic, body in [
        ("orders/create", BODY),
        ("orders/create", BODY),
        ("orders/paid", BODY),
        ("orders/paid", b"{}"),
    ]:
        assert post(client, body, topic, webhook_id=None).status_code == 200
    ids = list(Delivery.objects.values_list("external_id", flat=True))
    assert len(ids) == 3
    assert all(external_id.startswith("sha256:") for external_id in ids)


def test_both_spellings_of_the_headers_are_understood(client: Client, store: Store) -> None:
    assert post(client, BODY, prefix="Shopify-").status_code == 200
    delivery = Delivery.objects.get()
    assert (delivery.external_id, delivery.topic) == ("w-1", "orders/create")
    assert delivery.headers["shopify-topic"] == "orders/create"


@pytest.mark.parametrize("body", [b"", b"not json", b"\xff\x00\xfe", b"{", b"null"])
def test_what_is_not_json_is_stored_as_well(client: Client, store: Store, body: bytes) -> None:
    assert post(client, body).status_code == 200
    assert bytes(Delivery.objects.get().body) == body


def test_a_form_is_not_taken_apart_before_its_signature_is_checked(client: Client, store: Store) -> None:
    signed = headers(b"foo=anything")
    answer = client.post(ADDRESS, "foo=anything", content_type="application/x-www-form-urlencoded", headers=signed)
    assert answer.status_code == 200
    assert bytes(Delivery.objects.get().body) == b"foo=anything"


def test_only_headers_worth_keeping_are_kept(client: Client, store: Store) -> None:
    more = {
        "Authorization": "Bearer x",
        "Cookie": "sessionid=x",
        "X-Forwarded-For": "10.0.0.1",
        "User-Agent": "Shopify",
    }
    post(client, BODY, **more)
    kept = Delivery.objects.get().headers
    assert kept["user-agent"] == "Shopify"
    assert {"authorization", "cookie", "x-forwarded-for", "host"}.isdisjoint(kept)
    assert all(name == name.lower() for name in kept)


def test_ids_and_topics_of_any_length_are_stored_and_told_apart(client: Client, store: Store) -> None:
    for end in "ab":
        assert post(client, BODY, "t" * 300, webhook_id="w" * 400 + end).status_code == 200
    assert post(client, BODY, "t" * 300, webhook_id="w" * 400 + "a").status_code == 200
    assert sorted(len(external_id) for external_id in Delivery.objects.values_list("external_id", flat=True)) == [
        255,
        255,
    ]


def test_a_shop_is_found_however_its_domain_is_written(client: Client, store: Store) -> None:
    for number, shop in enumerate(
        ["Sierra-Gear.myshopify.com", " sierra-gear.myshopify.com ", "https://sierra-gear.myshopify.com"]
    ):
        assert post(client, BODY, shop=shop, webhook_id=str(number)).status_code == 200
    assert Delivery.objects.count() == 3


# --- who is believed


@pytest.mark.parametrize(
    "options",
    [
        {"secret": "wrong"},
        {"secret": ""},
        {"shop": "unknown.myshopify.com"},
        {"shop": "sierra-gear.example.com"},
        {"shop": "evil.com/sierra-gear.myshopify.com"},
        {"shop": "[sierra-gear"},
        {"shop": ""},
    ],
)
def test_an_unknown_shop_and_a_bad_signature_get_the_same_answer(
    client: Client, store: Store, nudges: list[str], options: dict[str, str]
) -> None:
    answer = post(client, BODY, **options)
    assert (answer.status_code, answer.content) == (401, b"")
    assert not Delivery.objects.exists()
    assert nudges == []


@pytest.mark.parametrize("options", [{"secret": "wrong"}, {"shop": "unknown.myshopify.com"}, {"shop": "not a shop"}])
def test_a_refusal_takes_as_much_signing_as_a_welcome(
    client: Client, store: Store, monkeypatch: pytest.MonkeyPatch, options: dict[str, str]
) -> None:
    signed = headers(BODY, **options)
    calls = []
    real = views.is_genuine
    monkeypatch.setattr(views, "is_genuine", lambda *args, **kwargs: calls.append(args) or real(*args, **kwargs))
    assert client.post(ADDRESS, BODY, content_type="application/json", headers=signed).status_code == 401
    assert len(calls) == 1


def test_a_signature_over_another_body_is_refused(client: Client, store: Store) -> None:
    answer = client.post(ADDRESS, BODY + b" ", content_type="application/json", headers=headers(BODY))
    assert answer.status_code == 401


def test_no_signature_is_refused(client: Client, store: Store) -> None:
    signed = headers(BODY)
    del signed["X-Shopify-Hmac-Sha256"]
    assert client.post(ADDRESS, BODY, content_type="application/json", headers=signed).status_code == 401


def test_a_new_secret_counts_at_once_and_the_previous_one_until_it_is_dropped(client: Client, store: Store) -> None:
    set_secrets(store, secret="new", previous_secret=SHOPIFY_SECRET)
    assert post(client, BODY, secret="new", webhook_id="1").status_code == 200
    assert post(client, BODY, secret=SHOPIFY_SECRET, webhook_id="2").status_code == 200
    set_secrets(store, secret="new", previous_secret="")
    assert post(client, BODY, secret=SHOPIFY_SECRET, webhook_id="3").status_code == 401
    assert post(client, BODY, secret="new", webhook_id="3").status_code == 200


def test_the_secret_of_one_shop_does_not_open_another(client: Client, store: Store, danish_store: Store) -> None:
    set_secrets(danish_store, secret="nordic", previous_secret="")
    assert post(client, BODY, shop="nordic-tea.myshopify.com").status_code == 401
    assert post(client, BODY, secret="nordic").status_code == 401


def test_a_connection_without_a_secret_believes_nobody(client: Client, store: Store) -> None:
    set_secrets(store)
    assert post(client, BODY, secret="").status_code == 401


@pytest.mark.parametrize(("demo", "status"), [(True, 200), (False, 401)])
def test_the_demo_secret_is_good_in_a_demo_only(
    client: Client, store: Store, settings: Any, demo: bool, status: int
) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "DEMO": demo}
    set_secrets(store, secret=DEMO_SECRET, previous_secret="")
    assert post(client, BODY, secret=DEMO_SECRET).status_code == status


def test_the_demo_secret_does_not_open_a_store_with_a_secret_of_its_own(
    client: Client, store: Store, settings: Any
) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "DEMO": True}
    assert post(client, BODY, secret=DEMO_SECRET).status_code == 401


# --- what is no webhook


@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "patch", "options"])
@pytest.mark.parametrize("address", [ADDRESS, ADDRESS.rstrip("/")])
def test_everything_but_post_is_not_allowed(client: Client, store: Store, method: str, address: str) -> None:
    answer = getattr(client, method)(address)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_a_body_up_to_the_limit_is_taken_and_one_beyond_it_is_too_large(
    client: Client, store: Store, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # what the site allows for its forms does not matter
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    monkeypatch.setattr(views, "MAX_BODY", 1000)
    assert post(client, b"x" * 1000, webhook_id="1").status_code == 200
    assert post(client, b"x" * 1001, webhook_id="2").status_code == 413
    assert len(Delivery.objects.get().body) == 1000


def test_ten_megabytes_are_taken(client: Client, store: Store) -> None:
    assert views.MAX_BODY == 10 * 1024 * 1024
    body = b"x" * views.MAX_BODY
    assert post(client, body).status_code == 200
    assert bytes(Delivery.objects.get().body) == body


def test_a_length_that_is_no_number_is_no_crash(store: Store) -> None:
    request = RequestFactory().post(ADDRESS, BODY, content_type="application/json", headers=headers(BODY))
    request.META["CONTENT_LENGTH"] = "many"
    assert resolve(ADDRESS).func(request).status_code == 200


# --- trouble


@contextmanager
def locked_inbox() -> Iterator[None]:
    """Another connection holds the inbox: a real "database is locked", at once."""
    other = connections.create_connection("default")
    postgresql = connection.vendor == "postgresql"
    if not postgresql and ":memory:" in str(connection.settings_dict["NAME"]):
        other.settings_dict["NAME"] = connection.settings_dict["NAME"]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'" if postgresql else "PRAGMA busy_timeout = 100")
        other.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        with other.cursor() as cursor:
            if postgresql:
                cursor.execute("LOCK TABLE smsflow_delivery IN ACCESS EXCLUSIVE MODE")
            else:
                cursor.execute("DELETE FROM smsflow_delivery")
        yield
    finally:
        other.rollback()
        other.close()
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout" if postgresql else "PRAGMA busy_timeout = 20000")


@pytest.fixture
def kept_connection() -> Iterator[None]:
    """Requests leave the test's connection open, with its settings."""
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


@pytest.mark.django_db(transaction=True)
def test_while_the_database_is_locked_shopify_is_asked_to_send_again(
    client: Client, store: Store, nudges: list[str], caplog: pytest.LogCaptureFixture, kept_connection: None
) -> None:
    with locked_inbox():
        assert post(client, BODY).status_code == 503
    assert "could not be stored" in caplog.text
    assert "OperationalError" in caplog.text
    assert nudges == []
    assert post(client, BODY).status_code == 200
    assert Delivery.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_webhook_needs_no_transaction(client: Client, store: Store) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert post(client, BODY).status_code == 200
    assert [query["sql"].split()[0] for query in queries.captured_queries] == ["SELECT", "INSERT"]


def test_a_lost_encryption_key_is_our_trouble_and_not_shopifys(
    client: Client, store: Store, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert encrypt("x")
    settings.SMSFLOW = {**settings.SMSFLOW, "ENCRYPTION_KEYS": ["b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb3Q="]}
    assert post(client, BODY).status_code == 503
    assert "CannotDecrypt" in caplog.text


def test_a_refusal_says_why_in_the_log_only(client: Client, store: Store, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        post(client, BODY, secret="wrong")
        post(client, BODY, shop="unknown.myshopify.com")
    assert "'sierra-gear.myshopify.com': bad signature" in caplog.text
    assert "'unknown.myshopify.com': unknown shop" in caplog.text
    assert SHOPIFY_SECRET not in caplog.text


@needs_shared
def test_every_published_sample_is_stored(client: Client, store: Store) -> None:
    published = samples()
    assert len(published) >= 70
    for topic, body in published:
        assert post(client, body, topic, webhook_id=topic).status_code == 200, topic
    assert dict(Delivery.objects.values_list("topic", "body")) == dict(published)
