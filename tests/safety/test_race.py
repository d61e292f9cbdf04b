"""Several workers at once on PostgreSQL: one trip, one letter, and nothing that leaves after the switch was pressed."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest
from django.db import connections

from smsflow_plugin.engine.watching import watch
from smsflow_plugin.flows.program import Send
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.messaging.gateway import Accepted, OutboundText, Outcome
from smsflow_plugin.models import BreakerTrip, Message, PanicStop, StaffNotice, Store, StoreLogEntry
from tests.conftest import TestClock
from tests.engine.helpers import make_flow
from tests.engine.test_concurrency import together
from tests.factories import make_contact
from tests.safety.conftest import Sends, leaves

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="DATABASE_URL names no PostgreSQL"
    ),
]


def test_workers_that_look_at_once_trip_each_breaker_once(store: Store, sends: Sends) -> None:
    for n in range(4):
        sends(make_flow(store, Send("s", {"": "x"}), name=f"F{n}"), 400, failed=0)
    for flow in Store.objects.get().flows.all()[:2]:
        people = [make_contact(store) for _n in range(80)]
        for person in people:
            sends(flow, 1, contact=person)
    for message in Message.objects.filter(contact__isnull=False).select_related("contact").order_by("-pk")[:160]:
        leaves(message.contact)  # type: ignore[arg-type]
    together(watch)
    assert BreakerTrip.objects.filter(state="open").count() == BreakerTrip.objects.count() == 2
    assert StaffNotice.objects.count() == StoreLogEntry.objects.filter(action="smsflow.breaker").count() == 2


def test_a_whole_store_is_stopped_once(store: Store, sends: Sends) -> None:
    for n in range(3):
        sends(make_flow(store, Send("s", {"": "x"}), name=f"F{n}"), 100, failed=90)
    together(watch)
    assert (PanicStop.objects.count(), BreakerTrip.objects.count(), StaffNotice.objects.count()) == (1, 1, 1)


def test_no_call_leaves_after_the_switch_was_pressed(store: Store, gateway: Any, still: TestClock) -> None:
    """Sixty rounds: somebody presses while two workers send twelve calls.

    What arrives afterwards had left before: that can be one call for each worker, and no other.
    """
    held_back = 0
    for round_ in range(60):
        for n in range(12):
            person = make_contact(store)
            Message.objects.create(
                store=store, contact=person, message_class="marketing", sender="x", to=str(person.phone),
                body=f"{round_}.{n}",
            )  # fmt: skip
        world = Pressing(store, after=round_ % 10)
        gateway.answer = staticmethod(world.answer)
        presser = threading.Thread(target=world.press)
        presser.start()
        together(dispatch, workers=2)
        presser.join(30)
        before = len(gateway.calls)
        together(dispatch, workers=2)
        assert len(gateway.calls) == before, "nothing more leaves"
        assert world.late <= 2
        held_back += Message.objects.filter(state="queued").count()
        PanicStop.objects.update(released_at=still.at)
        gateway.answer = None
        while dispatch().taken:
            pass
        assert not Message.objects.exclude(state="accepted").exists()
    assert held_back > 0, "it was pressed in the middle"
    numbers = [number for call in gateway.calls for number in call.recipients]
    assert len(numbers) == len(set(numbers)) == 60 * 12, "nobody is lost, and nobody texted twice"


class Pressing:
    """Somebody who presses the switch when so many calls have arrived, and counts those that come later."""

    def __init__(self, store: Store, *, after: int) -> None:
        self.store = store
        self.after = after
        self.arrived = self.late = 0
        self.enough, self.pressed = threading.Event(), threading.Event()

    def answer(self, text: OutboundText) -> Outcome:
        self.late += self.pressed.is_set()
        self.arrived += 1
        if self.arrived > self.after:
            self.enough.set()
        return Accepted(f"id-{text.reference}")

    def press(self) -> None:
        try:
            self.enough.wait(30)
            PanicStop.objects.create(store=self.store)
            self.pressed.set()
        finally:
            connections.close_all()
