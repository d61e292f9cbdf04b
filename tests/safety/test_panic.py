"""While the panic switch is pressed nothing leaves, nothing is decided, and nobody is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from smsflow_plugin.engine.advance import advance, next_wake
from smsflow_plugin.engine.dated import enroll_by_date
from smsflow_plugin.engine.intake import let_in
from smsflow_plugin.engine.letting_in import LetIn
from smsflow_plugin.engine.performing import next_effect, perform
from smsflow_plugin.engine.releasing import let_texts_go
from smsflow_plugin.flows.program import Send, Trigger, Wait, Webhook
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.messaging.gateway import Accepted, OutboundText, Outcome
from smsflow_plugin.models import (
    ConsentRecord,
    Contact,
    Decision,
    Effect,
    Enrollment,
    Event,
    Message,
    PanicStop,
    Store,
)
from tests.conftest import NOON, TestClock
from tests.engine.helpers import happened, make_flow, pump, texted
from tests.factories import make_contact

pytestmark = pytest.mark.django_db(transaction=True)


def press(store: Store | None) -> PanicStop:
    return PanicStop.objects.create(store=store, reason="Wrong prices")


def release(at: Any) -> None:
    PanicStop.objects.update(released_at=at)


def queue(contact: Contact, body: str = "Hi", **values: Any) -> Message:
    defaults = {"message_class": "marketing", "sender": contact.store.sender, "to": str(contact.phone), "body": body}
    return Message.objects.create(store=contact.store, contact=contact, **{**defaults, **values})


@pytest.mark.parametrize("whole_site", [False, True])
def test_nothing_is_decided_or_sent_until_the_release(
    store: Store, danish_store: Store, ada: Contact, gateway: Any, still: TestClock, whole_site: bool
) -> None:
    make_flow(store, Send("s1", {"": "Hello"}))
    make_flow(danish_store, Send("s1", {"": "Hej"}))
    dane = make_contact(danish_store)
    press(None if whole_site else store)
    for contact in (ada, dane):
        happened(contact.store, "opted_in", phone=str(contact.phone))
        queue(contact, "Queued before")
    pump()
    while dispatch().taken:
        pass
    numbers = {number for call in gateway.calls for number in call.recipients}
    assert numbers == (set() if whole_site else {str(dane.phone)})
    assert not Decision.objects.filter(contact=ada).exists()
    assert Enrollment.objects.get(contact=ada).status == "waiting", "who enters meanwhile waits inside"
    assert (next_wake(), dispatch().next_at) == (None, None), "no worker spins"
    release(still.move(minutes=20))
    pump()
    while dispatch().taken:
        pass
    assert {number for call in gateway.calls for number in call.recipients} == {str(ada.phone), str(dane.phone)}
    assert Enrollment.objects.get(contact=ada).status == "finished"


def test_stop_is_heard_and_answered_while_everything_else_waits(store: Store, ada: Contact, gateway: Any) -> None:
    press(store)
    waiting = queue(ada, "Sale")
    texted(store, "STOP", phone=str(ada.phone))
    pump()
    while dispatch().taken:
        pass
    ada.refresh_from_db()
    waiting.refresh_from_db()
    assert (ada.marketing_consent, waiting.state) == ("revoked", "cancelled")
    assert ConsentRecord.objects.filter(contact=ada, action="revoked").exists()
    assert [call.recipients for call in gateway.calls] == [(str(ada.phone),)]


def test_texts_that_are_of_no_use_any_more_are_dropped_with_their_reason(
    store: Store, ada: Contact, gateway: Any, still: TestClock
) -> None:
    stale = queue(ada, "Today only", expires_at=NOON + timedelta(hours=1))
    fresh = queue(ada, "Still true")
    press(store)
    still.move(hours=2)
    assert dispatch().taken == 0
    release(still.at)
    while dispatch().taken:
        pass
    stale.refresh_from_db()
    fresh.refresh_from_db()
    assert (stale.state, stale.reason, fresh.state) == ("expired", "stale", "accepted")


def test_no_crowd_and_no_date_comes_in_until_the_release(store: Store, ada: Contact, still: TestClock) -> None:
    flow = make_flow(store, Send("s1", {"": "Hello"}))
    lapsed = make_flow(
        store, Send("s1", {"": "Back?"}), name="Lapsed", triggers=(Trigger("lapsed", options={"days": 30}),)
    )
    Contact.objects.update(last_order_at=NOON - timedelta(days=30) + timedelta(minutes=1))
    lapsed.versions.update(published_at=NOON - timedelta(days=1))
    LetIn(flow, contacts=[ada]).execute(skip_permission_checks=True)
    press(store)
    still.move(minutes=2)
    assert (let_in(), enroll_by_date()) == (0, 0)
    assert not Event.objects.exists()
    release(still.at)
    assert (let_in(), enroll_by_date()) == (1, 1)


def test_no_webhook_leaves_until_the_release(store: Store, ada: Contact, settings: Any, still: TestClock) -> None:
    done: list[str] = []
    settings.SMSFLOW = {**settings.SMSFLOW, "PERFORMERS": {"webhook": "tests.safety.test_panic.note"}}
    note.done = done  # type: ignore[attr-defined]
    make_flow(store, Webhook("w", "https://example.com/"))
    happened(store, "opted_in", phone=str(ada.phone))
    pump()
    press(store)
    assert (perform(), next_effect(), Effect.objects.get().state) == (0, None, "queued")
    release(still.at)
    assert (perform(), len(done)) == (1, 1)


def note(job: Any) -> Any:
    note.done.append(job.key)  # type: ignore[attr-defined]


def test_calls_of_a_batch_that_have_not_left_when_it_is_pressed_do_not_leave(
    store: Store, gateway: Any, still: TestClock
) -> None:
    texts = [queue(make_contact(store), f"Number {n}") for n in range(5)]
    reply = queue(make_contact(store), "You are out.", message_class="reply", priority=9999)

    def answer(text: OutboundText) -> Outcome:
        if len(gateway.calls) == 2:
            press(store)
        return Accepted(f"id-{text.reference}")

    gateway.answer = staticmethod(answer)
    result = dispatch()
    assert (result.accepted, result.returned) == (3, 3)
    assert [call.body for call in gateway.calls] == ["Number 0", "Number 1", "You are out."]
    states = [Message.objects.get(pk=text.pk).state for text in texts]
    assert states == ["accepted"] * 2 + ["queued"] * 3
    reply.refresh_from_db()
    assert reply.state == "accepted"
    assert dispatch().taken == 0
    release(still.at)
    while dispatch().taken:
        pass
    assert len(gateway.calls) == 6, "everybody once"


def test_what_the_gate_itself_held_back_goes_at_the_release(
    store: Store, ada: Contact, gateway: Any, still: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pressed between the claim and the gate: the second line of defence."""
    text = queue(ada)
    press(store)
    monkeypatch.setattr("smsflow_plugin.messaging.dispatch._not_stopped", lambda queued: queued)
    dispatch()
    text.refresh_from_db()
    assert (text.state, text.reason, gateway.calls) == ("queued", "panic", [])
    release(still.move(minutes=1))
    assert let_texts_go(store.pk, still.at) == 1
    assert dispatch().accepted == 1


def test_advance_that_holds_people_while_it_is_pressed_sends_nothing(
    store: Store, ada: Contact, gateway: Any, still: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from smsflow_plugin.engine import advance as module

    make_flow(store, Wait("w", 1, "hours"), Send("s1", {"": "Hello"}))
    happened(store, "opted_in", phone=str(ada.phone))
    pump()
    still.move(hours=1)
    load = module._load

    def loading(contacts: Any, now: Any) -> Any:
        batch = load(contacts, now)
        press(store)
        return batch

    monkeypatch.setattr(module, "_load", loading)
    advance()
    monkeypatch.undo()
    assert Message.objects.get().state == "queued", "it was decided before, and waits in the outbox"
    assert dispatch().taken == 0
