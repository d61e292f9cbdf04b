"""The page of experiments, and taking a wording over into a draft."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from smsflow_plugin.engine.trials import copy_experiment, quarter_of
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.program import Send
from smsflow_plugin.measurement.applying import ApplyWinner, CannotApply, with_winner
from smsflow_plugin.measurement.winners import judge_experiments
from smsflow_plugin.models import Event, Exposure, Flow, Policy, Store
from tests.admin.people import client_of, make_user
from tests.conftest import NOON, TestClock
from tests.dashboards.test_store_page import MOST_QUERIES
from tests.factories import make_contact, make_store
from tests.words.people import copy, make_flow, send

pytestmark = pytest.mark.django_db


def trying(store: Store, **values: Any) -> Flow:
    steps = [send("Hello.", "s1", da="Hej."), send("Bye.", "s2")]
    steps[0]["value"]["variants"] = [
        {"type": "item", "id": "v1", "value": {"weight": 50, **copy("Hi.", "Hey.", da="Dav.")}}
    ]
    flow = make_flow(store, steps, **values)
    flow.latest_revision.publish()
    flow.refresh_from_db()
    return flow


def name_of(flow: Flow) -> str:
    text = compile_flow(flow).instructions[0]
    assert isinstance(text, Send)
    return copy_experiment(flow.pk, text)


def fill(store: Store, flow: Flow, *arms: tuple[str, int, int]) -> None:
    """(arm, people, people who ordered)"""
    for arm, people, buyers in arms:
        for number in range(people):
            contact = make_contact(store, phone=None)
            Exposure.objects.create(
                store=store, experiment=name_of(flow), arm=arm, contact=contact, at=NOON, flow_id=flow.pk, step="s1"
            )
            if number < buyers:
                Event.objects.create(
                    store=store, contact=contact, kind="order_created", key=f"{arm}{number}", subject=f"{arm}{number}",
                    occurred_at=NOON, data={"order": {"total": "50.00"}},
                )  # fmt: skip


@pytest.fixture
def flow(store: Store) -> Flow:
    return trying(store)


@pytest.fixture
def client(store: Store) -> Client:
    return client_of(make_user("sam", "Store admin", store))


def page(client: Client, **query: Any) -> BeautifulSoup:
    response = client.get(reverse("smsflow_experiments:index"), query)
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser")


def table(soup: BeautifulSoup) -> list[list[str]]:
    rows = soup.select("#result table tbody tr, [aria-labelledby=result-heading] table tbody tr")
    return [[" ".join(cell.get_text().split()) for cell in row.find_all(["th", "td"])] for row in rows]


def test_the_page_says_what_the_experiment_carries(store: Store, flow: Flow, client: Client, still: TestClock) -> None:
    fill(store, flow, ("A", 200, 40), ("B", 200, 110))
    still.move(days=10)
    soup = page(client)
    text = " ".join(soup.get_text().split())
    assert "B is better than A by 35.0 points (" in text
    assert "conclusive." in text
    first, second = table(soup)
    assert first[:4] == ["A", "200", "40", "20.0 % 15.0 to 26.1"]
    assert second[:4] == ["B better", "200", "110", "55.0 % 48.1 to 61.7"]
    assert second[4].startswith("+35.0 +")
    assert (first[5], second[5]) == ("10.00", "27.50")
    assert second[6].startswith("+17.50 +")


def test_before_there_is_enough_the_page_compares_nothing(
    store: Store, flow: Flow, client: Client, still: TestClock
) -> None:
    fill(store, flow, ("A", 30, 3), ("B", 30, 12))
    soup = page(client)
    assert "Not enough data yet: 0 of 7 full days, 15 of 100 people who ordered." in soup.get_text()
    assert [row[4] for row in table(soup)] == ["–", "–"]


def test_a_broken_split_shows_no_figures(store: Store, flow: Flow, client: Client, still: TestClock) -> None:
    fill(store, flow, ("A", 90, 20), ("B", 30, 20))
    soup = page(client)
    assert "the figures cannot be trusted" in soup.get_text()
    assert [row[1:6] for row in table(soup)] == [["90", "–", "–", "–", "–"], ["30", "–", "–", "–", "–"]]


def test_a_store_without_experiments_is_told_how_to_begin(store: Store, client: Client, still: TestClock) -> None:
    assert "Nothing was tried yet." in page(client).get_text()


def test_nobody_sees_the_experiments_of_another_store(store: Store, flow: Flow, still: TestClock) -> None:
    fill(store, flow, ("A", 3, 1))
    other = make_store(name="Other", domain="other.myshopify.com", sender="+12025550199")
    stranger = client_of(make_user("kim", "Store admin", other))
    url = reverse("smsflow_experiments:index")
    assert "Nothing was tried yet." in page(stranger).get_text()
    assert stranger.get(url, {"store": store.pk}).status_code == 404
    assert stranger.get(url, {"experiment": name_of(flow)}).status_code == 404
    asked = f"{url}?store={store.pk}&experiment={name_of(flow)}"
    assert stranger.post(asked, {"arm": "B"}).status_code == 404
    nobody = client_of(make_user("nobody", "Store admin"))
    assert nobody.get(url).status_code == 302


def test_the_number_of_queries_does_not_grow_with_the_people(
    store: Store, flow: Flow, client: Client, still: TestClock
) -> None:
    fill(store, flow, ("A", 2, 1), ("B", 2, 1))
    page(client)
    counts = []
    for _turn in range(2):
        with CaptureQueriesContext(connection) as queries:
            page(client)
        counts.append(len(queries))
        fill_more(store, flow)
    assert counts[0] == counts[1]


def fill_more(store: Store, flow: Flow) -> None:
    Event.objects.filter(store=store).delete()
    fill(store, flow, ("A", 20, 10), ("B", 20, 10))


# Taking over --------------------------------------------------------------------------------------


def test_keeping_one_makes_a_draft_with_its_words_alone(
    store: Store, flow: Flow, client: Client, still: TestClock
) -> None:
    fill(store, flow, ("A", 2, 1), ("B", 2, 1))
    url = f"{reverse('smsflow_experiments:index')}?experiment={name_of(flow)}"
    response = client.post(url, {"arm": "B", "sure": "1"})
    assert response["Location"].endswith(f"/edit/{flow.pk}/")
    flow.refresh_from_db()
    draft = flow.get_latest_revision_as_object()
    first, second = compile_flow(draft).instructions
    assert first == Send("s1", {"": "Hi.", "da": "Dav."}, {"": "Hey."})
    assert second == Send("s2", {"": "Bye."})
    # nothing has changed for anybody yet
    assert flow.has_unpublished_changes
    live = flow.current_version.compiled.instructions[0]
    assert isinstance(live, Send)
    assert live.variants


@pytest.mark.parametrize(
    ("arms", "days", "arm", "words"),
    [
        ((("A", 30, 3), ("B", 30, 12)), 1, "B", "There is not enough data yet."),
        ((("A", 90, 20), ("B", 30, 20)), 9, "B", "People were not parted as they should have been"),
        ((("A", 200, 60), ("B", 200, 66)), 9, "B", "The test is not conclusive yet."),
        ((("A", 200, 40), ("B", 200, 110)), 9, "A", "The test is conclusive, and B is better."),
    ],
)
def test_whoever_keeps_one_too_early_is_asked_first(
    store: Store, flow: Flow, client: Client, still: TestClock, arms: Any, days: int, arm: str, words: str
) -> None:
    fill(store, flow, *arms)
    still.move(days=days)
    url = f"{reverse('smsflow_experiments:index')}?experiment={name_of(flow)}"
    asked = client.post(url, {"arm": arm})
    assert asked.status_code == 200
    assert words in asked.content.decode()
    flow.refresh_from_db()
    assert not flow.has_unpublished_changes
    form = (
        BeautifulSoup(asked.content, "html.parser").select_one("form[method=post] input[name=sure]").find_parent("form")
    )
    values = {field["name"]: field["value"] for field in form.select("input[type=hidden]")}
    assert client.post(form["action"], values).status_code == 302
    flow.refresh_from_db()
    assert flow.has_unpublished_changes


def test_a_conclusive_winner_is_kept_at_once(store: Store, flow: Flow, client: Client, still: TestClock) -> None:
    fill(store, flow, ("A", 200, 40), ("B", 200, 110))
    still.move(days=9)
    url = f"{reverse('smsflow_experiments:index')}?experiment={name_of(flow)}"
    assert client.post(url, {"arm": "B"}).status_code == 302


def test_the_page_shows_what_was_counted_and_counts_again_when_asked(
    store: Store, flow: Flow, client: Client, still: TestClock
) -> None:
    fill(store, flow, ("A", 3, 1), ("B", 2, 1))
    judge_experiments()
    fill_more(store, flow)
    text = " ".join(page(client).get_text().split())
    assert "As of" in text
    assert [row[1] for row in table(page(client))] == ["3", "2"]
    url = f"{reverse('smsflow_experiments:index')}?experiment={name_of(flow)}"
    assert client.post(url, {"count": "1"}, follow=True).status_code == 200
    assert [row[1] for row in table(page(client))] == ["23", "22"]


def test_keeping_the_first_only_ends_the_experiment(flow: Flow) -> None:
    user = make_user("ann", "Store admin", flow.store)
    draft = ApplyWinner(flow, user, experiment=name_of(flow), arm="A").execute()
    assert compile_flow(draft).instructions[0] == Send("s1", {"": "Hello.", "da": "Hej."})


def test_a_draft_that_tries_something_else_is_left_alone(flow: Flow) -> None:
    user = make_user("ann", "Store admin", flow.store)
    name = name_of(flow)
    for arm in ("C", "", "held"):
        with pytest.raises(CannotApply):
            ApplyWinner(flow, user, experiment=name, arm=arm).execute()
    ApplyWinner(flow, user, experiment=name, arm="B").execute()
    with pytest.raises(CannotApply):
        ApplyWinner(flow, user, experiment=name, arm="B").execute()


def test_a_step_inside_of_a_way_is_found() -> None:
    inner = {"type": "send", "id": "in", "value": {**copy("A"), "variants": [{"type": "item", "value": copy("B")}]}}
    outer = {"type": "split", "id": "x", "value": {"ways": [{"type": "item", "value": {"steps": [inner]}}]}}
    [changed] = with_winner([outer], "in", "B")
    assert changed["value"]["ways"][0]["value"]["steps"][0]["value"]["text"] == "B"
    assert inner["value"]["text"] == "A"


@pytest.mark.parametrize("role", ["Store admin", "Agency", "Copywriter", None])
@pytest.mark.parametrize("of_store", [False, True])
def test_the_page_takes_no_more_than_fifteen_queries_whoever_looks(
    store: Store, danish_store: Store, flow: Flow, still: TestClock, role: str | None, of_store: bool
) -> None:
    """With people who ordered in each arm, and the menu around it. One more where the rules say what still runs."""
    user = make_user("somebody", role or "Support", store, danish_store)
    user.is_superuser = role is None
    user.save()
    fill(store, flow, ("A", 40, 10), ("B", 40, 20))
    if of_store:
        Policy.objects.filter(store=store).update(holdout=10)
        for number, arm in enumerate(["held", "sent"] * 5):
            name = f"store:{quarter_of(NOON, store.timezone)}@10"
            contact = make_contact(store, phone=None)
            Exposure.objects.create(
                store=store, experiment=name, arm=arm, contact=contact, at=NOON + timedelta(minutes=number)
            )
    judge_experiments()  # as the worker does once an hour; what it has not come to takes three more
    client = client_of(user)
    asked = {"store": store.pk}
    assert page(client, **asked).select("table")
    with CaptureQueriesContext(connection) as queries:
        page(client, **asked)
    assert len(queries) <= MOST_QUERIES + of_store, [query["sql"][:170] for query in queries.captured_queries]
