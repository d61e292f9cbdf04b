"""The list of discounts: whose, how many queries, which codes, and nothing of another store."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from smsflow_plugin.models import Incentive
from tests.admin.people import client_of, make_user
from tests.admin.rows import Rows, fill
from tests.factories import make_contact, make_store

pytestmark = pytest.mark.django_db

INDEX = "smsflow_discounts:index"


@pytest.fixture
def rows(store: Any) -> Rows:
    return fill(store)


def page(rows: Rows, role: str, name: str = INDEX, *args: Any, **query: Any) -> str:
    client = client_of(make_user(role.lower().replace(" ", "-"), role, rows.store))
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return content.decode()


def test_the_list_tells_who_got_what_and_what_was_bought(rows: Rows) -> None:
    shown = page(rows, "Store admin")
    for words in ("10 %", "Grace Lovelace", "Welcome", "HELLO-1234", "129.00 USD", "Given"):
        assert words in shown


@pytest.mark.parametrize(("role", "reads"), [("Store admin", True), ("Support", True), ("Agency", False)])
def test_who_may_not_read_codes_sees_their_beginning_in_list_page_and_export(
    rows: Rows, role: str, reads: bool
) -> None:
    client = client_of(make_user("ada", role, rows.store))
    for address in (reverse(INDEX), reverse("smsflow_discounts:inspect", args=[rows.incentive.pk])):
        shown = client.get(address).content.decode()
        assert ("HELLO-1234" in shown) is reads
        assert ("HEL…" in shown) is not reads
    export = b"".join(client.get(reverse(INDEX), {"export": "csv"}).streaming_content).decode()
    assert ("HELLO-1234" in export) is reads


def test_who_writes_copy_sees_no_discounts(rows: Rows) -> None:
    client = client_of(make_user("cleo", "Copywriter", rows.store))
    assert client.get(reverse(INDEX)).status_code in (302, 403, 404)


def test_a_stranger_finds_nothing(rows: Rows) -> None:
    other = make_store(name="Bolton", domain="bolton.myshopify.com")
    client = client_of(make_user("stan", "Store admin", other))
    assert client.get(reverse("smsflow_discounts:inspect", args=[rows.incentive.pk])).status_code == 404
    assert "HELLO" not in client.get(reverse(INDEX)).content.decode()
    export = b"".join(client.get(reverse(INDEX), {"export": "csv"}).streaming_content).decode()
    assert "HELLO" not in export


def test_the_list_is_narrowed_to_what_was_used_and_to_what_was_refused(rows: Rows) -> None:
    contact = make_contact(rows.store, first_name="Nora")
    Incentive.objects.create(
        store=rows.store, contact=contact, step="x", kind="amount", amount=5, state="refused",
        notes={"why": "count", "limit": 1, "days": 30, "given": 1},
    )  # fmt: skip
    client = client_of(make_user("ada", "Store admin", rows.store))

    def shown(**query: str) -> tuple[bool, bool]:
        content = client.get(reverse("smsflow_discounts:index_results"), query).content.decode()
        return "Grace Lovelace" in content, "Nora Lovelace" in content

    assert shown() == (True, True)
    assert shown(used="true") == (True, False)
    assert shown(used="false") == (False, True)
    assert shown(state="refused") == (False, True)
    inspected = client.get(
        reverse("smsflow_discounts:inspect", args=[Incentive.objects.get(state="refused").pk])
    ).content.decode()
    assert "the rules allow 1 for one person in 30 days" in inspected


def test_a_formula_for_a_name_is_defused_in_the_export(rows: Rows) -> None:
    type(rows.contact).objects.filter(pk=rows.contact.pk).update(first_name="=1+1", last_name="")
    assert "'=1+1" in page(rows, "Store admin", INDEX, export="csv")


def test_a_list_of_thirty_takes_as_many_queries_as_a_list_of_two(rows: Rows) -> None:
    client = client_of(make_user("ada", "Store admin", rows.store))

    def more(numbers: range) -> None:
        for number in numbers:
            Incentive.objects.create(
                store=rows.store, contact=make_contact(rows.store), flow=rows.flow, step=f"x{number}", kind="percent",
                amount=10, code=f"C{number}",
            )  # fmt: skip

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse(INDEX)).status_code == 200
        return len(queries)

    more(range(1))
    count()
    few = count()
    more(range(1, 29))
    assert count() == few


def test_a_text_says_what_it_costs(rows: Rows) -> None:
    shown = page(rows, "Store admin", "smsflow_messages:inspect", rows.message.pk)
    assert "Unknown: nobody has named a price for this country." in shown
    type(rows.message).objects.filter(pk=rows.message.pk).update(cost="0.01660")
    client = client_of(make_user("bo", "Support", rows.store))
    assert "0.0166 USD" in client.get(reverse("smsflow_messages:inspect", args=[rows.message.pk])).content.decode()
