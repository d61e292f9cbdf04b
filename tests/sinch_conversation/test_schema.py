"""The bodies that we send are those that Sinch has published."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from smsflow_plugin import clock
from smsflow_plugin.integrations.sinch.conversation_gateway import ConversationGateway
from tests.sinch_conversation.conftest import Sinch, needs_samples, text
from tests.sinch_conversation.openapi import Schema

pytestmark = needs_samples

#: What the published file, of 2022, does not know: it asks for the project in the body, where it does not belong,
#: and for both ways to name a person; and these fields are younger.
GAPS = {
    "SendMessageRequest.project_id: missing",
    "SendMessageRequest.recipient.contact_id: missing",
    "SendMessageRequest.correlation_id: unknown",
    "SendMessageRequest.message_content_type: unknown",
    "SendMessageRequest.processing_strategy: unknown",
    "SendMessageRequest.message.explicit_channel_omni_message: unknown",
}


@pytest.fixture(scope="module")
def schema() -> Schema:
    return Schema("ballerina_sinch.conversation.openapi.yaml")


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"marketing": False, "expires_at": timedelta(hours=1)},
        {"channel": "rcs"},
        {"channel": "whatsapp"},
        {"channel": "mms", "media_url": "https://shop.example/media/boot.jpg"},
        {"channel": "rcs", "media_url": "https://shop.example/media/boot.jpg"},
    ],
)
def test_a_text_is_worded_as_the_schema_says(
    gateway: ConversationGateway, sinch: Sinch, schema: Schema, values: dict[str, Any]
) -> None:
    if "expires_at" in values:
        values = {**values, "expires_at": clock.now() + values["expires_at"]}
    gateway.send(text(**values))
    (body,) = sinch.sent()
    assert set(schema.faults("SendMessageRequest", body)) <= GAPS


def test_the_schema_finds_faults(schema: Schema) -> None:
    body = {"app_id": 7, "recipient": {"identified_by": {}}, "message": {}, "channel_priority_order": ["PIGEON"]}
    faults = schema.faults("SendMessageRequest", body)
    assert any(fault.startswith("SendMessageRequest.app_id: 7 is no string") for fault in faults)
    assert any("channel_priority_order[0]" in fault for fault in faults)
    assert "SendMessageRequest.recipient.identified_by.channel_identities: missing" in faults
