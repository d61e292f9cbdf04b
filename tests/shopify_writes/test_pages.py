"""The Shopify outbox in the admin: who sees it, who may try again, and what the store wants."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from smsflow_plugin.integrations.shopify.models import CodePool, Write
from smsflow_plugin.integrations.shopify.writes.wishes import Wishes, wishes
from smsflow_plugin.models import Connection
from smsflow_plugin.stores.models import StoreLogEntry
from tests.admin.people import client_of, make_user
from tests.admin.rows import Rows, fill
from tests.factories import make_contact, make_store

pytestmark = pytest.mark.django_db

INDEX = "smsflow_shopify_outbox:index"


@pytest.fixture
def rows(store: Any) -> Rows:
    return fill(store)


def client(rows: Rows, role: str = "Store admin") -> Any:
    return client_of(make_user(role.lower().replace(" ", "-"), role, rows.store))


def test_the_list_says_what_was_told_and_what_shopify_said(rows: Rows) -> None:
    shown = client(rows).get(reverse(INDEX)).content.decode()
    for words in ("Tag VIP", "Grace Lovelace", "Refused by Shopify", "No.", "1 entry was refused"):
        assert words in shown


def test_it_says_why_everything_waits(rows: Rows) -> None:
    ada = client(rows)
    assert "does not let us in" not in ada.get(reverse(INDEX)).content.decode()
    Write.objects.update(wanted=2)
    shown = ada.get(reverse(INDEX)).content.decode()
    assert "Everything for Sierra Gear waits" in shown
    assert "The app was taken away" in shown


def test_what_was_refused_can_be_tried_again(rows: Rows) -> None:
    ada = client(rows)
    page = ada.get(reverse("smsflow_shopify_outbox:inspect", args=[rows.write.pk])).content.decode()
    assert "Try again" in page
    retry = reverse("smsflow_shopify_outbox:retry", args=[rows.write.pk])
    ada.post(retry)
    rows.write.refresh_from_db()
    assert (rows.write.is_waiting, rows.write.outcome) == (True, "")
    ada.post(retry)
    rows.write.refresh_from_db()
    assert rows.write.wanted == 2
    assert StoreLogEntry.objects.filter(action="smsflow.retry_write").count() == 1


@pytest.mark.parametrize("role", ["Copywriter", "Support"])
def test_who_may_not_see_deliveries_sees_no_outbox(rows: Rows, role: str) -> None:
    nobody = client(rows, role)
    assert nobody.get(reverse(INDEX)).status_code in (302, 403, 404)
    assert nobody.post(reverse("smsflow_shopify_outbox:retry", args=[rows.write.pk])).status_code in (302, 403, 404)
    rows.write.refresh_from_db()
    assert not rows.write.is_waiting


def test_a_stranger_finds_nothing(rows: Rows) -> None:
    other = make_store(name="Bolton", domain="bolton.myshopify.com")
    stan = client_of(make_user("stan", "Store admin", other))
    assert "VIP" not in stan.get(reverse(INDEX)).content.decode()
    for name, pk in (("inspect", rows.write.pk), ("wishes", rows.store.pk)):
        assert stan.get(reverse(f"smsflow_shopify_outbox:{name}", args=[pk])).status_code == 404


def test_a_store_says_what_may_be_written(rows: Rows) -> None:
    url = reverse("smsflow_shopify_outbox:wishes", args=[rows.store.pk])
    ada = client(rows)
    page = ada.get(url)
    assert page.context["form"].initial == {"consent": True, "tags": False, "phones": False}
    assert ada.post(url, {"tags": "on"}).status_code == 302
    shop = Connection.objects.get(store=rows.store, kind="shopify")
    assert wishes(shop.settings) == Wishes(consent=False, tags=True)
    assert shop.secrets["secret"]


def test_an_agency_changes_no_connection(rows: Rows) -> None:
    url = reverse("smsflow_shopify_outbox:wishes", args=[rows.store.pk])
    agency = client(rows, "Agency")
    assert agency.get(reverse(INDEX)).status_code == 200
    assert agency.post(url, {"tags": "on"}).status_code in (302, 403)
    assert not wishes(Connection.objects.get(store=rows.store, kind="shopify").settings).tags


def test_a_list_of_thirty_takes_as_many_queries_as_a_list_of_two(rows: Rows) -> None:
    ada = client(rows)

    def more(numbers: range) -> None:
        for _number in numbers:
            Write.objects.create(store=rows.store, contact=make_contact(rows.store), kind="consent", outcome="done")

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert ada.get(reverse(INDEX)).status_code == 200
        return len(found)

    more(range(1))
    queries()
    few = queries()
    more(range(28))
    assert queries() == few


def test_the_page_of_discounts_shows_what_lies_ready_and_what_is_wrong(rows: Rows) -> None:
    shown = client(rows).get(reverse("smsflow_discounts:index")).content.decode()
    assert "1 ready, 0 given in the last 24 hours" in shown
    assert "Too many." in shown
    CodePool.objects.all().delete()
    assert "lie ready" not in client(rows, "Support").get(reverse("smsflow_discounts:index")).content.decode()
