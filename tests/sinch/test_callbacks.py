"""What Sinch calls is verified, stored once and answered; nothing is lost."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from smsflow_plugin.integrations.sinch.signature import signature
from smsflow_plugin.models import Connection, Delivery, Store
from tests.conftest import NOON, TestClock
from tests.factories import SINCH_SECRET

STOP = {"type": "mo_text", "id": "MO1", "from": "12025550101", "to": "12025550100", "body": "STOP"}
REPORT = {"type": "recipient_delivery_report_sms", "batch_id": "B1", "recipient": "12025550101", "status": "Dispatched"}


@pytest.fixture
def connection(store: Store) -> Connection:
    return Connection.objects.get(store=store, kind="sinch")


def call(
    connection: Connection, payload: Any, *, nonce: str = "N1", timestamp: int | None = None, **headers: str
) -> int:
    """Post a callback as Sinch signs it, and return the answer's status."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    stamp = str(int(NOON.timestamp()) if timestamp is None else timestamp)
    signed = {
        "x-sinch-webhook-signature": signature(SINCH_SECRET, body, nonce=nonce, timestamp=stamp),
        "x-sinch-webhook-signature-nonce": nonce,
        "x-sinch-webhook-signature-timestamp": stamp,
        **headers,
    }
    url = f"/smsflow/sinch/{connection.token}/callbacks/"
    client = Client(enforce_csrf_checks=True)
    return client.post(url, data=body, content_type="application/json", headers=signed).status_code


def test_a_callback_is_stored_to_the_byte(connection: Connection, still: TestClock) -> None:
    assert call(connection, STOP) == 200
    delivery = Delivery.objects.get()
    assert delivery.store_id == connection.store_id
    assert (delivery.source, delivery.topic, delivery.external_id) == ("sinch", "mo_text", "mo_text:MO1")
    assert bytes(delivery.body) == json.dumps(STOP).encode()
    assert delivery.headers["x-sinch-webhook-signature-nonce"] == "N1"
    assert delivery.received_at == NOON


def test_the_address_works_without_its_slash_and_only_for_posts(connection: Connection, still: TestClock) -> None:
    connection.secrets = {"api_token": "token"}
    connection.save()
    url = f"/smsflow/sinch/{connection.token}/callbacks"
    assert Client().post(url, data=json.dumps(STOP), content_type="application/json").status_code == 200
    assert Client().get(url).status_code == 405
    assert Delivery.objects.count() == 1


def test_an_unknown_address_is_not_found(connection: Connection, db: None) -> None:
    shopify = Connection.objects.get(store=connection.store_id, kind="shopify")
    for token in ("nobody", shopify.token):
        answer = Client().post(f"/smsflow/sinch/{token}/callbacks/", data="{}", content_type="application/json")
        assert answer.status_code == 404
    assert not Delivery.objects.exists()


def test_a_replay_is_a_duplicate_and_so_is_sinchs_own_repetition(connection: Connection, still: TestClock) -> None:
    assert call(connection, STOP) == 200
    assert call(connection, STOP) == 200
    assert call(connection, STOP, nonce="N2") == 200
    assert Delivery.objects.count() == 1
    assert call(connection, REPORT) == 200
    assert call(connection, REPORT) == 200
    assert Delivery.objects.count() == 2


def test_reports_of_two_states_are_two_deliveries(connection: Connection, still: TestClock) -> None:
    assert call(connection, REPORT) == 200
    assert call(connection, {**REPORT, "status": "Delivered"}) == 200
    assert Delivery.objects.count() == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"x-sinch-webhook-signature": "bm9uc2Vuc2U="},
        {"x-sinch-webhook-signature": "ü"},
        {"x-sinch-webhook-signature-nonce": "other"},
        {"x-sinch-webhook-signature-timestamp": "1"},
        {"x-sinch-webhook-signature": ""},
    ],
)
def test_a_forgery_is_refused_with_an_alarm(
    connection: Connection, still: TestClock, wrong: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    assert call(connection, STOP, **wrong) == 401
    assert not Delivery.objects.exists()
    (alarm,) = [record for record in caplog.records if record.name == "smsflow.sinch"]
    assert alarm.levelno == logging.ERROR
    assert "a reply or STOP is lost" in alarm.getMessage()
    assert "12025550101" not in caplog.text


def test_a_callback_that_was_signed_long_ago_is_refused(connection: Connection, still: TestClock) -> None:
    still.move(minutes=6)
    assert call(connection, STOP) == 401
    assert call(connection, STOP, timestamp=int(still.at.timestamp())) == 200


def test_a_connection_without_a_secret_takes_unsigned_calls(connection: Connection, still: TestClock) -> None:
    connection.secrets = {"api_token": "token", "callback_secret": ""}
    connection.save()
    url = f"/smsflow/sinch/{connection.token}/callbacks/"
    assert Client().post(url, data=json.dumps(STOP), content_type="application/json").status_code == 200
    assert Delivery.objects.get().external_id == "mo_text:MO1"


def test_the_same_id_in_two_stores_is_two_deliveries(
    connection: Connection, danish_store: Store, still: TestClock
) -> None:
    assert call(connection, STOP) == 200
    assert call(Connection.objects.get(store=danish_store, kind="sinch"), STOP) == 200
    assert Delivery.objects.count() == 2


@pytest.mark.parametrize(
    "body",
    [b"", b"{nonsense", b"\xff\xfe\x00", b"[]", b'{"type": ["x"]}', b"[" * 50_000]
    + [b'{"type": "mo_text", "id": "a\\u0000b"}', b'{"type": "mo_text\\u0000", "id": 7}']
    + [json.dumps({"type": "mo_text", "id": "x" * 500}).encode(), json.dumps({"type": "x" * 500}).encode()],
)
def test_what_cannot_be_read_is_kept_for_a_person(connection: Connection, still: TestClock, body: bytes) -> None:
    assert call(connection, body) == 200
    assert call(connection, body) == 200
    assert bytes(Delivery.objects.get().body) == body


@pytest.mark.parametrize("broken", ["smsflow_plugin.integrations.sinch.callbacks.store_delivery"])
def test_trouble_of_our_own_makes_sinch_call_again(
    connection: Connection, still: TestClock, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def full(**values: Any) -> None:
        raise OperationalError("disk full: +12025550101")

    with monkeypatch.context() as patch:
        patch.setattr(broken, full)
        assert call(connection, STOP) == 503
    assert not Delivery.objects.exists()
    assert call(connection, STOP) == 200


def test_a_database_that_is_gone_makes_sinch_call_again(
    connection: Connection, still: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("the connection is closed")

    with monkeypatch.context() as patch:
        patch.setattr(Connection.objects, "filter", gone)
        assert call(connection, STOP) == 503
    assert call(connection, STOP) == 200
