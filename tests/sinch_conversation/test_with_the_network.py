"""A store on the Conversation API alone, with the simulated network as its Sinch: texts, reports, replies, STOP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.integrations.simulator import phone
from smsflow_plugin.integrations.simulator.network import running_network
from smsflow_plugin.integrations.simulator.network.client import NetworkClient
from smsflow_plugin.messaging.actions import SendTestText
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.messaging.polling import poll_inbounds
from smsflow_plugin.messaging.reconcile import reconcile
from smsflow_plugin.models import Batch, Connection, Contact, Delivery, InboundPoll, Message, Sender, Store
from tests.factories import make_contact, make_store

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def network(live_server: Any, settings: Any) -> Iterator[NetworkClient]:
    store = make_store()
    Connection.objects.filter(store=store, kind="sinch").delete()
    with running_network(pace=0.01) as server:
        settings.SMSFLOW = {
            **settings.SMSFLOW,
            "PUBLIC_URL": live_server.url,
            "SIMULATOR": True,
            "SIMULATOR_URL": server.url,
        }
        Connection.objects.create(
            store=store,
            kind="sinch_conversation",
            account="project-1",
            secrets={"key_id": "key", "key_secret": "secret", "callback_secret": "signed"},
            settings={"app_id": "app-1", "conversation_origin": server.url, "auth_origin": server.url},
        )
        call_command("smsflow_network_setup")
        yield NetworkClient(server.url)
    smsflow_settings.reload()


@pytest.fixture
def ada(network: NetworkClient) -> Contact:
    return make_contact(Store.objects.get())


def send(ada: Contact, body: str = "Hello") -> Message:
    text = SendTestText(ada.store, to=str(ada.phone), body=body).execute(skip_permission_checks=True)
    dispatch()
    return text


def take_in(network: NetworkClient) -> None:
    network.wait_until_quiet()
    while ingest():
        pass


def test_a_text_arrives_and_a_stop_comes_back(network: NetworkClient, ada: Contact) -> None:
    text = send(ada)
    take_in(network)
    text.refresh_from_db()
    assert (text.state, text.channel) == ("delivered", "sms")
    phone.reply(ada, "STOP")
    take_in(network)
    ada.refresh_from_db()
    assert ada.marketing_consent == ada.service_consent == "revoked"
    dispatch()
    network.wait_until_quiet()
    said = [one.body for one in phone.texts_on(ada)]
    assert said[:2] == ["Hello", "STOP"]
    assert len(said) == 3, "the one confirmation"


def test_a_phone_with_rcs_tells_that_it_was_read(network: NetworkClient, ada: Contact) -> None:
    Sender.objects.create(store=ada.store, address=ada.store.sender, channel="rcs")
    network.set_channels(str(ada.phone), ["RCS"], reads=0.0)
    text = send(ada)
    take_in(network)
    text.refresh_from_db()
    assert (text.state, text.channel) == ("delivered", "rcs")
    assert text.read_at is not None


def test_a_call_that_was_cut_off_after_it_was_taken_is_found_and_not_repeated(
    network: NetworkClient, ada: Contact, settings: Any
) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "RECONCILE_AFTER": 0}
    network.add_fault("reset_after", operation="send")
    text = send(ada)
    assert Batch.objects.get().state == "sending"
    reconcile()
    dispatch()
    take_in(network)
    text.refresh_from_db()
    assert text.state == "delivered"
    assert [one.body for one in phone.texts_on(ada)] == ["Hello"]


def test_a_stop_whose_callback_was_lost_is_found_by_asking(network: NetworkClient, ada: Contact) -> None:
    send(ada)
    take_in(network)
    before = set(Delivery.objects.values_list("pk", flat=True))
    phone.reply(ada, "STOP")
    network.wait_until_quiet()
    Delivery.objects.exclude(pk__in=before).delete()
    InboundPoll.objects.all().delete()
    poll_inbounds()
    take_in(network)
    ada.refresh_from_db()
    assert ada.marketing_consent == "revoked"
