"""What people do by hand: opt-outs, replays, test texts, connections."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from smsflow_plugin.engine.actions import RecordOptOut
from smsflow_plugin.events.actions import ReplayDelivery
from smsflow_plugin.messaging.actions import SendTestText
from smsflow_plugin.messaging.gateway import GatewayUnavailable
from smsflow_plugin.messaging.settling import PAUSE
from smsflow_plugin.models import (
    Connection,
    ConsentRecord,
    Delivery,
    Enrollment,
    Event,
    Message,
    Policy,
    Store,
    StoreLogEntry,
)
from tests.admin.people import client_of, make_user
from tests.admin.rows import Rows, fill
from tests.factories import SHOPIFY_SECRET, make_contact
from tests.panel.forms import caps, filled_in, week

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(store: Any) -> Rows:
    return fill(store)


@pytest.fixture
def ada(rows: Rows) -> Any:
    return make_user("ada", "Store admin", rows.store)


def queued(rows: Rows, message_class: str) -> Message:
    return Message.objects.create(
        store=rows.store, contact=rows.contact, key=message_class, message_class=message_class, body="Hello"
    )


def test_an_opt_out_reaches_the_ledger_the_contact_its_runs_and_its_queued_texts(rows: Rows, ada: Any) -> None:
    marketing, reply = queued(rows, "marketing"), queued(rows, "reply")
    RecordOptOut(rows.contact, ada, note="Called on Monday.").execute()
    for row in (rows.contact, rows.enrollment, marketing, reply):
        row.refresh_from_db()
    record = ConsentRecord.objects.get(contact=rows.contact, source="staff")
    assert (record.action, record.scope, record.wording, record.actor) == ("revoked", "all", "Called on Monday.", "ada")
    assert (rows.contact.marketing_consent, rows.contact.service_consent) == ("revoked", "revoked")
    assert (rows.enrollment.status, rows.enrollment.exit_reason) == (Enrollment.Status.EXITED, "opted_out")
    assert (marketing.state, marketing.reason) == ("cancelled", "opted_out")
    assert reply.state == "queued"
    assert Event.objects.filter(contact=rows.contact, kind="opted_out").count() == 1
    assert StoreLogEntry.objects.get(action="smsflow.record_opt_out").store == rows.store


def test_a_second_opt_out_only_adds_to_the_ledger(rows: Rows, ada: Any) -> None:
    RecordOptOut(rows.contact, ada, note="Once.").execute()
    RecordOptOut(rows.contact, ada, note="Twice.").execute()
    assert ConsentRecord.objects.filter(contact=rows.contact, source="staff").count() == 2
    assert Event.objects.filter(contact=rows.contact, kind="opted_out").count() == 1


def test_somebody_of_another_store_records_nothing(rows: Rows, danish_store: Any) -> None:
    bo = make_user("bo", "Store admin", danish_store)
    with pytest.raises(PermissionDenied):
        RecordOptOut(rows.contact, bo, note="No.").execute()
    assert not ConsentRecord.objects.filter(source="staff").exists()


def test_a_person_is_taken_over_and_given_back(rows: Rows, ada: Any) -> None:
    client = client_of(ada)
    page = reverse("smsflow_contacts:inspect", args=(rows.contact.pk,))
    response = client.get(page)
    assert b"Take over from flows" in response.content
    labels = [button.label for button in response.context["view"].header_more_buttons]
    assert labels[:2] == ["Take over from flows", "Record opt-out"], "a phone's header has room for the name alone"

    client.post(reverse("smsflow_contacts:hand_over", args=(rows.contact.pk,)), {"note": "Wants a refund."})
    rows.contact.refresh_from_db()
    assert rows.contact.handed_over_at is not None
    assert rows.contact.wake_at is None
    html = client.get(page).content.decode()
    assert "Staff has taken this person over" in html and "Wants a refund." in html

    client.post(reverse("smsflow_contacts:resume", args=(rows.contact.pk,)))
    rows.contact.refresh_from_db()
    rows.enrollment.refresh_from_db()
    assert rows.contact.handed_over_at is None
    assert rows.contact.wake_at == rows.enrollment.wake_at
    assert set(StoreLogEntry.objects.values_list("action", flat=True)) >= {
        "smsflow.hand_over",
        "smsflow.resume_automation",
    }


def test_who_may_only_look_takes_nobody_over(rows: Rows) -> None:
    client = client_of(make_user("carl", "Copywriter", rows.store))
    response = client.post(reverse("smsflow_contacts:hand_over", args=(rows.contact.pk,)), {"note": ""})
    assert response.status_code in (302, 404)
    rows.contact.refresh_from_db()
    assert rows.contact.handed_over_at is None


def test_a_replayed_delivery_waits_again_without_its_reason(rows: Rows, ada: Any) -> None:
    client_of(ada).post(reverse("smsflow_deliveries:replay", args=[rows.parked.pk]))
    rows.parked.refresh_from_db()
    assert (rows.parked.state, rows.parked.reason) == (Delivery.State.PENDING, "")
    entry = StoreLogEntry.objects.get(action="smsflow.replay")
    assert entry.data["reason"] == "There is no checkout in it."


def test_a_delivery_that_is_done_is_not_replayed(rows: Rows, ada: Any) -> None:
    done = Delivery.objects.get(state="done")
    assert ReplayDelivery(done, ada).execute().state == Delivery.State.DONE


def test_a_replay_needs_a_post(rows: Rows, ada: Any) -> None:
    assert client_of(ada).get(reverse("smsflow_deliveries:replay", args=[rows.parked.pk])).status_code == 405


def test_a_page_shows_a_body_and_never_runs_it(rows: Rows, ada: Any) -> None:
    page = client_of(ada).get(reverse("smsflow_deliveries:inspect", args=[rows.parked.pk])).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)</script>" not in page


def test_a_test_text_is_queued_once_however_often_the_form_is_sent(rows: Rows, ada: Any) -> None:
    address = reverse("smsflow_stores:test_text", args=[rows.store.pk])
    data = {"to": "(202) 555-0187", "body": "It’s a test", "key": str(uuid.uuid4())}
    client = client_of(ada)
    client.post(address, data)
    client.post(address, data)
    message = Message.objects.get(purpose="test")
    assert (message.to, message.body, message.sender) == ("+12025550187", "It's a test", rows.store.sender)
    assert (message.parts, message.encoding, message.message_class) == (1, "GSM-7", "service")


@pytest.mark.parametrize("number", ["", "12", "hello", "+1 202"])
def test_what_is_no_number_gets_no_test_text(rows: Rows, number: str) -> None:
    with pytest.raises(ValidationError):
        SendTestText(rows.store, to=number, body="Hello").execute()
    assert not Message.objects.filter(purpose="test").exists()


def test_a_number_that_opted_out_gets_no_test_text(rows: Rows) -> None:
    gone = make_contact(rows.store, marketing_consent="revoked")
    with pytest.raises(ValidationError, match="opted out"):
        SendTestText(rows.store, to=str(gone.phone), body="Hello").execute()


def test_a_store_that_is_paused_or_not_connected_sends_no_test_text(rows: Rows) -> None:
    Store.objects.filter(pk=rows.store.pk).update(status="paused")
    rows.store.refresh_from_db()
    with pytest.raises(ValidationError, match="not active"):
        SendTestText(rows.store, to="+12025550188", body="Hello").execute()
    rows.store.status = Store.Status.ACTIVE
    Message.objects.all().delete()
    Connection.objects.filter(store=rows.store, kind="sinch").delete()
    with pytest.raises(ValidationError, match="gateway"):
        SendTestText(rows.store, to="+12025550188", body="Hello").execute()


def form_data(client: Any, store: Store, **changes: Any) -> dict[str, Any]:
    """What the browser would send for the form as it is shown, with ``changes``."""
    form = client.get(reverse("smsflow_stores:edit", args=[store.pk])).context["form"]
    data = {field.html_name: field.value() for field in form}
    return {**{name: value for name, value in data.items() if value not in (None, False)}, **changes}


def test_saving_without_a_change_keeps_every_secret(rows: Rows, ada: Any) -> None:
    client = client_of(ada)
    before = {row.kind: row.secrets for row in Connection.objects.filter(store=rows.store)}
    response = client.post(reverse("smsflow_stores:edit", args=[rows.store.pk]), form_data(client, rows.store))
    assert response.status_code == 302
    assert {row.kind: row.secrets for row in Connection.objects.filter(store=rows.store)} == before
    assert not StoreLogEntry.objects.filter(action="smsflow.save_connection").exclude(data={"changed": []}).exists()


def test_a_new_secret_keeps_the_old_one_beside_it(rows: Rows, ada: Any) -> None:
    client = client_of(ada)
    data = form_data(client, rows.store, shopify_secret="brand-new")
    client.post(reverse("smsflow_stores:edit", args=[rows.store.pk]), data)
    secrets = Connection.objects.get(store=rows.store, kind="shopify").secrets
    assert secrets == {"secret": "brand-new", "previous_secret": SHOPIFY_SECRET}
    entry = StoreLogEntry.objects.get(action="smsflow.save_connection")
    assert entry.data == {"changed": ["secret"]}


def test_no_page_ever_shows_a_secret(rows: Rows, ada: Any) -> None:
    client = client_of(ada)
    edit = reverse("smsflow_stores:edit", args=[rows.store.pk])
    failed = client.post(edit, form_data(client, rows.store, shopify_secret="typed-in", country="XX"))
    pages = client.get(edit).content.decode() + failed.content.decode()
    pages += client.get(reverse("smsflow_stores:history", args=[rows.store.pk])).content.decode()
    assert failed.status_code == 200
    for connection in Connection.objects.filter(store=rows.store):
        for secret in filter(None, connection.secrets.values()):
            assert f'"{secret}"' not in pages
    assert "typed-in" not in pages


def test_the_webhooks_secret_is_made_by_a_button_and_shown_to_those_who_may_connect(rows: Rows, ada: Any) -> None:
    client, agency = client_of(ada), client_of(make_user("andy", "Agency", rows.store))
    edit = reverse("smsflow_stores:edit", args=[rows.store.pk])
    make = reverse("smsflow_stores:make_secret", args=[rows.store.pk])
    assert "Make a secret" in client.get(edit).content.decode()
    agency.post(make)
    assert not Connection.objects.filter(store=rows.store, kind="webhook").exists()

    client.post(make)
    secret = Connection.objects.get(store=rows.store, kind="webhook").secrets["secret"]
    assert secret in client.get(edit).content.decode()
    assert secret not in agency.get(edit).content.decode()


def test_rules_are_checked_and_saved(rows: Rows, ada: Any) -> None:
    client, policy = client_of(ada), rows.policy
    edit = reverse("wagtailsnippets_smsflow_policy:edit", args=[policy.pk])
    refused = client.post(edit, filled_in(client, policy, **caps((6, "day", "all"), (5, "week", "all"))))
    assert "caps" in refused.context["form"].errors
    changes = {**caps((3, "day", "all")), **week([["10:00", "20:00"]] * 7)}
    client.post(edit, {**filled_in(client, policy, **changes), "action-publish": "1"})
    policy.refresh_from_db()
    assert (policy.caps, policy.week[0]) == ([{"limit": 3, "window": "day"}], ["10:00", "20:00"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("country", "XX"),
        ("currency", "12"),
        ("timezone", "Mars/Phobos"),
        ("sender", "a name that is far too long"),
        ("shop_domain", "evil.example.com"),
        ("shop_domain", ""),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(rows: Rows, ada: Any, field: str, value: str) -> None:
    client = client_of(ada)
    edit = reverse("smsflow_stores:edit", args=[rows.store.pk])
    response = client.post(edit, form_data(client, rows.store, **{field: value}))
    assert list(response.context["form"].errors) == [field]


def test_a_new_store_gets_its_rules_and_connections(db: None, admin_client: Any) -> None:
    form = admin_client.get(reverse("smsflow_stores:add")).context["form"]
    data = {field.html_name: field.value() for field in form if field.value() not in (None, False)}
    data.update(name="Nordic Tea", brand="Nordic Tea", country="dk", timezone="Europe/Copenhagen", language="da")
    data.update(currency="dkk", sender="+4592451000", shop_domain="https://nordic-tea.myshopify.com/")
    data.update(shopify_secret="hush")
    admin_client.post(reverse("smsflow_stores:add"), data)
    store = Store.objects.get(name="Nordic Tea")
    assert (store.country, store.currency) == ("DK", "DKK")
    assert Policy.objects.filter(store=store).exists()
    assert Connection.objects.get(store=store).account == "nordic-tea.myshopify.com"


def test_new_settings_end_the_gateways_pause(rows: Rows, ada: Any) -> None:
    connection = Connection.objects.get(store=rows.store, kind="sinch")
    connection.settings[PAUSE] = {"until": "2099-01-01T00:00:00+00:00", "reason": "No credit."}
    connection.save()
    client = client_of(ada)
    data = form_data(client, rows.store, sinch_token="another")
    client.post(reverse("smsflow_stores:edit", args=[rows.store.pk]), data)
    connection.refresh_from_db()
    assert PAUSE not in connection.settings
    assert connection.secrets["api_token"] == "another"


class Answering:
    """A gateway that says what the test wants."""

    max_recipients = 1
    fails = False

    def __init__(self, **kwargs: Any) -> None:
        pass

    def check(self) -> str:
        if self.fails:
            raise GatewayUnavailable("The token is <b>wrong</b>.")
        return "The connection works."


class Failing(Answering):
    fails = True


@pytest.mark.parametrize(
    ("gateway", "sentence"),
    [("Answering", "The connection works."), ("Failing", "The token is &lt;b&gt;wrong&lt;/b&gt;.")],
)
def test_a_check_shows_what_the_gateway_says(rows: Rows, ada: Any, settings: Any, gateway: str, sentence: str) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "GATEWAYS": {"sinch": f"{__name__}.{gateway}"}}
    page = client_of(ada).post(reverse("smsflow_stores:check", args=[rows.store.pk]), follow=True).content.decode()
    assert sentence in page
