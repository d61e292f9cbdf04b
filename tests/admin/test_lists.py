"""Lists: the number of queries does not depend on the rows, and what is sought is found."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from smsflow_plugin import clock
from smsflow_plugin.admin_panels import listing
from smsflow_plugin.models import Contact, Delivery, Message, ReplyReview, Thread
from tests.admin.people import client_of, make_user
from tests.admin.rows import Rows, fill
from tests.factories import make_contact, make_store

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(store: Any) -> Rows:
    return fill(store)


@pytest.fixture
def client(rows: Rows) -> Any:
    return client_of(make_user("ada", "Store admin", rows.store))


def more_contacts(rows: Rows, numbers: range) -> None:
    for _number in numbers:
        make_contact(rows.store)


def more_messages(rows: Rows, numbers: range) -> None:
    for number in numbers:
        contact = make_contact(rows.store)
        values = {"contact": contact, "flow": rows.flow, "to": str(contact.phone), "key": f"k{number}"}
        Message.objects.create(store=rows.store, message_class="service", **values)


def more_deliveries(rows: Rows, numbers: range) -> None:
    for number in numbers:
        Delivery.objects.create(store=rows.store, source="shopify", external_id=str(number), body=b"{}", state="parked")


def more_reviews(rows: Rows, numbers: range) -> None:
    for number in numbers:
        values = {"contact": make_contact(rows.store), "key": f"r{number}", "body": "Stop?", "received_at": clock.now()}
        ReplyReview.objects.create(store=rows.store, because="unclear", **values)


def more_stores(rows: Rows, numbers: range) -> None:
    membership = rows.store.memberships.get()
    for number in numbers:
        shop = make_store(name=f"Shop {number}", domain=f"shop-{number}.myshopify.com")
        shop.memberships.create(user=membership.user, role=membership.role)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("smsflow_contacts", more_contacts),
        ("smsflow_messages", more_messages),
        ("smsflow_deliveries", more_deliveries),
        ("smsflow_stores", more_stores),
        ("smsflow_replies", more_reviews),
    ],
)
def test_a_list_of_thirty_takes_as_many_queries_as_a_list_of_two(client: Any, rows: Rows, name: str, more: Any) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            response = client.get(reverse(f"{name}:index"))
        assert response.status_code == 200
        return len(queries)

    more(rows, range(1))
    count()  # what is read once and kept
    few = count()
    more(rows, range(1, 29))
    assert count() == few


@pytest.mark.parametrize("sought", ["lovelace grace", "GRACE@example", "202 555", "Grace"])
def test_people_are_found_by_name_address_and_number(client: Any, rows: Rows, sought: str) -> None:
    Contact.objects.create(store=rows.store, first_name="Alan", last_name="Turing", phone="+4520112233")
    page = client.get(reverse("smsflow_contacts:index"), {"q": sought}).content.decode()
    assert "Grace Lovelace" in page
    assert "Alan Turing" not in page


def test_contacts_are_filtered_by_consent(client: Any, rows: Rows) -> None:
    make_contact(rows.store, first_name="Nora", marketing_consent="revoked")
    page = client.get(reverse("smsflow_contacts:index"), {"marketing_consent": "revoked"}).content.decode()
    assert "Nora" in page
    assert "Grace" not in page


def test_a_formula_in_a_text_is_defused_in_the_export(client: Any, rows: Rows) -> None:
    Message.objects.filter(pk=rows.message.pk).update(body="=HYPERLINK(1)", to="+12025550123")
    lines = b"".join(client.get(reverse("smsflow_messages:index"), {"export": "csv"}).streaming_content).decode()
    assert "'=HYPERLINK(1)" in lines
    assert ",+12025550123," in lines


def test_a_workbook_holds_the_text_as_text(client: Any, rows: Rows) -> None:
    from openpyxl import load_workbook

    Message.objects.filter(pk=rows.message.pk).update(body="=1+1", flow=None)
    content = b"".join(client.get(reverse("smsflow_messages:index"), {"export": "xlsx"}).streaming_content)
    cells = [cell for row in load_workbook(BytesIO(content)).active.iter_rows() for cell in row]
    assert ("=1+1", "s") in [(cell.value, cell.data_type) for cell in cells]


def test_parked_deliveries_are_announced_and_shown(client: Any, rows: Rows) -> None:
    page = client.get(reverse("smsflow_deliveries:index")).content.decode()
    assert "1 delivery was not understood" in page
    only = client.get(reverse("smsflow_deliveries:index"), {"state": "parked"}).content.decode()
    assert "There is no checkout in it." in only
    assert "orders/create" not in only


def test_messages_cannot_be_added_changed_or_deleted() -> None:
    from django.urls import NoReverseMatch

    for action in ("add", "edit", "delete", "copy"):
        for name in ("smsflow_messages", "smsflow_contacts", "smsflow_deliveries"):
            with pytest.raises(NoReverseMatch):
                reverse(f"{name}:{action}", args=[] if action == "add" else [1])


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("parcel", 1), ("PARCEL", 1), ("ottilie", 2), ("hopper", 2), ("655501", 3), ("nowhere", 0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("known", [1000, 1])
def test_texts_are_found_by_words_names_and_numbers(
    rows: Rows, client: Any, words: str, found: int, known: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """:param known: with so many people they are not looked up beforehand."""
    monkeypatch.setattr("smsflow_plugin.admin_panels.messages._PEOPLE", known)
    ottilie = make_contact(rows.store, first_name="Ottilie", last_name="Hopper", phone="+12065550191")
    told = [(ottilie, "Your parcel is here"), (ottilie, "Good news"), (None, "Not for a contact")]
    for number, (contact, body) in enumerate(told):
        values = {"contact": contact, "to": "+12065550191", "body": body, "key": f"g{number}"}
        Message.objects.create(store=rows.store, message_class="service", **values)
    abroad = make_store(name="Fjord", domain="fjord.myshopify.com")
    theirs = make_contact(abroad, first_name="Ottilie", phone="+12065550191")
    values = {"contact": theirs, "to": "+12065550191", "body": "parcel", "key": "g"}
    Message.objects.create(store=abroad, message_class="service", **values)
    response = client.get(reverse("smsflow_messages:index"), {"q": words})
    assert len(response.context["object_list"]) == found
    for number in ("+12065550191", "+1 (206) 555-0191") if known > 1 else ("+12065550191",):
        response = client.get(reverse("smsflow_messages:index"), {"q": number})
        assert len(response.context["object_list"]) == 3


@pytest.mark.parametrize("name", ["smsflow_messages", "smsflow_contacts", "smsflow_inbox"])
def test_a_list_counts_no_further_than_can_be_paged(
    rows: Rows, client: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [make_contact(rows.store, first_name="Ottilie") for _ in range(5)]
    for number, contact in enumerate(people):
        values = {"contact": contact, "to": str(contact.phone), "body": "Hello", "key": f"o{number}"}
        Message.objects.create(store=rows.store, message_class="service", **values)
        Thread.objects.create(store=rows.store, contact=contact, last_at=clock.now(), heard_at=clock.now())
    url = reverse(f"{name}:index")
    for most, more in ((5, False), (4, True)):
        monkeypatch.setattr(listing, "MOST", most)
        response = client.get(url, {"q": "Ottilie"})
        words = " ".join(response.content.decode().split())
        assert len(response.context["object_list"]) == most
        assert ("There are more than 4 matches" in words) == more
        assert ("More than 4" in words and "Filter or search to see the others" in words) == more
        assert (f"There are {most} matches" in words) != more
    # whoever asks for a page behind the last is on the last
    assert len(client.get(url, {"q": "Ottilie", "p": 99}).context["object_list"]) == 4


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite chooses by the table alone, and otherwise")
@pytest.mark.parametrize(
    ("model", "order", "index"),
    [
        (Message, ("-queued_at",), "smsflow_message_newest"),
        (Contact, ("-created_at",), "smsflow_contact_newest"),
        (Thread, ("-last_at", "-pk"), "smsflow_thread_newest"),
    ],
)
def test_lists_of_several_stores_need_not_be_read_as_a_whole(
    rows: Rows, model: Any, order: tuple[str, ...], index: str
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute("SET LOCAL enable_seqscan = off")
    newest = model.objects.filter(store_id__in=[rows.store.pk, rows.store.pk + 1]).order_by(*order)[:30]
    assert f"Index Scan Backward using {index}" in newest.explain()
