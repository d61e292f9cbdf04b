"""Messages over the Conversation API: the official SDK on one side, phones on the other."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from sinch import SinchClient
from sinch.core.exceptions import SinchException
from sinch.domains.conversation.api.v1.exceptions import ConversationException
from sinch.domains.conversation.models.v1.sinch_events import MessageDeliveryReceiptEvent, MessageInboundEvent

from smsflow_plugin.integrations.simulator.network import NetworkServer
from smsflow_plugin.integrations.simulator.network.client import NetworkClient
from tests.simulator_network.conftest import (
    ADA,
    APP,
    BOB,
    KEY_ID,
    KEY_SECRET,
    PROJECT,
    SECRET,
    SENDER,
    Listener,
    official_client,
)


def to(number: str, *channels: str) -> list[Any]:
    """A recipient, by the channels on which the number is known."""
    return [{"channel": channel, "identity": number} for channel in channels or ("SMS",)]


def reports(listener: Listener, message: str) -> list[tuple[str, str]]:
    """What the app heard of a message: status and channel, in order."""
    found = [call["message_delivery_report"] for call in listener.payloads if "message_delivery_report" in call]
    return [(one["status"], one["channel_identity"]["channel"]) for one in found if one["message_id"] == message]


def reasons(listener: Listener) -> list[str]:
    found = [call["message_delivery_report"] for call in listener.payloads if "message_delivery_report" in call]
    return [one["reason"]["code"] for one in found if "reason" in one]


def test_a_text_arrives_on_the_phone_and_is_reported(
    client: SinchClient, operator: NetworkClient, listener: Listener
) -> None:
    sent = client.conversation.messages.send_text_message(
        app_id=APP,
        text="Hello Ada",
        recipient_identities=to(ADA),
        correlation_id="ref-1",
        message_metadata='{"ours": 7}',
    )
    operator.wait_until_quiet()
    (text,) = operator.texts_on(ADA)
    assert (text.body, text.peer, text.channel, text.state) == ("Hello Ada", SENDER[1:], "SMS", "delivered")
    assert (text.reference, text.batch_id) == ("ref-1", sent.message_id)
    assert sorted(reports(listener, sent.message_id)) == [("DELIVERED", "SMS"), ("QUEUED_ON_CHANNEL", "SMS")]
    report = next(call for call in listener.payloads if "message_delivery_report" in call)
    assert (report["app_id"], report["project_id"]) == (APP, PROJECT)
    assert (report["correlation_id"], report["message_metadata"]) == ("ref-1", '{"ours": 7}')
    assert report["message_delivery_report"]["channel_identity"]["identity"] == ADA[1:]


def test_callbacks_are_signed_and_read_by_the_sdk(
    client: SinchClient, operator: NetworkClient, listener: Listener
) -> None:
    client.conversation.messages.send_text_message(app_id=APP, text="Hi", recipient_identities=to(ADA))
    operator.wait_until_quiet()
    operator.text_from(ADA, "Hello back")
    operator.wait_until_quiet()
    handler = client.conversation.sinch_events(SECRET)
    kinds = set()
    for headers, body in listener.calls:
        assert handler.validate_authentication_header(headers, body.decode())
        kinds.add(type(handler.parse_event(body.decode())))
    assert {MessageDeliveryReceiptEvent, MessageInboundEvent} <= kinds


def test_a_reply_goes_to_the_app_that_texted_last(
    client: SinchClient, operator: NetworkClient, listener: Listener
) -> None:
    client.conversation.messages.send_text_message(app_id=APP, text="Hi", recipient_identities=to(ADA))
    operator.wait_until_quiet()
    operator.text_from(ADA, "STOP")
    operator.wait_until_quiet()
    (inbound,) = [call["message"] for call in listener.payloads if "message" in call]
    assert inbound["contact_message"] == {"text_message": {"text": "STOP"}}
    assert (inbound["direction"], inbound["sender_id"]) == ("TO_APP", SENDER[1:])
    assert inbound["channel_identity"]["identity"] == ADA[1:]
    sent = next(call["message_delivery_report"] for call in listener.payloads if "message_delivery_report" in call)
    assert (inbound["contact_id"], inbound["conversation_id"]) == (sent["contact_id"], sent["conversation_id"])


def test_a_first_text_reaches_the_app_that_has_the_number(
    app: str, operator: NetworkClient, listener: Listener
) -> None:
    operator.text_from(ADA, "JOIN", to=SENDER)
    operator.wait_until_quiet()
    assert [call["message"]["contact_message"] for call in listener.payloads] == [{"text_message": {"text": "JOIN"}}]


def test_a_phone_without_rcs_gets_the_text_by_sms(
    client: SinchClient, operator: NetworkClient, listener: Listener
) -> None:
    sent = client.conversation.messages.send_text_message(
        app_id=APP, text="Hi", recipient_identities=to(ADA, "RCS", "SMS"), channel_priority_order=["RCS", "SMS"]
    )
    operator.wait_until_quiet()
    assert [(text.channel, text.state) for text in operator.texts_on(ADA)] == [("RCS", "aborted"), ("SMS", "delivered")]
    assert set(reports(listener, sent.message_id)) == {
        ("SWITCHING_CHANNEL", "RCS"),
        ("QUEUED_ON_CHANNEL", "SMS"),
        ("DELIVERED", "SMS"),
    }


def test_a_phone_with_rcs_gets_it_there_and_tells_that_it_was_read(
    client: SinchClient, operator: NetworkClient, listener: Listener
) -> None:
    operator.set_channels(ADA, ["RCS"], reads=60)
    sent = client.conversation.messages.send_text_message(
        app_id=APP, text="Hi", recipient_identities=to(ADA, "RCS", "SMS"), channel_priority_order=["RCS", "SMS"]
    )
    operator.wait_until_quiet()
    assert set(reports(listener, sent.message_id)) == {("QUEUED_ON_CHANNEL", "RCS"), ("DELIVERED", "RCS")}
    operator.advance_clock(61)
    operator.wait_until_quiet()
    assert ("READ", "RCS") in reports(listener, sent.message_id)
    assert [(text.channel, text.state) for text in operator.texts_on(ADA)] == [("RCS", "read")]
    operator.text_from(ADA, "Nice")
    operator.wait_until_quiet()
    (inbound,) = [call["message"] for call in listener.payloads if "message" in call]
    assert inbound["channel_identity"]["channel"] == "RCS"


@pytest.mark.parametrize(
    ("behaviour", "code", "reason"),
    [
        ("undeliverable", None, "RECIPIENT_NOT_REACHABLE"),
        ("landline", None, "RECIPIENT_NOT_REACHABLE"),
        ("invalid", None, "RECIPIENT_INVALID_CHANNEL_IDENTITY"),
        ("blocked", None, "CHANNEL_REJECT"),
        ("temporary", None, "CHANNEL_FAILURE"),
        ("undeliverable", 412, "CHANNEL_BAD_CONFIGURATION"),
    ],
)
def test_a_failure_says_why(
    client: SinchClient, operator: NetworkClient, listener: Listener, behaviour: str, code: int | None, reason: str
) -> None:
    operator.set_behaviour(ADA, behaviour, code=code)
    sent = client.conversation.messages.send_text_message(app_id=APP, text="Hi", recipient_identities=to(ADA))
    operator.wait_until_quiet()
    assert ("FAILED", "SMS") in reports(listener, sent.message_id)
    assert reasons(listener) == [reason]


def test_nobody_on_any_channel_is_a_failure_too(
    client: SinchClient, operator: NetworkClient, listener: Listener
) -> None:
    messages = client.conversation.messages
    no_channel = messages.send_text_message(app_id=APP, text="Hi", recipient_identities=to(ADA, "WHATSAPP"))
    no_number = messages.send_text_message(app_id=APP, text="Hi", recipient_identities=to("Ada", "SMS"))
    operator.wait_until_quiet()
    assert reports(listener, no_channel.message_id) == [("FAILED", "WHATSAPP")]
    assert reports(listener, no_number.message_id) == [("FAILED", "SMS")]
    assert set(reasons(listener)) == {"NO_CHANNEL_IDENTITY_FOR_CONTACT", "RECIPIENT_INVALID_CHANNEL_IDENTITY"}
    assert operator.all_texts() == []


def test_a_message_outlives_its_time_and_is_not_tried_on_another_channel(
    client: SinchClient, operator: NetworkClient, listener: Listener
) -> None:
    operator.set_channels(ADA, ["RCS"])
    operator.set_behaviour(ADA, "slow", seconds=3600)
    sent = client.conversation.messages.send_text_message(
        app_id=APP, text="Hi", recipient_identities=to(ADA, "RCS", "SMS"), ttl=60
    )
    operator.wait_until_quiet()
    operator.advance_clock(3601)
    operator.wait_until_quiet()
    assert ("FAILED", "RCS") in reports(listener, sent.message_id)
    assert reasons(listener) == ["DELIVERY_TIMED_OUT"]
    assert [text.channel for text in operator.all_texts()] == ["RCS"]


def test_an_address_of_its_own_hears_the_reports_of_a_message(
    client: SinchClient, operator: NetworkClient, listener: Listener
) -> None:
    operator.configure_app(APP, project=PROJECT, sender=SENDER, callback_secret=SECRET)
    client.conversation.messages.send_text_message(
        app_id=APP, text="Hi", recipient_identities=to(ADA), event_destination_target=listener.url
    )
    operator.wait_until_quiet()
    assert len(listener.calls) == 2
    handler = client.conversation.sinch_events(SECRET)
    assert all(handler.validate_authentication_header(headers, body.decode()) for headers, body in listener.calls)


def test_dispatched_messages_have_no_contact_and_a_list_of_their_own(
    client: SinchClient, operator: NetworkClient, listener: Listener
) -> None:
    messages = client.conversation.messages
    sent = messages.send_text_message(
        app_id=APP, text="Hi", recipient_identities=to(ADA), processing_strategy="DISPATCH_ONLY", message_metadata="m-1"
    )
    operator.wait_until_quiet()
    report = next(call["message_delivery_report"] for call in listener.payloads if "message_delivery_report" in call)
    assert (report["contact_id"], report["processing_mode"]) == ("", "DISPATCH")
    assert messages.list(app_id=APP).content() == []
    listed = messages.list(app_id=APP, messages_source="DISPATCH_SOURCE", channel_identity=ADA).content()
    assert [(one.id, one.metadata) for one in listed] == [(sent.message_id, "m-1")]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"text": ""}, "text"),
        ({"correlation_id": "x" * 129}, "correlation_id"),
        ({"message_metadata": "x" * 1025}, "message_metadata"),
        ({"ttl": "soon"}, "ttl"),
        ({"recipient_identities": []}, "recipient"),
    ],
)
def test_what_is_out_of_order_is_refused(client: SinchClient, values: dict[str, Any], words: str) -> None:
    defaults = {"app_id": APP, "text": "Hi", "recipient_identities": to(ADA)}
    with pytest.raises(ConversationException, match=words) as caught:
        client.conversation.messages.send_text_message(**{**defaults, **values})
    assert caught.value.http_response.status_code == 400
    assert caught.value.http_response.body["error"]["status"] == "INVALID_ARGUMENT"


def test_an_app_of_another_project_is_not_there(client: SinchClient, operator: NetworkClient) -> None:
    operator.configure_project("project-2", key_id="key-2", key_secret="other")
    operator.configure_app("app-2", project="project-2")
    for app in ("app-2", "no-app"):
        with pytest.raises(ConversationException) as caught:
            client.conversation.messages.send_text_message(app_id=app, text="Hi", recipient_identities=to(BOB))
        assert caught.value.http_response.status_code == 404
    assert operator.all_texts() == []


def test_only_the_right_key_gets_a_token(network: NetworkServer, client: SinchClient) -> None:
    url = f"{network.url}/oauth2/token"
    form = {"grant_type": "client_credentials"}
    good = requests.post(url, data=form, auth=(KEY_ID, KEY_SECRET), timeout=10)
    assert set(good.json()) == {"access_token", "expires_in", "scope", "token_type"}
    assert requests.post(url, data=form, auth=(KEY_ID, "wrong"), timeout=10).status_code == 401
    stranger = official_client(network.url, project_id=PROJECT, key_id=KEY_ID, key_secret="wrong")
    with pytest.raises(SinchException):
        stranger.conversation.apps.list()


def test_an_expired_token_is_renewed_and_another_projects_is_refused(
    client: SinchClient, operator: NetworkClient, network: NetworkServer
) -> None:
    client.conversation.apps.list()
    operator.expire_tokens()
    assert [one.id for one in client.conversation.apps.list().content()] == [APP]
    assert operator.statistics()["calls"]["token"] == {"200": 2}
    operator.configure_project("project-2", key_id="key-2", key_secret="other")
    nosy = official_client(network.url, project_id=PROJECT, key_id="key-2", key_secret="other")
    with pytest.raises(ConversationException) as caught:
        nosy.conversation.apps.list()
    assert caught.value.http_response.status_code == 403


@pytest.mark.parametrize(("kind", "taken"), [("timeout_before", 0), ("reset_before", 0), ("reset_after", 1)])
def test_a_call_can_be_cut_off_before_and_after_it_was_taken(
    client: SinchClient, operator: NetworkClient, kind: str, taken: int
) -> None:
    operator.add_fault(kind)
    with pytest.raises(requests.RequestException):
        client.conversation.messages.send_text_message(app_id=APP, text="Hi", recipient_identities=to(ADA))
    assert len(operator.all_texts()) == taken


@pytest.mark.parametrize(("kind", "status"), [("rate_limit", 429), ("server_error", 500)])
def test_trouble_is_told_in_the_words_of_this_api(
    client: SinchClient, operator: NetworkClient, kind: str, status: int
) -> None:
    operator.add_fault(kind)
    with pytest.raises(ConversationException) as caught:
        client.conversation.messages.send_text_message(app_id=APP, text="Hi", recipient_identities=to(ADA))
    assert caught.value.http_response.body["error"]["code"] == status
    assert operator.all_texts() == []
