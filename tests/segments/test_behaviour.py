"""Segments from how people behave: engaged, lapsing, the best customers; and those that are ready to be taken over."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin import clock
from smsflow_plugin.audience.behaviour import SHARES, among_the_best, marks, overdue
from smsflow_plugin.audience.filters import Condition
from smsflow_plugin.engine.habits import learn
from smsflow_plugin.engine.segments import condition_of
from smsflow_plugin.engine.selection import select
from smsflow_plugin.flows.behaviour_blocks import DESCRIPTIONS
from smsflow_plugin.flows.condition_words import describe_condition
from smsflow_plugin.flows.program import Send, Trigger
from smsflow_plugin.flows.ready_segments import READY, take_over
from smsflow_plugin.models import Contact, Enrollment, Event, Segment, Store
from tests.admin.people import client_of, make_user
from tests.conftest import NOON
from tests.engine.helpers import happened, make_flow, pump
from tests.factories import make_contact
from tests.flows.test_conditions import compiled, made, stream

LIST = "smsflow_segments:index"


def names(condition: Condition, store: Store) -> set[str]:
    people = select(condition, store_id=store.pk, now=clock.now())
    return set(people.values_list("first_name", flat=True))


def inside(key: str, store: Store) -> set[str]:
    return names(condition_of(take_over(key, store)), store)


def did(contact: Contact, kind: str, *, days: int, **data: Any) -> None:
    Event.objects.create(
        store_id=contact.store_id, contact=contact, kind=kind, key=f"{kind}-{contact.pk}-{days}",
        occurred_at=clock.now() - timedelta(days=days), data=data,
    )  # fmt: skip


# Engaged -----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_whoever_clicked_answered_or_ordered_lately_is_engaged(store: Store, still: Any) -> None:
    did(make_contact(store, first_name="Clicked"), "link_clicked", days=89)
    did(make_contact(store, first_name="Clicked long ago"), "link_clicked", days=91)
    did(make_contact(store, first_name="Answered"), "message_received", days=2, body="Great!", keyword=None)
    did(make_contact(store, first_name="Said stop"), "message_received", days=2, body="STOP", keyword="stop")
    make_contact(store, first_name="Ordered", last_order_at=NOON - timedelta(days=10))
    make_contact(store, first_name="Silent")
    assert inside("engaged", store) == {"Clicked", "Answered", "Ordered"}
    condition, problems = compiled(made("engaged", within="no", days=90))
    assert not problems
    assert names(condition, store) == {"Clicked long ago", "Said stop", "Silent"}


# Lapsing -----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_everybody_lapses_by_their_own_interval(store: Store, still: Any) -> None:
    def customer(name: str, *, ago: int, interval: int | None) -> None:
        last = NOON - timedelta(days=ago)
        replenish_at = last + timedelta(days=interval) if interval else None
        make_contact(store, first_name=name, last_order_at=last, replenish_at=replenish_at)

    customer("Weekly, late", ago=11, interval=7)
    customer("Weekly, not yet", ago=10, interval=7)
    customer("Monthly, in time", ago=40, interval=30)
    customer("Once, long ago", ago=180, interval=None)
    customer("Once, lately", ago=179, interval=None)
    make_contact(store, first_name="Never")
    assert inside("lapsing", store) == {"Weekly, late", "Once, long ago"}


@given(st.integers(1, 365), st.integers(100, 1000), st.integers(1, 400), st.integers(1, 3650))
def test_whoever_lapses_goes_on_lapsing_until_they_order(interval: int, percent: int, days: int, more: int) -> None:
    last = NOON - timedelta(days=interval * percent // 100 + 1)
    rules = {"percent": percent, "days": days}
    assert overdue(last, last + timedelta(days=interval), NOON, **rules)
    assert overdue(last, last + timedelta(days=interval), NOON + timedelta(days=more), **rules)
    assert not overdue(NOON, NOON + timedelta(days=interval), NOON, **rules)
    assert not overdue(None, None, NOON, **rules)


# The best customers ------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 500), min_size=1, max_size=300))
def test_the_best_are_as_many_as_the_share_says_and_more_only_when_they_spent_the_same(spent: list[int]) -> None:
    ranked = sorted(spent, reverse=True)
    hundredths: dict[int, Decimal] = {}
    for number, amount in enumerate(ranked):
        hundredths[number * 100 // len(ranked)] = Decimal(amount)
    known = marks(hundredths.items())
    for share in SHARES:
        best = [amount for amount in ranked if among_the_best(str(amount), known, share)]
        wanted = -(-len(ranked) * share // 100)
        assert len(best) >= wanted
        assert best == [amount for amount in ranked if amount >= ranked[wanted - 1]]


@pytest.mark.django_db
def test_the_best_are_counted_once_a_day_for_each_store_by_itself(
    store: Store, danish_store: Store, still: Any
) -> None:
    for number in range(40):
        make_contact(store, first_name=f"{number:02}", total_spent=number * 10)
    make_contact(danish_store, first_name="Rich", total_spent=100_000)
    assert inside("vip", store) == set()
    learn()
    # the best ten per cent of those 39 who have bought
    assert inside("vip", store) == {"39", "38", "37", "36"}
    assert inside("vip", danish_store) == {"Rich"}
    make_contact(store, first_name="New and rich", total_spent=5_000)
    assert inside("vip", store) == {"39", "38", "37", "36", "New and rich"}
    still.move(days=1, minutes=1)
    with CaptureQueriesContext(connection) as queries:
        learn()
    assert inside("vip", store) == {"39", "38", "37", "New and rich"}
    ranked = [query for query in queries if "ROW_NUMBER" in query["sql"]]
    assert len(ranked) == 1  # for all stores together


@pytest.mark.django_db
def test_a_flow_lets_in_only_the_best_customers(store: Store, still: Any, settings: Any) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "TRANSLATORS": {"test": "tests.engine.helpers.translate"}}
    for number in range(20):
        make_contact(store, phone=f"+12025550{number:03}", total_spent=number)
    learn()
    make_flow(
        store, Send("s1", {"": "Thank you."}), name="Thanks", triggers=(Trigger("order_paid"),),
        audience={"all": [{"top_spender": 10}]},
    )  # fmt: skip
    for number in (17, 18, 19):
        happened(store, "order_paid", phone=f"+12025550{number:03}", subject=f"o{number}")
    pump()
    let_in = Enrollment.objects.values_list("contact__phone", flat=True)
    assert sorted(let_in) == ["+12025550018", "+12025550019"]


# The form ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "condition", "words"),
    [
        (
            made("overdue", within="yes", percent=200, days=90),
            {"overdue": {"percent": 200, "days": 90}},
            "lapsing (after 200 % of their usual interval, or 90 days)",
        ),
        (
            made("vip", within="yes", by="spent", amount=500),
            {"field": "total_spent", "op": "ge", "value": "500"},
            "has spent at least 500",
        ),
        (
            made("vip", within="no", by="orders", amount=5),
            {"not": {"field": "orders_count", "op": "ge", "value": "5"}},
            "has ordered less than 5 times",
        ),
        (
            made("vip", within="yes", by="best", amount=5),
            {"top_spender": 5},
            "among the best 5 per cent by what they spent",
        ),
    ],
)
def test_a_rule_compiles_to_a_condition_and_reads_as_words(raw: Any, condition: Condition, words: str) -> None:
    found, problems = compiled(raw)
    assert not problems
    assert found == {"all": [condition]}
    assert describe_condition(stream(raw)) == words


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (made("engaged", within="yes", days=0), "days"),
        (made("engaged", within="yes", days=None), "days"),
        (made("overdue", within="yes", percent=50, days=90), "percent"),
        (made("vip", within="yes", by="best", amount=100), "amount"),
        (made("vip", within="yes", by="", amount=1), "by"),
    ],
)
def test_a_number_that_makes_no_sense_is_reported_where_it_stands(raw: Any, place: str) -> None:
    _found, problems = compiled(raw)
    assert [path for path, _message in problems] == [(0, place)]


def test_half_filled_rules_can_be_read() -> None:
    for kind in DESCRIPTIONS:
        assert describe_condition(stream(made(kind)))


# Ready segments ----------------------------------------------------------------------------------


@pytest.fixture
def ada(store: Store) -> Client:
    return client_of(make_user("ada", "Store admin", store))


@pytest.mark.django_db
def test_a_ready_segment_is_taken_over_with_one_click_and_once(ada: Client, store: Store, still: Any) -> None:
    page = ada.get(reverse(LIST)).content.decode()
    address = reverse("smsflow_segments:take_over", args=["lapsing"])
    assert address in page
    answer = ada.post(address, {"store": store.pk}, follow=True)
    segment = Segment.objects.get(store=store)
    assert (segment.name, answer.status_code) == ("Lapsing", 200)
    assert "lapsing (after 150 % of their usual interval, or 180 days)" in answer.content.decode()
    ada.post(address, {"store": store.pk})
    assert Segment.objects.filter(store=store).count() == 1
    page = ada.get(reverse(LIST)).content.decode()
    assert address not in page
    assert reverse("smsflow_segments:take_over", args=["vip"]) in page


@pytest.mark.django_db
def test_every_ready_segment_can_be_edited_as_it_is(ada: Client, store: Store, still: Any) -> None:
    for key in READY:
        segment = take_over(key, store)
        assert ada.get(reverse("smsflow_segments:edit", args=[segment.pk])).status_code == 200
        condition_of(segment)


@pytest.mark.django_db
def test_nobody_takes_over_for_a_store_that_is_not_theirs(ada: Client, store: Store, danish_store: Store) -> None:
    address = reverse("smsflow_segments:take_over", args=["vip"])
    assert ada.post(address, {"store": danish_store.pk}).status_code == 404
    assert ada.post(address, {"store": "x"}).status_code == 404
    assert ada.post(reverse("smsflow_segments:take_over", args=["other"]), {"store": store.pk}).status_code == 404
    writer = client_of(make_user("cora", "Copywriter", store))
    assert writer.post(address, {"store": store.pk}).status_code in (302, 403)
    assert not Segment.objects.exists()
