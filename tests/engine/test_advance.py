"""Due people are advanced: decisions are stored, texts queued, caps shared, and nobody is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.engine.advance import advance, next_wake
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.flows.program import Reentry, Send, Wait
from smsflow_plugin.models import Contact, Decision, Enrollment, FlowVersion, Message, Policy, Store
from tests.conftest import NOON, TestClock
from tests.engine.helpers import happened, leave, make_flow, pump
from tests.factories import caps, make_contact

ADA = "+12025550101"


def send(text: str = "Hello", **values: Any) -> Send:
    return Send(values.pop("step", "s1"), {"": text}, **values)


def decisions() -> list[tuple[str, str]]:
    return list(Decision.objects.order_by("pk").values_list("verdict", "reason"))


def test_a_text_is_queued_with_its_decision_and_its_cap_slot(store: Store) -> None:
    ada = make_contact(store, phone=ADA)
    flow = make_flow(store, send("Hi {{ contact.first_name | default: 'there' }}"))
    happened(store, "opted_in")
    pump()
    message, run = Message.objects.get(), Enrollment.objects.get()
    assert message.body == "Sierra Gear: Hi Ada\nReply STOP to opt out."
    assert (message.flow, message.enrollment_id, message.step, message.visit) == (flow, run.pk, "s1", 0)
    assert (message.to, message.sender, message.state) == (ADA, store.sender, "queued")
    assert (message.parts, message.encoding, message.slots) == (1, "GSM-7", [[16, 19]])
    assert decisions() == [("allow", "allowed")]
    ada.refresh_from_db()
    assert ada.recent_sends == [[NOON.timestamp(), flow.pk, "lifecycle"]]
    assert (run.status, ada.wake_at) == ("finished", None)


def test_nobody_is_texted_without_consent(store: Store) -> None:
    make_flow(store, send())
    happened(store, "opted_in")
    pump()
    assert not Message.objects.exists()
    assert decisions() == [("skip", "no_consent")]
    assert Enrollment.objects.get().status == "finished"


def test_nobody_without_a_number_is_texted(store: Store) -> None:
    make_flow(store, send(), trigger="customer_created")
    happened(store, "customer_created", phone=None, customer="7")
    pump()
    assert decisions() == [("skip", "no_phone")]


def test_a_text_at_night_waits_for_the_morning(store: Store, still: TestClock) -> None:
    make_contact(store, phone=ADA)
    still.move(hours=14)  # 01:00 in New York
    make_flow(store, send())
    happened(store, "opted_in")
    pump()
    assert not Message.objects.exists()
    assert decisions() == [("defer", "quiet_hours")]
    assert next_wake() == NOON + timedelta(hours=22)  # 09:00
    still.at = next_wake() or pytest.fail()
    pump()
    assert Message.objects.count() == 1


def test_two_flows_share_the_caps_and_the_more_important_goes_first(store: Store) -> None:
    make_contact(store, phone=ADA)
    Policy.objects.update(caps=caps(1))
    promo = make_flow(store, send("Sale"), name="Promo", priority="promo")
    cart = make_flow(store, send("Cart"), name="Cart", priority="lifecycle", priority_number=50)
    welcome = make_flow(store, send("Welcome"), name="Welcome", priority="lifecycle", priority_number=10)
    happened(store, "opted_in")
    pump()
    assert Message.objects.get().flow == welcome
    held = {d.flow_id: d for d in Decision.objects.filter(verdict="defer")}
    assert {pk: d.reason for pk, d in held.items()} == {cart.pk: "cap_day", promo.pk: "look_ahead"}
    # tomorrow's place is the cart's, so the promotion waits for the day after
    assert [held[pk].until for pk in (cart.pk, promo.pk)] == [NOON + timedelta(days=1), NOON + timedelta(days=2)]


def test_service_texts_need_no_opt_in_and_spend_no_cap(store: Store) -> None:
    make_contact(store, phone=ADA, marketing_consent="unknown")
    Policy.objects.update(caps=caps(1))
    for n in range(3):
        make_flow(store, send(), name=str(n), trigger="order_paid", message_class="service", priority="service")
    happened(store, "order_paid")
    pump()
    assert Message.objects.count() == 3
    assert Contact.objects.get().recent_sends == []
    assert "STOP" not in Message.objects.all()[0].body


def test_missing_data_skips_the_text_and_says_what_is_missing(store: Store) -> None:
    make_contact(store, phone=ADA, first_name="")
    make_flow(store, send("Hi {{ contact.first_name }}"))
    happened(store, "opted_in")
    pump()
    assert decisions() == [("skip", "missing_data")]
    assert Decision.objects.get().notes == [{"path": "contact.first_name"}]


def test_missing_data_uses_the_fallback_when_there_is_one(store: Store) -> None:
    make_contact(store, phone=ADA, first_name="")
    make_flow(store, send("Hi {{ contact.first_name }}", fallback={"": "Hi there"}))
    happened(store, "opted_in")
    pump()
    assert Message.objects.get().body.startswith("Sierra Gear: Hi there")


def test_copy_is_written_in_the_contacts_language(danish_store: Store) -> None:
    make_contact(danish_store, phone="+4520123456")
    make_flow(danish_store, Send("s1", {"": "Hello", "da": "Hej"}))
    happened(danish_store, "opted_in", phone="+4520123456")
    pump()
    assert Message.objects.get().body == "Nordic Tea: Hej\nSvar STOP for at afmelde."


def test_a_stale_text_is_not_sent(store: Store, still: TestClock) -> None:
    make_contact(store, phone=ADA)
    still.move(hours=14)
    make_flow(store, send(expires_minutes=120))
    happened(store, "opted_in")
    pump()
    assert decisions() == [("skip", "stale")]


def test_a_flow_that_was_unpublished_texts_nobody_any_more(store: Store, still: TestClock) -> None:
    make_contact(store, phone=ADA)
    flow = make_flow(store, Wait("w", 1, "hours"), send())
    happened(store, "opted_in")
    pump()
    type(flow).objects.update(live=False)
    still.move(hours=2)
    pump()
    assert Enrollment.objects.get().exit_reason == "flow_off"
    assert not Message.objects.exists()


def test_a_paused_store_texts_nobody(store: Store) -> None:
    make_contact(store, phone=ADA)
    make_flow(store, send())
    happened(store, "opted_in")
    ingest()
    Store.objects.update(status="paused")
    pump()
    assert decisions() == [("skip", "store_off")]


def test_a_broken_program_stops_itself_and_nobody_else(store: Store) -> None:
    make_contact(store, phone=ADA)
    broken = make_flow(store, send(), name="Broken")
    program = FlowVersion.objects.get(flow=broken).program
    program["instructions"] += [{"op": "jump", "step": "j", "target": 0}]
    FlowVersion.objects.filter(flow=broken).update(program=program)
    good = make_flow(store, send("Good"), name="Good")
    happened(store, "opted_in")
    pump()
    assert Message.objects.get().flow == good
    assert Enrollment.objects.get(flow=broken).status == "failed"
    assert "BadProgram" in Enrollment.objects.get(flow=broken).exit_reason
    assert len(Contact.objects.get().recent_sends) == 1


def test_running_a_wait_in_one_go_or_with_many_looks_is_the_same(store: Store, still: TestClock) -> None:
    make_contact(store, phone=ADA)
    make_flow(store, send(step="a"), Wait("w", 2, "hours"), send(step="b"))
    happened(store, "opted_in")
    pump()
    leave()
    for _look in range(5):
        still.move(minutes=20)
        Contact.objects.update(wake_at=still())
        Enrollment.objects.filter(status="waiting").update(wake_at=still())
        pump()
    assert [m.step for m in Message.objects.all()] == ["a"]
    still.move(minutes=20)
    pump()
    assert [m.step for m in Message.objects.order_by("pk")] == ["a", "b"]


def test_the_number_of_statements_does_not_grow_with_the_batch(store: Store) -> None:
    make_flow(
        store, send(), trigger="order_created", audience={"field": "orders_count", "op": "ge", "value": 1},
        reentry=Reentry("always"), exits=("opted_out",),
    )  # fmt: skip

    def statements(size: int, start: int) -> int:
        for n in range(start, start + size):
            make_contact(store, phone=f"+1202555{n:04d}")
            happened(store, "order_created", phone=f"+1202555{n:04d}")
        while ingest():
            pass
        with CaptureQueriesContext(connection) as queries:
            assert advance() == size
        return len(queries)

    statements(1, 100)
    assert statements(2, 200) == statements(60, 300) <= 18
    assert Message.objects.count() == 63
