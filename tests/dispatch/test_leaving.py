"""STOP against a call that is about to leave: the call leaves without them, or it had left before they said it."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from smsflow_plugin import clock
from smsflow_plugin.engine.actions import RecordOptOut
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.messaging import dispatch as pump
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.messaging.gateway import Accepted, OutboundText, Outcome
from smsflow_plugin.messaging.leaving import leave
from smsflow_plugin.models import Batch, Contact, Message, Store
from tests.dispatch.conftest import Queue
from tests.dispatch.scripted import ScriptedGateway, texts_of
from tests.engine.helpers import texted
from tests.factories import make_contact

Gateway = type[ScriptedGateway]

on_postgres = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="DATABASE_URL names no PostgreSQL"
    ),
]


@pytest.fixture
def inbox(settings: Any) -> None:
    """Deliveries of the source "test" are understood."""
    settings.SMSFLOW = {**settings.SMSFLOW, "TRANSLATORS": {"test": "tests.engine.helpers.translate"}}


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Let something happen between the commit that claims texts and the call."""

    def arrange(happen: Callable[[], object]) -> None:
        def late(*arguments: Any) -> Any:
            happen()
            return leave(*arguments)

        monkeypatch.setattr(pump, "leave", late)

    return arrange


def test_somebody_who_says_stop_after_their_text_was_claimed_is_left_out_of_the_call(
    gateway: Gateway, queue: Queue, store: Store, inbox: None, meanwhile: Any
) -> None:
    ada, bo = make_contact(store), make_contact(store)
    texts = {person.pk: queue("Sale", person) for person in (ada, bo)}

    def stop() -> None:
        texted(store, "STOP", phone=str(ada.phone))
        ingest()

    meanwhile(stop)
    dispatch()
    assert [call.recipients for call in gateway.calls] == [(str(bo.phone),)]
    states = {pk: Message.objects.get(pk=text.pk) for pk, text in texts.items()}
    assert (states[ada.pk].state, states[ada.pk].reason) == ("cancelled", "opted_out")
    assert states[bo.pk].state == "accepted"
    assert Batch.objects.get().state == "accepted"


def test_the_others_still_get_their_own_words(gateway: Gateway, queue: Queue, store: Store, meanwhile: Any) -> None:
    ada, bo, cy = (make_contact(store) for _n in range(3))
    for person, name in ((ada, "Ada"), (bo, "Bo"), (cy, "Cy")):
        queue(f"Hi {name}", person, slots=[[3, 3 + len(name)]])
    meanwhile(lambda: RecordOptOut(ada).execute(skip_permission_checks=True))
    dispatch()
    assert texts_of(gateway.calls[0]) == {str(bo.phone): "Hi Bo", str(cy.phone): "Hi Cy"}


def test_a_call_that_nobody_is_left_in_is_not_made(gateway: Gateway, queue: Queue, meanwhile: Any) -> None:
    text = queue()
    meanwhile(lambda: RecordOptOut(text.contact).execute(skip_permission_checks=True))
    dispatch()
    assert gateway.calls == []
    assert Batch.objects.get().state == "returned"
    text.refresh_from_db()
    assert text.state == "cancelled"


@pytest.mark.parametrize(
    ("change", "message_class", "goes"),
    [
        ({"marketing_consent": "revoked"}, "marketing", False),
        ({"marketing_consent": "revoked"}, "service", True),
        ({"marketing_consent": "revoked"}, "reply", True),
        ({"service_consent": "revoked"}, "service", False),
        ({"service_consent": "revoked", "marketing_consent": "revoked"}, "reply", True),
        ({"marketing_consent": "unknown"}, "marketing", False),
        ({"marketing_consent": "pending"}, "optin", True),
        ({"marketing_consent": "revoked"}, "optin", False),
    ],
)
def test_what_is_withdrawn_is_what_the_gate_would_have_refused(
    gateway: Gateway, queue: Queue, meanwhile: Any, change: dict[str, str], message_class: str, goes: bool
) -> None:
    text = queue(contact=None, message_class=message_class)
    if message_class == "optin":
        Contact.objects.update(marketing_consent="pending")
    meanwhile(lambda: Contact.objects.filter(pk=text.contact_id).update(**change))
    dispatch()
    assert len(gateway.calls) == int(goes)


def test_an_unclear_reply_holds_marketing_back_at_the_last_moment(
    gateway: Gateway, queue: Queue, meanwhile: Any
) -> None:
    text = queue()
    meanwhile(lambda: Contact.objects.update(doubtful_at=clock.now()))
    dispatch()
    text.refresh_from_db()
    assert (text.state, text.reason) == ("cancelled", "unclear_reply")


def test_looking_costs_the_same_for_one_text_and_for_many(gateway: Gateway, queue: Queue, store: Store) -> None:
    queue()
    dispatch()
    made = []
    for size in (1, 40):
        for _n in range(size):
            queue("Sale", make_contact(store))
        with CaptureQueriesContext(connection) as queries:
            dispatch()
        made.append(len(queries))
    assert made[0] == made[1]


class TestRace:
    pytestmark = on_postgres

    def test_five_hundred_stops_race_their_texts(
        self, gateway: Gateway, queue: Queue, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A ticket is drawn when an opt-out is committed, and when a call begins to look who may still be in it."""
        tickets = count()
        stopped: dict[str, int] = {}
        looked: dict[str, int] = {}
        rounds = int(os.environ.get("SMSFLOW_TEST_RACES", "500"))
        chance = random.Random(20260304)
        people = [make_contact(store, phone=f"+1202{5550000 + n}") for n in range(rounds)]
        gateway.max_recipients = 3
        for person in people:
            queue("Sale", person)

        def looking(batch_id: int, group: Any, now: Any) -> Any:
            ticket = next(tickets)
            left = leave(batch_id, group, now)
            looked.update({text.to: ticket for text in (left.texts if left else ())})
            return left

        monkeypatch.setattr(pump, "leave", looking)
        gateway.answer = lambda text: _slowly(text, chance.random() / 500)
        failures: list[BaseException] = []

        def sends() -> None:
            while Message.objects.filter(state="queued").exists():
                dispatch(20)

        def stops() -> None:
            for person in chance.sample(people, len(people)):
                RecordOptOut(person).execute(skip_permission_checks=True)
                stopped[str(person.phone)] = next(tickets)

        _together(failures, sends, sends, stops)
        assert not failures
        went = set(Message.objects.filter(state="accepted").values_list("to", flat=True))
        assert went == {number for call in gateway.calls for number in call.recipients}
        assert len(went) + Message.objects.filter(state="cancelled").count() == rounds
        assert 0 < len(went) < rounds, "nothing raced"
        # whoever was texted had not opted out when the call looked
        assert [number for number in went if stopped[number] < looked[number]] == []

    def test_an_opt_out_waits_for_a_call_that_is_just_looking(
        self, gateway: Gateway, queue: Queue, store: Store
    ) -> None:
        text = queue()
        seen: list[str] = []
        batch = Batch.objects.create(store=store, connection=store.connections.get(kind="sinch"), size=1)
        Message.objects.filter(pk=text.pk).update(state="sending", batch=batch)

        def stop() -> None:
            RecordOptOut(text.contact).execute(skip_permission_checks=True)
            seen.append("stopped")

        thread = threading.Thread(target=lambda: _closing(stop))
        with transaction.atomic():
            Batch.objects.filter(pk=batch.pk).update(started_at=clock.now())  # as ``leave`` does
            thread.start()
            thread.join(0.5)
            seen.append("left")
        thread.join(20)
        assert seen == ["left", "stopped"]


def _slowly(text: OutboundText, seconds: float) -> Outcome:
    threading.Event().wait(seconds)
    return Accepted(f"id-{text.reference}")


def _closing(work: Callable[[], object]) -> None:
    try:
        work()
    finally:
        connections.close_all()


def _together(failures: list[BaseException], *works: Callable[[], object]) -> None:
    def run(work: Callable[[], object]) -> None:
        try:
            _closing(work)
        except BaseException as error:  # noqa: BLE001 - asserted on in the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timedelta(minutes=3).total_seconds())
