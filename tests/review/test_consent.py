"""Nobody is texted without consent: statements that are repeated, merged or badly written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smsflow_plugin.engine import people
from smsflow_plugin.engine.inbound import read
from smsflow_plugin.events.facts import Consent, Happening, Person, PersonFact, RawDelivery, StoreInfo
from smsflow_plugin.integrations.sinch.translate import translate as translate_sinch
from smsflow_plugin.models import ConsentRecord, Contact, Delivery, Message, Store
from tests.conftest import NOON, TestClock
from tests.engine.helpers import deliver, happened, pump, texted
from tests.factories import make_contact

ADA = "+12025550101"


def ticked(store: Store, at: Any, *, key: str = "checkout:1") -> None:
    """The same checkout again, with the box still ticked."""
    consent = Consent("granted", "marketing", "shopify_checkout", at, key=key)
    deliver(store, PersonFact(Person((("checkout", "1"),), ADA), (consent,)))


def test_a_checkout_that_changes_after_stop_does_not_agree_again(store: Store, still: TestClock) -> None:
    ticked(store, NOON)
    pump()
    assert Contact.objects.get().marketing_consent == "granted"
    still.move(minutes=5)
    texted(store, "STOP", phone=ADA)
    pump()
    still.move(minutes=5)
    ticked(store, still.at)  # a keystroke in the same checkout: the consent of ten minutes ago, told again
    pump()
    ada = Contact.objects.get()
    assert (ada.marketing_consent, ada.service_consent) == ("revoked", "revoked")
    assert ConsentRecord.objects.count() == 2


def test_a_statement_told_twice_in_one_batch_counts_once(store: Store, still: TestClock) -> None:
    ticked(store, NOON)
    still.move(minutes=5)
    texted(store, "STOP", phone=ADA)
    still.move(minutes=5)
    ticked(store, still.at)
    pump()
    assert Contact.objects.get().marketing_consent == "revoked"


def test_a_new_checkout_after_stop_does_agree_again(store: Store, still: TestClock) -> None:
    texted(store, "STOP", phone=ADA)
    pump()
    still.move(minutes=5)
    ticked(store, still.at, key="checkout:2")
    pump()
    assert Contact.objects.get().marketing_consent == "granted"


def test_who_refused_before_their_number_was_known_stays_refused(store: Store, still: TestClock) -> None:
    """The stand-in without a number is merged into a contact who had agreed before."""
    ada = make_contact(store, phone=ADA)
    still.move(minutes=5)
    refused = Consent("revoked", "marketing", "shopify_customer", still.at, key="customer:7")
    deliver(store, PersonFact(Person((("customer", "7"),)), (refused,)))
    pump()
    still.move(minutes=5)
    waiting = Message.objects.create(
        store=store, contact=ada, message_class="marketing", sender=store.sender, to=ADA, body="Sale"
    )
    happened(store, "customer_updated", phone=ADA, customer="7", owns_phone=True, profile_at=still.at)
    pump()
    ada.refresh_from_db()
    waiting.refresh_from_db()
    assert ada.marketing_consent == "revoked"
    assert (waiting.state, waiting.reason) == ("cancelled", "opted_out")
    assert ada.consent_records.get().source == "merged"


def test_who_agreed_after_refusing_without_a_number_stays_agreed(store: Store, still: TestClock) -> None:
    refused = Consent("revoked", "marketing", "shopify_customer", still.at, key="customer:7")
    deliver(store, PersonFact(Person((("customer", "7"),)), (refused,)))
    pump()
    still.move(minutes=5)
    ada = make_contact(store, phone=ADA)
    happened(store, "customer_updated", phone=ADA, customer="7", owns_phone=True, profile_at=still.at)
    pump()
    ada.refresh_from_db()
    assert ada.marketing_consent == "granted"


@pytest.mark.parametrize(
    "changed", [{"body": "STOP \ud83d"}, {"id": "x" * 600}, {"to": "\ud83d" * 3}, {"body": "STOP" + "\u0000"}]
)
def test_a_stop_that_is_badly_written_is_still_a_stop(store: Store, settings: Any, changed: dict[str, str]) -> None:
    settings.SMSFLOW = {
        **settings.SMSFLOW,
        "TRANSLATORS": {"sinch": "smsflow_plugin.integrations.sinch.translate.translate"},
    }
    ada = make_contact(store, phone=ADA)
    text = {"type": "mo_text", "id": "mo-1", "from": ADA[1:], "to": "12025550100", "body": "STOP", **changed}
    Delivery.objects.create(
        store=store, source="sinch", external_id="1", topic="mo_text", body=json.dumps(text).encode()
    )
    pump()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason) == ("done", "")
    ada.refresh_from_db()
    assert ada.marketing_consent == "revoked"
    assert Message.objects.get().message_class == "reply"


def test_half_characters_are_read_as_something_that_can_be_stored() -> None:
    body = json.dumps({"type": "mo_text", "id": "1", "from": "12025550101", "body": "Hi \ud83d"}).encode()
    raw = RawDelivery("sinch", "mo_text", "1", {}, body, NOON)
    (inbound,) = translate_sinch(raw, StoreInfo("US", "America/New_York", "en", "USD")).facts
    assert read(inbound, "en").inbound.body == "Hi ?"  # type: ignore[arg-type]


def test_two_long_keys_with_the_same_start_stay_two_events(store: Store) -> None:
    make_contact(store, phone=ADA)
    for end in "ab":
        deliver(store, PersonFact(Person(phone=ADA), (), (Happening("order_created", "x" * 300 + end, NOON),)))
    pump()
    assert Contact.objects.get().orders_count == 2


def test_two_long_identities_with_the_same_start_stay_two_people(store: Store) -> None:
    for end in "ab":
        happened(store, "customer_created", phone=None, customer="x" * 300 + end)
    pump()
    assert Contact.objects.count() == 2


def test_a_number_that_another_worker_wrote_meanwhile_is_not_written_over(store: Store) -> None:
    """Both workers saw a contact without a number; the other one was faster."""
    contact = make_contact(store, phone=None)
    contact.identities.create(store=store, kind="customer", value="7")
    directory = people.find([(store.pk, Person((("customer", "7"),), ADA))])
    Contact.objects.filter(pk=contact.pk).update(phone="+12025550102")
    directory.place(store.pk, Person((("customer", "7"),), ADA), said_at=None)
    with pytest.raises(people.Collision):
        people.create(directory, NOON)
    contact.refresh_from_db()
    assert contact.phone == "+12025550102"
