"""Very many texts at once: few calls, and nobody who asked for something waits behind them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin import bulk
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.models import Message, Sender, Store
from tests.conftest import NOON, TestClock
from tests.safety.conftest import rule
from tests.safety.test_pacing import crowd

pytestmark = pytest.mark.django_db

PROMOTION = 20_000

#: A text with a name in it: "Hi <name>, …".
START, END = "Hi ", ", all tea is 20% off today. Reply STOP to end."


def flash_sale(store: Store, size: int) -> None:
    """Queue one text to so many people, each with a name of their own, useful for six hours."""
    ids = crowd(store, size)
    rows = []
    for place, pk in enumerate(ids):
        name = f"Ada{place:05d}"
        # advance has queued them over some minutes, so they are of no use any more over some minutes
        until = NOON + timedelta(hours=6, seconds=place // 100)
        rows.append((pk, f"{START}{name}{END}", [[len(START), len(START) + len(name)]], until))
    bulk.update(Message, ("body", "slots", "expires_at"), rows)


def drain() -> None:
    for _round in range(1000):
        if not dispatch().taken:
            return
    raise AssertionError("dispatch never comes to an end")


def test_a_flash_sale_to_a_hundred_thousand_makes_a_hundred_calls(store: Store, gateway: Any) -> None:
    flash_sale(store, 100_000)
    drain()
    assert len(gateway.calls) <= 110
    numbers = [number for call in gateway.calls for number in call.recipients]
    assert len(numbers) == len(set(numbers)) == 100_000
    assert all(len(call.parameters) == len(call.recipients) for call in gateway.calls)
    assert not Message.objects.exclude(state="accepted").exists()


def test_the_number_of_statements_does_not_grow_with_the_texts_of_several_senders(
    store: Store, danish_store: Store, gateway: Any, still: TestClock
) -> None:
    numbers = [f"+12025557{n:03d}" for n in range(5)]
    for own in (store, danish_store):
        for address in numbers:
            Sender.objects.create(store=own, address=address, texts_per_second=Decimal(1000))

    def statements(size: int) -> int:
        still.move(minutes=1)
        for own in (store, danish_store):
            ids = crowd(own, size, queued_at=still.at, not_before=still.at)
            bulk.update(Message, ("sender",), [(pk, numbers[place % 5]) for place, pk in enumerate(ids)])
        with CaptureQueriesContext(connection) as queries:
            dispatch()
        return len(queries)

    statements(5)
    assert statements(5) == statements(60)
    assert len(gateway.calls) == 30, "one for each number, each time"


def waits(store: Store, gateway: Any, still: TestClock, *, promotion: int) -> list[float]:
    """Let a minute pass in which three service texts a second are queued; return how long each waited, sorted."""
    begin = still.at
    if promotion:
        crowd(store, promotion, queued_at=begin, not_before=begin)
    ids = crowd(store, 180, message_class="service", priority=1, queued_at=begin, not_before=begin)
    due = {pk: begin + timedelta(seconds=place / 3) for place, pk in enumerate(sorted(ids))}
    bulk.update(Message, ("queued_at", "not_before"), [(pk, at, at) for pk, at in due.items()])
    for second in range(1, 65):
        still.at = begin + timedelta(seconds=second)
        while dispatch().taken:
            pass
    unsent = Message.objects.filter(pk__in=ids).exclude(state="accepted")
    assert not unsent.exists(), set(unsent.values_list("state", "reason", "not_before"))
    left: dict[int, datetime] = dict(Message.objects.filter(pk__in=ids).values_list("pk", "accepted_at"))
    return sorted((left[pk] - at).total_seconds() for pk, at in due.items())


def test_a_promotion_of_twenty_thousand_makes_no_service_text_wait(
    store: Store, danish_store: Store, gateway: Any, still: TestClock
) -> None:
    """By a simulated clock, looked at once a second: a worker that is told at once is only faster."""
    rule(texts_per_second=Decimal(20))
    alone = waits(danish_store, gateway, still, promotion=0)
    still.move(hours=1)
    beside = waits(store, gateway, still, promotion=PROMOTION)
    sent = Message.objects.filter(store=store, message_class="marketing", state="accepted").count()
    assert 64 * 20 - 180 - 20 <= sent <= 64 * 20 - 180 + 30, "what the service texts leave, promotions use"
    p95 = len(alone) * 95 // 100
    assert alone[p95] <= 1.0
    assert beside[p95] <= alone[p95] + 1.0
    assert beside[-1] <= 2.0
