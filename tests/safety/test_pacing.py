"""In the morning thousands of texts are due at once: they leave at the number's pace, the important ones first."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from smsflow_plugin import bulk
from smsflow_plugin.engine.advance import advance
from smsflow_plugin.flows.program import Send
from smsflow_plugin.messaging.dispatch import DispatchResult, dispatch
from smsflow_plugin.messaging.pacing import rates_of
from smsflow_plugin.models import Contact, Enrollment, Message, Pace, Policy, Store
from tests.conftest import NOON, TestClock
from tests.engine.helpers import make_flow
from tests.factories import make_contact
from tests.safety.conftest import rule

pytestmark = pytest.mark.django_db(transaction=True)

#: 09:00 in New York, the morning after.
OPENING = NOON.replace(day=5, hour=14)


def crowd(store: Store, size: int, **values: Any) -> list[int]:
    """So many queued texts, to people of their own; return their ids."""
    first = Contact.objects.count() + 1
    numbers = [f"+1202{first + n:07d}" for n in range(size)]
    columns = ("store_id", "phone", "country", "timezone", "marketing_consent", "opt_in_level")
    rows = [(store.pk, number, "US", "America/New_York", "granted", "confirmed") for number in numbers]
    people = dict(bulk.insert(Contact, columns, rows, returning=("phone", "id")))
    defaults = {
        "message_class": "marketing", "sender": store.sender, "body": "Hi", "queued_at": NOON, "not_before": NOON,
        "priority": 2001, **values,
    }  # fmt: skip
    texts = [
        (*defaults.values(), store.pk, people[number], str(number), f"crowd-{number}")
        for number in sorted(people, key=str)
    ]
    columns = (*defaults, "store_id", "contact_id", "to", "key")
    return [pk for (pk,) in bulk.insert(Message, columns, texts, returning=("id",))]


def two_workers() -> list[DispatchResult]:
    """Two workers look at the same moment: at once on PostgreSQL, in turns where there is one writer."""
    results: list[DispatchResult] = []

    def work() -> None:
        try:
            while (result := dispatch()).taken:
                results.append(result)
            results.append(result)
        finally:
            if connection.vendor == "postgresql" and threading.current_thread() is not threading.main_thread():
                connections.close_all()

    if connection.vendor != "postgresql":
        work()
        work()
        return results
    threads = [threading.Thread(target=work) for _n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_two_thousand_texts_at_opening_leave_at_ten_a_second_in_their_order(
    store: Store, gateway: Any, still: TestClock
) -> None:
    rule(texts_per_second=Decimal(10))
    still.at = OPENING
    night = {"queued_at": OPENING - timedelta(hours=10), "not_before": OPENING}
    promos = crowd(store, 1500, priority=2001, **night)
    carts = crowd(store, 300, priority=1001, **night)
    stale = crowd(store, 150, priority=1501, expires_at=OPENING + timedelta(seconds=20), **night)
    orders = crowd(store, 50, priority=1, message_class="service", **night)

    looks = 0
    for _second in range(400):
        results = two_workers()
        looks += 1
        if not Message.objects.filter(state="queued").exists():
            break
        later = [result.next_at for result in results if result.next_at]
        assert later, "somebody is waiting, and a worker knows when to come back"
        still.at = min(later)
    else:
        raise AssertionError("They never end.")

    left = dict(Message.objects.exclude(accepted_at=None).values_list("pk", "accepted_at"))
    assert set(left) == {*promos, *carts, *orders}, "nobody is lost"
    dropped = Message.objects.filter(pk__in=stale)
    assert set(dropped.values_list("state", "reason")) == {("expired", "stale")}
    _never_faster_than(left.values(), rate=10, ahead=2.0)
    assert max(left[pk] for pk in orders) <= min(left[pk] for pk in carts)
    assert max(left[pk] for pk in carts) <= min(left[pk] for pk in promos)
    took = (max(left.values()) - OPENING).total_seconds()
    assert 183 <= took <= 186, "1850 texts at 10 a second"
    assert looks <= took + 2, "one look a second"
    assert gateway.calls
    assert sorted(number for call in gateway.calls for number in call.recipients) == sorted(
        Message.objects.filter(pk__in=left).values_list("to", flat=True)
    ), "everybody once"


def _never_faster_than(moments: Any, *, rate: int, ahead: float) -> None:
    counts = sorted(Counter(moments).items())
    for start, (begin, _count) in enumerate(counts):
        total = 0
        for at, count in counts[start : start + 30]:
            total += count
            assert total <= rate * ((at - begin).total_seconds() + ahead), (begin, at)


def test_an_answer_overtakes_a_full_queue(store: Store, gateway: Any, still: TestClock) -> None:
    rule(texts_per_second=Decimal(10))
    crowd(store, 100)
    while dispatch().taken:
        pass
    assert sum(len(call.recipients) for call in gateway.calls) == 15
    reply = make_contact(store)
    Message.objects.create(
        store=store, contact=reply, message_class="reply", sender="x", to=str(reply.phone), body="You are out.",
        priority=3000,
    )  # fmt: skip
    dispatch()
    assert gateway.calls[-1].body == "You are out.", "at once, from the share that promotions never take"
    still.move(seconds=1)
    while dispatch().taken:
        pass
    assert Message.objects.filter(state="accepted").count() == 15 + 1 + 9, "and that share is paid back"


def test_a_store_without_a_rate_waits_for_nobody(store: Store, danish_store: Store, gateway: Any) -> None:
    rule(store, texts_per_second=Decimal(1))
    crowd(store, 30)
    free = crowd(danish_store, 30)
    result = dispatch()
    assert Message.objects.filter(pk__in=free, state="accepted").count() == 30
    assert Message.objects.filter(store=store, state="accepted").count() == 1
    assert result.taken == 31
    assert dispatch().next_at == NOON + timedelta(seconds=1)
    assert Pace.objects.count() == 1


def test_a_site_can_set_the_rate_and_a_store_a_lower_one(store: Store, danish_store: Store) -> None:
    assert rates_of([store.pk]) == {}
    site = Policy.objects.create(store=None, texts_per_second=Decimal(5))
    rule(store, texts_per_second=Decimal(2))
    assert rates_of([store.pk, danish_store.pk]) == {store.pk: 2, danish_store.pk: 5}
    rule(store, texts_per_second=Decimal(9))
    assert rates_of([store.pk]) == {store.pk: 5}
    Policy.objects.filter(pk=site.pk).update(may_loosen=["texts_per_second"])
    assert rates_of([store.pk]) == {store.pk: 9}


def test_the_pace_survives_a_restart_and_a_pause_of_the_gateway(store: Store, gateway: Any, still: TestClock) -> None:
    from smsflow_plugin.messaging.gateway import RateLimited

    rule(texts_per_second=Decimal(10))
    crowd(store, 40)
    gateway.answer = staticmethod(lambda text: RateLimited(30, too_fast=False))
    dispatch()
    assert Message.objects.filter(state="queued").count() == 40
    gateway.answer = None
    still.move(seconds=30)
    while dispatch().taken:
        pass
    assert Message.objects.filter(state="accepted").count() == 15


def test_a_claim_takes_as_many_statements_for_a_hundred_stores_texts_as_for_one(
    store: Store, danish_store: Store, gateway: Any, still: TestClock
) -> None:
    rule(texts_per_second=Decimal(50))

    def statements(size: int) -> int:
        still.move(minutes=1)
        for own in (store, danish_store):
            crowd(own, size, not_before=still.at, queued_at=still.at)
        with CaptureQueriesContext(connection) as queries:
            dispatch()
        return len(queries)

    statements(1)
    assert statements(2) == statements(60)


def test_people_who_wake_in_the_same_second_are_queued_by_priority_whatever_their_ids(
    store: Store, gateway: Any, still: TestClock
) -> None:
    """Promotions have the lower ids and are advanced first; the order of the texts is another one."""
    rule(texts_per_second=Decimal(10))
    promo = make_flow(store, Send("s", {"": "Sale"}), name="Sale", priority="promo")
    order = make_flow(store, Send("s", {"": "Order"}), name="Order", priority="service", message_class="service")
    for flow in (promo, order):
        _runs(store, flow, 40)
    while advance(10):
        pass
    while dispatch(limit=10).taken:
        pass
    still.move(seconds=1)
    while dispatch(limit=10).taken:
        pass
    sent = Message.objects.filter(state="accepted")
    assert set(sent.values_list("flow__name", flat=True)) == {"Order"}
    assert sent.count() == 20 + 10


def _runs(store: Store, flow: Any, size: int) -> None:
    people = [make_contact(store, wake_at=NOON) for _n in range(size)]
    columns = ("store_id", "flow_id", "version_id", "contact_id", "status", "state", "wake_at")
    rows = [(store.pk, flow.pk, flow.current_version_id, one.pk, "waiting", {}, NOON) for one in people]
    bulk.insert(Enrollment, columns, rows)


def test_a_clock_that_was_put_back_silences_a_number_for_seconds_only(
    store: Store, gateway: Any, still: TestClock
) -> None:
    rule(texts_per_second=Decimal(10))
    crowd(store, 40)
    still.move(hours=2)
    dispatch()
    assert Message.objects.filter(state="accepted").count() == 15
    still.move(hours=-1)
    dispatch()
    still.move(seconds=2)
    dispatch()
    assert Message.objects.filter(state="accepted").count() > 15
