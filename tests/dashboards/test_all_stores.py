"""All stores of somebody, side by side: an agency's page."""

from __future__ import annotations

import csv
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from smsflow_plugin.models import Store, StoreStat
from tests.admin.people import client_of, make_user
from tests.conftest import TestClock
from tests.dashboards.made_up import fill_days, stat
from tests.dashboards.test_store_page import MOST_QUERIES, TODAY, address, cells, page_of, queries_of
from tests.factories import make_store

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _still(still: TestClock) -> None:
    """The clock stands still."""


@pytest.fixture
def bolton(db: None) -> Store:
    return make_store(name="Bolton", domain="bolton.myshopify.com")


@pytest.fixture
def agency(store: Store, danish_store: Store) -> Client:
    """Works for Sierra Gear and Nordic Tea."""
    return client_of(make_user("abe", "Agency", store, danish_store))


def names(page: Any) -> list[str]:
    return [row.get_text(strip=True) for row in page.select("table#stores tbody th")]


INDEX = "smsflow_figures:index"

#: The last day that is over: this page shows no other.
LAST = TODAY - timedelta(days=1)


def test_each_store_has_a_line_and_all_of_them_a_total(
    agency: Client, store: Store, danish_store: Store, bolton: Store
) -> None:
    stat(store, LAST, flow_id=1, sent=150, delivered=150, orders=2, revenue=Decimal("100"), cost=Decimal("2"))
    stat(store, LAST - timedelta(days=30), flow_id=1, sent=100, revenue=Decimal("80"))
    stat(danish_store, LAST, flow_id=2, sent=50, delivered=50, revenue=Decimal("900"))
    stat(bolton, LAST, flow_id=3, sent=7777, revenue=Decimal("7777"))
    StoreStat.objects.create(store=store, day=LAST, opted_in=9, opted_out=2)
    page = page_of(agency, reverse(INDEX))
    assert names(page) == ["Nordic Tea", "Sierra Gear"]
    mine = cells(page, "stores", "Sierra Gear")
    assert (mine["Sent"], mine["Change of texts"]) == ("150", "+50.0%")
    assert (mine["Revenue"], mine["Change of revenue"], mine["List growth"]) == ("$100.00", "+25.0%", "7")
    everything = cells(page, "stores", "All stores")
    assert everything["Sent"] == "200"
    # nobody can add dollars to kroner
    assert everything["Revenue"] == "DKK 900.00 + $100.00"
    assert (everything["Per text"], everything["Change of revenue"]) == ("–", "–")
    assert "Bolton" not in page.get_text()


def test_stores_of_one_currency_are_added_up(store: Store, bolton: Store) -> None:
    client = client_of(make_user("abe", "Agency", store, bolton))
    stat(store, LAST, flow_id=1, sent=10, delivered=10, revenue=Decimal("100"))
    stat(bolton, LAST, flow_id=1, sent=10, delivered=10, revenue=Decimal("20"))
    stat(bolton, LAST - timedelta(days=28), flow_id=1, sent=10, delivered=10, revenue=Decimal("60"))
    everything = cells(page_of(client, reverse(INDEX)), "stores", "All stores")
    assert (everything["Revenue"], everything["Per text"]) == ("$120.00", "$6.00")
    assert everything["Change of revenue"] == "+100.0%"


@pytest.mark.parametrize(
    ("ordering", "first"),
    [("-sent", "Sierra Gear"), ("sent", "Nordic Tea"), ("-name", "Sierra Gear"), ("x", "Nordic Tea")],
)
def test_the_list_is_ordered_as_asked(
    agency: Client, store: Store, danish_store: Store, ordering: str, first: str
) -> None:
    stat(store, LAST, flow_id=1, sent=150, revenue=Decimal("100"))
    stat(danish_store, LAST, flow_id=2, sent=50, revenue=Decimal("900"))
    assert names(page_of(agency, f"{reverse(INDEX)}?ordering={ordering}"))[0] == first


def test_what_nobody_knows_comes_last_whichever_way(agency: Client, store: Store, danish_store: Store) -> None:
    stat(store, LAST, flow_id=1, sent=150, delivered=100, revenue=Decimal("100"))
    for ordering in ("per_text", "-per_text"):
        assert names(page_of(agency, f"{reverse(INDEX)}?ordering={ordering}")) == ["Sierra Gear", "Nordic Tea"]


def test_only_days_that_are_over_are_compared_each_on_its_own_clock(
    still: TestClock, agency: Client, store: Store, danish_store: Store
) -> None:
    still.move(hours=11)  # Thursday in Copenhagen, and still Wednesday in New York
    for one, over in ((store, LAST), (danish_store, TODAY)):
        stat(one, over + timedelta(days=1), flow_id=1, sent=5000)  # goes on
        stat(one, over, flow_id=1, sent=30)
        stat(one, over - timedelta(days=6), flow_id=1, sent=10)
        stat(one, over - timedelta(days=7), flow_id=1, sent=20)
    page = page_of(agency, f"{reverse(INDEX)}?days=7")
    for name in ("Sierra Gear", "Nordic Tea"):
        line = cells(page, "stores", name)
        assert (line["Sent"], line["Change of texts"]) == ("40", "+100.0%")
    assert "today is not over and counts nowhere" in page.get_text()
    link = next(link for link in page.select("table#stores th a") if link.get_text() == "Sierra Gear")
    assert link["href"] == address(store, "?first=2026-02-25&last=2026-03-03")
    own = page_of(agency, f"{reverse(INDEX)}?first=2026-03-04&last=2026-03-09")
    assert (cells(own, "stores", "Sierra Gear")["Sent"], cells(own, "stores", "Nordic Tea")["Sent"]) == ("0", "30")


def test_files_name_the_currency(agency: Client, store: Store, danish_store: Store) -> None:
    stat(store, LAST, flow_id=1, sent=1, revenue=Decimal("5"))
    page = page_of(agency, reverse(INDEX))
    assert "Currency" not in [head.get_text(strip=True) for head in page.select("table#stores thead th")]
    response = agency.get(reverse(INDEX) + "?table=stores&export=csv")
    rows = list(csv.DictReader(StringIO(b"".join(response.streaming_content).decode())))
    assert {row["Store"]: row["Currency"] for row in rows} == {"Sierra Gear": "USD", "Nordic Tea": "DKK"}


def test_who_works_for_one_store_is_led_to_it(store: Store, danish_store: Store) -> None:
    client = client_of(make_user("ines", "Store admin", store))
    response = client.get(reverse(INDEX))
    assert (response.status_code, response["Location"]) == (302, address(store))


def test_without_any_store_the_page_says_so(admin_client: Client) -> None:
    assert "There is no store yet." in page_of(admin_client, reverse(INDEX)).get_text()


def test_the_list_holds_the_own_stores_as_a_file_too(agency: Client, store: Store, bolton: Store) -> None:
    stat(bolton, TODAY, flow_id=3, sent=7777)
    response = agency.get(reverse(INDEX) + "?table=stores&export=csv")
    text = b"".join(response.streaming_content).decode()
    assert "Sierra Gear" in text
    assert "Bolton" not in text
    assert "7777" not in text


def test_the_page_takes_as_many_queries_for_ten_stores_as_for_two(
    agency: Client, store: Store, danish_store: Store
) -> None:
    few = queries_of(agency, reverse(INDEX))
    membership = store.memberships.get()
    for number in range(8):
        shop = make_store(name=f"Shop {number}", domain=f"shop-{number}.myshopify.com")
        shop.memberships.create(user=membership.user, role=membership.role)
        fill_days(shop, [{"flow_id": number + 1, "step": "a"}], TODAY, days=10)
    assert queries_of(agency, reverse(INDEX)) == few
    assert few <= MOST_QUERIES
