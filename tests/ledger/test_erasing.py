"""Who asks to be erased is gone for good, is still counted, and is never texted again."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core import serializers
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse

from smsflow_plugin.audience.ledger import broken_chains
from smsflow_plugin.audience.suppression import Suppression, suppressed
from smsflow_plugin.engine import people
from smsflow_plugin.engine.actions import HandOverContact
from smsflow_plugin.engine.erasing import BLANKED, DELETED, KEPT, ErasePerson, erase
from smsflow_plugin.engine.ingest import _handle
from smsflow_plugin.events.facts import Consent, Person, PersonFact
from smsflow_plugin.flows.models import SegmentMember
from smsflow_plugin.integrations.simulator.models import SimulatedCart
from smsflow_plugin.models import (
    Connection,
    ConsentRecord,
    Contact,
    Delivery,
    Effect,
    Enrollment,
    Event,
    Message,
    Store,
    StoreLogEntry,
)
from tests.admin.people import client_of, make_user
from tests.admin.rows import Rows, fill
from tests.conftest import NOON, TestClock
from tests.engine.helpers import deliver, pump, texted
from tests.factories import make_contact, said

pytestmark = pytest.mark.django_db

PHONE = "+12025550142"
#: Stands in everything that says who the person is.
MARK = "Quixote"


@pytest.fixture
def rows(store: Store) -> Rows:
    """Somebody whose name stands everywhere, who is in a flow and has a text in the queue."""
    rows = fill(store)
    Suppression.objects.all().delete()
    contact = rows.contact
    Message.objects.filter(contact=contact).update(to=PHONE, body=f"Hello {MARK}")
    Event.objects.update(data={"body": MARK, "order": {"name": MARK}})
    Effect.objects.update(payload={"subject": MARK}, result={"value": MARK})
    Delivery.objects.filter(state="done").update(body=MARK.encode(), headers={"x": MARK})
    Contact.objects.filter(pk=contact.pk).update(
        phone=PHONE, first_name=MARK, last_name=MARK, email=f"{MARK}@example.com", tags=[MARK], fields={"nick": MARK},
        handed_over_note=MARK, postcode="10001", orders_count=2, total_spent=20,
    )  # fmt: skip
    contact.refresh_from_db()
    Enrollment.objects.update(state={"answers": {"a": MARK}}, entry_key=f"cart:{MARK}")
    Event.objects.filter(kind="message_received").update(key=f"in:{MARK}", subject=MARK)
    contact.identities.create(store=store, kind="customer", value=f"7{MARK}")
    contact.dates.create(store=store, name="birthday", at=NOON, month_day=304)
    SegmentMember.objects.create(segment=rows.segment, contact=contact)
    said(
        contact, "granted", wording=MARK, evidence={"customer": MARK}, key=f"c:{MARK}", source="keyword", own_words=True
    )
    Message.objects.create(
        store=store, contact=contact, message_class="marketing", sender=store.sender, to=PHONE, body=MARK
    )
    Message.objects.create(
        store=store, message_class="marketing", sender=store.sender, to=PHONE, body=MARK, key="test:1", state="accepted"
    )
    Delivery.objects.create(
        store=store, source="sinch", external_id="report", body=b'{"to": "12025550142"}', state="done", reason=MARK
    )
    HandOverContact(contact, make_user("boss", "Store admin", store), note=f"Call {MARK}").execute()
    contact.refresh_from_db()
    return rows


def everything() -> str:
    """All rows of all tables that hold people, as they are stored."""
    text = []
    for model in apps.get_app_config("smsflow").get_models():
        if model is Connection:
            continue  # encrypted anew whenever it is told
        text.append(serializers.serialize("json", model._default_manager.all()))
        if model is Delivery:
            text += [bytes(body).decode() for body in Delivery.objects.values_list("body", flat=True)]
    return "\n".join(text)


def test_nothing_that_names_the_person_is_left(rows: Rows) -> None:
    before = everything()
    assert MARK in before
    assert PHONE[1:] in before
    erase(rows.contact)
    after = everything()
    assert MARK not in after
    assert PHONE[1:] not in after
    assert rows.contact.email not in after


def test_what_is_counted_stays(rows: Rows) -> None:
    models = (Message, Event, Enrollment, Effect, ConsentRecord)
    before = {model: model.objects.count() for model in models}
    delivered = Message.objects.filter(state="delivered").count()
    erase(rows.contact)
    contact = Contact.objects.get(pk=rows.contact.pk)
    assert (contact.orders_count, contact.total_spent) == (2, 20)
    assert {model: model.objects.count() for model in models} == {**before, ConsentRecord: before[ConsentRecord] + 1}
    assert Message.objects.filter(state="delivered").count() == delivered
    assert str(contact) == "Erased person"


def test_their_runs_end_first_and_what_was_queued_is_cancelled(rows: Rows) -> None:
    erase(rows.contact)
    assert set(Enrollment.objects.values_list("status", "exit_reason")) == {("exited", "erased")}
    assert not Message.objects.filter(state="queued").exists()
    contact = Contact.objects.get(pk=rows.contact.pk)
    assert (contact.wake_at, contact.marketing_consent, contact.service_consent) == (None, "revoked", "revoked")


def test_the_ledger_still_holds_and_ends_with_the_refusal(rows: Rows) -> None:
    erase(rows.contact)
    assert list(broken_chains(Contact.objects.all())) == []
    *before, last = ConsentRecord.objects.order_by("pk")
    assert (last.action, last.scope, last.source, last.phone) == ("revoked", "all", "erased", "")
    assert {(line.wording, line.salt, line.phone) for line in before} == {("", "", "")}
    assert all(line.phone_hash for line in before)


def test_erasing_twice_changes_nothing(rows: Rows) -> None:
    erase(rows.contact)
    before = everything()
    erase(Contact.objects.get(pk=rows.contact.pk))
    assert everything() == before


def test_the_number_that_comes_back_with_an_import_is_known_and_not_texted(rows: Rows, still: TestClock) -> None:
    erase(rows.contact)
    still.move(days=1)
    consent = Consent("granted", "marketing", "shopify_customer", still.at, key="import:1")
    deliver(rows.store, PersonFact(Person((("customer", "8"),), PHONE, owns_phone=True), (consent,)))
    pump()
    back = Contact.objects.get(phone=PHONE)
    assert back.pk != rows.contact.pk
    assert suppressed([back, Contact.objects.get(pk=rows.contact.pk)]) == {back.pk: "erased"}
    entry = Suppression.objects.get()
    assert (entry.last4, entry.created_by, PHONE[-4:] in str(entry)) == ("", "", False)


def test_the_persons_own_word_lifts_it_and_nothing_else_does(rows: Rows, still: TestClock) -> None:
    erase(rows.contact)
    still.move(days=1)
    texted(rows.store, "START", phone=PHONE, at=NOON - timedelta(days=1))  # was on its way when they were erased
    pump()
    assert Suppression.objects.exists()
    texted(rows.store, "START", phone=PHONE)
    pump()
    assert not Suppression.objects.exists()
    back = Contact.objects.get(phone=PHONE)
    assert (back.marketing_consent, suppressed([back])) == ("granted", {})
    assert StoreLogEntry.objects.get(action="smsflow.unsuppress").object_id == str(back.pk)


def test_a_number_that_was_suppressed_by_hand_shows_no_digit_any_more(rows: Rows) -> None:
    from smsflow_plugin.audience.suppression import suppress

    suppress([(rows.store.pk, PHONE)], "by_hand", note="Grace", now=NOON)
    erase(rows.contact)
    entry = Suppression.objects.get()
    assert (entry.reason, entry.last4, entry.note) == ("erased", "", "")


def test_a_new_table_or_column_about_people_cannot_be_forgotten() -> None:
    related = {
        field.related_model
        for field in Contact._meta.get_fields(include_hidden=True)
        if field.auto_created and not field.concrete and field.related_model._meta.app_label == "smsflow"
    }
    assert related == set(DELETED) | set(BLANKED)
    assert {field.name for field in Contact._meta.concrete_fields} > KEPT


def test_what_other_apps_keep_about_the_person_goes_as_well(rows: Rows) -> None:
    SimulatedCart.objects.create(contact=rows.contact, token=MARK)
    erase(rows.contact)
    assert not SimulatedCart.objects.exists()


def test_only_a_store_admin_may_erase(rows: Rows) -> None:
    for name, role in (("agent", "Support"), ("agency", "Agency")):
        with pytest.raises(PermissionDenied):
            ErasePerson(rows.contact, make_user(name, role, rows.store)).execute()
    user = make_user("owner", "Store admin", rows.store)
    ErasePerson(rows.contact, user).execute()
    entry = StoreLogEntry.objects.get(action="smsflow.erase")
    assert (entry.user, entry.label) == (user, "Erased person")


def test_the_erased_persons_page_and_timeline_can_still_be_read(rows: Rows) -> None:
    erase(rows.contact)
    page = client_of(make_user("owner", "Store admin", rows.store)).get(
        reverse("smsflow_contacts:inspect", args=[rows.contact.pk])
    )
    assert page.status_code == 200
    assert MARK not in page.content.decode()


def test_nobody_else_is_touched(rows: Rows, danish_store: Store) -> None:
    other = make_contact(danish_store, phone=PHONE, first_name="Bo")
    said(other)
    same = make_contact(rows.store, first_name="Cecil")
    Message.objects.create(
        store=danish_store, contact=other, message_class="marketing", sender="x", to=PHONE, body="Hej"
    )
    erase(rows.contact)
    other.refresh_from_db()
    same.refresh_from_db()
    assert (other.phone, same.first_name, Message.objects.get(contact=other).body) == (PHONE, "Cecil", "Hej")
    assert suppressed([other]) == {}


def test_an_unread_delivery_is_left_to_be_read(rows: Rows) -> None:
    waiting = Delivery.objects.create(
        store=rows.store, source="test", external_id="1", body=json.dumps({"phone": PHONE}).encode()
    )
    erase(rows.contact)
    waiting.refresh_from_db()
    assert bytes(waiting.body)


def test_erasing_takes_as_many_statements_for_much_as_for_little(
    rows: Rows, django_assert_max_num_queries: Any
) -> None:
    for n in range(50):
        said(rows.contact, key=f"more:{n}")
        Event.objects.create(store=rows.store, contact=rows.contact, kind="x", key=str(n), occurred_at=NOON)
    with django_assert_max_num_queries(60):
        erase(rows.contact)


def test_the_page_says_what_goes_and_asks_to_be_sure(rows: Rows) -> None:
    client = client_of(make_user("owner", "Store admin", rows.store))
    url = reverse("smsflow_contacts:erase", args=[rows.contact.pk])
    assert "Their number is never texted again" not in client.get(url).content.decode()
    assert client.post(url, {}).status_code == 200
    assert Contact.objects.get(pk=rows.contact.pk).erased_at is None
    page = client.post(url, {"sure": "on"}, follow=True).content.decode()
    assert "Their number is never texted again." in page
    assert "This person was erased." in page
    assert Contact.objects.get(pk=rows.contact.pk).erased_at


def test_the_page_of_erasing_is_not_for_support(rows: Rows) -> None:
    client = client_of(make_user("agent", "Support", rows.store))
    url = reverse("smsflow_contacts:erase", args=[rows.contact.pk])
    assert client.post(url, {"sure": "on"}).status_code == 302
    assert Contact.objects.get(pk=rows.contact.pk).erased_at is None


def test_what_is_read_while_they_are_erased_is_not_written_on_them(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another worker has found the contact, and waits for the lock that the erasure holds."""
    lock = people.lock

    def erased_meanwhile(ids: Any) -> Any:
        monkeypatch.setattr(people, "lock", lock)
        # on SQLite there is one connection: what the other worker does is undone with the batch, and done again below
        erase(rows.contact)
        return lock(ids)

    monkeypatch.setattr(people, "lock", erased_meanwhile)
    deliver(rows.store, PersonFact(Person((), PHONE, first_name=MARK), ()))
    with pytest.raises(people.Collision), transaction.atomic():
        _handle(list(Delivery.objects.filter(state="pending")), NOON)
    erase(rows.contact)
    pump()
    assert Contact.objects.get(pk=rows.contact.pk).first_name == ""
    assert Contact.objects.get(phone=PHONE).first_name == MARK
