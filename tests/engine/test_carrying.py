"""What steps do beside texts: tags, fields, agreements, hand-overs, other flows, requests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.engine.advance import advance
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.engine.models import Effect
from smsflow_plugin.flows.program import (
    Agree,
    Branch,
    Choice,
    Discount,
    Email,
    Goal,
    GoTo,
    HandOver,
    Instruction,
    Listen,
    Notify,
    Reentry,
    Send,
    SetField,
    Tag,
    Trigger,
    Wait,
    WaitBestTime,
    WaitForEvent,
    Webhook,
)
from smsflow_plugin.models import (
    ConsentRecord,
    Contact,
    ContactDate,
    Decision,
    Enrollment,
    Event,
    Flow,
    Message,
    Policy,
    Store,
)
from tests.admin.people import make_user
from tests.conftest import NOON, TestClock
from tests.engine.helpers import happened, leave, make_flow, pump, texted
from tests.factories import caps, make_contact

ADA = "+12025550101"


@pytest.fixture
def ada(store: Store) -> Contact:
    return make_contact(store, phone=ADA)


def send(text: str = "Hello", step: str = "s1", **values: Any) -> Send:
    return Send(step, {"": text}, **values)


def on_tag(tag: str, kind: str = "tag_added") -> tuple[Trigger, ...]:
    return (Trigger(kind, {"field": "trigger.tag", "op": "eq", "value": tag}),)


def bodies() -> list[str]:
    return [m.body for m in Message.objects.order_by("pk")]


def enter(store: Store, kind: str = "opted_in") -> None:
    happened(store, kind)
    pump()


def test_a_tag_is_given_once_and_starts_the_flows_that_wait_for_it(store: Store, ada: Contact) -> None:
    make_flow(store, Tag("t", "VIP"), Tag("u", "vip"), reentry=Reentry("always"))
    vip = make_flow(store, send(), name="VIP", triggers=on_tag("vip"))
    make_flow(store, send(), name="Other", triggers=on_tag("other"))
    enter(store)
    enter(store)
    ada.refresh_from_db()
    event = Event.objects.get(kind="tag_added")
    assert ada.tags == ["VIP"]
    assert event.data == {"tag": "VIP", "hops": 1}
    assert (event.contact, event.occurred_at) == (ada, NOON)
    assert Message.objects.get().flow == vip


def test_a_tag_that_is_not_there_is_not_taken_away(store: Store, ada: Contact) -> None:
    Contact.objects.update(tags=["Old", "b"])
    make_flow(store, Tag("t", "old", add=False), Tag("u", "gone", add=False))
    enter(store)
    ada.refresh_from_db()
    assert ada.tags == ["b"]
    assert [e.data["tag"] for e in Event.objects.filter(kind="tag_removed")] == ["old"]


def test_a_field_is_written_with_its_event_and_its_date_only_when_it_changes(store: Store, ada: Contact) -> None:
    make_flow(store, SetField("f", "birthday", "1990-05-01"), SetField("g", "birthday", "1990-05-01"))
    enter(store)
    ada.refresh_from_db()
    assert ada.fields == {"birthday": "1990-05-01"}
    assert Event.objects.get(kind="field_changed").data == {"field": "birthday", "value": "1990-05-01", "hops": 1}
    assert ContactDate.objects.get(name="birthday").month_day == 501


def test_the_runs_of_one_batch_see_each_others_changes(store: Store, ada: Contact) -> None:
    first = make_flow(store, Tag("t", "met"), SetField("f", "size", "M"), name="First", priority_number=1)
    second = make_flow(
        store, Branch("b", {"tag": "met"}, 2), send("Size {{ contact.fields.size }}"), name="Second", priority_number=2
    )
    enter(store)
    assert [m.flow for m in Message.objects.all()] == [second]
    assert bodies()[0].startswith("Sierra Gear: Size M")
    assert Enrollment.objects.get(flow=first).status == "finished"


def test_a_tag_wakes_the_run_that_waits_for_it(store: Store, ada: Contact) -> None:
    make_flow(store, WaitForEvent("w", ("tag_added",), 9, "days"), send(), name="Waits", priority_number=1)
    make_flow(store, Tag("t", "vip"), name="Tags", priority_number=2)
    enter(store)
    assert len(bodies()) == 1


def test_flows_that_start_one_another_in_a_circle_come_to_an_end(store: Store, ada: Contact) -> None:
    always = Reentry("always")
    make_flow(store, Tag("a", "y"), Tag("b", "x", add=False), name="X", triggers=on_tag("x"), reentry=always)
    make_flow(store, Tag("c", "x"), Tag("d", "y", add=False), name="Y", triggers=on_tag("y"), reentry=always)
    make_flow(store, Tag("t", "x"), name="Start")
    enter(store)
    assert Enrollment.objects.count() == 5
    assert Decision.objects.get(verdict="skip").reason == "chain"
    assert not Enrollment.objects.filter(status="waiting").exists()


def test_an_answer_opts_in_with_its_own_words_as_proof_and_welcomes(store: Store, ada: Contact) -> None:
    Contact.objects.update(marketing_consent="pending", consent_changed_at=NOON - timedelta(days=1))
    welcome = make_flow(store, send("Welcome"), name="Welcome")
    make_flow(
        store,
        send("Reply YES", "q"),
        Listen("q", (Choice(2, ("yes",)),), 1, "days", on_timeout=3),
        Agree("q"),
        trigger="opt_in_requested",
        message_class="optin",
    )
    enter(store, "opt_in_requested")
    assert bodies() == ["Sierra Gear: Reply YES\nReply STOP to opt out."]
    assert not Contact.objects.get().recent_sends
    texted(store, "Yes please!")
    pump()
    ada.refresh_from_db()
    record = ConsentRecord.objects.get()
    assert (ada.marketing_consent, ada.consent_source) == ("granted", "double_opt_in")
    assert (record.action, record.source, record.wording, record.phone) == (
        "granted", "double_opt_in", "Yes please!", ADA,
    )  # fmt: skip
    reply = Event.objects.get(kind="message_received")
    assert record.evidence["event"] == reply.pk
    assert reply.heard_by == Enrollment.objects.exclude(flow=welcome).get().pk
    assert [m.flow for m in Message.objects.filter(message_class="marketing")] == [welcome]


def test_a_later_run_of_the_batch_may_text_who_has_just_agreed(store: Store, ada: Contact) -> None:
    Contact.objects.update(marketing_consent="pending")
    question = (send("YES?", "q"), Listen("q", (Choice(2, ("yes",)),), 1, "days", on_timeout=3), Agree("q"))
    make_flow(store, *question, name="Ask", trigger="opt_in_requested", message_class="optin", priority_number=1)
    text = make_flow(
        store, WaitForEvent("w", ("customer_updated",), 1, "days"), send(), name="Text", trigger="opt_in_requested",
        priority_number=2,
    )  # fmt: skip
    enter(store, "opt_in_requested")
    texted(store, "yes")
    happened(store, "customer_updated")
    pump()
    assert [m.flow for m in Message.objects.filter(message_class="marketing")] == [text]


def test_one_answer_is_heard_by_one_run_only(store: Store, ada: Contact) -> None:
    Policy.objects.update(minimum_gap=0, caps=caps(9))
    for n in (1, 2):
        question = Listen(f"q{n}", (Choice(2),), 1, "days", save_as=f"answer{n}", on_timeout=3)
        make_flow(store, send("?", f"q{n}"), question, send("Thanks", f"r{n}"), name=str(n), priority_number=n)
    enter(store)
    texted(store, "Blue")
    pump()
    ada.refresh_from_db()
    assert ada.fields == {"answer1": "Blue"}
    texted(store, "Red")
    pump()
    ada.refresh_from_db()
    assert ada.fields == {"answer1": "Blue", "answer2": "Red"}


def test_an_answer_is_texted_at_night_and_above_the_cap_and_takes_no_slot(
    store: Store, ada: Contact, still: TestClock
) -> None:
    Policy.objects.update(caps=caps(1))
    make_flow(
        store,
        send("Favourite?", "q"),
        Listen("q", (Choice(2),), 2, "days", save_as="drink"),
        send("{{ answers.drink }} it is", "q", reply=True),
        send("More", "more"),
    )
    enter(store)
    leave()
    still.move(hours=12)  # 23:00 in New York
    texted(store, "Tea")
    pump()
    answer = Message.objects.get(purpose="answer")
    assert answer.body.startswith("Sierra Gear: Tea it is")
    assert [d.reason for d in Decision.objects.filter(verdict="defer")] == ["cap_day"]
    ada.refresh_from_db()
    assert (len(ada.recent_sends), ada.last_texted_at) == (1, still.at)


def test_nobody_who_opted_out_gets_an_answer(store: Store, ada: Contact) -> None:
    question = Listen("q", (Choice(2),), 1, "days")
    make_flow(store, send("?", "q"), question, Wait("w", 10, "minutes"), send("!", "r", reply=True))
    enter(store)
    texted(store, "Tea")
    pump()
    Contact.objects.update(marketing_consent="revoked")
    Enrollment.objects.update(wake_at=NOON)
    Contact.objects.update(wake_at=NOON)
    pump()
    assert len(bodies()) == 1


def test_who_is_handed_over_is_left_alone_by_every_flow(store: Store, ada: Contact, still: TestClock) -> None:
    make_flow(
        store, send("Somebody will write."), HandOver("h", "Wants to talk"), send("Later", "s2"), priority_number=1
    )
    make_flow(store, Wait("w", 1, "hours"), send("Other", "o"), name="Other", priority_number=2)
    enter(store)
    ada.refresh_from_db()
    assert (ada.handed_over_at, ada.handed_over_note, ada.wake_at) == (NOON, "Wants to talk", None)
    still.move(hours=2)
    happened(store, "order_paid")
    pump()
    assert len(bodies()) == 1
    make_flow(store, send("Thanks"), name="Thanks", trigger="order_paid")
    enter(store, "order_paid")
    assert Decision.objects.get(verdict="skip").reason == "handed_over"
    assert Enrollment.objects.filter(status="waiting", wake_at__isnull=False).count() == 2


def test_another_flow_is_entered_with_what_the_first_was_about(store: Store, ada: Contact) -> None:
    target = make_flow(store, send("Cart {{ cart.total }}"), name="Target", trigger="custom")
    source = make_flow(store, GoTo("g", target.pk), send("Never"), name="Source", trigger="checkout_updated")
    happened(store, "checkout_updated", subject="tok", data={"cart": {"total": "12.00"}})
    pump()
    event = Event.objects.get(kind="entered_from_flow")
    assert (event.subject, event.data["flow"], event.data["flow_name"]) == ("tok", target.pk, "Source")
    assert bodies()[0].startswith("Sierra Gear: Cart 12.00")
    assert Enrollment.objects.get(flow=source).exit_reason == "went_on"


def test_a_goal_is_an_event(store: Store, ada: Contact) -> None:
    flow = make_flow(store, Goal("g", "Confirmed", leave=True))
    enter(store)
    run = Enrollment.objects.get(flow=flow)
    assert Event.objects.get(kind="goal_reached").data == {"goal": "Confirmed", "enrollment": run.pk, "hops": 1}
    assert run.exit_reason == "goal"


# Requests --------------------------------------------------------------------------------------------


def test_a_discount_is_asked_for_once_and_its_code_comes_into_the_text(
    store: Store, ada: Contact, still: TestClock
) -> None:
    make_flow(store, Discount("d", "welcome", amount="15", valid_days=3, prefix="HI"), send("Code {{ codes.welcome }}"))
    enter(store)
    effect = Effect.objects.get()
    assert (effect.kind, effect.state, effect.waits, effect.not_before) == ("discount", "queued", True, NOON)
    assert effect.payload == {"kind": "percent", "amount": "15", "minimum": "", "valid_days": 3, "prefix": "HI"}
    Contact.objects.update(wake_at=NOON)
    Enrollment.objects.update(wake_at=NOON)
    pump()
    assert not bodies()
    Effect.objects.update(state="done", result={"value": "HI-77"})
    Contact.objects.update(wake_at=NOON)
    Enrollment.objects.update(wake_at=NOON)
    pump()
    assert bodies()[0].startswith("Sierra Gear: Code HI-77")
    assert Effect.objects.count() == 1


def test_a_webhook_is_filled_in_as_json_whatever_people_are_called(store: Store, ada: Contact) -> None:
    Contact.objects.update(first_name='Ada "A", "x": 1')
    make_flow(store, Webhook("w", "https://crm.example/hook", '{"name": "{{ contact.first_name }}"}'))
    enter(store)
    effect = Effect.objects.get()
    assert effect.payload["body"] == '{"name": "Ada \\"A\\", \\"x\\": 1"}'
    assert (effect.payload["url"], effect.waits, effect.state) == ("https://crm.example/hook", False, "queued")


def test_a_request_that_cannot_be_filled_in_has_failed_and_the_run_goes_on_at_once(store: Store, ada: Contact) -> None:
    Contact.objects.update(first_name="")
    make_flow(
        store,
        Webhook("w", "https://crm.example/hook", '{"name": "{{ contact.first_name }}"}', save_as="crm", on_failure=2),
        send("Never"),
        send("Failed", "s2"),
    )
    enter(store)
    effect = Effect.objects.get()
    assert (effect.state, effect.finished_at) == ("failed", NOON)
    assert "contact.first_name" in effect.result["error"]
    assert [m.step for m in Message.objects.all()] == ["s2"]


def test_a_notice_without_an_address_goes_to_the_owner_of_the_flow(store: Store, ada: Contact) -> None:
    owner = make_user("anna", "Store admin", store)
    notice = Notify("n", (), "About {{ contact.first_name }}", "Call “{{ contact.last_name }}”.")
    flow = make_flow(store, notice)
    nobody = make_flow(store, notice, name="Nobody's")
    Flow.objects.filter(pk=flow.pk).update(owner=owner)
    enter(store)
    assert Effect.objects.get(flow=flow).payload == {
        "to": ["anna@example.com"], "subject": "About Ada", "body": "Call “Lovelace”.",
    }  # fmt: skip
    failed = Effect.objects.get(flow=nobody)
    assert (failed.state, "owner" in failed.result["error"]) == ("failed", True)
    assert set(Enrollment.objects.values_list("status", flat=True)) == {"finished"}


def test_an_email_is_written_in_the_persons_language(danish_store: Store) -> None:
    make_contact(danish_store, phone="+4520123456", email="ada@example.com")
    make_flow(danish_store, Email("e", {"": "Hello", "da": "Hej"}, {"": "Hello", "da": "Hej {{ contact.first_name }}"}))
    happened(danish_store, "opted_in", phone="+4520123456")
    pump()
    assert Effect.objects.get().payload == {
        "to": "ada@example.com", "subject": "Hej", "body": "Hej Ada", "language": "da",
    }  # fmt: skip


# Test runs, habits, statements -----------------------------------------------------------------------


def test_a_test_run_waits_less_but_still_for_the_morning(store: Store, ada: Contact, still: TestClock) -> None:
    flow = make_flow(store, Wait("w", 10, "hours"), send())
    happened(store, "entered_by_hand", data={"flow": flow.pk, "test_pace": 600})
    pump()
    run = Enrollment.objects.get()
    assert (run.test_pace, run.wake_at) == (600, NOON + timedelta(minutes=1))
    still.move(hours=12)
    pump()
    assert not bodies()
    assert Decision.objects.get().reason == "quiet_hours"


@pytest.mark.parametrize(("hours", "expected"), [([0] * 19 + [5] + [0] * 4, 19), ([1] + [0] * 23, 13), ([], 13)])
def test_the_best_time_is_the_persons_own_if_it_is_known(
    store: Store, ada: Contact, hours: list[int], expected: int
) -> None:
    Contact.objects.update(active_hours=hours)
    Store.objects.update(best_hour=13)
    make_flow(store, WaitBestTime("w", 24), send())
    enter(store)
    assert Enrollment.objects.get().wake_at == NOON + timedelta(hours=expected - 11)


def everything(target: int) -> list[Instruction]:
    return [
        Tag("t", "a"),
        Tag("u", "b"),
        SetField("f", "since", "2026-01-01"),
        Agree("a"),
        Webhook("w", "https://crm.example/", '{"n": "{{ contact.first_name }}"}'),
        Notify("n", (), "New", "Hello"),
        Goal("g", "Done"),
        GoTo("go", target, leave=False),
        send(),
        Discount("d", "code"),
        HandOver("h"),
    ]


def test_the_number_of_statements_does_not_grow_with_the_batch_whatever_the_flow_does(store: Store) -> None:
    target = make_flow(store, send("Hi", "s2"), name="Target", trigger="custom")
    make_flow(store, send("Tag", "s3"), name="Tagged", triggers=on_tag("a"))
    make_flow(store, *everything(target.pk), name="All")
    owner = make_user("anna", "Store admin", store)
    Flow.objects.update(owner=owner)

    def statements(size: int, start: int) -> int:
        for n in range(start, start + size):
            make_contact(store, phone=f"+1202555{n:04d}", marketing_consent="pending")
            happened(store, "opted_in", phone=f"+1202555{n:04d}")
        while ingest():
            pass
        with CaptureQueriesContext(connection) as queries:
            assert advance() == size
        while advance():
            pass
        return len(queries)

    statements(1, 100)
    assert statements(2, 200) == statements(50, 300) <= 34
    assert Effect.objects.filter(kind="webhook").count() == Event.objects.filter(kind="goal_reached").count() == 53
