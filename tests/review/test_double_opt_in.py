"""A number that somebody left is asked once, and only its own answer makes it a subscriber."""

from __future__ import annotations

import pytest

from smsflow_plugin.flows.program import Agree, Choice, Listen, Send
from smsflow_plugin.models import ConsentRecord, Contact, Event, Message, Store
from tests.conftest import TestClock
from tests.engine.helpers import happened, make_flow, pump, texted

pytestmark = pytest.mark.django_db


@pytest.fixture
def asking(store: Store, still: TestClock) -> Store:
    """A store that asks everybody to confirm."""
    make_flow(
        store,
        Send("q", {"": "Reply YES to confirm."}),
        Listen("q", (Choice(2, ("yes",)),), 2, "days", on_timeout=3, part="1"),
        Agree("a"),
        trigger="opt_in_requested",
        message_class="optin",
    )
    return store


def left_number(store: Store) -> None:
    happened(store, "opt_in_requested", consent="pending")
    pump()


def questions() -> int:
    return Message.objects.filter(purpose="flow").count()


def test_the_answer_is_kept_word_by_word_and_makes_a_subscriber(asking: Store, still: TestClock) -> None:
    left_number(asking)
    assert questions() == 1
    assert Contact.objects.get().marketing_consent == "pending"
    still.move(minutes=1)
    texted(asking, "Yes please!")
    pump()
    assert Contact.objects.get().marketing_consent == "granted"
    record = ConsentRecord.objects.get(source="double_opt_in")
    assert (record.action, record.wording) == ("granted", "Yes please!")


def test_who_has_refused_is_not_asked_because_somebody_typed_the_number_in(asking: Store, still: TestClock) -> None:
    texted(asking, "STOP")
    pump()
    still.move(minutes=1)
    left_number(asking)
    assert questions() == 0
    assert Contact.objects.get().marketing_consent == "revoked"
    assert not Event.objects.filter(kind="opt_in_requested").exists()


def test_who_has_agreed_is_not_asked_again(asking: Store, still: TestClock) -> None:
    happened(asking, "opted_in", consent="granted")
    pump()
    still.move(minutes=1)
    left_number(asking)
    assert questions() == 0
    assert Contact.objects.get().marketing_consent == "granted"


def asked_without_a_flow(store: Store) -> None:
    happened(store, "opt_in_requested", consent="pending", data={"ask": True})
    pump()
    assert Message.objects.filter(message_class="optin").count() == 1


def test_a_yes_to_a_newer_question_of_a_flow_is_no_agreement_to_marketing(store: Store, still: TestClock) -> None:
    make_flow(
        store,
        Send("q", {"": "Shall we deliver on Friday? Yes or no"}),
        Listen("q", (Choice(2, ("yes",)), Choice(2, ("no",))), 2, "hours", on_timeout=2),
        trigger="custom",
        message_class="service",
        priority="service",
    )
    asked_without_a_flow(store)
    still.move(minutes=5)
    happened(store, "custom")
    pump()
    still.move(minutes=5)
    texted(store, "Yes")
    pump()
    assert Contact.objects.get().marketing_consent == "pending"
    assert Event.objects.get(kind="message_received").data["route"]["by"] == "question"
    # the flow's question is answered: the next yes is for the older one
    still.move(minutes=5)
    texted(store, "Yes")
    pump()
    assert Contact.objects.get().marketing_consent == "granted"


def test_a_yes_that_is_no_answer_to_the_newer_question_agrees(store: Store, still: TestClock) -> None:
    make_flow(
        store,
        Send("q", {"": "From 0 to 10?"}),
        Listen("q", (Choice(2, low=0, high=10),), 2, "hours", on_timeout=2),
        trigger="custom",
        message_class="service",
        priority="service",
    )
    asked_without_a_flow(store)
    still.move(minutes=5)
    happened(store, "custom")
    pump()
    texted(store, "Y")
    pump()
    assert Contact.objects.get().marketing_consent == "granted"
