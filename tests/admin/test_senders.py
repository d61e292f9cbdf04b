"""The pages of a store's senders, and a store that runs on the Conversation API alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from smsflow_plugin.messaging.gateway import NullGateway
from smsflow_plugin.messaging.sender_state import standings
from smsflow_plugin.messaging.settling import PAUSE
from smsflow_plugin.models import Connection, Message, Pace, Sender, Store, StoreLogEntry
from tests.admin.people import client_of, make_user
from tests.conftest import NOON, TestClock
from tests.factories import make_contact

pytestmark = pytest.mark.django_db

NUMBER = "+12025550177"


@pytest.fixture
def ada(store: Store, still: TestClock) -> Client:
    return client_of(make_user("ada", "Store admin", store))


def url(name: str, *args: Any) -> str:
    return reverse(f"smsflow_stores:{name}", args=args)


def fields(**values: Any) -> dict[str, Any]:
    return {"address": NUMBER, "active": "on", "use": "all", "countries": "", "channel": "sms", "position": 0, **values}


def test_a_sender_is_added_changed_and_deleted(store: Store, ada: Client) -> None:
    ada.post(url("sender_add", store.pk), fields(countries="us, ca", texts_per_second="2.5"))
    sender = Sender.objects.get()
    assert (sender.store, sender.address, sender.countries, sender.texts_per_second) == (
        store, NUMBER, ["US", "CA"], 2.5,
    )  # fmt: skip
    page = ada.get(url("senders", store.pk)).content.decode()
    assert NUMBER in page and store.sender in page and "US, CA" in page
    ada.post(url("sender", store.pk, sender.pk), fields(use="marketing"))
    sender.refresh_from_db()
    assert (sender.use, sender.countries, sender.texts_per_second) == ("marketing", [], None)
    assert "leave from another sender" in ada.get(url("sender_delete", store.pk, sender.pk)).content.decode()
    ada.post(url("sender_delete", store.pk, sender.pk))
    assert not Sender.objects.exists()
    actions = list(StoreLogEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["smsflow.save_sender", "smsflow.save_sender", "smsflow.delete_sender"]


@pytest.mark.parametrize(
    "wrong",
    [{"address": "a name that is too long"}, {"countries": "XX"}, {"texts_per_second": "0"}, {"use": "nothing"}],
)
def test_what_makes_no_sense_is_refused(store: Store, ada: Client, wrong: dict[str, Any]) -> None:
    response = ada.post(url("sender_add", store.pk), fields(**wrong))
    assert response.status_code == 200
    assert set(response.context["form"].errors) == set(wrong)
    assert not Sender.objects.exists()


def test_the_same_number_twice_and_the_own_one_switched_off_are_refused(store: Store, ada: Client) -> None:
    Sender.objects.create(store=store, address=NUMBER)
    assert ada.post(url("sender_add", store.pk), fields()).context["form"].errors
    own = fields(address=store.sender, active="")
    assert "active" in ada.post(url("sender_add", store.pk), own).context["form"].errors
    assert Sender.objects.count() == 1


def test_another_stores_connection_cannot_be_chosen(store: Store, danish_store: Store, ada: Client) -> None:
    foreign = Connection.objects.get(store=danish_store, kind="sinch")
    form = ada.post(url("sender_add", store.pk), fields(connection=foreign.pk)).context["form"]
    assert "connection" in form.errors


def test_another_stores_sender_is_not_found(store: Store, danish_store: Store, ada: Client) -> None:
    sender = Sender.objects.create(store=danish_store, address=NUMBER)
    for address in (
        url("sender", store.pk, sender.pk),
        url("sender_delete", store.pk, sender.pk),
        url("sender", danish_store.pk, sender.pk),
        url("senders", danish_store.pk),
    ):
        assert ada.get(address).status_code == ada.post(address, fields()).status_code == 404, address
    assert Sender.objects.get().store == danish_store


def test_support_looks_and_changes_nothing(store: Store, still: TestClock) -> None:
    sender = Sender.objects.create(store=store, address=NUMBER)
    client = client_of(make_user("sue", "Support", store))
    page = client.get(url("senders", store.pk)).content.decode()
    assert NUMBER in page and url("sender", store.pk, sender.pk) not in page
    client.post(url("sender", store.pk, sender.pk), fields(use="marketing"))
    client.post(url("sender_delete", store.pk, sender.pk))
    sender.refresh_from_db()
    assert sender.use == "all"


def test_a_name_in_a_country_that_takes_none_is_warned_of(store: Store, ada: Client) -> None:
    page = ada.post(url("sender_add", store.pk), fields(address="Nordic Tea"), follow=True).content.decode()
    assert "cannot come from a name" in page


def test_the_page_says_how_each_stands(store: Store, ada: Client, django_assert_num_queries: Any) -> None:
    connection = Connection.objects.get(store=store, kind="sinch")
    Sender.objects.create(store=store, address=NUMBER)
    Pace.objects.create(connection=connection, address=NUMBER, slowed_to=50, slowed_at=NOON - timedelta(minutes=1))
    for sender in (NUMBER, store.sender, "+19995550000"):
        contact = make_contact(store)
        Message.objects.create(
            store=store, contact=contact, message_class="marketing", sender=sender, to=str(contact.phone), body="Hi"
        )
    own = standings(store, NOON)
    assert {address: one.waiting for address, one in own.items()} == {NUMBER: 1, store.sender: 2}
    assert (own[NUMBER].slowed_to, own[NUMBER].slow_until) == (60, NOON + timedelta(minutes=4))
    assert own[store.sender].slowed_to is None
    page = ada.get(url("senders", store.pk)).content.decode()
    assert "Slowed down to 60 a second" in page
    assert "from 11:04" in page, "on the clock of the store"
    until = NOON + timedelta(minutes=5)
    connection.settings = {PAUSE: {"until": until.isoformat(), "reason": "No credit <b>left</b>."}}
    connection.save()
    page = ada.get(url("senders", store.pk)).content.decode()
    assert "Rests until 11:05" in page and "No credit &lt;b&gt;left&lt;/b&gt;." in page


def test_the_pages_queries_do_not_grow_with_the_senders(
    store: Store, ada: Client, django_assert_max_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def queries(senders: int) -> int:
        for n in range(senders):
            Sender.objects.create(store=store, address=f"+1202555{Sender.objects.count():04d}", position=n)
        with CaptureQueriesContext(connection) as found:
            ada.get(url("senders", store.pk))
        return len(found)

    queries(1)
    assert queries(1) == queries(20)


def test_a_test_text_is_sent_from_the_page_of_senders(store: Store, ada: Client) -> None:
    Sender.objects.create(store=store, address=NUMBER)
    address = url("test_text", store.pk)
    form = ada.get(f"{address}?sender=%2B12025550177").context["form"]
    assert form["sender"].value() == NUMBER
    key = form["key"].value()
    ada.post(address, {"to": "+12025550123", "body": "Hi", "key": key, "sender": NUMBER})
    assert Message.objects.get().sender == NUMBER
    assert (
        "sender"
        in ada.post(address, {"to": "+12025550123", "body": "Hi", "key": key, "sender": "+1999"}).context["form"].errors
    )


class Conversation(NullGateway):
    """Stands in for the gateway of the Conversation API."""

    def check(self) -> str:
        return "The project works."


def test_a_store_runs_on_the_conversation_api_alone(store: Store, ada: Client, settings: Any) -> None:
    gateways = {
        "sinch": "smsflow_plugin.messaging.gateway.NullGateway",
        "sinch_conversation": "tests.admin.test_senders.Conversation",
    }
    settings.SMSFLOW = {**settings.SMSFLOW, "GATEWAYS": gateways}
    Connection.objects.filter(store=store, kind="sinch").delete()
    edit = url("edit", store.pk)
    form = ada.get(edit).context["form"]
    data = {field.html_name: field.value() for field in form if field.value() not in (None, False)}
    wrong = ada.post(edit, {**data, "conversation_project": "p-1"}).context["form"].errors
    assert set(wrong) == {"conversation_key_id", "conversation_key_secret", "conversation_app"}
    half = ada.post(edit, {**data, "conversation_key_id": "id"}).context["form"].errors
    assert "Access key id" in half["conversation_project"][0] and "Write this again" in half["conversation_key_id"][0]
    assert not Connection.objects.filter(store=store, kind="sinch_conversation").exists()
    data.update(
        conversation_project="p-1", conversation_app="app-1", conversation_key_id="id", conversation_region="eu",
        conversation_key_secret="hush", conversation_callback_secret="hook-of-sierra-gear",
    )  # fmt: skip
    ada.post(edit, data)
    connection = Connection.objects.get(store=store, kind="sinch_conversation")
    assert connection.account == "p-1"
    assert connection.secrets == {"key_id": "id", "key_secret": "hush", "callback_secret": "hook-of-sierra-gear"}
    assert (connection.settings["app_id"], connection.settings["region"]) == ("app-1", "eu")
    page = ada.get(edit).content.decode()
    assert "hush" not in page
    assert "The project works." in ada.post(url("check", store.pk), follow=True).content.decode()
    kept = {**data, "conversation_key_id": "", "conversation_key_secret": "", "conversation_callback_secret": ""}
    ada.post(edit, {**kept, "conversation_app": "app-2"})
    connection.refresh_from_db()
    assert (connection.settings["app_id"], connection.secrets["key_secret"]) == ("app-2", "hush")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sinch_plan", "my plan/../x"),
        ("sinch_plan", "x" * 200),
        ("sinch_callback_secret", "s"),
        ("conversation_project", "p/1"),
        ("conversation_app", "app 1"),
        ("conversation_key_id", "id?"),
        ("conversation_callback_secret", "fifteen letters"),
    ],
)
def test_what_cannot_be_sinchs_is_refused_and_replaces_nothing(
    store: Store, ada: Client, field: str, value: str
) -> None:
    before = Connection.objects.get(store=store, kind="sinch")
    form = ada.get(url("edit", store.pk)).context["form"]
    data = {each.html_name: each.value() for each in form if each.value() not in (None, False)}
    response = ada.post(url("edit", store.pk), {**data, field: value})
    assert field in response.context["form"].errors
    after = Connection.objects.get(store=store, kind="sinch")
    assert (after.account, after.secrets) == (before.account, before.secrets)
    assert ada.post(url("edit", store.pk), {**data, "sinch_callback_secret": "s" * 16}).status_code == 302
