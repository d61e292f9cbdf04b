"""The inbox is read: who is meant, what they agreed to, what happened, and what follows from it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.events.facts import Consent, Happening, Person, PersonFact, StoreGone
from smsflow_plugin.flows.program import Reentry, Send, Wait, WaitForEvent
from smsflow_plugin.models import ConsentRecord, Contact, Decision, Delivery, Enrollment, Event, Message, Store
from tests.conftest import NOON, TestClock
from tests.engine.helpers import deliver, happened, kinds, make_flow, pump, texted
from tests.factories import make_contact, make_store

ADA = "+12025550101"
BO = "+12025550102"
HELLO = Send("s1", {"": "Hello"})


def contact(phone: str = ADA) -> Contact:
    return Contact.objects.get(phone=phone)


def test_a_person_is_made_once_and_recognised_by_any_of_their_names(store: Store) -> None:
    happened(store, "customer_created", customer="7", first_name="Ada", email="ada@example.com")
    happened(store, "checkout_updated", phone=None, customer="7", identities=[("checkout", "tok")])
    happened(store, "parcel_delivered", phone=None, identities=[("checkout", "tok")])
    assert ingest() == 3
    assert Contact.objects.count() == 1
    assert contact().first_name == "Ada"
    assert set(Event.objects.values_list("contact_id", flat=True)) == {contact().pk}


def test_a_person_without_a_number_gets_it_when_it_is_known(store: Store) -> None:
    happened(store, "checkout_updated", phone=None, identities=[("checkout", "tok")])
    ingest()
    happened(store, "checkout_updated", identities=[("checkout", "tok")])
    ingest()
    assert Contact.objects.get().phone == ADA


def test_a_stand_in_is_merged_into_the_person_that_it_turns_out_to_be(store: Store) -> None:
    ada = make_contact(store, phone=ADA)
    happened(store, "checkout_updated", phone=None, identities=[("checkout", "tok")])
    ingest()
    happened(store, "checkout_updated", identities=[("checkout", "tok")])
    happened(store, "order_created", phone=None, identities=[("checkout", "tok"), ("order", "1")])
    ingest()
    assert set(Event.objects.values_list("contact_id", flat=True)) == {ada.pk}


def test_a_new_number_is_a_new_contact_and_takes_no_consent_along(store: Store) -> None:
    happened(store, "opted_in", customer="7", consent="granted")
    ingest()
    happened(store, "customer_updated", customer="7", phone=BO, owns_phone=True)
    happened(store, "order_created", phone=None, customer="7")
    ingest()
    assert contact(ADA).marketing_consent == "granted"
    assert contact(BO).marketing_consent == "unknown"
    assert Event.objects.get(kind="order_created").contact_id == contact(BO).pk


def test_an_old_profile_that_arrives_late_does_not_bring_the_old_number_back(store: Store) -> None:
    new, old = {"phone": BO, "profile_at": NOON}, {"phone": ADA, "profile_at": NOON - timedelta(hours=1)}
    for profile in (new, old):
        happened(store, "customer_updated", customer="7", owns_phone=True, **profile)
        ingest()
    happened(store, "order_created", phone=None, customer="7")
    ingest()
    assert Event.objects.get(kind="order_created").contact_id == contact(BO).pk
    assert not Contact.objects.filter(phone=ADA).exists()


def test_somebody_elses_number_on_an_order_does_not_move_the_customer(store: Store) -> None:
    happened(store, "customer_created", customer="7")
    happened(store, "order_created", customer="7", phone=BO)
    ingest()
    assert list(Contact.objects.values_list("phone", flat=True)) == [ADA]


def test_the_same_number_in_two_stores_is_two_people(store: Store) -> None:
    other = make_store(name="Other", domain="other.myshopify.com")
    happened(store, "opted_in", consent="granted")
    happened(other, "customer_created", customer="7")
    ingest()
    assert Contact.objects.get(store=store).marketing_consent == "granted"
    assert Contact.objects.get(store=other).marketing_consent == "unknown"


def test_an_older_profile_never_overwrites_a_newer_one(store: Store) -> None:
    happened(store, "customer_updated", customer="7", first_name="Ada", profile_at=NOON)
    ingest()
    happened(store, "customer_updated", customer="7", first_name="Old", profile_at=NOON - timedelta(hours=1))
    happened(store, "order_created", customer="7", first_name="Gift", last_name="Lovelace")
    ingest()
    assert (contact().first_name, contact().last_name) == ("Ada", "Lovelace")


def test_consent_is_kept_in_the_ledger_and_on_the_contact(store: Store) -> None:
    happened(store, "opted_in", consent="granted")
    ingest()
    record = ConsentRecord.objects.get()
    assert (record.contact, record.action, record.phone) == (contact(), "granted", ADA)
    assert (contact().marketing_consent, contact().consent_changed_at) == ("granted", NOON)


def test_consent_that_came_too_late_welcomes_nobody(store: Store) -> None:
    make_flow(store, HELLO)
    texted(store, "STOP")
    pump()
    happened(store, "opted_in", consent="granted", at=NOON - timedelta(minutes=1))
    pump()
    assert contact().marketing_consent == "revoked"
    assert "opted_in" not in kinds(store)
    assert not Enrollment.objects.exists()
    assert ConsentRecord.objects.count() == 2


def test_the_same_delivery_twice_is_one_event_and_one_run(store: Store) -> None:
    make_flow(store, HELLO, reentry=Reentry("always"))
    for _time in range(2):
        happened(store, "opted_in", key="once", consent="granted")
        pump()
    assert kinds(store) == ["opted_in"]
    assert Enrollment.objects.count() == Message.objects.count() == 1


def test_what_happened_in_the_same_second_stays_in_the_order_of_its_delivery(store: Store) -> None:
    for kind, key in (("parcel_sent", "9"), ("parcel_moved", "5"), ("parcel_delivered", "7")):
        happened(store, kind, key=key)
    ingest()
    assert kinds(store) == ["parcel_sent", "parcel_moved", "parcel_delivered"]


def test_what_cannot_be_understood_is_parked_with_the_reason(store: Store) -> None:
    bad, good = deliver(store, body="nonsense"), happened(store, "customer_created", customer="7")
    assert ingest() == 2
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.state, bad.reason) == ("parked", "This is nonsense.")
    assert good.state == "done"


def test_a_source_that_nobody_knows_is_parked(store: Store) -> None:
    delivery = Delivery.objects.create(store=store, source="pigeon", external_id="1", body=b"coo")
    ingest()
    delivery.refresh_from_db()
    assert delivery.state == "parked"
    assert "pigeon" in delivery.reason


@pytest.mark.django_db(transaction=True)
def test_one_delivery_that_breaks_the_batch_is_parked_and_the_others_are_handled(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from smsflow_plugin.engine import writing

    real = writing.react

    def break_on_poison(events: Any, *args: Any, **values: Any) -> None:
        if any(event.kind == "poison" for event in events):
            raise ValueError("poison")
        real(events, *args, **values)

    monkeypatch.setattr(writing, "react", break_on_poison)
    before = happened(store, "customer_created", customer="1", phone=ADA)
    poison = happened(store, "poison", customer="2", phone=BO)
    later = happened(store, "customer_created", customer="3", phone="+12025550103")
    assert ingest() == 3
    states = {d.pk: d.state for d in Delivery.objects.all()}
    assert states == {before.pk: "done", poison.pk: "parked", later.pk: "done"}
    assert not Contact.objects.filter(phone=BO).exists()
    assert "poison" in Delivery.objects.get(pk=poison.pk).reason


def test_a_report_that_meets_a_worker_with_its_text_is_not_parked(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from smsflow_plugin.engine import ingest as pump
    from smsflow_plugin.messaging.reports import Moved

    def break_on_reports(*args: Any) -> None:
        raise Moved("taken meanwhile")

    delivery = happened(store, "customer_created", customer="1", phone=ADA)
    with monkeypatch.context() as patch:
        patch.setattr(pump, "apply_reports", break_on_reports)
        with pytest.raises(Moved):
            ingest()
    delivery.refresh_from_db()
    assert delivery.state == "pending"
    assert ingest() == 1


def test_orders_are_counted_once(store: Store) -> None:
    for key in ("1", "1", "2"):
        happened(store, "order_created", customer="7", key=key)
        ingest()
    assert contact().orders_count == 2


def test_a_run_starts_with_the_event_and_only_in_live_flows_of_the_store(store: Store, danish_store: Store) -> None:
    flow = make_flow(store, Wait("w", 1, "hours"), HELLO, trigger="checkout_updated")
    make_flow(danish_store, HELLO, trigger="checkout_updated")
    make_flow(store, HELLO, trigger="order_created")
    off = make_flow(store, HELLO, trigger="checkout_updated", name="Off")
    type(off).objects.filter(pk=off.pk).update(live=False)
    happened(store, "checkout_updated", subject="tok")
    ingest()
    run = Enrollment.objects.get()
    assert (run.flow, run.contact, run.trigger_event.kind) == (flow, contact(), "checkout_updated")
    assert contact().wake_at == NOON


def test_events_of_long_ago_start_nothing_and_say_so(store: Store) -> None:
    make_flow(store, HELLO, trigger="order_created")
    happened(store, "order_created", at=NOON - timedelta(hours=49))
    ingest()
    assert not Enrollment.objects.exists()
    assert Decision.objects.get().reason == "too_late"


def test_people_outside_of_the_audience_do_not_enter(store: Store) -> None:
    audience = {"not": {"event": "order_created", "hours": 24}}
    make_flow(store, HELLO, trigger="checkout_updated", audience=audience)
    happened(store, "order_created", at=NOON - timedelta(hours=2))
    ingest()
    happened(store, "checkout_updated", subject="tok")
    ingest()
    assert not Enrollment.objects.exists()
    assert Decision.objects.get().reason == "audience"


def test_never_again_means_never(store: Store, still: TestClock) -> None:
    make_flow(store, HELLO)
    for _time in range(2):
        happened(store, "opted_in")
        pump()
        still.move(days=400)
    assert Enrollment.objects.count() == 1


def test_again_after_some_days(store: Store, still: TestClock) -> None:
    make_flow(store, HELLO, trigger="checkout_updated", reentry=Reentry("after", 7))
    entries = []
    for subject, days in (("a", 0), ("b", 3), ("c", 5), ("c", 1)):
        still.move(days=days)
        happened(store, "checkout_updated", subject=subject)
        pump()
        entries.append(Enrollment.objects.count())
    assert entries == [1, 1, 2, 2]
    assert [d.reason for d in Decision.objects.filter(step="").order_by("pk")] == ["reentry", "same_run"]


def test_once_for_each_subject(store: Store) -> None:
    make_flow(store, HELLO, trigger="order_created", reentry=Reentry("subject"))
    for subject in ("1", "2", "1"):
        happened(store, "order_created", subject=subject)
        pump()
    assert sorted(Enrollment.objects.values_list("entry_key", flat=True)) == ["1", "2"]


def test_a_changed_cart_begins_its_wait_anew_until_something_was_sent(store: Store, still: TestClock) -> None:
    make_contact(store, phone=ADA)
    make_flow(
        store, Wait("w", 60, "minutes"), HELLO, Wait("w2", 1, "days"), HELLO,
        trigger="checkout_updated", reentry=Reentry("after", 7), restart=True,
    )  # fmt: skip
    happened(store, "checkout_updated", subject="tok", data={"cart": {"total": "1"}})
    pump()
    still.move(minutes=30)
    happened(store, "checkout_updated", subject="tok", data={"cart": {"total": "2"}})
    pump()
    run = Enrollment.objects.get()
    assert run.wake_at == NOON + timedelta(minutes=90)
    assert run.trigger_event.data == {"cart": {"total": "2"}}
    still.move(minutes=60)
    pump()
    assert Message.objects.count() == 1
    happened(store, "checkout_updated", subject="tok")
    pump()
    run.refresh_from_db()
    assert run.state["sent"] == 1
    assert Message.objects.count() == 1


def test_an_older_change_of_the_cart_does_not_turn_the_clock_back(store: Store, still: TestClock) -> None:
    make_flow(
        store, Wait("w", 60, "minutes"), HELLO, trigger="checkout_updated", restart=True, reentry=Reentry("subject")
    )
    happened(store, "checkout_updated", subject="tok", data={"n": 2})
    pump()
    still.move(minutes=30)
    happened(store, "checkout_updated", subject="tok", data={"n": 1}, at=NOON - timedelta(minutes=5))
    pump()
    assert Enrollment.objects.get().wake_at == NOON + timedelta(minutes=60)


def test_an_event_wakes_the_run_that_waits_for_it(store: Store, still: TestClock) -> None:
    make_contact(store, phone=ADA)
    make_flow(store, WaitForEvent("w", ("parcel_delivered",), 30, "days"), HELLO, trigger="order_created")
    happened(store, "order_created")
    pump()
    still.move(days=2)
    happened(store, "customer_updated")
    pump()
    assert not Message.objects.exists()
    happened(store, "parcel_delivered")
    pump()
    assert Message.objects.get().body.startswith("Sierra Gear: Hello")


def test_an_order_ends_the_cart_flow(store: Store, still: TestClock) -> None:
    make_flow(store, Wait("w", 60, "minutes"), HELLO, trigger="checkout_updated", exits=("order_created",))
    happened(store, "checkout_updated")
    pump()
    happened(store, "order_created", at=NOON + timedelta(seconds=1))
    still.move(minutes=1)
    pump()
    run = Enrollment.objects.get()
    assert (run.status, run.exit_reason, run.wake_at) == ("exited", "event:order_created", None)
    assert contact().wake_at is None


def test_a_store_that_was_uninstalled_is_closed_unless_it_came_back(store: Store) -> None:
    connected_at = store.connections.get(kind="shopify").connected_at
    deliver(store, StoreGone(connected_at - timedelta(minutes=1)))
    ingest()
    store.refresh_from_db()
    assert store.status == "active"
    deliver(store, StoreGone(connected_at + timedelta(minutes=1)))
    ingest()
    store.refresh_from_db()
    assert store.status == "uninstalled"


def test_a_fact_that_names_nobody_is_passed_over(store: Store) -> None:
    deliver(store, PersonFact(Person(), (), (Happening("order_created", "1", NOON),)))
    assert ingest() == 1
    assert not Event.objects.exists()


def test_consent_goes_to_the_number_that_it_was_given_for(store: Store) -> None:
    happened(store, "customer_created", customer="7", phone=ADA)
    ingest()
    statement = Consent("granted", "marketing", "checkout", NOON, key="c1")
    deliver(store, PersonFact(Person((("customer", "7"),), phone=BO), (statement,)))
    ingest()
    assert contact(ADA).marketing_consent == "unknown"
    assert contact(BO).marketing_consent == "granted"


def test_the_number_of_statements_does_not_grow_with_the_batch(store: Store) -> None:
    make_flow(store, HELLO, exits=("order_created",), audience={"not": {"event": "order_created", "hours": 24}})

    def statements(size: int, start: int) -> int:
        for n in range(start, start + size):
            happened(store, "opted_in", phone=f"+1202555{n:04d}", customer=str(n), consent="granted")
            texted(store, "HELP", phone=f"+1202555{n:04d}")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            ingest()
        return len(queries)

    statements(2, 100)  # the program is read once
    assert statements(2, 200) == statements(40, 300)
