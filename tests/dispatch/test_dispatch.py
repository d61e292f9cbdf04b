"""A queued text goes through the last gate and leaves in a gateway call, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection as database
from django.db import transaction
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.audience.suppression import suppress_erased
from smsflow_plugin.messaging.actions import SendTestText
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.messaging.gate import Gate, Queued
from smsflow_plugin.messaging.gateway import Accepted, OutboundText, Outcome, RateLimited, Rejected, Unknown
from smsflow_plugin.models import Batch, Connection, Contact, Flow, Message, Store
from tests.conftest import NOON, TestClock
from tests.dispatch.conftest import Queue
from tests.dispatch.scripted import ScriptedGateway, texts_of
from tests.factories import make_contact

pytestmark = pytest.mark.django_db
Gateway = type[ScriptedGateway]


def states() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("state", flat=True))


def drain() -> None:
    """Dispatch until nothing may go any more, as the task does."""
    for _round in range(200):
        if not dispatch().taken:
            return
    raise AssertionError("dispatch never comes to an end")


def test_a_text_is_handed_to_the_gateway_and_accepted(gateway: Gateway, queue: Queue) -> None:
    message = queue("Your tea waits.")
    result = dispatch()
    message.refresh_from_db()
    (call,) = gateway.calls
    assert (call.body, call.recipients, call.sender) == ("Your tea waits.", (message.to,), message.store.sender)
    assert (message.state, message.accepted_at) == ("accepted", NOON)
    assert message.batch is not None
    assert (str(message.batch.reference), message.batch.provider_id) == (call.reference, f"id-{call.reference}")
    assert (message.batch.state, message.batch.size, message.batch.finished_at) == ("accepted", 1, NOON)
    assert (result.taken, result.accepted, result.next_at) == (1, 1, None)


def test_texts_that_differ_by_a_name_share_one_call(gateway: Gateway, queue: Queue) -> None:
    ada, bob = queue("Hi Ada, come", slots=[[3, 6]]), queue("Hi Bob, come", slots=[[3, 6]])
    dispatch()
    (call,) = gateway.calls
    assert texts_of(call) == {ada.to: "Hi Ada, come", bob.to: "Hi Bob, come"}


def test_the_call_is_made_outside_of_any_transaction_and_after_its_commit(
    transactional_db: None, gateway: Gateway, queue: Queue
) -> None:
    seen: list[tuple[bool, str]] = []

    def answer(text: OutboundText) -> Outcome:
        seen.append((database.in_atomic_block, Batch.objects.get(reference=text.reference).state))
        return Accepted("x")

    queue()
    gateway.answer = staticmethod(answer)
    dispatch()
    assert seen == [(False, "sending")]
    assert states() == ["accepted"]


def test_replies_go_before_everything_else_and_a_small_limit_takes_the_first(gateway: Gateway, queue: Queue) -> None:
    late = queue("promo", priority=2001)
    reply = queue("You are out.", message_class="reply", priority=0)
    dispatch(limit=1)
    reply.refresh_from_db()
    late.refresh_from_db()
    assert (reply.state, late.state) == ("accepted", "queued")


def test_a_text_waits_for_its_time_and_dispatch_says_when_that_is(
    gateway: Gateway, queue: Queue, still: TestClock
) -> None:
    queue(not_before=NOON + timedelta(minutes=5))
    result = dispatch()
    assert (result.taken, result.next_at) == (0, NOON + timedelta(minutes=5))
    still.move(minutes=5)
    assert dispatch().accepted == 1


def test_somebody_who_opted_out_meanwhile_gets_nothing_but_the_answer_to_that(gateway: Gateway, queue: Queue) -> None:
    contact = make_contact_who_left(Store.objects.get())
    marketing = queue("Sale!", contact)
    service = queue("Your parcel is here.", contact, message_class="service")
    queue("You get no more texts.", contact, message_class="reply")
    dispatch()
    assert states() == ["cancelled", "cancelled", "accepted"]
    for message in (marketing, service):
        message.refresh_from_db()
        assert (message.reason, message.finished_at, message.batch_id) == ("opted_out", NOON, None)
    assert [call.body for call in gateway.calls] == ["You get no more texts."]


def make_contact_who_left(store: Store) -> Contact:
    return make_contact(store, marketing_consent="revoked", service_consent="revoked")


def test_a_test_text_goes_to_any_number_but_one_that_opted_out(gateway: Gateway, queue: Queue, store: Store) -> None:
    gone = make_contact_who_left(store)
    for key, number in enumerate(("+4520999999", str(gone.phone))):
        message = queue("T", purpose="test", message_class="service", to=number, key=str(key))
        Message.objects.filter(pk=message.pk).update(contact=None)
    dispatch()
    assert states() == ["accepted", "cancelled"]


def test_a_test_text_goes_to_nobody_who_is_on_the_suppression_list(
    gateway: Gateway, queue: Queue, store: Store
) -> None:
    """Whoever was erased has no contact any more: the list alone knows that they must not be texted."""
    erased = "+4520999999"
    message = queue("T", purpose="test", message_class="service", to=erased, key="t")
    Message.objects.filter(pk=message.pk).update(contact=None)
    suppress_erased(store.pk, erased, NOON)
    dispatch()
    message.refresh_from_db()
    assert (message.state, message.reason) == ("cancelled", "suppressed")
    with pytest.raises(ValidationError, match="suppression list"):
        SendTestText(store, to=erased, body="T").execute(skip_permission_checks=True)


def test_at_night_marketing_waits_for_the_morning_and_service_goes(
    gateway: Gateway, queue: Queue, still: TestClock
) -> None:
    night = still.move(hours=10)  # 21:00 in New York
    sale = queue("Sale!", not_before=night, queued_at=night)
    queue("Your parcel is here.", message_class="service")
    result = dispatch()
    sale.refresh_from_db()
    morning = NOON.replace(day=5, hour=14)
    assert states() == ["queued", "accepted"]
    assert (sale.reason, sale.not_before) == ("quiet_hours", morning)
    assert dispatch().next_at == morning
    assert result.accepted == 1
    still.at = morning
    drain()
    assert states() == ["accepted", "accepted"]


def test_an_answer_leaves_at_night_while_it_is_fresh(gateway: Gateway, queue: Queue, still: TestClock) -> None:
    night = still.move(hours=10)  # 21:00 in New York
    queue("Thanks!", purpose="answer", not_before=night, queued_at=night)
    stale = queue("Thanks?", purpose="answer", not_before=night, queued_at=night - timedelta(minutes=16))
    assert dispatch().accepted == 1
    stale.refresh_from_db()
    assert (stale.state, stale.reason) == ("queued", "quiet_hours")


def test_an_opt_in_question_goes_to_who_asked_for_texts_and_to_nobody_else(
    gateway: Gateway, queue: Queue, store: Store
) -> None:
    for consent in ("pending", "unknown", "revoked"):
        queue(consent, make_contact(store, marketing_consent=consent), message_class="optin")
    dispatch()
    assert [call.body for call in gateway.calls] == ["pending"]
    assert states() == ["accepted", "cancelled", "cancelled"]


def test_texts_of_a_paused_flow_take_no_place_in_the_batch(gateway: Gateway, queue: Queue, store: Store) -> None:
    paused = Flow.objects.create(store=store, name="Paused", live=True, paused_at=NOON)
    queue("Paused", flow=paused, priority=1)
    queue("Goes", priority=2)
    assert dispatch(limit=1).accepted == 1
    assert (dispatch().taken, states()) == (0, ["queued", "accepted"])
    Flow.objects.update(live=False)
    dispatch()
    assert Message.objects.get(flow=paused).reason == "flow_off"


def test_a_text_whose_flow_was_paused_after_the_claim_waits(gateway: Gateway, queue: Queue, store: Store) -> None:
    message = queue(flow=Flow.objects.create(store=store, name="Paused", live=True, paused_at=NOON))
    row = Message.objects.values_list(*Queued.__dataclass_fields__).get(pk=message.pk)
    claimed = Queued(*row)
    assert Gate([claimed], NOON).ask(claimed).reason == "flow_paused"


def test_what_a_flow_had_queued_is_cancelled_when_it_is_unpublished(
    gateway: Gateway, queue: Queue, store: Store
) -> None:
    on, off = (Flow.objects.create(store=store, name=name, live=name == "On") for name in ("On", "Off"))
    queue("From a live flow", flow=on)
    queue("From one that is off", flow=off)
    dispatch()
    assert states() == ["accepted", "cancelled"]
    assert Message.objects.get(flow=off).reason == "flow_off"


def test_a_text_that_is_worth_nothing_any_more_expires(gateway: Gateway, queue: Queue, still: TestClock) -> None:
    queue("Last hour!", expires_at=NOON)
    night = still.move(hours=10)
    queue("Tonight only", expires_at=night + timedelta(hours=2))
    dispatch()
    assert states() == ["expired", "expired"]
    assert set(Message.objects.values_list("reason", flat=True)) == {"stale"}
    assert gateway.calls == []


def test_nothing_leaves_a_store_that_is_paused_or_has_no_gateway(
    gateway: Gateway, queue: Queue, store: Store, connection: Connection
) -> None:
    queue()
    Store.objects.update(status="paused")
    assert dispatch().taken == 0
    Store.objects.update(status="active")
    kept = connection.pk
    Connection.objects.filter(pk=kept).update(kind="elsewhere")
    assert dispatch().taken == 0
    Connection.objects.filter(pk=kept).update(kind="sinch")
    assert dispatch().accepted == 1


def test_the_number_that_the_gateway_names_fails_and_the_others_go(gateway: Gateway, queue: Queue) -> None:
    bad, good = queue("Sale!"), queue("Sale!")

    def answer(text: OutboundText) -> Outcome:
        return Rejected("to[0] is invalid", (bad.to,)) if bad.to in text.recipients else Accepted("x")

    gateway.answer = staticmethod(answer)
    drain()
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.state, bad.reason, bad.finished_at) == ("failed", "rejected", NOON)
    assert bad.batch is not None
    assert bad.batch.detail == "to[0] is invalid"
    assert (good.state, good.attempts) == ("accepted", 1)
    assert len(gateway.calls) == 2


@pytest.mark.parametrize("size", [1, 2, 3, 9, 40])
def test_one_bad_number_that_nobody_names_is_found_by_halving(gateway: Gateway, queue: Queue, size: int) -> None:
    messages = [queue("Sale!") for _ in range(size)]
    bad = messages[size // 2]

    def answer(text: OutboundText) -> Outcome:
        return Rejected("No.") if bad.to in text.recipients else Accepted("x")

    gateway.answer = staticmethod(answer)
    drain()
    assert {m.to: m.state for m in Message.objects.all()} == {
        m.to: "failed" if m == bad else "accepted" for m in messages
    }
    reached = [number for call in gateway.calls if bad.to not in call.recipients for number in call.recipients]
    assert sorted(reached) == sorted(m.to for m in messages if m != bad)
    assert len(gateway.calls) <= 1 + 2 * size.bit_length()


def test_a_gateway_that_can_send_nothing_keeps_texts_queued_and_is_left_alone_for_a_while(
    gateway: Gateway, queue: Queue, connection: Connection, still: TestClock
) -> None:
    queue("a"), queue("b"), queue("c", not_before=NOON)
    gateway.answer = staticmethod(lambda text: Rejected("Wrong token.", fatal=True))
    result = dispatch()
    assert len(gateway.calls) == 1, "after the first refusal nobody else needs to ask"
    assert states() == ["queued"] * 3
    assert set(Message.objects.values_list("reason", "not_before")) == {
        ("gateway_blocked", NOON + timedelta(minutes=5))
    }
    assert result.returned == 3
    connection.refresh_from_db()
    assert connection.settings["pause"] == {
        "until": (NOON + timedelta(minutes=5)).isoformat(),
        "reason": "Wrong token.",
        "blocked_since": NOON.isoformat(),
    }
    queue("d")
    assert (dispatch().taken, dispatch().next_at) == (0, NOON + timedelta(minutes=5))
    gateway.answer = None
    still.move(minutes=5)
    drain()
    assert states() == ["accepted"] * 4


def test_a_rate_limit_puts_everything_off_by_as_long_as_the_gateway_asks(
    gateway: Gateway, queue: Queue, still: TestClock
) -> None:
    queue("a"), queue("b")
    gateway.answer = staticmethod(lambda text: RateLimited(30))
    dispatch()
    assert len(gateway.calls) == 1
    assert dispatch().next_at == NOON + timedelta(seconds=30)
    gateway.answer = None
    still.move(seconds=30)
    drain()
    assert states() == ["accepted", "accepted"]


def test_one_store_at_rest_does_not_hold_up_another(gateway: Gateway, queue: Queue, danish_store: Store) -> None:
    other = queue("Hej", make_contact(danish_store))
    own = queue("Hi")

    def answer(text: OutboundText) -> Outcome:
        return Rejected("No credit.", fatal=True) if text.sender == own.sender else Accepted("x")

    gateway.answer = staticmethod(answer)
    drain()
    other.refresh_from_db()
    own.refresh_from_db()
    assert (other.state, own.state) == ("accepted", "queued")


def test_a_call_that_was_cut_off_is_not_made_again(gateway: Gateway, queue: Queue) -> None:
    queue()
    gateway.answer = staticmethod(lambda text: Unknown("timed out"))
    assert dispatch().cut_off == 1
    drain()
    assert states() == ["sending"]
    assert len(gateway.calls) == 1
    assert Batch.objects.get().detail == "timed out"


def test_a_gateway_that_raises_counts_as_cut_off(gateway: Gateway, queue: Queue, caplog: Any) -> None:
    def answer(text: OutboundText) -> Outcome:
        raise RuntimeError("boom")

    queue()
    gateway.answer = staticmethod(answer)
    assert dispatch().cut_off == 1
    assert states() == ["sending"]


def test_credentials_that_cannot_be_read_stop_one_store_only(
    gateway: Gateway, queue: Queue, danish_store: Store, connection: Connection, caplog: Any
) -> None:
    queue("Hi")
    queue("Hej", make_contact(danish_store))
    with database.cursor() as cursor:
        cursor.execute("UPDATE smsflow_connection SET secrets = 'garbage' WHERE id = %s", [connection.pk])
    drain()
    assert states() == ["queued", "accepted"]


def test_a_batch_that_reconcile_has_given_up_is_not_called_any_more(
    gateway: Gateway, queue: Queue, still: TestClock
) -> None:
    queue("first"), queue("second")

    def answer(text: OutboundText) -> Outcome:
        # while the first call hangs, reconcile gives up everything that has been sending for so long
        still.move(minutes=5)
        Batch.objects.exclude(reference=text.reference).update(state="returned")
        return Accepted("x")

    gateway.answer = staticmethod(answer)
    dispatch()
    assert [call.body for call in gateway.calls] == ["first"]


def test_a_text_that_was_given_back_too_early_is_not_sent_twice(gateway: Gateway, queue: Queue) -> None:
    def answer(text: OutboundText) -> Outcome:
        Batch.objects.update(state="returned")
        Message.objects.update(state="queued")
        return Accepted("x")

    queue()
    gateway.answer = staticmethod(answer)
    drain()
    assert states() == ["accepted"]
    assert len(gateway.calls) == 1


def test_the_number_of_statements_does_not_depend_on_the_number_of_texts(gateway: Gateway, queue: Queue) -> None:
    queue()
    dispatch()  # stores the version of the rules
    made = []
    for size in (2, 60):
        for i in range(size):
            queue(f"Hi {i:03d}, come", slots=[[3, 6]])
        with CaptureQueriesContext(database) as queries:
            assert dispatch().accepted == size
        made.append(len(queries))
    assert made[0] == made[1] <= 28


def test_two_workers_never_claim_the_same_text(transactional_db: None, gateway: Gateway, queue: Queue) -> None:
    if database.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    from threading import Thread

    from django.db import connections

    taken = []

    def other_worker() -> None:
        taken.append(dispatch(limit=5).taken)
        connections.close_all()

    for _ in range(8):
        queue()
    with transaction.atomic():
        first = list(Message.objects.order_by("pk").select_for_update()[:4])
        thread = Thread(target=other_worker)
        thread.start()
        thread.join()
    assert taken == [4]
    assert {m.pk for m in first} == set(Message.objects.filter(state="queued").values_list("pk", flat=True))
