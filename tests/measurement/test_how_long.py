"""Tests of what is said before a test begins: how many people it takes, and how long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.admin_panels.flows.pages import page_url
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.measurement.how_long import DAYS, Pace, how_long, pace_of, sizes
from smsflow_plugin.measurement.statistics import sample_size
from smsflow_plugin.models import Event, Flow, Message, Store
from tests.admin.people import client_of, make_user
from tests.conftest import NOON, TestClock
from tests.experiments.test_page import trying
from tests.factories import make_contact
from tests.words.people import copy, make_flow, send

pytestmark = pytest.mark.django_db


def test_it_takes_what_the_statistics_say() -> None:
    one, two = sizes(Pace(2_800, 140), [50, 50])  # 5 of 100, 100 people a day
    assert one.people == 2 * sample_size(0.05, 0.01)
    assert two.people == 2 * sample_size(0.05, 0.02)
    assert (one.days, two.days) == (-(-one.people // 100), -(-two.people // 100))


def test_a_small_arm_and_more_arms_take_more_people() -> None:
    even, small, four = (list(sizes(Pace(2_800, 140), shares))[0].people for shares in ([1, 1], [90, 10], [1, 1, 1, 1]))
    assert small == 10 * sample_size(0.05, 0.01) > even
    assert four > 2 * even


@given(
    people=st.integers(0, 50_000), share=st.floats(0, 1), shares=st.lists(st.integers(1, 97), min_size=2, max_size=4)
)
def test_a_larger_difference_never_takes_more(people: int, share: float, shares: list[int]) -> None:
    found = list(sizes(Pace(people, int(people * share)), shares))
    assert [size.people for size in found] == sorted((size.people for size in found), reverse=True)
    assert all(size.days is None or size.days >= 7 for size in found)


def texted(flow: Flow, *, days: float, ordered: timedelta | None = None) -> None:
    contact, number = make_contact(flow.store, phone=None), Message.objects.count()
    at = NOON - timedelta(days=days)
    Message.objects.create(
        store=flow.store, flow=flow, contact=contact, step="s1", to="+12025550101", body="Hi", key=f"m{number}",
        queued_at=at, purpose="flow",
    )  # fmt: skip
    if ordered:
        Event.objects.create(
            store=flow.store, contact=contact, kind="order_created", key=f"o{number}", occurred_at=at + ordered, data={}
        )


def test_the_pace_is_that_of_people_whose_window_is_over(store: Store, still: TestClock) -> None:
    flow = make_flow(store, [send("Hello.", "s1")])
    texted(flow, days=10)
    texted(flow, days=10, ordered=timedelta(days=2))
    texted(flow, days=10, ordered=timedelta(days=9))  # after the window
    texted(flow, days=1, ordered=timedelta(hours=1))  # not over yet
    texted(flow, days=60, ordered=timedelta(days=1))  # too long ago
    assert pace_of(flow) == Pace(3, 1, 28)

    # one that is younger than four weeks has come to them in fewer days
    Flow.objects.filter(pk=flow.pk).update(first_published_at=still() - timedelta(days=12))
    assert pace_of(Flow.objects.select_related("store").get(pk=flow.pk)) == Pace(3, 1, 7)


def new_draft(flow: Flow) -> Any:
    draft = flow.get_latest_revision_as_object()
    raw = draft.steps.stream_block.get_prep_value(draft.steps)
    raw[0]["value"]["variants"] = [{"type": "item", "id": "v1", "value": {"weight": 50, **copy("Hi.", "Hey.")}}]
    draft.steps = draft.steps.stream_block.to_python(raw)
    draft.save_revision()
    return compile_flow(draft)


def test_only_a_test_that_begins_is_told_of(store: Store, still: TestClock) -> None:
    running = trying(store)
    with CaptureQueriesContext(connection) as captured:
        assert how_long(running, compile_flow(running.get_latest_revision_as_object())) == []
    assert not [query for query in captured if "smsflow_message" in query["sql"]]
    flow = make_flow(store, [send("Hello.", "s1")])
    [said] = how_long(flow, new_draft(flow))
    assert said[0] == "Too little is known of this flow yet, so these are for 5.0 % of the people ordering."
    assert said[1].startswith("A difference of 1 point takes at least 16316 people.")
    assert said[2].startswith("A difference of 2 points takes at least 4426 people.")


def test_the_page_before_publishing_says_it(store: Store, still: TestClock) -> None:
    flow = make_flow(store, [send("Hello.", "s1")])
    new_draft(flow)
    for number in range(4 * DAYS):
        texted(flow, days=10, ordered=timedelta(days=1) if number % 20 == 0 else None)
    client = client_of(make_user("sam", "Store admin", store))
    text = client.get(page_url("publish", flow)).content.decode()
    assert "The test that begins" in text
    assert "Of the people of this flow 5.4 % order, and about 4 come to it a day." in text
    assert "a test lasts 42 days at most, so it will hardly be seen." in text
