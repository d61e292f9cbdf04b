"""A store that has the Conversation API alone: a text leaves, and its reports come home."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.messaging.actions import SendTestText
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.messaging.reconcile import reconcile
from smsflow_plugin.models import Batch, Connection, Message, Store
from tests.conftest import TestClock
from tests.sinch_conversation.conftest import ADA, APP, KEY_ID, KEY_SECRET, PROJECT, Answer, Sinch


@pytest.fixture
def connection(store: Store, sinch: Sinch) -> Connection:
    Connection.objects.filter(store=store, kind="sinch").delete()
    return Connection.objects.create(
        store=store,
        kind="sinch_conversation",
        account=PROJECT,
        secrets={"key_id": KEY_ID, "key_secret": KEY_SECRET},
        settings={"app_id": APP, "conversation_origin": sinch.url, "auth_origin": sinch.url},
    )


def report(connection: Connection, request: dict[str, Any], status: str) -> None:
    """Let Sinch report what became of a text, as it was told to by the call itself."""
    (identity,) = request["recipient"]["identified_by"]["channel_identities"]
    payload = {
        "app_id": APP,
        "correlation_id": request["correlation_id"],
        "message_delivery_report": {"message_id": "M1", "status": status, "channel_identity": identity},
    }
    path = request["callback_url"].removeprefix("https://shop.example")
    answer = Client().post(path, data=json.dumps(payload), content_type="application/json")
    assert answer.status_code == 200
    ingest()


@pytest.mark.usefixtures("still")
def test_a_text_goes_and_is_delivered(connection: Connection, sinch: Sinch) -> None:
    SendTestText(connection.store, to=ADA, body="Hello ${p0}").execute(skip_permission_checks=True)
    dispatch()
    (request,) = sinch.sent()
    assert request["message"] == {"text_message": {"text": "Hello ${p0}"}}
    message = Message.objects.get()
    assert (message.state, message.batch.provider_id) == ("accepted", "M1")
    assert request["correlation_id"] == str(message.batch.reference)
    for status in ("QUEUED_ON_CHANNEL", "DELIVERED", "READ", "DELIVERED"):
        report(connection, request, status)
    message.refresh_from_db()
    assert message.state == "delivered"


def test_a_call_that_was_cut_off_is_found_and_never_made_again(
    connection: Connection, sinch: Sinch, still: TestClock
) -> None:
    sinch.next("send", Answer(taken=True))
    SendTestText(connection.store, to=ADA, body="Hello").execute(skip_permission_checks=True)
    dispatch()
    assert Message.objects.get().state == "sending"
    still.move(minutes=2)
    reconcile()
    dispatch()
    assert (Batch.objects.get().state, Message.objects.get().state) == ("accepted", "accepted")
    assert len(sinch.sent()) == 1
