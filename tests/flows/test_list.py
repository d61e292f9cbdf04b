from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from smsflow_plugin import clock
from smsflow_plugin.models import Enrollment, Flow, Message
from tests.factories import make_contact, make_store
from tests.flows.people import STORE_ADMIN, person, published_flow, saved_flow
from tests.flows.test_editor import signed_in, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def ines(store: Any) -> Client:
    return signed_in(person("Ines", (store, STORE_ADMIN)))


def rows(response: Any) -> dict[str, Flow]:
    return {flow.name: flow for flow in response.context["object_list"]}


def text(flow: Flow, state: str, days_ago: int = 0) -> None:
    Message.objects.create(
        store=flow.store,
        flow=flow,
        message_class="marketing",
        sender="+12025550100",
        to="+12025550101",
        body="Hi.",
        state=state,
        queued_at=clock.now() - timedelta(days=days_ago),
    )


def test_the_list_counts_people_and_texts_of_thirty_days(store: Any, ines: Client) -> None:
    flow = published_flow(store)
    for status in ("waiting", "waiting", "finished"):
        Enrollment.objects.create(
            store=store, flow=flow, version=flow.current_version, contact=make_contact(store), status=status
        )
    for state in ("queued", "accepted", "delivered", "delivered", "failed", "cancelled"):
        text(flow, state)
    text(flow, "delivered", days_ago=31)
    shown = rows(ines.get(url("list")))["Abandoned cart"]
    assert (shown.people_inside, shown.texts_sent, shown.texts_delivered) == (2, 4, 2)


def test_the_list_shows_what_is_live_paused_and_draft(store: Any, ines: Client) -> None:
    published_flow(store, name="A")
    published_flow(store, name="B").unpublish()
    saved_flow(store, name="C")
    changed = published_flow(store, name="D")
    changed.name = "D2"
    changed.save_revision(clean=False)
    page = ines.get(url("list")).content.decode()
    positions = [page.index(words) for words in ("Live", "Paused", "Draft", "Live, with changes")]
    assert positions == sorted(positions)


def test_a_paused_flow_is_listed_as_paused_and_not_as_live(store: Any, ines: Client) -> None:
    published_flow(store, name="A")
    flow = Flow.objects.get()
    Flow.objects.update(paused_at=clock.now())
    assert (flow.live, set(rows(ines.get(url("list"), {"state": "live"})))) == (True, set())
    assert set(rows(ines.get(url("list"), {"state": "paused"}))) == {"A"}
    page = ines.get(url("list")).content.decode()
    assert "Paused" in page
    assert url("resume", flow.pk) in page


@pytest.mark.parametrize(("state", "names"), [("live", {"A"}), ("paused", {"B"}), ("draft", {"C"}), ("", set("ABC"))])
def test_the_list_narrows_by_status(store: Any, ines: Client, state: str, names: set[str]) -> None:
    published_flow(store, name="A")
    published_flow(store, name="B").unpublish()
    saved_flow(store, name="C")
    assert set(rows(ines.get(url("list"), {"state": state}))) == names


def test_the_list_and_its_filters_know_only_one_s_own_stores(store: Any, danish_store: Any, ines: Client) -> None:
    saved_flow(store, name="Mine")
    saved_flow(danish_store, name="Theirs")
    response = ines.get(url("list"))
    assert set(rows(response)) == {"Mine"}
    assert "Nordic Tea" not in response.content.decode()
    assert set(rows(ines.get(url("list"), {"store": danish_store.pk}))) <= {"Mine"}


def test_the_search_finds_by_part_of_a_name_within_one_s_own_stores(
    store: Any, danish_store: Any, ines: Client
) -> None:
    saved_flow(store, name="Winter cart")
    saved_flow(store, name="Welcome")
    saved_flow(danish_store, name="Cart of others")
    assert set(rows(ines.get(url("list"), {"q": "cart"}))) == {"Winter cart"}


def test_the_list_can_be_sorted_by_its_numbers(store: Any, ines: Client) -> None:
    busy, quiet = published_flow(store, name="Busy"), published_flow(store, name="Quiet")
    text(busy, "delivered")
    assert list(rows(ines.get(url("list"), {"ordering": "-texts_sent"}))) == [busy.name, quiet.name]
    assert list(rows(ines.get(url("list"), {"ordering": "texts_sent"}))) == [quiet.name, busy.name]


def test_the_number_of_queries_does_not_depend_on_the_number_of_flows_or_stores(store: Any) -> None:
    stores = [store, *(make_store(name=f"Shop {n}", domain=f"shop-{n}.myshopify.com") for n in range(3))]
    agency = signed_in(person("Agnes", *((each, STORE_ADMIN) for each in stores)))
    published_flow(store)
    agency.get(url("list"))
    with CaptureQueriesContext(
        connection,
    ) as few:
        agency.get(url("list"))
    for each in stores:
        for number in range(4):
            published_flow(each, name=f"Flow {number}")
    with CaptureQueriesContext(connection) as many:
        response = agency.get(url("list"))
    assert len(rows(response)) == 5
    assert len(many) == len(few)
