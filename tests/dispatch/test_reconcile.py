"""Calls that were cut off are asked for, and only what was never taken goes again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection as database

from smsflow_plugin.events.facts import Report
from smsflow_plugin.events.reports import ReportStatus
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.messaging.gateway import Accepted, OutboundText, Outcome, Unknown
from smsflow_plugin.messaging.reconcile import reconcile
from smsflow_plugin.messaging.reports import apply_reports
from smsflow_plugin.models import Batch, Message
from tests.conftest import TestClock
from tests.dispatch.conftest import Queue
from tests.dispatch.scripted import ScriptedGateway

pytestmark = pytest.mark.django_db
Gateway = type[ScriptedGateway]


@pytest.fixture
def cut_off(gateway: Gateway, queue: Queue) -> Iterator[Message]:
    """A text in a call that was cut off before the gateway took it."""
    message = queue()
    gateway.answer = staticmethod(lambda text: Unknown("timed out"))
    dispatch()
    gateway.answer = None
    yield message


def taken_after_all(gateway: Gateway) -> None:
    gateway.has[gateway.calls[0].reference] = "theirs"


def test_nobody_asks_before_the_grace_is_over(gateway: Gateway, cut_off: Message, still: TestClock) -> None:
    still.move(seconds=59)
    assert reconcile() == 0
    assert gateway.asked == []


def test_a_call_that_the_gateway_has_is_accepted(gateway: Gateway, cut_off: Message, still: TestClock) -> None:
    taken_after_all(gateway)
    still.move(seconds=60)
    assert reconcile() == 1
    cut_off.refresh_from_db()
    assert (cut_off.state, cut_off.accepted_at) == ("accepted", still.at)
    assert cut_off.batch is not None
    assert (cut_off.batch.state, cut_off.batch.provider_id) == ("accepted", "theirs")
    assert dispatch().taken == 0


def test_a_call_that_the_gateway_never_got_is_made_again_as_a_new_one(
    gateway: Gateway, cut_off: Message, still: TestClock
) -> None:
    still.move(seconds=60)
    reconcile()
    cut_off.refresh_from_db()
    assert (cut_off.state, cut_off.attempts, cut_off.reason) == ("queued", 1, "not_taken")
    dispatch()
    cut_off.refresh_from_db()
    assert (cut_off.state, cut_off.reason) == ("accepted", "")
    first, second = (call.reference for call in gateway.calls)
    assert first != second


def test_a_gateway_that_cannot_be_asked_is_asked_less_and_less_often(
    gateway: Gateway, cut_off: Message, still: TestClock
) -> None:
    gateway.unavailable = True
    asked_after = []
    for minute in range(1, 200):
        still.move(minutes=1)
        if reconcile():
            asked_after.append(minute)
    assert asked_after == [1, 2, 4, 8, 16, 32, 64, 124, 184]
    cut_off.refresh_from_db()
    assert cut_off.state == "sending"
    gateway.unavailable = False
    taken_after_all(gateway)
    still.move(hours=1)
    reconcile()
    cut_off.refresh_from_db()
    assert cut_off.state == "accepted"


def test_a_report_that_comes_while_the_gateway_is_asked_wins(
    gateway: Gateway, cut_off: Message, still: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(self: ScriptedGateway, reference: str, *, since: object) -> None:
        report = Report(cut_off.to, ReportStatus.DELIVERED, still.at, reference=reference)
        apply_reports([(cut_off.store_id, report)], still.at)

    monkeypatch.setattr(ScriptedGateway, "find", find)
    still.move(seconds=60)
    reconcile()
    cut_off.refresh_from_db()
    assert cut_off.state == "delivered"
    assert dispatch().taken == 0


def test_the_gateway_is_asked_outside_of_any_transaction(
    transactional_db: None, gateway: Gateway, cut_off: Message, still: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = []
    find = ScriptedGateway.find
    monkeypatch.setattr(
        ScriptedGateway, "find", lambda *args, **kw: inside.append(database.in_atomic_block) or find(*args, **kw)
    )
    still.move(seconds=60)
    reconcile()
    assert inside == [False]


def test_a_worker_that_died_before_the_call_loses_nothing(
    gateway: Gateway, queue: Queue, still: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """Like a kill: nothing catches it."""

    def die(text: OutboundText) -> Outcome:
        raise Killed

    messages = [queue("one"), queue("two")]
    gateway.answer = staticmethod(die)
    with pytest.raises(Killed):
        dispatch()
    assert set(Message.objects.values_list("state", flat=True)) == {"sending"}
    gateway.answer, gateway.calls = None, []
    still.move(seconds=60)
    reconcile()
    while dispatch().taken:
        pass
    assert sorted(call.body for call in gateway.calls) == ["one", "two"]
    assert set(Message.objects.values_list("state", flat=True)) == {"accepted"}
    assert Batch.objects.filter(state="returned").count() == len(messages)


class Killed(BaseException):
    """The worker's process is gone."""


def test_calls_that_a_worker_had_only_prepared_when_it_died_go_again_without_a_question(
    gateway: Gateway, queue: Queue, still: TestClock
) -> None:
    def die(text: OutboundText) -> Outcome:
        raise Killed

    gateway.max_recipients = 1
    messages = [queue(f"Hi {index}") for index in range(5)]
    gateway.answer = staticmethod(die)
    with pytest.raises(Killed):
        dispatch()
    gateway.answer = None
    assert Message.objects.filter(state="sending").count() == 5
    taken_after_all(gateway)
    still.move(seconds=60)
    assert reconcile() == 5
    assert gateway.asked == [gateway.calls[0].reference], "of the others no gateway can know anything"
    dispatch()
    assert Message.objects.filter(state="accepted").count() == 5
    assert sorted(call.recipients for call in gateway.calls) == sorted((message.to,) for message in messages)
    assert not Message.objects.filter(attempts__gt=0).exists()


def test_a_worker_that_was_only_slow_finds_its_calls_taken_away(
    gateway: Gateway, queue: Queue, still: TestClock
) -> None:
    def slowly(text: OutboundText) -> None:
        if len(gateway.calls) == 1:
            still.move(seconds=20)
            Batch.objects.filter(waits=True).update(started_at=still.at - timedelta(seconds=60))
            reconcile()

    gateway.max_recipients = 1
    messages = [queue(f"Hi {index}") for index in range(5)]
    gateway.answer = staticmethod(lambda text: slowly(text) or Accepted(f"id-{text.reference}"))
    dispatch()
    assert len(gateway.calls) == 1, "what it made then would be made twice"
    dispatch()
    assert sorted(call.recipients for call in gateway.calls) == sorted((message.to,) for message in messages)
