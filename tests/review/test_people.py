"""Who is who when numbers move and strangers turn out to be known: never the wrong person's text."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.engine.advance import next_wake
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.flows.program import Reentry, Send, Wait
from smsflow_plugin.models import Contact, Enrollment, Event, Identity, Message, Store
from tests.conftest import NOON, TestClock
from tests.engine.helpers import happened, make_flow, pump, texted
from tests.factories import make_contact

ADA, BOB = "+12025550101", "+12025550102"


def profile(store: Store, customer: str, phone: str, *, minutes: int) -> None:
    happened(
        store, "customer_updated", customer=customer, phone=phone, owns_phone=True,
        profile_at=NOON + timedelta(minutes=minutes),
    )  # fmt: skip


def number_of(customer: str) -> str | None:
    return Identity.objects.get(kind="customer", value=customer).contact.phone


def test_two_people_who_swap_their_numbers_in_one_batch_are_told_apart(store: Store) -> None:
    profile(store, "1", ADA, minutes=0)
    profile(store, "2", BOB, minutes=0)
    ingest()
    profile(store, "1", BOB, minutes=1)
    profile(store, "2", ADA, minutes=2)
    ingest()
    assert (number_of("1"), number_of("2")) == (BOB, ADA)
    assert Contact.objects.count() == 2


def test_a_chain_of_stand_ins_ends_at_the_contact_with_the_number(store: Store, still: TestClock) -> None:
    ada = make_contact(store, phone=ADA)
    make_flow(
        store, Wait("w", 1, "hours"), Send("s", {"": "Hi"}), trigger="checkout_updated", reentry=Reentry("always")
    )
    happened(store, "parcel_sent", phone=None, identities=[("order", "9")])
    happened(store, "checkout_updated", phone=None, customer="7")
    ingest()
    happened(store, "order_paid", phone=None, customer="7", identities=[("order", "9")])
    happened(store, "checkout_updated", phone=ADA, customer="7")
    happened(store, "parcel_delivered", phone=None, identities=[("order", "9")])
    pump()
    assert set(Event.objects.values_list("contact_id", flat=True)) == {ada.pk}
    assert set(Identity.objects.values_list("contact_id", flat=True)) == {ada.pk}
    still.move(hours=1)
    pump()
    assert Message.objects.get().to == ADA
    # the run that began with a stand-in went on for her
    assert set(Enrollment.objects.values_list("contact_id", "status")) == {(ada.pk, "finished")}
    assert next_wake() is None


def test_a_cart_that_changes_twice_in_one_batch_is_spoken_of_as_it_is_now(store: Store, still: TestClock) -> None:
    make_contact(store, phone=ADA)
    make_flow(
        store, Send("s", {"": "{{ cart.count }} left"}), trigger="checkout_updated", reentry=Reentry("subject"),
        restart=True,
    )  # fmt: skip
    for n in (1, 2):
        happened(
            store, "checkout_updated", phone=ADA, subject="c", data={"cart": {"count": n}}, at=still.move(seconds=1)
        )
    pump()
    assert "2 left" in Message.objects.get().body


def test_an_opt_out_leaves_nobody_due_for_ever(store: Store, still: TestClock) -> None:
    make_contact(store, phone=ADA)
    make_flow(store, Wait("w", 1, "hours"), Send("s", {"": "Hi"}))
    happened(store, "opted_in")
    pump()
    texted(store, "STOP", phone=ADA)
    pump()
    still.move(hours=2)
    pump()
    assert next_wake() is None
    assert list(Message.objects.values_list("message_class", flat=True)) == ["reply"]


def test_the_number_of_statements_does_not_grow_with_the_merges(store: Store) -> None:
    def statements(size: int, start: int) -> int:
        for n in range(start, start + size):
            make_contact(store, phone=f"+1202555{n:04d}")
            happened(store, "opted_out", phone=None, customer=str(n), consent="revoked")
        ingest()
        for n in range(start, start + size):
            profile(store, str(n), f"+1202555{n:04d}", minutes=1)
        with CaptureQueriesContext(connection) as queries:
            ingest()
        return len(queries)

    assert statements(2, 1000) == statements(30, 2000)
    assert set(Contact.objects.exclude(phone=None).values_list("marketing_consent", flat=True)) == {"revoked"}


def test_an_old_statement_that_arrives_late_does_not_bring_the_old_number_back(store: Store) -> None:
    profile(store, "7", ADA, minutes=-20)
    profile(store, "7", BOB, minutes=0)
    ingest()
    happened(store, "opted_in", customer="7", phone=ADA, consent="granted", at=NOON - timedelta(minutes=10))
    ingest()
    assert number_of("7") == BOB
    consents = dict(Contact.objects.values_list("phone", "marketing_consent"))
    assert consents == {ADA: "granted", BOB: "unknown"}


def test_a_new_statement_tells_which_number_is_used_now(store: Store) -> None:
    profile(store, "7", ADA, minutes=-20)
    happened(store, "opted_in", customer="7", phone=BOB, consent="granted", at=NOON)
    ingest()
    assert number_of("7") == BOB
