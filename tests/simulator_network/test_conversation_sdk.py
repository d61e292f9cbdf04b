"""Every method of ``client.conversation`` of the official SDK against the running network, and webhooks by hand."""

from __future__ import annotations

import inspect
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from sinch import SinchClient
from sinch.domains.conversation.api.v1.exceptions import ConversationException

from smsflow_plugin import clock
from smsflow_plugin.integrations.simulator.network import NetworkServer
from smsflow_plugin.integrations.simulator.network.client import NetworkClient
from tests.simulator_network.conftest import ADA, APP, BOB, KEY_ID, KEY_SECRET, PROJECT, SENDER, Listener

CARL = "+12025550103"


def sms(number: str) -> list[Any]:
    return [{"channel": "SMS", "identity": number}]


CONTENTS: list[tuple[str, dict[str, Any], str, str]] = [
    ("text", {"text": "Hi"}, "Hi", ""),
    ("media", {"url": "https://example.com/cat.jpg"}, "https://example.com/cat.jpg", "https://example.com/cat.jpg"),
    (
        "card",
        {
            "title": "Sale",
            "description": "Today",
            "media_message": {"url": "https://example.com/cat.jpg"},
            "choices": [{"url_message": {"title": "Shop", "url": "https://example.com"}}],
        },
        "Sale\nToday\n1. Shop https://example.com\nhttps://example.com/cat.jpg",
        "https://example.com/cat.jpg",
    ),
    (
        "choice",
        {
            "text_message": {"text": "Coming?"},
            "choices": [{"text_message": {"text": "Yes"}}, {"text_message": {"text": "No"}}],
        },
        "Coming?\n1. Yes\n2. No",
        "",
    ),
    (
        "carousel",
        {"cards": [{"title": "One", "description": "1"}, {"title": "Two", "description": "2"}]},
        "One\n1\n\nTwo\n2",
        "",
    ),
    (
        "list",
        {"title": "Pick", "sections": [{"title": "s", "items": [{"choice": {"title": "Red", "postback_data": "r"}}]}]},
        "Pick\n1. Red",
        "",
    ),
    (
        "location",
        {"title": "Our shop", "coordinates": {"latitude": 55.5, "longitude": 12.5}},
        "Our shop\n55.5, 12.5",
        "",
    ),
    (
        "contact_info",
        {"name": {"full_name": "Bo Berg"}, "phone_numbers": [{"phone_number": "+4512345678"}]},
        "Bo Berg\n+4512345678",
        "",
    ),
    (
        "template",
        {"omni_template": {"template_id": "t1", "version": "1", "parameters": {"name": "Ada"}}},
        "[t1]\nAda",
        "",
    ),
]


@pytest.mark.parametrize(("kind", "content", "words", "media"), CONTENTS)
def test_every_kind_of_message_reaches_a_plain_phone(
    client: SinchClient, operator: NetworkClient, kind: str, content: dict[str, Any], words: str, media: str
) -> None:
    messages = client.conversation.messages
    send = {
        "text": lambda **to: messages.send_text_message(app_id=APP, **content, **to),
        "media": lambda **to: messages.send_media_message(app_id=APP, media_message=content, **to),
        "card": lambda **to: messages.send_card_message(app_id=APP, card_message=content, **to),
        "choice": lambda **to: messages.send_choice_message(app_id=APP, choice_message=content, **to),
        "carousel": lambda **to: messages.send_carousel_message(app_id=APP, carousel_message=content, **to),
        "list": lambda **to: messages.send_list_message(app_id=APP, list_message=content, **to),
        "location": lambda **to: messages.send_location_message(app_id=APP, location_message=content, **to),
        "contact_info": lambda **to: messages.send_contact_info_message(app_id=APP, contact_info_message=content, **to),
        "template": lambda **to: messages.send_template_message(app_id=APP, template_message=content, **to),
    }[kind]
    sent = send(recipient_identities=sms(ADA))
    operator.wait_until_quiet()
    (text,) = operator.texts_on(ADA)
    assert (text.body, text.media) == (words, media)
    shown = messages.get(sent.message_id)
    assert shown.id == sent.message_id and shown.direction == "TO_CONTACT"


def test_messages_are_listed_read_changed_and_deleted(client: SinchClient, operator: NetworkClient) -> None:
    messages = client.conversation.messages
    sent = [
        messages.send(app_id=APP, message={"text_message": {"text": "Hi"}}, recipient_identities=sms(number))
        for number in (ADA, BOB, CARL)
    ]
    operator.wait_until_quiet()
    operator.text_from(ADA, "Hello")
    listed = list(messages.list(app_id=APP, page_size=2).iterator())
    assert [one.direction for one in listed] == ["TO_APP"] + ["TO_CONTACT"] * 3
    assert [one.id for one in listed[1:]] == [one.message_id for one in reversed(sent)]
    assert [one.id for one in messages.list(channel_identity=BOB).content()] == [sent[1].message_id]
    assert len(messages.list(contact_id=listed[0].contact_id).content()) == 2
    assert len(messages.list(conversation_id=listed[0].conversation_id, direction="TO_APP").content()) == 1
    assert messages.list(channel="RCS").content() == []
    assert messages.list(start_time=clock.now() + timedelta(hours=1)).content() == []
    assert messages.list(end_time=clock.now() - timedelta(hours=1)).content() == []
    assert messages.list(app_id="no-app").content() == []
    last = messages.list_last_messages_by_channel_identity(channel_identities=[ADA, BOB[1:]], page_size=1)
    assert [one.id for one in last.iterator()] == [listed[0].id, sent[1].message_id]
    assert messages.update(sent[0].message_id, metadata="seen").metadata == "seen"
    assert messages.get(sent[0].message_id).metadata == "seen"
    assert messages.list(view="WITHOUT_METADATA", channel_identity=BOB).content()[0].metadata is None
    assert messages.delete(sent[0].message_id) is None
    with pytest.raises(ConversationException):
        messages.get(sent[0].message_id)
    assert len(messages.list(app_id=APP).content()) == 3


def test_apps_live(client: SinchClient) -> None:
    apps = client.conversation.apps
    credentials = {"SMS": {"claimed_identity": "plan", "token": "secret"}}
    made = apps.create(display_name="Second", channel_credentials=credentials)
    assert (made.display_name, made.processing_mode, made.rate_limits.outbound) == ("Second", "CONVERSATION", 25)
    assert [one.id for one in apps.list().content()] == [APP, made.id]
    changed = apps.update(made.id, display_name="New name")
    assert (changed.display_name, changed.processing_mode) == ("New name", "CONVERSATION")
    assert apps.get(made.id).display_name == "New name"
    assert apps.delete(made.id) is None
    with pytest.raises(ConversationException) as caught:
        apps.get(made.id)
    assert caught.value.http_response.status_code == 404


def test_contacts_live(client: SinchClient, operator: NetworkClient, listener: Listener) -> None:
    contacts = client.conversation.contacts
    ada = contacts.create(channel_identities=sms(ADA), language="DA", display_name="Ada", external_id="7")
    assert (ada.channel_identities[0].identity, ada.display_name, ada.language) == (ADA[1:], "Ada", "DA")
    bob = contacts.create(channel_identities=sms(BOB), language="EN_US")
    assert [one.id for one in contacts.list(page_size=1).iterator()] == [ada.id, bob.id]
    assert [one.id for one in contacts.list(external_id="7").content()] == [ada.id]
    assert [one.id for one in contacts.list(channel="SMS", identity=BOB).content()] == [bob.id]
    changed = contacts.update(ada.id, display_name="Ada B", metadata="x")
    assert (changed.display_name, changed.external_id, contacts.get(ada.id).metadata) == ("Ada B", "7", "x")
    client.conversation.messages.send_text_message(app_id=APP, text="Hi", contact_id=bob.id)
    operator.wait_until_quiet()
    assert [text.body for text in operator.texts_on(BOB)] == ["Hi"]
    again = contacts.create(channel_identities=sms(BOB), language="EN_US")
    (conflict,) = contacts.list_identity_conflicts().content()
    assert (conflict.identity, set(conflict.contact_ids)) == (BOB[1:], {bob.id, again.id})
    merged = contacts.merge_contact(destination_id=ada.id, source_id=bob.id)
    assert {one.identity for one in merged.channel_identities} == {ADA[1:], BOB[1:]}
    assert len(client.conversation.messages.list(contact_id=ada.id).content()) == 1
    assert contacts.delete(again.id) is None
    with pytest.raises(ConversationException):
        contacts.get(bob.id)


def test_a_profile_is_the_identity_on_channels_that_have_profiles(client: SinchClient) -> None:
    contacts = client.conversation.contacts
    recipient = {"identified_by": {"channel_identities": [{"channel": "MESSENGER", "identity": "ada.b"}]}}
    profile = contacts.get_channel_profile(app_id=APP, recipient=recipient, channel="MESSENGER")
    assert profile.profile_name == "ada.b"
    identities = recipient["identified_by"]["channel_identities"]
    by_identity = contacts.get_channel_profile_by_channel_identity(
        app_id=APP, channel="MESSENGER", recipient_identities=identities
    )
    ada = contacts.create(channel_identities=identities, language="DA")
    by_contact = contacts.get_channel_profile_by_contact_id(app_id=APP, channel="MESSENGER", contact_id=ada.id)
    assert (by_identity, by_contact) == (profile, profile)
    with pytest.raises(ConversationException):
        contacts.get_channel_profile(app_id=APP, recipient=recipient, channel="LINE")


def test_no_method_of_the_sdk_was_left_out(client: SinchClient) -> None:
    """The tests above name every public method of ``client.conversation``."""
    source = Path(__file__).read_text()
    for part in ("apps", "contacts", "messages"):
        members = inspect.getmembers(getattr(client.conversation, part), inspect.ismethod)
        methods = [name for name, _ in members if not name.startswith("_")]
        assert methods
        assert [name for name in methods if f"{part}.{name}(" not in source] == []


class Rest:
    """What the SDK does not have, by hand."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/v1/projects/{PROJECT}"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.auth = (KEY_ID, KEY_SECRET)

    def call(self, method: str, path: str, data: Any = None) -> tuple[int, Any]:
        answer = self._session.request(method, f"{self._url}/{path}", json=data, timeout=10)
        return answer.status_code, answer.json()


@pytest.fixture
def rest(network: NetworkServer, app: str) -> Rest:
    return Rest(network.url)


def test_an_app_has_at_most_five_webhooks(rest: Rest, operator: NetworkClient, listener: Listener) -> None:
    hook = {"app_id": APP, "target": f"{listener.url}mine", "triggers": ["CONTACT_CREATE"], "secret": "s"}
    made = [rest.call("POST", "webhooks", hook) for _ in range(5)]
    assert [status for status, _ in made] == [200] * 4 + [400]
    first = made[0][1]
    assert rest.call("GET", f"webhooks/{first['id']}") == (200, first)
    changed = rest.call("PATCH", f"webhooks/{first['id']}?update_mask=triggers", {"triggers": ["MESSAGE_INBOUND"]})[1]
    assert (changed["triggers"], changed["target"]) == (["MESSAGE_INBOUND"], hook["target"])
    assert len(rest.call("GET", f"apps/{APP}/webhooks")[1]["webhooks"]) == 5
    for webhook in [one["id"] for _status, one in made[1:4]]:
        assert rest.call("DELETE", f"webhooks/{webhook}") == (200, {})
    operator.text_from(ADA, "Hi", to=SENDER)
    operator.wait_until_quiet()
    assert len(listener.calls) == 2
    assert rest.call("POST", "webhooks", {**hook, "triggers": ["SUNRISE"]})[0] == 400
    assert rest.call("POST", "webhooks", {**hook, "app_id": "no-app"})[0] == 404


def test_conversations_are_started_listed_stopped_and_deleted(
    rest: Rest, operator: NetworkClient, listener: Listener
) -> None:
    operator.configure_app(
        APP,
        project=PROJECT,
        sender=SENDER,
        callback_url=listener.url,
        triggers=["CONTACT_CREATE", "CONVERSATION_START", "CONVERSATION_STOP", "CONVERSATION_DELETE"],
    )
    operator.text_from(ADA, "Hi", to=SENDER)
    (one,) = rest.call("GET", f"conversations?app_id={APP}&only_active=true")[1]["conversations"]
    assert (one["active"], one["active_channel"]) == (True, "SMS")
    path = f"conversations/{one['id']}?update_mask=metadata"
    assert rest.call("PATCH", path, {"metadata": "m"})[1]["metadata"] == "m"
    assert rest.call("POST", f"conversations/{one['id']}:stop", {})[0] == 200
    assert rest.call("GET", "conversations?only_active=true")[1]["conversations"] == []
    operator.text_from(ADA, "Hi again", to=SENDER)
    assert rest.call("GET", "conversations")[1]["total_size"] == 2
    assert rest.call("DELETE", f"conversations/{one['id']}")[0] == 200
    assert rest.call("GET", f"conversations/{one['id']}")[0] == 404
    operator.wait_until_quiet()
    kinds = {name for call in listener.payloads for name in call if name.endswith("_notification")}
    assert kinds == {
        "contact_create_notification",
        "conversation_start_notification",
        "conversation_stop_notification",
        "conversation_delete_notification",
    }
