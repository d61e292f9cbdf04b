"""The pages with figures: the numbers on them, whom they are shown to, and what they cost."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO, StringIO

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from wagtail.models import Page

from smsflow_plugin.models import Batch, BreakerTrip, Connection, Flow, PanicStop, Policy, Store, StoreStat
from tests.admin.people import client_of, make_user
from tests.conftest import TestClock
from tests.dashboards.made_up import fill_days, stat
from tests.factories import make_store
from tests.landing.conftest import give_pages

pytestmark = pytest.mark.django_db

#: The day on the store's clock, by the clock that stands still.
TODAY = date(2026, 3, 4)


@pytest.fixture(autouse=True)
def _still(still: TestClock) -> None:
    """The clock stands still."""


@pytest.fixture
def ines(store: Store) -> Client:
    return client_of(make_user("ines", "Store admin", store))


@pytest.fixture
def welcome(store: Store) -> Flow:
    flow: Flow = Flow.objects.create(store=store, name="Welcome", live=True)
    return flow


def address(store: Store, query: str = "") -> str:
    return reverse("smsflow_figures:store", args=[store.pk]) + query


def page_of(client: Client, url: str) -> BeautifulSoup:
    response = client.get(url)
    assert response.status_code == 200, response
    return BeautifulSoup(response.content, "html.parser")


def card(page: BeautifulSoup, name: str) -> str:
    found = page.select_one(f'[data-card="{name}"]')
    assert found is not None, name
    return " ".join(found.get_text(" ").split())


def cells(page: BeautifulSoup, table: str, row: str) -> dict[str, str]:
    """Return a row of a table by the headings of its columns."""
    found = page.select_one(f"table#{table}")
    assert found is not None, table
    heads = [" ".join(head.get_text(" ").split()).rstrip(" ↑↓") for head in found.select("thead th")]
    for line in found.select("tbody tr, tfoot tr"):
        values = [" ".join(cell.get_text(" ").split()) for cell in line.select("th, td")]
        if values[0] == row:
            return dict(zip(heads, values, strict=True))
    raise AssertionError(f"There is no row {row!r} in {found.get_text(' ')}")


def test_the_cards_say_what_the_days_came_to_and_what_they_were_before(
    ines: Client, store: Store, welcome: Flow
) -> None:
    values = {"flow_id": welcome.pk, "step": "s1", "message_class": "marketing"}
    stat(
        store, TODAY, **values, sent=1000, pending=10, delivered=960, clicked=96, opted_out=5, orders=12,
        revenue=Decimal("1200.50"), earned=Decimal("990"), cost=Decimal("16.6"),
    )  # fmt: skip
    stat(store, TODAY - timedelta(days=27), **values, sent=250, delivered=240, clicked=12, revenue=Decimal("100"))
    stat(store, TODAY - timedelta(days=28), **values, sent=1000, delivered=1000, clicked=50, revenue=Decimal("650.25"))
    stat(store, TODAY - timedelta(days=56), **values, sent=9999, delivered=9999)
    StoreStat.objects.create(store=store, day=TODAY, opted_in=30, opted_out=42)
    StoreStat.objects.create(store=store, day=TODAY - timedelta(days=30), opted_in=8, opted_out=1)
    page = page_of(ines, address(store))
    assert card(page, "sent") == "Texts sent 1,250 +25.0% before: 1,000 of which 10 have no report yet"
    assert card(page, "revenue").startswith("Revenue credited $1,300.50 +100.0% before: $650.25")
    assert card(page, "revenue").endswith("Credited orders that were placed in these days: $990.00")
    assert card(page, "per_text").startswith("Per text $1.08")
    # 108 of 1,200; Wilson's interval
    assert card(page, "clicks") == "Clicked 9.0% +4.0 points before: 5.0% 7.5% to 10.8%; 108 of 1,200 texts"
    assert card(page, "growth") == "List growth −12 before: +7 30 opted in, 42 opted out"
    assert card(page, "opt_outs").startswith("Opt-out rate 0.42%")
    assert card(page, "spend").startswith("Spend $16.60")


def test_a_rate_of_few_texts_is_none(ines: Client, store: Store, welcome: Flow) -> None:
    stat(store, TODAY, flow_id=welcome.pk, step="s1", sent=99, delivered=99, clicked=50)
    page = page_of(ines, address(store))
    assert card(page, "clicks") == "Clicked – Not enough data: 50 of 99 texts"
    assert cells(page, "flows", "Welcome")["Clicked"] == "50 Not enough data"


def test_the_days_are_those_of_the_stores_clock(still: TestClock, ines: Client, store: Store, welcome: Flow) -> None:
    still.move(hours=11)  # in New York it is still the fourth
    stat(store, TODAY + timedelta(days=1), flow_id=welcome.pk, sent=5)
    stat(store, TODAY - timedelta(days=6), flow_id=welcome.pk, sent=3)
    page = page_of(ines, address(store, "?days=7"))
    assert card(page, "sent").startswith("Texts sent 3")
    assert "26 Feb 2026 to 4 Mar 2026" in page.get_text(" ", strip=True)


def test_own_days_and_no_comparison(ines: Client, store: Store, welcome: Flow) -> None:
    for back in range(10):
        stat(store, TODAY - timedelta(days=back), flow_id=welcome.pk, sent=10)
    page = page_of(ines, address(store, "?first=2026-03-01&last=2026-03-02&compare=0"))
    assert card(page, "sent") == "Texts sent 20"
    assert "The days before" not in page.get_text()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?first=2026-03-02&last=2026-03-01", "The last day is before the first."),
        ("?first=2024-03-02&last=2026-03-01", "Choose at most 366 days."),
        ("?first=nonsense&last=2026-03-01", "Enter a valid date."),
        ("?first=1026-03-02&last=1026-03-03", "There were no texts yet."),
    ],
)
def test_days_that_cannot_be_are_refused_in_words(ines: Client, store: Store, query: str, words: str) -> None:
    page = page_of(ines, address(store, query))
    assert words in page.get_text()
    assert "5 Feb 2026 to 4 Mar 2026" in page.get_text(" ", strip=True)


def test_flows_come_by_their_revenue_and_lead_to_their_pages(ines: Client, store: Store, welcome: Flow) -> None:
    winback = Flow.objects.create(store=store, name="Win back")
    stat(store, TODAY, flow_id=welcome.pk, step="a", sent=200, delivered=200, orders=3, revenue=Decimal("90"))
    stat(store, TODAY, flow_id=winback.pk, step="b", sent=100, delivered=90, orders=2, revenue=Decimal("250"))
    stat(store, TODAY, flow_id=0, message_class="reply", sent=4, delivered=4)
    stat(store, TODAY, flow_id=987654, sent=1, delivered=1)
    page = page_of(ines, address(store))
    names = [row.get_text(strip=True) for row in page.select("table#flows tbody th")]
    assert names[:2] == ["Win back", "Welcome"]
    assert set(names[2:]) == {"Answers, tests and texts of staff", "A flow that is gone"}
    link = page.select_one("table#flows tbody th a")
    assert link is not None
    assert link["href"] == reverse("smsflow_figures:flow", args=[winback.pk]) + "?days=28", "of the same days"
    assert cells(page, "flows", "Win back")["Delivered"] == "90 90.0% (82.6–94.5)"
    assert cells(page, "flows", "All texts")["Sent"] == "305"
    assert cells(page, "flows", "All texts")["Revenue"] == "$340.00"
    other = page_of(ines, address(store, "?ordering=name"))
    assert [row.get_text(strip=True) for row in other.select("table#flows tbody th")][-2:] == ["Welcome", "Win back"]
    head = other.select_one('table#flows th[aria-sort="ascending"]')
    assert head is not None
    assert "Flow" in head.get_text()


def test_the_tables_behind_the_charts_have_every_day(ines: Client, store: Store, welcome: Flow) -> None:
    stat(store, TODAY - timedelta(days=2), flow_id=welcome.pk, sent=1234, revenue=Decimal("12.5"))
    stat(store, TODAY - timedelta(days=9), flow_id=welcome.pk, sent=77)
    StoreStat.objects.create(store=store, day=TODAY, opted_in=5, opted_out=7)
    page = page_of(ines, address(store, "?days=7"))
    assert len(page.select("table#texts-by-day tbody tr")) == 7
    assert cells(page, "texts-by-day", "Mon 2 Mar 2026") == {
        "Day": "Mon 2 Mar 2026",
        "Texts sent": "1,234",
        "The days before": "77",
    }
    assert cells(page, "revenue-by-day", "Mon 2 Mar 2026")["Revenue credited"] == "$12.50"
    assert cells(page, "growth-by-day", "Wed 4 Mar 2026")["List growth"] == "-2"
    tooltips = [title.get_text() for title in page.select('[data-chart="texts"] rect title')]
    assert tooltips[4] == "Mon 2 Mar 2026\nTexts sent: 1,234\nThe days before: 77"


def test_a_chart_brings_no_style_and_no_script_along(ines: Client, store: Store, welcome: Flow) -> None:
    stat(store, TODAY, flow_id=welcome.pk, sent=5)
    page = page_of(ines, address(store))
    drawings = page.select("svg.smsflow-chart__drawing")
    assert len(drawings) == 3
    for drawing in drawings:
        assert not drawing.select("style, script, [style]")
        title = drawing.find("title")
        assert title is not None
        assert drawing["aria-labelledby"] == title["id"]


def test_what_waits_is_named_with_the_way_there(ines: Client, store: Store, welcome: Flow) -> None:
    trip = BreakerTrip.objects.create(store=store, flow=welcome, kind="opt_outs", measured=5, limit=2, texts=100)
    gateway = Connection.objects.get(store=store, kind="sinch")
    Batch.objects.create(store=store, connection=gateway, state="parked", size=1)
    page = page_of(ines, address(store))
    links = {link["href"]: " ".join(link.get_text().split()) for link in page.select(".smsflow-attention a")}
    assert links[reverse("smsflow_breakers:inspect", args=[trip.pk])].startswith("Welcome is stopped.")
    calls = f"{reverse('smsflow_parked_calls:index')}?store={store.pk}"
    assert links[calls] == "1 call to the gateway has no answer: say what became of it."


def test_a_store_without_texts_is_told_what_to_do(ines: Client, store: Store) -> None:
    page = page_of(ines, address(store))
    assert "No texts yet in these days." in page.get_text()
    assert page.select_one(f'a[href="{reverse("smsflow_gallery:index")}"]')
    assert not page.select("[data-card]")


def test_money_and_numbers_are_written_in_the_readers_language(danish_store: Store) -> None:
    user = make_user("dorte", "Agency", danish_store)
    from wagtail.users.models import UserProfile

    profile = UserProfile.get_for_user(user)
    profile.preferred_language = "da"
    profile.save()
    stat(danish_store, TODAY, flow_id=1, sent=1500, delivered=1500, clicked=75, revenue=Decimal("12345.6"))
    page = page_of(client_of(user), address(danish_store))
    assert "12.345,60\xa0kr." in page.get_text()
    assert "1.500" in card(page, "sent")
    assert "5,0\xa0%" in page.get_text()


@pytest.mark.parametrize("role", ["Store admin", "Agency", "Copywriter", "Support"])
def test_every_role_sees_the_figures_of_its_own_store_only(store: Store, role: str) -> None:
    other = make_store(name="Bolton", domain="bolton.myshopify.com")
    client = client_of(make_user("somebody", role, store))
    assert client.get(address(store)).status_code == 200
    assert client.get(address(other)).status_code == 404
    flow = Flow.objects.create(store=other, name="Theirs")
    assert client.get(reverse("smsflow_figures:flow", args=[flow.pk])).status_code == 404


def test_who_lacks_the_right_sees_no_figures(store: Store) -> None:
    user = make_user("vera", "Support", store)
    role = store.memberships.get(user=user).role
    role.permissions.remove(role.permissions.get(codename="view_flowstat"))
    client = client_of(user)
    assert client.get(address(store)).status_code == 302
    assert client.get(reverse("smsflow_figures:index")).status_code == 302
    home = client.get(reverse("wagtailadmin_home")).content.decode()
    assert reverse("smsflow_figures:index") not in home


def test_files_hold_what_the_table_holds(ines: Client, store: Store, welcome: Flow) -> None:
    evil = Flow.objects.create(store=store, name="=HYPERLINK(1)")
    stat(store, TODAY, flow_id=welcome.pk, sent=200, delivered=150, clicked=15, revenue=Decimal("90.10"))
    stat(store, TODAY, flow_id=evil.pk, sent=2, delivered=2, clicked=1)
    response = ines.get(address(store, "?days=7&table=flows&export=csv"))
    assert 'filename="sierra-gear-flows-2026-02-26-2026-03-04.csv"' in response["Content-Disposition"]
    rows = list(csv.DictReader(StringIO(b"".join(response.streaming_content).decode())))
    assert [row["Flow"] for row in rows] == ["Welcome", "'=HYPERLINK(1)"]
    assert (rows[0]["Sent"], rows[0]["Clicked"], rows[0]["Clicked, rate"]) == ("200", "15", "0.1")
    assert (rows[0]["Revenue"], rows[1]["Clicked, rate"]) == ("90.10", "")

    from openpyxl import load_workbook

    response = ines.get(address(store, "?days=7&table=flows&export=xlsx"))
    sheet = load_workbook(BytesIO(b"".join(response.streaming_content))).active
    found = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert found[1][:2] == ["Welcome", 200]
    assert sheet["A3"].data_type == "s"
    assert ines.get(address(store, "?table=nonsense&export=csv")).status_code == 404


@pytest.mark.parametrize("name", ["texts-by-day", "revenue-by-day", "growth-by-day"])
def test_the_tables_behind_the_charts_can_be_taken_along(ines: Client, store: Store, name: str) -> None:
    StoreStat.objects.create(store=store, day=TODAY, opted_in=5, opted_out=7)
    response = ines.get(address(store, f"?days=7&table={name}&export=csv"))
    lines = b"".join(response.streaming_content).decode().splitlines()
    assert len(lines) == 8
    assert lines[-1].startswith("2026-03-04,")
    if name == "growth-by-day":
        assert lines[-1] == "2026-03-04,5,7,-2"


def queries_of(client: Client, url: str) -> int:
    client.get(url)  # what is read once and kept
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    print("\n".join(query["sql"][:170] for query in queries.captured_queries))
    return len(queries)


def test_what_texts_without_a_price_cost_is_not_nothing(ines: Client, store: Store, welcome: Flow) -> None:
    stat(store, TODAY, flow_id=welcome.pk, step="a", sent=200, delivered=200)
    page = page_of(ines, address(store))
    assert card(page, "spend").startswith("Spend – ")
    assert "No text of these has a price" in card(page, "spend")
    assert cells(page, "flows", "Welcome")["Cost"] == "–"
    stat(store, TODAY, flow_id=welcome.pk, step="b", sent=1, delivered=1, cost=Decimal("0.01"))
    assert card(page_of(ines, address(store)), "spend").startswith("Spend $0.01")


#: Of a page and the frame of the admin around it, warm.
MOST_QUERIES = 15


def test_the_page_takes_as_many_queries_for_two_hundred_rows_as_for_ten(ines: Client, store: Store) -> None:
    fill_days(store, [{"flow_id": Flow.objects.create(store=store, name="A").pk, "step": "a"}], TODAY, days=5)
    few = queries_of(ines, address(store))
    for number in range(4):
        Flow.objects.create(store=store, name=f"F{number}", live=True, target_clicks=90)
    steps = [{"flow_id": flow.pk, "step": f"s{flow.pk}"} for flow in Flow.objects.exclude(name="A")]
    StoreStat.objects.all().delete()
    fill_days(store, steps, TODAY, days=50)
    assert queries_of(ines, address(store)) == few <= MOST_QUERIES


@pytest.mark.parametrize("role", ["Store admin", "Agency", "Copywriter", "Support", None])
@pytest.mark.parametrize("page", ["index", "store", "flow"])
def test_no_page_takes_more_than_fifteen_queries_whoever_looks(
    store: Store, danish_store: Store, welcome: Flow, role: str | None, page: str
) -> None:
    user = make_user("somebody", role or "Support", store, danish_store)
    user.is_superuser = role is None
    user.save()
    much_waits(store, welcome)
    assert queries_of(client_of(user), figures_url(page, store, welcome)) <= MOST_QUERIES


@pytest.mark.parametrize("page", ["index", "store", "flow"])
def test_rights_to_pages_and_open_stops_take_one_query_more_each(
    store: Store, danish_store: Store, welcome: Flow, page: str
) -> None:
    user = make_user("somebody", "Agency", store, danish_store)
    much_waits(store, welcome)
    url = figures_url(page, store, welcome)
    usual = queries_of(client_of(user), url)
    for stopped in (store, danish_store):
        Policy.objects.get_or_create(store=stopped)
        PanicStop.objects.create(store=stopped, reason="Wrong price")
    give_pages(user, Page.objects.get(depth=2))
    assert queries_of(client_of(user), url) == usual + 2


def much_waits(store: Store, flow: Flow) -> None:
    """Open a breaker, leave a call without an answer, and let the flow miss its targets."""
    Flow.objects.update(target_clicks=90, target_revenue=5)
    fill_days(store, [{"flow_id": flow.pk, "step": "a"}], TODAY, days=30)
    BreakerTrip.objects.create(store=store, flow=flow, kind="opt_outs", measured=5, limit=2, texts=100)
    Batch.objects.create(
        store=store, connection=Connection.objects.get(store=store, kind="sinch"), state="parked", size=1
    )


def figures_url(page: str, store: Store, flow: Flow) -> str:
    pk = {"index": [], "store": [store.pk], "flow": [flow.pk]}[page]
    return reverse(f"smsflow_figures:{page}", args=pk)


def test_flows_are_held_to_their_targets(ines: Client, store: Store) -> None:
    values = {"sent": 100, "delivered": 100, "clicked": 10, "opted_out": 1}
    names = {"Far off": 30, "Reaches it": 5, "Close": 10, "Aimless": None}
    for name, target in names.items():
        flow = Flow.objects.create(store=store, name=name, live=True, target_clicks=target)
        for back in range(1, 29):
            stat(store, TODAY - timedelta(days=back), flow_id=flow.pk, step="s", **values)
    paused = Flow.objects.create(store=store, name="Off", live=False, target_clicks=30)
    stat(store, TODAY - timedelta(days=1), flow_id=paused.pk, step="s", **{**values, "sent": 1000, "delivered": 1000})
    # what goes on today, and what was before, is not looked at
    for day in (TODAY, TODAY - timedelta(days=29)):
        stat(store, day, flow_id=Flow.objects.get(name="Far off").pk, step="s", sent=9999, delivered=9999, clicked=9999)
    page = page_of(ines, address(store, "?days=7"))
    column = "Targets, last 28 days"
    found = {name: cells(page, "flows", name)[column] for name in (*names, "Off", "All texts")}
    assert found == {
        "Far off": "Missed: Clicked", "Reaches it": "Reached", "Close": "Cannot be told yet", "Aimless": "–",
        "Off": "Missed: Clicked", "All texts": "–",
    }  # fmt: skip
    items = [" ".join(item.get_text(" ").split()) for item in page.select(".smsflow-attention a")]
    assert items == [
        "“Far off” has missed a target in the last 28 days. Clicked: 10.0% (8.6% to 11.6%), wanted is at least 30.0%."
    ]


def test_nothing_is_promised_to_who_may_not_see_everything(ines: Client, store: Store) -> None:
    assert "Nothing needs your attention." in page_of(ines, address(store)).get_text()
    writer = client_of(make_user("carl", "Copywriter", store))
    assert "Nothing of what you may see needs attention." in page_of(writer, address(store)).get_text()


def test_files_name_the_currency(ines: Client, store: Store, welcome: Flow) -> None:
    stat(store, TODAY, flow_id=welcome.pk, sent=2, revenue=Decimal("5"))
    for table in ("flows", "revenue-by-day"):
        response = ines.get(address(store, f"?days=7&table={table}&export=csv"))
        rows = list(csv.DictReader(StringIO(b"".join(response.streaming_content).decode())))
        assert {row["Currency"] for row in rows} == {"USD"}
