"""Flows as forms: no new step, trigger or way in sends a text without consent, twice, or about what is over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from smsflow_plugin.engine.actions import HandOverContact
from smsflow_plugin.engine.pausing import PauseFlow, ResumeFlow
from smsflow_plugin.engine.performing import Failed, Job, perform
from smsflow_plugin.events.facts import Consent, Happening, Person, PersonFact
from smsflow_plugin.flows.program import (
    Agree,
    Choice,
    Email,
    GoTo,
    HandOver,
    Listen,
    Reentry,
    Send,
    Trigger,
    Wait,
    WaitForEvent,
    WaitUntilDate,
)
from smsflow_plugin.integrations.outgoing.mail import to_person
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.models import (
    ConsentRecord,
    Contact,
    ContactDate,
    Effect,
    Enrollment,
    Event,
    Interest,
    Message,
    Policy,
    Store,
)
from tests.conftest import NOON, TestClock
from tests.engine.helpers import deliver, happened, make_flow, pump, texted
from tests.factories import caps, make_contact

ADA = "+12025550101"
BOOKED, MOVED = Trigger("appointment_booked"), Trigger("appointment_moved")


def send(text: str = "Hello", step: str = "s1", **values: Any) -> Send:
    return Send(step, {"": text}, **values)


def appointment(store: Store, kind: str, starts_at: str, **values: Any) -> None:
    data = {"appointment": {"starts_at": starts_at, "staff": values.pop("staff", None)}}
    happened(store, kind, subject="a1", data=data, **values)
    pump()


# Service texts that are about nobody's own business -------------------------------------------------


def test_a_service_flow_that_people_are_let_into_by_hand_texts_nobody_without_consent(store: Store) -> None:
    flow = make_flow(store, send("Sale!"), trigger="order_created", message_class="service", reentry=Reentry("always"))
    for n, consent in enumerate(("unknown", "granted")):
        contact = make_contact(store, phone=f"+1202555013{n}", marketing_consent=consent)
        happened(store, "entered_by_hand", phone=contact.phone, data={"flow": flow.pk, "apply_audience": False})
    pump()
    message = Message.objects.get()
    assert (message.to, message.message_class) == ("+12025550131", "marketing")
    assert "STOP" in message.body


def test_a_marketing_flow_that_leads_to_a_service_flow_texts_nobody_without_consent_or_at_night(
    store: Store, still: TestClock
) -> None:
    service = make_flow(
        store, send("Sale!"), name="S", trigger="order_created", message_class="service", reentry=Reentry("always")
    )
    make_flow(store, GoTo("g", service.pk), name="M", trigger="customer_created", reentry=Reentry("always"))
    still.at = NOON.replace(hour=4)  # 23:00 in New York
    make_contact(store, phone=ADA, marketing_consent="unknown")
    make_contact(store, phone="+12025550102")
    happened(store, "customer_created")
    happened(store, "customer_created", phone="+12025550102")
    pump()
    assert not Message.objects.exists()
    assert set(Enrollment.objects.filter(flow=service).values_list("contact__phone", "status")) == {
        (ADA, "finished"),
        ("+12025550102", "waiting"),
    }


def test_a_service_flow_that_leads_to_another_one_goes_on_about_the_same_order(store: Store) -> None:
    second = make_flow(store, send("Thanks"), name="B", trigger="order_paid", message_class="service")
    first = make_flow(store, GoTo("g", second.pk), name="A", trigger="order_created", message_class="service")
    make_flow(store, GoTo("g", first.pk), name="0", trigger="order_cancelled", message_class="service")
    make_contact(store, phone=ADA, marketing_consent="unknown")
    happened(store, "order_cancelled", subject="o1")
    pump()
    assert [m.message_class for m in Message.objects.all()] == ["service"]


def test_an_email_of_a_flow_that_asks_for_opt_in_needs_consent_to_emails(store: Store) -> None:
    contact = make_contact(store, email="ada@example.com")
    for message_class in ("optin", "marketing"):
        with pytest.raises(Failed, match="agreed"):
            to_person(Job("1:e:0", store, contact, "Flow", message_class, {"subject": "Hi", "body": "Hello"}))


def test_an_email_of_a_service_flow_that_people_are_let_into_by_hand_needs_consent(store: Store) -> None:
    make_contact(store, phone=ADA, email="ada@example.com")
    flow = make_flow(store, Email("e", {"": "Hi"}, {"": "Sale"}), trigger="order_created", message_class="service")
    happened(store, "entered_by_hand", data={"flow": flow.pk})
    pump()
    perform()
    assert Effect.objects.get().state == "failed"


# Agreement ---------------------------------------------------------------------------------------


def test_an_agreement_without_the_text_that_it_rests_on_grants_nothing(store: Store, still: TestClock) -> None:
    make_contact(store, phone=ADA, marketing_consent="pending")
    question = (
        send("YES?", "q"),
        Listen("q", (Choice(2, means="yes"),), 1, "days", on_timeout=4),
        Wait("w", 1, "hours"),
    )
    make_flow(store, *question, Agree("a"), trigger="opt_in_requested", message_class="optin")
    happened(store, "opt_in_requested")
    pump()
    texted(store, "yes")
    pump()
    Event.objects.filter(kind="message_received").delete()
    still.move(hours=1)
    pump()
    assert Enrollment.objects.get().status == "finished"
    assert Contact.objects.get().marketing_consent == "pending"
    assert not ConsentRecord.objects.exists()


# What ends runs -----------------------------------------------------------------------------------


def test_a_text_that_another_flow_took_as_its_answer_still_ends_the_flows_that_it_ends(
    store: Store, still: TestClock
) -> None:
    Policy.objects.update(minimum_gap=0, caps=caps(9))
    make_contact(store, phone=ADA)
    listen = Listen("q", (Choice(2),), 1, "days", on_timeout=3)
    make_flow(store, send("?", "q"), listen, send("Thanks", "t"), name="Asks", priority_number=1)
    make_flow(
        store, Wait("w", 2, "hours"), send("Still there?"), name="Nags", exits=("message_received",), priority_number=2
    )
    until = WaitForEvent("e", ("message_received",), 3, "hours", on_timeout=2)
    make_flow(store, until, Wait("x", 9, "days"), name="Waits", priority_number=3)
    happened(store, "opted_in")
    pump()
    texted(store, "Blue")
    pump()
    still.move(hours=2)
    pump()
    assert Enrollment.objects.get(flow__name="Nags").exit_reason == "event:message_received"
    assert Enrollment.objects.get(flow__name="Waits").state["at"] == 1
    assert not Message.objects.filter(flow__name="Nags").exists()


def test_who_was_let_in_by_hand_leaves_with_any_order_as_their_run_is_about_none(
    store: Store, still: TestClock
) -> None:
    make_contact(store, phone=ADA)
    flow = make_flow(
        store, Wait("w", 2, "hours"), send(), trigger="order_created", reentry=Reentry("subject"),
        exits=("order_cancelled",), own_exits=("order_cancelled",),
    )  # fmt: skip
    happened(store, "entered_by_hand", data={"flow": flow.pk})
    happened(store, "order_created", subject="o1")
    pump()
    still.move(hours=1)
    happened(store, "order_cancelled", subject="o2")
    pump()
    assert dict(Enrollment.objects.values_list("trigger_event__kind", "status")) == {
        "entered_by_hand": "exited",
        "order_created": "waiting",
    }


# Appointments -------------------------------------------------------------------------------------


def reminder(store: Store) -> None:
    Policy.objects.update(minimum_gap=0, caps=caps(9))
    make_flow(
        store, WaitUntilDate("d", "trigger.appointment.starts_at", -1, "days"), send("Tomorrow!", "r"),
        triggers=(BOOKED, MOVED), reentry=Reentry("subject"), message_class="service",
    )  # fmt: skip


@pytest.mark.parametrize("again", ["2026-03-06T15:00:00+00:00", "2026-03-06T10:00:00-05:00", "2026-03-06T15:00:00Z"])
def test_who_was_reminded_is_not_reminded_again_when_only_the_room_changes(
    store: Store, still: TestClock, again: str
) -> None:
    make_contact(store, phone=ADA)
    reminder(store)
    appointment(store, "appointment_booked", "2026-03-06T15:00:00+00:00")
    still.at = NOON.replace(day=5)
    pump()
    assert Message.objects.count() == 1
    still.move(hours=1)
    appointment(store, "appointment_moved", again, staff="Bo")
    assert (Message.objects.count(), Enrollment.objects.get().status) == (1, "finished")


def test_a_move_that_comes_days_late_starts_no_finished_run_again(store: Store, still: TestClock) -> None:
    make_contact(store, phone=ADA)
    reminder(store)
    appointment(store, "appointment_booked", "2026-03-06T15:00:00+00:00")
    still.at = NOON.replace(day=5)
    pump()
    still.move(days=5)
    appointment(store, "appointment_moved", "2026-03-07T15:00:00+00:00", at=NOON.replace(day=5, hour=18))
    assert (Message.objects.count(), Enrollment.objects.get().status) == (1, "finished")


def test_a_run_that_still_waits_follows_a_move_however_late_it_comes(store: Store, still: TestClock) -> None:
    make_contact(store, phone=ADA)
    reminder(store)
    appointment(store, "appointment_booked", "2026-03-20T15:00:00+00:00")
    still.move(days=5)
    appointment(store, "appointment_moved", "2026-03-25T15:00:00+00:00", at=NOON + timedelta(hours=1))
    assert Enrollment.objects.get().wake_at == NOON.replace(day=24, hour=15)


def test_nobody_is_told_of_tomorrow_when_it_was_yesterday_because_the_flow_was_paused(
    store: Store, still: TestClock
) -> None:
    make_contact(store, phone=ADA)
    flow = make_flow(
        store, WaitUntilDate("d", "trigger.appointment.starts_at", -1, "days", otherwise=2), send("Tomorrow!", "r"),
        Wait("w", 1, "hours"), triggers=(BOOKED,), message_class="service",
    )  # fmt: skip
    appointment(store, "appointment_booked", "2026-03-06T15:00:00+00:00")
    PauseFlow(flow).execute()
    still.move(days=3)
    ResumeFlow(flow).execute()
    pump()
    assert not Message.objects.exists()
    assert Enrollment.objects.get().state["at"] == 2


# People who turn out to be others ------------------------------------------------------------------


def test_who_turns_out_to_be_somebody_else_keeps_orders_waiting_lists_dates_and_refusals(store: Store) -> None:
    customer = (("customer", "c1"),)
    product = {"product": {"variant_id": "v1", "price": "10.00"}}
    ada = make_contact(store, phone=ADA, tags=["a"], fields={"size": "M"}, email_consent="granted")
    happened(store, "product_viewed", data={"product": {"variant_id": "v2", "price": "5.00"}})
    happened(store, "order_created", data={"order": {"total": "5.00"}}, at=NOON - timedelta(days=3))
    stand_in: dict[str, Any] = {"phone": None, "identities": customer}
    happened(store, "waitlist_joined", data=product, **stand_in)
    happened(store, "product_viewed", data={"product": {"variant_id": "v2", "price": "5.00"}}, **stand_in)
    happened(
        store, "order_created", data={"order": {"total": "10.00"}}, at=NOON - timedelta(days=9), **stand_in,
        fields={"birthday": "1990-03-04", "size": "L"}, tags_added=("b",), email_consent="revoked",
    )  # fmt: skip
    pump()
    assert Contact.objects.count() == 2
    happened(store, "customer_created", identities=customer)
    pump()
    ada.refresh_from_db()
    assert ada.identities.get().value == "c1"
    assert set(Interest.objects.filter(contact=ada).values_list("variant_id", "kind")) == {
        ("v1", "waitlist"), ("v1", "viewed"), ("v2", "viewed"),
    }  # fmt: skip
    assert ContactDate.objects.get(contact=ada, name="birthday").month_day == 304
    assert (ada.orders_count, str(ada.total_spent)) == (2, "15.00")
    assert (ada.first_order_at, ada.last_order_at) == (NOON - timedelta(days=9), NOON - timedelta(days=3))
    assert len(ada.order_times) == 2
    assert ada.replenish_at is not None
    assert (ada.tags, ada.fields) == (["a", "b"], {"size": "M", "birthday": "1990-03-04"})
    assert ada.email_consent == "revoked"
    assert not Event.objects.filter(kind="tag_added", contact=ada, recorded_at__gt=NOON).exists()


def test_a_stop_of_a_stand_in_still_holds(store: Store) -> None:
    make_contact(store, phone=ADA, consent_changed_at=NOON - timedelta(days=1))
    customer = (("customer", "c1"),)
    no = Consent("revoked", "marketing", "shop", NOON, key="no")
    deliver(store, PersonFact(Person(customer), (no,), (Happening("opted_out", "o", NOON),)))
    happened(store, "customer_created", identities=customer)
    pump()
    assert Contact.objects.get(phone=ADA).marketing_consent == "revoked"


# Hand-over ----------------------------------------------------------------------------------------


def test_what_a_flow_has_queued_before_staff_took_the_person_over_does_not_go_out(
    store: Store, gateway: Any, still: TestClock
) -> None:
    ada = make_contact(store, phone=ADA)
    make_flow(store, send())
    happened(store, "opted_in")
    pump()
    still.move(minutes=1)
    HandOverContact(ada, note="I talk to her.").execute()
    dispatch()
    assert (Message.objects.get().state, Message.objects.get().reason) == ("cancelled", "handed_over")


def test_the_text_that_tells_of_the_hand_over_goes_out(store: Store, gateway: Any) -> None:
    make_contact(store, phone=ADA)
    make_flow(store, send("A colleague writes to you."), HandOver("h"))
    happened(store, "opted_in")
    pump()
    assert Contact.objects.get().handed_over_at is not None
    dispatch()
    assert Message.objects.get().state == "accepted"
