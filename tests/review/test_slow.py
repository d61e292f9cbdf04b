"""What is slow or off for long must not text at night, after STOP, in bursts, or in other stores' time."""

from __future__ import annotations

from typing import Any

import pytest

from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.messaging.gateway import Accepted, OutboundText, Outcome, Unknown
from smsflow_plugin.messaging.reconcile import reconcile
from smsflow_plugin.models import Batch, Connection, Message, Store
from tests.conftest import TestClock
from tests.dispatch.scripted import ScriptedGateway
from tests.engine.helpers import texted
from tests.factories import make_contact

Gateway = type[ScriptedGateway]


def slowly(gateway: Gateway, still: TestClock, seconds: float) -> None:
    def answer(text: OutboundText) -> Outcome:
        still.move(seconds=seconds)
        return Accepted(f"id-{text.reference}")

    gateway.answer = answer


def test_who_stops_while_a_slow_gateway_is_called_gets_nothing_of_the_calls_to_come(
    gateway: Gateway, queue: Any, store: Store, still: TestClock
) -> None:
    slowly(gateway, still, 20)
    people = [make_contact(store) for _n in range(6)]
    messages = [queue(f"Text {n}", contact=person) for n, person in enumerate(people)]
    result = dispatch()
    assert (result.taken, result.accepted, result.returned) == (6, 2, 4)
    texted(store, "STOP", phone=people[5].phone)
    while ingest():
        pass
    while dispatch().taken:
        pass
    states = [Message.objects.get(pk=message.pk).state for message in messages]
    assert states == ["accepted"] * 5 + ["cancelled"]


def test_a_slow_gateway_is_not_called_on_into_the_night(gateway: Gateway, queue: Any, still: TestClock) -> None:
    still.move(hours=8, minutes=49)  # 19:49 in New York: ten minutes are left for the call and the network
    slowly(gateway, still, 20)
    for n in range(9):
        queue(f"Text {n}")
    while dispatch().taken:
        pass
    assert Message.objects.filter(state="queued", reason="quiet_hours").exists()
    assert max(Batch.objects.filter(state="accepted").values_list("started_at", flat=True)) < still.at
    # nothing was called for after ten to eight, but for the call that was under way
    assert (still.at.minute, still.at.second) <= (50, 50)


def test_a_gateway_that_cuts_every_call_off_takes_no_time_of_other_stores(
    gateway: Gateway, queue: Any, store: Store, danish_store: Store, still: TestClock
) -> None:
    def answer(text: OutboundText) -> Outcome:
        if text.sender == danish_store.sender:
            return Accepted("id")
        still.move(seconds=15)
        return Unknown("timeout")

    gateway.answer = answer
    for n in range(20):
        queue(f"Text {n}")
    other = queue(contact=make_contact(danish_store))
    result = dispatch()
    assert (result.cut_off, result.returned, result.accepted) == (1, 19, 1)
    other.refresh_from_db()
    assert other.state == "accepted"
    assert len(gateway.calls) == 2


@pytest.mark.parametrize(
    ("values", "hours", "state"),
    [
        ({}, 23, "accepted"),
        ({}, 25, "expired"),
        ({"message_class": "service"}, 71, "accepted"),
        ({"message_class": "service"}, 73, "expired"),
        ({"message_class": "reply"}, 2, "expired"),
        ({"message_class": "service", "purpose": "test"}, 2, "expired"),
    ],
)
def test_texts_that_waited_too_long_for_their_gateway_do_not_come_out_of_the_blue(
    gateway: Gateway, queue: Any, still: TestClock, connection: Connection, values: Any, hours: int, state: str
) -> None:
    Connection.objects.filter(pk=connection.pk).update(kind="elsewhere")
    message = queue(**values)
    still.move(hours=hours)
    assert dispatch().taken == 0
    Connection.objects.filter(pk=connection.pk).update(kind="sinch")
    dispatch()
    message.refresh_from_db()
    assert message.state == state


def test_a_gateway_that_cannot_be_asked_takes_no_time_of_other_stores(
    gateway: Gateway, queue: Any, danish_store: Store, still: TestClock
) -> None:
    gateway.answer = lambda text: Unknown("timeout")
    for _n in range(3):
        queue(f"Text {_n}")
        dispatch()
        still.move(seconds=20)
    queue(contact=make_contact(danish_store))
    dispatch()
    still.move(minutes=2)
    gateway.unavailable = True
    assert reconcile() == 4
    assert len(gateway.asked) == 2
