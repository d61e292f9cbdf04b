"""What was not sent is counted once a day is over, and live before that; the two are always one."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.governance.unsent import Wanted, count_unsent, counts
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.models import Decision, Flow, Message, Store, UnsentDay
from tests.conftest import NOON, TestClock
from tests.factories import make_contact

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("still")]

TODAY = date(2026, 3, 4)
MONTH = Wanted(TODAY - timedelta(days=29), TODAY)


def unsent(store: Store, *, hours_ago: float = 0, verdict: str = "skip", reason: str = "stale", **values: Any) -> None:
    at = NOON - timedelta(hours=hours_ago)
    Decision.objects.create(store=store, at=at, verdict=verdict, reason=reason, **values)


def test_days_are_those_of_the_stores_own_clock(store: Store, danish_store: Store) -> None:
    for shop in (store, danish_store):
        unsent(shop, hours_ago=12.5)  # 22:30 in New York, 04:30 in Copenhagen
    found = counts([store, danish_store], MONTH)
    assert found == {(TODAY - timedelta(days=1), 0, "skip", "stale"): 1, (TODAY, 0, "skip", "stale"): 1}


def test_what_was_allowed_is_not_counted(store: Store) -> None:
    unsent(store, verdict="allow", reason="allowed")
    assert counts([store], MONTH) == Counter()


def test_counted_and_not_yet_counted_days_make_the_same_report(store: Store, danish_store: Store) -> None:
    flow = Flow.objects.create(store=store, name="Welcome")
    for hours in range(0, 200, 7):
        unsent(store, hours_ago=hours, flow=flow if hours % 2 else None)
        unsent(danish_store, hours_ago=hours, verdict="defer", reason="cap_day")
    both = [store, danish_store]
    live = counts(both, MONTH)
    assert count_unsent() > 0
    assert UnsentDay.objects.exists()
    assert counts(both, MONTH) == live
    unsent(store, reason="panic")
    assert sum(counts(both, MONTH).values()) == sum(live.values()) + 1


def test_counting_again_changes_nothing(store: Store, still: TestClock) -> None:
    unsent(store, hours_ago=40)
    assert count_unsent() == 1
    assert count_unsent() == 0
    still.move(days=1)
    unsent(store, hours_ago=1)
    assert count_unsent() == 1
    assert sum(UnsentDay.objects.values_list("texts", flat=True)) == 2


def test_a_day_is_counted_when_the_last_decision_of_it_is_committed(store: Store, still: TestClock) -> None:
    still.move(hours=13, minutes=30)  # 00:30 in New York
    unsent(store, hours_ago=1)
    count_unsent()
    assert not UnsentDay.objects.filter(day=TODAY).exists()
    still.move(hours=1)
    count_unsent()
    assert UnsentDay.objects.get(day=TODAY).texts == 1


@pytest.mark.parametrize(
    ("narrower", "texts"),
    [({}, 4), ({"verdict": "defer"}, 1), ({"reason": "stale"}, 3), ({"flow_id": 0}, 3), ({"first": TODAY}, 2)],
)
@pytest.mark.parametrize("counted", [False, True])
def test_a_report_can_be_narrowed(store: Store, narrower: dict[str, Any], texts: int, counted: bool) -> None:
    flow = Flow.objects.create(store=store, name="Welcome")
    unsent(store)
    unsent(store, hours_ago=1, flow=flow)
    unsent(store, hours_ago=30)
    unsent(store, hours_ago=30, verdict="defer", reason="cap_day")
    if counted:
        count_unsent()
    found = counts([store], Wanted(**{"first": MONTH.first, "last": TODAY, **narrower}))
    assert sum(found.values()) == texts


def test_another_stores_texts_are_never_counted(store: Store, danish_store: Store) -> None:
    unsent(danish_store, hours_ago=40)
    unsent(danish_store)
    count_unsent()
    assert counts([store], MONTH) == Counter()


def test_the_number_of_queries_depends_on_neither_days_nor_texts(store: Store) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            counts([store], MONTH)
        return len(queries)

    unsent(store)
    few = count()
    for hours in range(60):
        unsent(store, hours_ago=hours)
    assert count() == few
    count_unsent()
    assert count() == few + 1


def test_a_text_that_expires_at_the_last_gate_is_in_the_report(store: Store, gateway: Any) -> None:
    """Nothing but the gate ever decided on it: an opt-in question, an answer, a text that waited for its turn."""
    ada = make_contact(store)
    for n, own in enumerate(({"expires_at": NOON}, {"queued_at": NOON - timedelta(hours=25)}, {})):
        Message.objects.create(
            store=store, contact=ada, message_class="marketing", sender="x", to=str(ada.phone), body=str(n), **own
        )
    dispatch()
    assert sorted(Message.objects.values_list("state", flat=True)) == ["accepted", "expired", "expired"]
    assert counts([store], MONTH) == {(TODAY, 0, "skip", "stale"): 2}
