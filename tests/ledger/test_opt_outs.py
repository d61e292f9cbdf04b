"""Opt-outs that people give by mail, phone or across the counter, and what happens to texts on their way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from smsflow_plugin.engine.actions import RecordOptOut
from smsflow_plugin.events.facts import Consent, Person, PersonFact
from smsflow_plugin.models import ConsentRecord, Contact, Enrollment, Event, Message, Store, StoreLogEntry
from tests.admin.people import client_of, make_user
from tests.admin.rows import Rows, fill
from tests.conftest import NOON, TestClock
from tests.engine.helpers import deliver, pump, texted

pytestmark = pytest.mark.django_db

PHONE = "+12025550143"
YESTERDAY = NOON - timedelta(days=1)


@pytest.fixture
def rows(store: Store) -> Rows:
    rows = fill(store)
    Contact.objects.update(phone=PHONE, consent_changed_at=NOON - timedelta(days=9))
    rows.contact.refresh_from_db()
    for message_class in ("marketing", "service", "reply"):
        Message.objects.create(
            store=store, contact=rows.contact, message_class=message_class, sender="x", to=PHONE, body="Hi"
        )
    return rows


def queued() -> set[str]:
    return set(Message.objects.filter(state="queued").values_list("message_class", flat=True))


def shop_says(store: Store, action: str, at: object, key: str) -> None:
    consent = Consent(action, "marketing", "shopify_customer", at, key=key)  # type: ignore[arg-type]
    deliver(store, PersonFact(Person(phone=PHONE), (consent,)))
    pump()


def record(rows: Rows, **values: object) -> Contact:
    RecordOptOut(rows.contact, make_user("agent", "Support", rows.store), **values).execute()  # type: ignore[arg-type]
    return Contact.objects.get(pk=rows.contact.pk)


def test_everything_ends_in_the_same_moment(rows: Rows) -> None:
    contact = record(rows, channel="phone", said_at=YESTERDAY, note="Called about her order, wants no more texts.")
    assert (contact.marketing_consent, contact.service_consent) == ("revoked", "revoked")
    assert (contact.consent_changed_at, contact.consent_source) == (YESTERDAY, "staff")
    assert queued() == {"reply"}
    assert Enrollment.objects.get().exit_reason == "opted_out"
    line = ConsentRecord.objects.get(source="staff")
    assert (line.channel, line.scope, line.effective_at, line.actor) == ("phone", "all", YESTERDAY, "agent")
    assert Event.objects.get(kind="opted_out").occurred_at == YESTERDAY
    assert StoreLogEntry.objects.get(action="smsflow.record_opt_out").data["cancelled"] == 2


def test_who_only_wants_no_advertising_still_hears_of_their_orders(rows: Rows) -> None:
    contact = record(rows, channel="email", scope="marketing")
    assert (contact.marketing_consent, contact.service_consent) == ("revoked", "unknown")
    assert queued() == {"service", "reply"}
    assert Enrollment.objects.get().status == "waiting"


def test_what_the_shop_said_before_does_not_undo_it_when_it_comes_later(rows: Rows) -> None:
    record(rows, said_at=YESTERDAY)
    shop_says(rows.store, "granted", YESTERDAY - timedelta(minutes=1), "1")
    shop_says(rows.store, "granted", YESTERDAY, "2")
    assert Contact.objects.get().service_consent == "revoked"


def test_what_the_person_has_said_since_is_not_undone_by_an_old_note(rows: Rows, still: TestClock) -> None:
    texted(rows.store, "START", phone=PHONE)
    pump()
    contact = record(rows, said_at=YESTERDAY, note="Found in the mailbox")
    assert contact.marketing_consent == "granted"
    assert ConsentRecord.objects.filter(source="staff").exists()
    assert "marketing" in queued()
    assert not Event.objects.filter(kind="opted_out").exists()


def test_nobody_can_have_said_it_tomorrow(rows: Rows) -> None:
    assert record(rows, said_at=NOON + timedelta(days=30)).consent_changed_at == NOON


def test_the_form_takes_how_and_when(rows: Rows) -> None:
    client = client_of(make_user("agent", "Support", rows.store))
    url = reverse("smsflow_contacts:opt_out", args=[rows.contact.pk])
    assert "At the counter, by letter, on the phone" in client.get(url).content.decode()
    data = {"channel": "letter", "said_at": "2026-03-03 10:30", "scope": "all", "note": "Letter of 1 March"}
    client.post(url, data)
    line = ConsentRecord.objects.get(source="staff")
    # on the clock of the store, in New York
    assert (line.channel, line.effective_at.isoformat()) == ("letter", "2026-03-03T15:30:00+00:00")


@pytest.mark.parametrize(
    "change", [{"channel": "pigeon"}, {"said_at": "2027-01-01 10:00"}, {"note": ""}, {"scope": "email"}]
)
def test_the_form_refuses_what_cannot_be(rows: Rows, change: dict[str, str]) -> None:
    client = client_of(make_user("agent", "Support", rows.store))
    url = reverse("smsflow_contacts:opt_out", args=[rows.contact.pk])
    data = {"channel": "letter", "said_at": "2026-03-03 10:30", "scope": "all", "note": "Letter of 1 March"}
    assert client.post(url, {**data, **change}).status_code == 200
    assert not ConsentRecord.objects.filter(source="staff").exists()
