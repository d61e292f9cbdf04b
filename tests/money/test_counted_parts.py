"""Our count of parts is compared with that of the gateways, every night."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin import clock
from smsflow_plugin.management.doctor import counted_parts
from smsflow_plugin.measurement.usage import usage
from smsflow_plugin.messaging.counted_parts import compare_parts
from smsflow_plugin.models import Message, SpendDay, Store
from tests.factories import make_contact

pytestmark = pytest.mark.django_db


def text(store: Store, parts: int, reported: int | None, days_ago: int = 0) -> Message:
    at = clock.now() - timedelta(days=days_ago)
    return Message.objects.create(
        store=store, contact=make_contact(store), message_class="marketing", sender=store.sender, to="+12025550101",
        body="Hi", parts=parts, reported_parts=reported, queued_at=at, state="delivered",
    )  # fmt: skip


def counts(store: Store) -> list[tuple[int, ...]]:
    columns = ("compared", "differing", "compared_parts", "reported_parts")
    return list(SpendDay.objects.filter(store=store).order_by("day").values_list(*columns))


def test_it_counts_where_the_gateway_counts_otherwise(store: Store, danish_store: Store) -> None:
    text(store, 1, 1), text(store, 1, 2), text(store, 3, 2), text(store, 1, None), text(danish_store, 2, 2)
    text(store, 1, 5, days_ago=1)
    compare_parts(clock.now())
    assert counts(store) == [(1, 1, 1, 5), (3, 2, 5, 5)]
    assert counts(danish_store) == [(1, 0, 2, 2)]


def test_counting_again_changes_nothing_and_takes_in_what_came_late(store: Store) -> None:
    late = text(store, 1, None, days_ago=2)
    SpendDay.objects.create(store=store, day=clock.now().date(), total="4", texts=5)
    compare_parts(clock.now()), compare_parts(clock.now())
    assert counts(store) == [(0, 0, 0, 0)]
    Message.objects.filter(pk=late.pk).update(reported_parts=2)
    compare_parts(clock.now())
    assert counts(store) == [(1, 1, 1, 2), (0, 0, 0, 0)]
    assert SpendDay.objects.get(day=clock.now().date()).texts == 5


def test_older_days_stay_as_they_are(store: Store) -> None:
    text(store, 1, 2, days_ago=10)
    compare_parts(clock.now())
    assert counts(store) == []


def test_statements_do_not_depend_on_the_number_of_texts(store: Store) -> None:
    made = []
    for _times in range(2):
        for _text in range(10):
            text(store, 1, 2)
        with CaptureQueriesContext(connection) as queries:
            compare_parts(clock.now())
        made.append(len(queries))
        SpendDay.objects.all().delete()
    assert made[0] == made[1]


def test_the_panel_and_the_doctor_say_so(store: Store) -> None:
    text(store, 1, 1)
    compare_parts(clock.now())
    assert usage(store, clock.now()).difference == ""
    assert list(counted_parts()) == []
    text(store, 1, 2)
    compare_parts(clock.now())
    said = usage(store, clock.now()).difference
    assert said.startswith(
        "The gateway counts other parts than we do in 1 text of 2: 3 parts in all, where we count 2."
    )
    (finding,) = counted_parts()
    assert (finding.ok, finding.message) == (False, f"{store.name}: {said}")
