"""What will happen to a person next: as things stand now, it does happen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from smsflow_plugin import clock
from smsflow_plugin.engine.advance import next_wake
from smsflow_plugin.engine.forecast import End, Prospect, Stands, forecast
from smsflow_plugin.flows.program import (
    Branch,
    Choice,
    Discount,
    Exit,
    HandOver,
    Instruction,
    Listen,
    Send,
    Tag,
    Wait,
    WaitForEvent,
    WaitUntilTime,
)
from smsflow_plugin.measurement.ahead import Ahead, ahead
from smsflow_plugin.models import Contact, Enrollment, Flow, Message, Policy, Store
from tests.conftest import NOON, TestClock
from tests.engine.helpers import happened, leave, make_flow, pump, texted
from tests.factories import make_contact

pytestmark = pytest.mark.django_db
ZONE = "America/New_York"
HELLO, BYE = Send("s1", {"": "Hello {{ contact.first_name }}"}), Send("s2", {"": "Goodbye"})


@pytest.fixture
def anna(store: Store) -> Contact:
    return make_contact(store, first_name="Anna", timezone=ZONE, marketing_consent="granted", opt_in_level="confirmed")


def enter(contact: Contact, *instructions: Instruction, **values: Any) -> Flow:
    """Let somebody into a new flow of these instructions."""
    values.setdefault("trigger", "order_paid")
    flow = make_flow(contact.store, *instructions, **values)
    happened(contact.store, values["trigger"], phone=contact.phone, subject=flow.name, at=clock.now())
    pump()
    leave()
    return flow


def seen(contact: Contact) -> list[Prospect]:
    return forecast(Contact.objects.select_related("store").get(pk=contact.pk), clock.now())


def told(contact: Contact) -> Ahead:
    (only,) = ahead(Contact.objects.select_related("store").get(pk=contact.pk), ZONE)
    return only


def test_the_next_text_comes_when_its_wait_is_over(anna: Contact) -> None:
    enter(anna, Wait("w1", 2, "hours"), HELLO, Wait("w2", 1, "days"), BYE)
    (prospect,) = seen(anna)
    assert prospect.stands is Stands.TIME
    assert [text.at for text in prospect.texts] == [NOON + timedelta(hours=2), NOON + timedelta(hours=26)]
    assert "Hello Anna" in prospect.texts[0].body
    assert (prospect.end, prospect.texts[0].held) == (End.FINISHED, ())


def test_quiet_hours_put_it_off_and_say_so(anna: Contact) -> None:
    enter(anna, Wait("w1", 12, "hours"), HELLO)
    text = told(anna).texts[0]
    # 11:00 and twelve hours is 23:00 in New York
    assert text.at == datetime(2026, 3, 5, 14, tzinfo=UTC)
    assert text.about[0].startswith("It is due at 23:00, but then it waits: quiet hours in America/New_York.")


def test_nothing_is_written_and_nothing_is_sent(anna: Contact) -> None:
    enter(anna, HELLO, Wait("w1", 2, "hours"), Tag("t", "vip"), BYE)
    before = [*Enrollment.objects.values(), *Contact.objects.values(), *Message.objects.values()]
    contact = Contact.objects.select_related("store").get(pk=anna.pk)
    forecast(contact, clock.now())
    assert contact.tags == anna.tags
    assert [*Enrollment.objects.values(), *Contact.objects.values(), *Message.objects.values()] == before


def test_who_is_asked_is_waited_for_and_the_next_text_comes_if_they_are_silent(anna: Contact) -> None:
    enter(
        anna,
        HELLO,
        Listen("l", (Choice(3, words=("yes",), value="yes"),), 3, "hours", on_timeout=2),
        BYE,
        Send("s3", {"": "Nice"}),
    )
    answer = told(anna)
    assert answer.stands == "Waits for an answer until 14:00."
    assert "Goodbye" in answer.texts[0].body
    assert answer.texts[0].about == ("Only if no answer comes before; another way may follow an answer.",)
    texted(anna.store, "yes", phone=str(anna.phone))
    pump()
    (prospect,) = seen(anna)
    assert [(text.step, text.unless) for text in prospect.texts] == [("s3", ())]


def test_what_a_run_waits_for_and_what_ends_it_are_named(anna: Contact) -> None:
    enter(anna, WaitForEvent("v", ("link_clicked",), 1, "days", on_timeout=1), HELLO, exits=("order_created",))
    run = told(anna)
    assert run.stands == "Waits until 11:00 on Thursday for this: Link clicked."
    assert run.stops.startswith("What could still stop it or put it off: Order placed; an opt-out; what the rules")


def test_a_branch_is_asked_as_things_stand_now(anna: Contact) -> None:
    many = {"field": "orders_count", "op": "ge", "value": "3"}
    enter(anna, Wait("w1", 1, "hours"), Branch("b", many, 3), BYE, Exit("e"), HELLO, name="Ways")
    (prospect,) = seen(anna)
    assert (prospect.texts, prospect.end) == ([], End.LEFT)
    Contact.objects.update(orders_count=3)
    assert [text.step for text in seen(anna)[0].texts] == ["s2"]


def test_flows_share_the_caps_of_the_person_in_their_order(anna: Contact) -> None:
    Policy.objects.update_or_create(
        store=anna.store, defaults={"caps": [{"limit": 1, "window": "day", "scope": "all", "of": ""}]}
    )
    first = enter(anna, Wait("w1", 1, "hours"), HELLO, name="First")
    second = enter(anna, Wait("w1", 2, "hours"), BYE, name="Second")
    prospects = seen(anna)
    assert [one.flow_id for one in prospects] == [first.pk, second.pk]
    early, late = (one.texts[0] for one in prospects)
    assert early.at == NOON + timedelta(hours=1)
    assert late.at >= early.at + timedelta(days=1)
    assert late.held


def test_a_code_that_is_yet_to_be_made_is_not_made_up(anna: Contact) -> None:
    enter(anna, Wait("w", 1, "hours"), Discount("d", "discount"), Send("s1", {"": "Your code: {{ codes.discount }}"}))
    (prospect,) = seen(anna)
    assert prospect.texts[0].assumed
    assert any("another system" in words for words in told(anna).texts[0].about)


def test_after_staff_is_asked_nothing_can_be_said(anna: Contact) -> None:
    enter(anna, Wait("w", 1, "hours"), HandOver("h"), HELLO)
    assert (seen(anna)[0].end, seen(anna)[0].texts) == (End.HANDED_OVER, [])
    assert told(anna).about == ("Then it hands the person over to staff, and waits.",)
    other = enter(anna, Wait("w", 2, "hours"), BYE, name="Other")
    told_of = next(one for one in ahead(Contact.objects.select_related("store").get(), ZONE) if one.flow_id == other.pk)
    assert told_of.about == (
        "Before that, at 12:00, “Flow” hands the person over to staff; then this flow stands still.",
    )
    Enrollment.objects.filter(flow=other).delete()
    Contact.objects.update(handed_over_at=clock.now())
    assert seen(anna)[0].stands is Stands.WITH_STAFF
    assert told(anna).still


def test_a_paused_flow_and_one_that_is_off_say_so(anna: Contact) -> None:
    flow = enter(anna, Wait("w", 1, "hours"), HELLO)
    Flow.objects.filter(pk=flow.pk).update(paused_at=clock.now())
    assert told(anna).stands == "Stands still, as the flow is paused."
    Flow.objects.filter(pk=flow.pk).update(paused_at=None, live=False)
    assert seen(anna)[0].stands is Stands.FLOW_OFF


def test_whoever_does_not_agree_is_told_that_nothing_would_go(anna: Contact) -> None:
    enter(anna, Wait("w", 1, "hours"), HELLO)
    Contact.objects.update(marketing_consent="unknown")
    run = told(anna)
    assert run.about == (
        "A text at 12:00 would not be sent: the person has not agreed to marketing texts.",
        "Then the flow is at its end, without another text.",
    )


def test_as_many_queries_for_many_flows_as_for_few(anna: Contact) -> None:
    def queries() -> int:
        contact = Contact.objects.select_related("store").get(pk=anna.pk)
        with CaptureQueriesContext(connection) as caught:
            ahead(contact, ZONE)
        return len(caught)

    enter(anna, Wait("w", 1, "hours"), HELLO, name="Flow 0")
    few = queries()
    for number in range(1, 8):
        enter(anna, Wait("w", number, "hours"), HELLO, name=f"Flow {number}")
    assert len(seen(anna)) == 8
    assert queries() <= few


steps = st.lists(
    st.one_of(
        st.builds(lambda amount: Wait("w", amount, "hours"), st.integers(1, 40)),
        st.builds(lambda hour: WaitUntilTime("u", f"{hour:02}:30"), st.integers(0, 23)),
        st.just(None),
    ),
    min_size=1,
    max_size=5,
)


def _named(kinds: list[Any], flow: int) -> list[Instruction]:
    made: list[Instruction] = [Wait("first", flow + 1, "hours")]
    for number, one in enumerate(kinds):
        text = Send(f"t{number}", {"": f"Text {flow}-{number}"})
        made.append(text if one is None else replace(one, step=f"w{number}"))
    return made


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(flows=st.lists(steps, min_size=1, max_size=3))
# the fourth text of the second flow is told no more, and takes the place of one of the first's
@example(flows=[[Wait("w", 1, "hours"), Wait("w", 26, "hours"), None], [None, None, None, None]])
def test_if_nothing_else_happens_the_next_texts_come_when_they_were_forecast(
    still: TestClock, anna: Contact, flows: list[list[Any]]
) -> None:
    Enrollment.objects.all().delete()
    Message.objects.all().delete()
    Flow.objects.update(live=False)
    Contact.objects.update(recent_sends=[], wake_at=None, last_texted_at=None)
    still.at = NOON
    for number, kinds in enumerate(flows):
        enter(anna, *_named(kinds, number), name=f"Flow {number}")
    said = sorted((text.at, one.flow_id, text.step, text.body) for one in seen(anna) for text in one.texts)
    sure = {one.flow_id: len(one.texts) for one in seen(anna)}
    while (at := next_wake()) is not None:
        still.at = max(at, still.at)
        pump()
        leave()
    came: list[tuple[Any, ...]] = []
    for flow, count in sure.items():
        rows = Message.objects.filter(flow_id=flow).order_by("queued_at", "pk")
        came += rows.values_list("queued_at", "flow_id", "step", "body")[:count]
    assert sorted(came) == said
