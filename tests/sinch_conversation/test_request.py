"""What a call to the Conversation API holds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.integrations.sinch.conversation_message import request_of, words_of
from smsflow_plugin.messaging.gateway import OutboundText
from tests.conftest import NOON
from tests.sinch_conversation.conftest import ADA, APP, SENDER, text

CALLBACK = "https://shop.example/smsflow/sinch_conversation/t/callbacks/"
PICTURE = "https://shop.example/media/boot.jpg"


def request(**values: Any) -> dict[str, Any]:
    return request_of(text(**values), app_id=APP, callback_url=CALLBACK, now=NOON)


def test_a_text_names_its_channel_its_sender_and_our_reference_twice() -> None:
    assert request() == {
        "app_id": APP,
        "message": {"text_message": {"text": "Hello"}},
        "recipient_identities": [{"channel": "SMS", "identity": ADA}],
        "channel_priority_order": ["SMS"],
        "channel_properties": {"SMS_SENDER": SENDER},
        "correlation_id": "ref-1",
        "message_metadata": "ref-1",
        "message_content_type": "CONTENT_MARKETING",
        "processing_strategy": "DISPATCH_ONLY",
        "event_destination_target": CALLBACK,
    }


@pytest.mark.parametrize(
    ("channel", "order", "properties"),
    [
        ("sms", ["SMS"], {"SMS_SENDER": SENDER}),
        ("mms", ["SMS"], {"SMS_SENDER": SENDER}),
        ("rcs", ["RCS", "SMS"], {"SMS_SENDER": SENDER}),
        ("whatsapp", ["WHATSAPP"], None),
        ("pigeon", ["SMS"], {"SMS_SENDER": SENDER}),
    ],
)
def test_every_channel_has_its_order(channel: str, order: list[str], properties: dict[str, str] | None) -> None:
    made = request(channel=channel)
    assert made["channel_priority_order"] == order
    assert [one["channel"] for one in made["recipient_identities"]] == order
    assert made.get("channel_properties") == properties
    assert made["message"] == {"text_message": {"text": "Hello"}}


@pytest.mark.parametrize(("channel", "rich"), [("mms", "MMS"), ("rcs", "RCS")])
def test_a_picture_goes_with_the_words_and_an_sms_behind_it_is_the_words_alone(channel: str, rich: str) -> None:
    made = request(channel=channel, media_url=PICTURE)
    assert made["channel_priority_order"] == [rich, "SMS"]
    assert made["message"] == {
        "card_message": {"description": "Hello", "media_message": {"url": PICTURE}},
        "explicit_channel_omni_message": {"SMS": {"text_message": {"text": "Hello"}}},
    }


def test_a_sender_that_has_no_pictures_sends_the_words() -> None:
    assert request(channel="sms", media_url=PICTURE)["message"] == {"text_message": {"text": "Hello"}}


def test_the_number_of_pictures_is_named_for_both_ways() -> None:
    made = request(channel="mms", media_url=PICTURE)
    assert made["channel_properties"] == {"MMS_SENDER": SENDER, "SMS_SENDER": SENDER}


def test_service_texts_are_notifications() -> None:
    assert request(marketing=False)["message_content_type"] == "CONTENT_NOTIFICATION"


@pytest.mark.parametrize(
    ("left", "ttl"),
    [(timedelta(hours=1), 3600), (timedelta(seconds=-5), 1), (timedelta(days=30), None), (None, None)],
)
def test_sinch_tries_no_longer_than_the_text_is_of_use(left: timedelta | None, ttl: int | None) -> None:
    assert request(expires_at=left and NOON + left).get("ttl") == ttl


def test_values_stand_in_the_words_because_a_call_has_one_person() -> None:
    one = text(body="Hi ${p0}, ${p1} off! ${p7} ${p01} ${x}", parameters={ADA: ("Ada ${p1}", "10%")})
    assert words_of(one) == "Hi Ada ${p1}, 10% off! ${p7} ${p01} ${x}"


@given(st.text(), st.lists(st.text(max_size=5), max_size=3))
def test_without_parameters_words_are_literal(body: str, values: list[str]) -> None:
    assert words_of(text(body=body)) == body
    literal = body.replace("${", "")
    assert words_of(OutboundText("r", SENDER, literal, (ADA,), parameters={ADA: tuple(values)})) == literal
