"""What the Conversation API calls is verified, stored once, answered, and does what it says."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.integrations.sinch.conversation_callbacks import identify
from smsflow_plugin.integrations.sinch.signature import signature
from smsflow_plugin.models import Connection, ConsentRecord, Delivery, Store
from tests.conftest import NOON, TestClock
from tests.factories import make_contact
from tests.sinch_conversation.conftest import APP, SAMPLES, needs_samples

SECRET = "webhook-test-secret"
IDENTITY = {"app_id": APP, "channel": "SMS", "identity": "12025550101"}
STOP = {
    "app_id": APP,
    "accepted_time": "2026-03-04T15:59:59Z",
    "message": {"id": "IN1", "channel_identity": IDENTITY, "contact_message": {"text_message": {"text": "STOP"}}},
}
REPORT = {
    "app_id": APP,
    "event_time": "2026-03-04T15:59:59Z",
    "message_delivery_report": {"message_id": "M1", "status": "DELIVERED", "channel_identity": IDENTITY},
}


@pytest.fixture
def connection(store: Store) -> Connection:
    return Connection.objects.create(
        store=store,
        kind="sinch_conversation",
        account="project-1",
        secrets={"key_id": "k", "key_secret": "s", "callback_secret": SECRET},
        settings={"app_id": APP},
    )


def call(connection: Connection, payload: Any, *, nonce: str = "N1", **headers: str) -> int:
    """Post a callback as Sinch signs it, and return the answer's status."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    stamp = str(int(NOON.timestamp()))
    signed = {
        "x-sinch-webhook-signature": signature(SECRET, body, nonce=nonce, timestamp=stamp),
        "x-sinch-webhook-signature-nonce": nonce,
        "x-sinch-webhook-signature-timestamp": stamp,
        **headers,
    }
    url = f"/smsflow/sinch_conversation/{connection.token}/callbacks/"
    client = Client(enforce_csrf_checks=True)
    return client.post(url, data=body, content_type="application/json", headers=signed).status_code


def changed(payload: dict[str, Any], key: str, **values: Any) -> dict[str, Any]:
    return {**payload, key: {**payload[key], **values}}


def test_a_callback_is_stored_to_the_byte(connection: Connection, still: TestClock) -> None:
    assert call(connection, STOP) == 200
    delivery = Delivery.objects.get()
    assert (delivery.store_id, delivery.source) == (connection.store_id, "sinch_conversation")
    assert (delivery.topic, delivery.external_id) == ("MESSAGE_INBOUND", "MESSAGE_INBOUND:IN1")
    assert bytes(delivery.body) == json.dumps(STOP).encode()


def test_a_replay_is_the_same_delivery_whatever_time_stands_in_it(connection: Connection, still: TestClock) -> None:
    assert call(connection, REPORT) == 200
    assert call(connection, REPORT, nonce="N2") == 200
    assert call(connection, {**REPORT, "event_time": "2026-03-04T16:00:59Z"}) == 200
    assert Delivery.objects.count() == 1
    assert call(connection, changed(REPORT, "message_delivery_report", status="READ")) == 200
    rcs = {**IDENTITY, "channel": "RCS"}
    assert call(connection, changed(REPORT, "message_delivery_report", channel_identity=rcs)) == 200
    assert Delivery.objects.count() == 3


@pytest.mark.parametrize(
    "wrong", [{"x-sinch-webhook-signature": "bm9uc2Vuc2U="}, {"x-sinch-webhook-signature-nonce": "other"}]
)
def test_a_forgery_is_refused_with_an_alarm(
    connection: Connection, still: TestClock, wrong: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    assert call(connection, STOP, **wrong) == 401
    assert not Delivery.objects.exists()
    (alarm,) = [record for record in caplog.records if record.name == "smsflow.sinch"]
    assert alarm.levelno == logging.ERROR
    assert "12025550101" not in caplog.text


def test_an_unknown_address_and_one_of_the_other_api_are_not_found(connection: Connection, still: TestClock) -> None:
    sms = Connection.objects.get(store=connection.store, kind="sinch")
    for token in ("nobody", sms.token):
        url = f"/smsflow/sinch_conversation/{token}/callbacks/"
        assert Client().post(url, data="{}", content_type="application/json").status_code == 404
    url = f"/smsflow/sinch/{connection.token}/callbacks/"
    assert Client().post(url, data="{}", content_type="application/json").status_code == 404
    assert not Delivery.objects.exists()


def test_people_of_another_app_never_become_this_stores(
    connection: Connection, still: TestClock, caplog: pytest.LogCaptureFixture
) -> None:
    assert call(connection, {**STOP, "app_id": "app-of-another-store"}) == 404
    assert not Delivery.objects.exists()
    assert "about another app" in caplog.text


def test_trouble_of_our_own_makes_sinch_call_again(
    connection: Connection, still: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**values: Any) -> None:
        raise OperationalError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr("smsflow_plugin.integrations.sinch.callbacks.store_delivery", full)
        assert call(connection, STOP) == 503
    assert call(connection, STOP) == 200


@pytest.mark.parametrize("body", [b"", b"{nonsense", b"[]", b"[" * 50_000, b'{"message": {"id": ["x"]}}'])
def test_what_cannot_be_read_is_kept_for_a_person(connection: Connection, still: TestClock, body: bytes) -> None:
    assert call(connection, body) == 200
    assert call(connection, body) == 200
    assert bytes(Delivery.objects.get().body) == body


def test_a_stop_is_an_opt_out_in_the_store_of_the_address_alone(
    connection: Connection, danish_store: Store, still: TestClock
) -> None:
    ada = make_contact(connection.store, phone="+12025550101", consent_changed_at=NOON - timedelta(days=1))
    other = make_contact(danish_store, phone="+12025550101")
    assert call(connection, STOP) == 200
    ingest()
    ada.refresh_from_db()
    other.refresh_from_db()
    assert ada.service_consent == "revoked"
    assert other.service_consent != "revoked"


def test_an_opt_out_that_the_network_reports_is_written_into_the_ledger(
    connection: Connection, still: TestClock
) -> None:
    ada = make_contact(connection.store, phone="+12025550101", consent_changed_at=NOON - timedelta(days=1))
    said = {"request_id": "R1", "channel": "SMS", "identity": "12025550101", "status": "OPT_OUT_SUCCEEDED"}
    payload = {"app_id": APP, "event_time": "2026-03-04T15:59:59Z", "opt_out_notification": said}
    for _twice in range(2):
        assert call(connection, payload) == 200
        ingest()
    ada.refresh_from_db()
    assert (ada.marketing_consent, ada.service_consent) == ("revoked", "revoked")
    assert ConsentRecord.objects.filter(contact=ada, source="gateway_opt_out").count() == 1


@needs_samples
def test_every_sample_has_a_name_of_its_own() -> None:
    bodies = [path.read_bytes() for path in (SAMPLES / "conversation_callbacks").glob("*.json")]
    names = {identify(body) for body in bodies}
    assert len(names) == len(bodies) == 25
    assert all(len(external_id) <= 255 and len(topic) <= 80 for topic, external_id in names)
