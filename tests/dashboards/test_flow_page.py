"""A flow's page: its steps and their variants, the funnel on its diagram, its versions on the time axis."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.test import Client
from django.urls import reverse

from smsflow_plugin.flows.program import Delay, Discount, Offer, Program, Trigger, Wait
from smsflow_plugin.models import Flow, FlowVersion, Store
from tests.admin.people import client_of, make_user
from tests.conftest import TestClock
from tests.dashboards.made_up import fill_days, stat
from tests.dashboards.test_store_page import MOST_QUERIES, TODAY, card, cells, page_of, queries_of
from tests.flows.people import send, wait
from tests.flows.steps import flow as form_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _still(still: TestClock) -> None:
    """The clock stands still."""


@pytest.fixture
def ines(store: Store) -> Client:
    return client_of(make_user("ines", "Store admin", store))


@pytest.fixture
def flow(store: Store) -> Flow:
    made = form_of(send("Hello you."), wait(), send("Still there?"), store=store, name="Welcome")
    made.save()
    return made


def address(flow: Flow, query: str = "") -> str:
    return reverse("smsflow_figures:flow", args=[flow.pk]) + query


def version(flow: Flow, number: int, days_ago: int) -> FlowVersion:
    at = datetime(2026, 3, 4, 20, tzinfo=UTC) - timedelta(days=days_ago)
    return FlowVersion.objects.create(
        store=flow.store, flow=flow, number=number, content_hash=str(number) * 8, program={}, published_at=at
    )


def test_each_step_has_its_figures_and_its_variants_below(ines: Client, store: Store, flow: Flow) -> None:
    of = {"flow_id": flow.pk, "message_class": "marketing"}
    stat(
        store, TODAY, **of, step="s1", variant="A", sent=300, delivered=290, clicked=29, click_seconds=29 * 600,
        replied=4, opted_out=2, orders=6, revenue=Decimal("300"), cost=Decimal("4.98"),
    )  # fmt: skip
    stat(store, TODAY, **of, step="s1", variant="B", sent=100, delivered=100, clicked=21, revenue=Decimal("41.5"))
    stat(store, TODAY, **of, step="gone", sent=7, delivered=7)
    page = page_of(ines, address(flow))
    rows = [" ".join(row.get_text().split()) for row in page.select("table#steps tbody th")]
    assert rows[0].startswith("1. Send a text: Hello you")
    assert rows[1:3] == ["Variant A", "Variant B"]
    assert rows[3].startswith("3. Send a text: Still there?")
    assert rows[4] == "A step that is gone"
    first = cells(page, "steps", rows[0])
    assert (first["Sent"], first["Revenue"], first["Cost"], first["Answered"][:1]) == ("400", "$341.50", "$4.98", "4")
    assert first["Clicked"].startswith("50 12.8% (")
    assert cells(page, "steps", "Variant A")["Time to click"] == "10 min"
    assert cells(page, "steps", "Variant B")["Clicked"].startswith("21 21.0%")
    assert cells(page, "steps", rows[3])["Sent"] == "0"
    assert card(page, "sent").startswith("Texts sent 407")


def test_the_funnel_stands_on_the_diagram(ines: Client, store: Store, flow: Flow) -> None:
    stat(store, TODAY, flow_id=flow.pk, entered=1500, finished=900)
    stat(store, TODAY, flow_id=flow.pk, step="s1", sent=1400, delivered=1000, clicked=41, revenue=Decimal("2150"))
    stat(store, TODAY, flow_id=flow.pk, step="s3", sent=40, delivered=40, clicked=3)
    page = page_of(ines, address(flow))
    feet = [foot.get_text() for foot in page.select(".sms-box__foot")]
    assert feet == ["1.5K in, 900 finished", "1.4K sent · 4.1% · $2.2K", "40 sent · 3 · $0"]


def test_versions_stand_at_their_day(ines: Client, store: Store, flow: Flow) -> None:
    old, new = version(flow, 1, 60), version(flow, 2, 3)
    stat(store, TODAY - timedelta(days=5), flow_id=flow.pk, version_id=old.pk, step="s1", sent=11, delivered=11)
    stat(store, TODAY, flow_id=flow.pk, version_id=new.pk, step="s1", sent=22, delivered=22)
    page = page_of(ines, address(flow, "?days=7"))
    marks = [mark.get_text() for mark in page.select('[data-chart="texts"] .smsflow-chart__mark-name')]
    assert marks == ["Version 2"]
    tooltip = next(title.get_text() for title in page.select("rect title") if "Version 2" in title.get_text())
    assert tooltip.startswith("Sun 1 Mar 2026")
    assert cells(page, "versions", "1")["Sent"] == "11"
    assert cells(page, "versions", "2")["Sent"] == "22"


def test_the_baseline_is_what_the_flow_did_in_the_four_weeks_before(ines: Client, store: Store, flow: Flow) -> None:
    of = {"flow_id": flow.pk, "step": "s1"}
    for days_ago in range(7):
        stat(store, TODAY - timedelta(days=days_ago), **of, sent=100, delivered=100, clicked=20, opted_out=1)
    for days_ago in range(7, 35):
        stat(store, TODAY - timedelta(days=days_ago), **of, sent=100, delivered=100, clicked=10, opted_out=1)
    stat(store, TODAY - timedelta(days=35), **of, sent=99999, delivered=99999, clicked=99999)
    page = page_of(ines, address(flow, "?days=7"))
    clicks = cells(page, "baseline", "Clicked")
    assert (clicks["These days"], clicks["28 days before"], clicks["Target"]) == ("20.0%", "10.0%", "–")
    assert clicks["Change"].startswith("Better, and hardly by chance (+6.1 to +14.4 points)")
    assert cells(page, "baseline", "Opted out")["Change"].startswith("Can be chance")
    response = ines.get(address(flow, "?days=7&table=baseline&export=csv"))
    rows = {row["Figure"]: row for row in csv.DictReader(StringIO(b"".join(response.streaming_content).decode()))}
    assert rows["Clicked"]["These days"] == "0.2"
    assert float(rows["Clicked"]["Change, at least"]) == pytest.approx(0.061, abs=0.001)
    assert (rows["Clicked"]["Currency"], rows["Revenue for each text"]["Currency"]) == ("", "USD")


def test_targets_are_reached_missed_or_cannot_be_told(ines: Client, store: Store, flow: Flow) -> None:
    Flow.objects.filter(pk=flow.pk).update(
        target_clicks=15, target_opt_outs="0.5", target_conversion=5, target_revenue="2.00"
    )
    for days_ago in range(28):
        stat(
            store, TODAY - timedelta(days=days_ago), flow_id=flow.pk, step="s1", sent=100, delivered=100, clicked=20,
            opted_out=2, ordered=5, earned=Decimal(300 + days_ago % 3), orders=1, revenue=Decimal(1),
        )  # fmt: skip
    page = page_of(ines, address(flow))
    assert card(page, "target_click_rate").startswith("Clicked Reached 20.0% (18.1% to 22.0%); wanted is at least")
    assert card(page, "target_opt_out_rate").startswith("Opted out Above the ceiling 2.0%")
    assert "wanted is at most 0.50%" in card(page, "target_opt_out_rate")
    assert card(page, "target_conversion_rate").startswith("Orders for each text Cannot be told yet 5.0%")
    assert card(page, "target_revenue_per_text").startswith("Revenue for each text Reached $3.01 ($3.01 to $3.01)")
    assert card(page, "target_revenue_per_text").endswith("In the 28 days before: –")
    row = cells(page, "baseline", "Opted out")
    assert (row["Target"], row["Reached?"]) == ("at most 0.50%", "Above the ceiling")


def test_a_flow_without_targets_shows_none(ines: Client, store: Store, flow: Flow) -> None:
    stat(store, TODAY, flow_id=flow.pk, step="s1", sent=5, delivered=5, clicked=1)
    page = page_of(ines, address(flow))
    assert not page.select('[data-card^="target"]')
    row = cells(page, "baseline", "Clicked")
    assert (row["These days"], row["28 days before"]) == ("– Not enough data", "– Not enough data")


def test_figures_of_another_flow_and_store_count_nowhere(ines: Client, store: Store, flow: Flow) -> None:
    other = Flow.objects.create(store=store, name="Other")
    stat(store, TODAY, flow_id=flow.pk, step="s1", sent=3)
    stat(store, TODAY, flow_id=other.pk, step="s1", sent=1000)
    assert card(page_of(ines, address(flow)), "sent").startswith("Texts sent 3")


@pytest.mark.parametrize(("live", "words"), [(False, "It is not live."), (True, "It is live:")])
def test_a_flow_without_texts_says_so(ines: Client, flow: Flow, live: bool, words: str) -> None:
    Flow.objects.filter(pk=flow.pk).update(live=live)
    page = page_of(ines, address(flow))
    assert "This flow has sent no texts in these days." in page.get_text()
    assert words in page.get_text()


def test_the_list_of_flows_leads_to_the_figures(ines: Client, flow: Flow) -> None:
    version(flow, 1, 3)
    Flow.objects.filter(pk=flow.pk).update(current_version=FlowVersion.objects.get())
    page = page_of(ines, reverse("wagtailsnippets_smsflow_flow:list"))
    assert page.select_one(f'a[href="{address(flow)}"]')


def test_delays_and_offers_that_are_tried_are_named_and_lead_to_the_experiments(
    ines: Client, store: Store, flow: Flow
) -> None:
    stat(store, TODAY, flow_id=flow.pk, step="s1", sent=3)
    assert "look at the experiments" not in page_of(ines, address(flow)).get_text()
    tries = Program(
        (Trigger("opted_in"),),
        (
            Wait("w", 1, "hours", variants=(Delay("B", 50, 1, "days"),)),
            Discount("d", "save", variants=(Offer("B", 40, "", "shipping"),)),
            Wait("v", 2, "days"),
        ),
    )
    made = version(flow, 1, 3)
    FlowVersion.objects.filter(pk=made.pk).update(program=tries.to_json())
    Flow.objects.filter(pk=flow.pk).update(current_version=made)
    page = page_of(ines, address(flow))
    link = page.find("a", string="look at the experiments")
    assert link["href"] == f"{reverse('smsflow_experiments:index')}?store={store.pk}"
    assert [each.get_text() for each in link.find_parent("p").find_next_sibling("ul").find_all("li")] == [
        "Wait: A: 1 hour / B: 1 day (50 %)",
        "Make a discount code: save: A: 10 % / B: free shipping (40 %)",
    ]


def test_steps_can_be_taken_along(ines: Client, store: Store, flow: Flow) -> None:
    stat(store, TODAY, flow_id=flow.pk, step="s3", variant="=1+1", sent=3)
    for table in ("steps", "baseline", "texts-by-day"):
        response = ines.get(address(flow, f"?table={table}&export=csv"))
        lines = b"".join(response.streaming_content).decode().splitlines()
        assert len(lines) > 1, table
    response = ines.get(address(flow, "?table=steps&export=csv"))
    assert "Variant =1+1,3," in b"".join(response.streaming_content).decode()


def test_the_page_takes_as_many_queries_for_two_hundred_rows_as_for_ten(ines: Client, store: Store, flow: Flow) -> None:
    fill_days(store, [{"flow_id": flow.pk, "step": "s1"}], TODAY, days=5)
    few = queries_of(ines, address(flow))
    for number in range(1, 5):
        version(flow, number, number * 3)
    steps = [{"flow_id": flow.pk, "step": step, "version_id": n} for step in ("s1", "s3") for n in (1, 2)]
    fill_days(store, steps, TODAY - timedelta(days=5), days=50)
    assert queries_of(ines, address(flow)) == few
    assert few <= MOST_QUERIES
