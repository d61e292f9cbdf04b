"""A text counts towards caps where it leaves, however long it waited in the queue."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from smsflow_plugin.engine.advance import advance
from smsflow_plugin.flows.program import Send, Wait
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.messaging.gateway import RateLimited
from smsflow_plugin.models import Contact, Decision, Message, Policy, Store
from tests.conftest import NOON, TestClock
from tests.engine.helpers import happened, make_flow, pump
from tests.factories import caps, make_contact

ADA = "+12025550101"


def send(text: str = "Hello", step: str = "s") -> Send:
    return Send(step, {"": text})


def left(still: TestClock) -> list[str]:
    """Let whatever may leave do so, and return in which order the texts have left so far."""
    while dispatch().taken:
        pass
    return list(Message.objects.filter(state="accepted").order_by("accepted_at", "pk").values_list("body", flat=True))


@pytest.fixture
def ada(store: Store, still: TestClock) -> Contact:
    return make_contact(store, phone=ADA)


def test_a_text_in_the_last_minutes_of_the_evening_waits_with_its_run_and_not_in_the_queue(
    store: Store, ada: Contact, still: TestClock, gateway: Any
) -> None:
    """At 19:55 the gate keeps every text until 9:00. Queued at 19:55, it would go beside what is allowed at 9:00."""
    make_flow(store, send("Evening"), name="Evening")
    make_flow(store, send("Morning"), name="Morning", trigger="browsed")
    still.at = NOON + timedelta(hours=8, minutes=55)
    happened(store, "opted_in", phone=ADA)
    pump()
    assert not Message.objects.exists()
    assert Decision.objects.get().reason == "quiet_hours"
    still.at = NOON + timedelta(hours=22)
    happened(store, "browsed", phone=ADA)
    pump()
    assert len(left(still)) == 1, "the other one keeps its distance"


def test_after_an_outage_a_new_text_keeps_its_distance_from_the_one_that_waited(
    store: Store, ada: Contact, still: TestClock, gateway: Any
) -> None:
    make_flow(store, send("First"), name="First")
    make_flow(store, send("Second"), name="Second", trigger="browsed")
    happened(store, "opted_in", phone=ADA)
    pump()
    gateway.answer = staticmethod(lambda text: RateLimited(600))
    dispatch()
    gateway.answer = None
    still.move(hours=2)
    happened(store, "browsed", phone=ADA)
    pump()
    assert Decision.objects.filter(verdict="defer").get().reason == "minimum_gap"
    assert left(still) == ["Sierra Gear: First\nReply STOP to opt out."]
    still.move(minutes=59)
    advance()
    assert len(left(still)) == 1
    still.move(minutes=1)
    advance()
    assert len(left(still)) == 2


def test_a_day_begins_when_the_text_has_left(store: Store, ada: Contact, still: TestClock, gateway: Any) -> None:
    """Queued at 11:00, gone at 16:00: the next one of a cap of one a day comes at 16:00, not at 11:00."""
    Policy.objects.update(caps=caps(1), minimum_gap=0)
    make_flow(store, send("One", "a"), Wait("w", 20, "hours"), send("Two", "b"))
    happened(store, "opted_in", phone=ADA)
    pump()
    still.move(hours=5)
    assert len(left(still)) == 1
    assert [row[0] for row in Contact.objects.get().recent_sends] == [still.at.timestamp()]
    still.at = NOON + timedelta(hours=24)
    advance()
    assert len(left(still)) == 1
    still.at = NOON + timedelta(hours=29)
    advance()
    assert len(left(still)) == 2


def test_a_text_that_is_taken_back_and_leaves_later_moves_the_same_place_again(
    store: Store, ada: Contact, still: TestClock, gateway: Any
) -> None:
    make_flow(store, send())
    happened(store, "opted_in", phone=ADA)
    pump()
    gateway.answer = staticmethod(lambda text: RateLimited(60))
    for _time in range(3):
        still.move(minutes=20)
        dispatch()
    gateway.answer = None
    still.move(minutes=20)
    assert len(left(still)) == 1
    assert [row[0] for row in Contact.objects.get().recent_sends] == [still.at.timestamp()]
