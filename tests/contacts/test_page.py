"""The page of a person: what they are worth, what comes next, and one line of time with everything on it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from smsflow_plugin import clock
from smsflow_plugin.attribution.models import Conversion
from smsflow_plugin.flows.program import Choice, Listen, Send, Wait
from smsflow_plugin.links.models import Click, Link
from smsflow_plugin.measurement.credit_words import credit_sentence
from smsflow_plugin.measurement.entry import Entry, Kind
from smsflow_plugin.measurement.timeline import TOLD, timeline
from smsflow_plugin.measurement.worth import worth_of
from smsflow_plugin.models import Contact, Event, Message, Store, Thread, ThreadNote
from tests.admin.people import client_of, make_user
from tests.admin.rows import Rows, fill
from tests.conftest import NOON
from tests.engine.helpers import happened, make_flow, pump
from tests.factories import make_contact
from tests.flows.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(store: Store) -> Rows:
    return fill(store)


@pytest.fixture
def ada(store: Store) -> Client:
    return client_of(make_user("ada", "Store admin", store))


def page(client: Client, contact: Contact, **asked: str) -> Any:
    return client.get(reverse("smsflow_contacts:inspect", args=[contact.pk]), asked)


def shown(response: Any) -> list[Entry]:
    return list(response.context["page"].entries)


def click(message: Message, *, hours: float, kind: str = "human", code: str = "abc") -> Click:
    link, _made = Link.objects.get_or_create(
        code=code,
        defaults={
            "store": message.store, "contact": message.contact, "message": message, "target": "https://shop.example/sale",
        },
    )  # fmt: skip
    at = clock.now() - timedelta(hours=hours)
    return Click.objects.create(store=message.store, link=link, at=at, kind=kind, because="WhatsApp/2")


def credited(rows: Rows, order: str = "77", **values: Any) -> Conversion:
    """An order of today, credited to the person's text by a click two days before."""
    ordered_at = values.pop("ordered_at", clock.now())
    Event.objects.create(
        store=rows.store, contact=rows.contact, kind="order_created", key=f"order-{order}", subject=order,
        occurred_at=ordered_at, data={"order": {"name": f"#{order}", "total": "80.00", "currency": "USD"}},
    )  # fmt: skip
    known = {
        "model": "click", "message_id": rows.message.pk, "sent_at": NOON - timedelta(days=3), "currency": "USD",
        "clicked_at": ordered_at - timedelta(days=2), "total": Decimal("80.00"), "revenue": Decimal("80.00"),
        "because": {"model": "click", "days": 5, "delivered_hours": 0, "clicks": [], "clicks_in_all": 1},
    }  # fmt: skip
    return Conversion.objects.create(
        store=rows.store, contact=rows.contact, order=order, ordered_at=ordered_at, **{**known, **values}
    )


# Why an order is credited ------------------------------------------------------------------------


def entry_of(rows: Rows, title: str) -> Entry:
    return next(entry for entry in timeline(rows.contact) if title in entry.detail)


def test_an_order_says_which_text_it_is_credited_to_and_why(rows: Rows) -> None:
    credited(rows)
    order = entry_of(rows, "#77")
    assert order.detail == (
        "#77 · 80.00 USD\nCredited to the text of 1 March: its link was clicked 2 days before the order. "
        "The window is 5 days."
    )
    assert order.links["message"] == rows.message.pk
    text = next(entry for entry in timeline(rows.contact) if entry.kind is Kind.MESSAGE)
    assert text.detail.endswith("Credited: 1 order, 80.00 USD.")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"because": {"days": 1, "clicks_in_all": 3}, "clicked_at": NOON - timedelta(minutes=20)},
            "Credited to the text of 1 March: its link was clicked 20 minutes before the order. "
            "The window is 1 day. Of 3 clicks in that time it was the last.",
        ),
        (
            {"model": "code", "clicked_at": None, "because": {"days": 5, "code": "HELLO-1234", "texts": 1}},
            "Credited to the text of 1 March: the order names the code HEL…, which it told them. The window is 5 days.",
        ),
        (
            {"model": "delivered", "clicked_at": None, "because": {"days": 5, "delivered_hours": 24}},
            "Credited to the text of 1 March for its delivery alone: nobody clicked. "
            "This store gives credit for 24 hours after a delivery.",
        ),
        (
            {"cancelled": True, "revenue": 0, "because": {}},
            "Credited to the text of 1 March: its link was clicked 2 days before the order. "
            "The order was cancelled: nothing is credited.",
        ),
        (
            {"refunded": Decimal("30.00"), "revenue": Decimal("50.00"), "because": {}},
            "Credited to the text of 1 March: its link was clicked 2 days before the order. "
            "30.00 USD were refunded: 50.00 USD are credited.",
        ),
    ],
)
def test_every_kind_of_credit_has_its_words(rows: Rows, values: dict[str, Any], words: str) -> None:
    credited(rows, **values)
    assert entry_of(rows, "#77").detail.split("\n")[1] == words


def test_what_is_credited_to_a_purged_text_still_says_why(rows: Rows) -> None:
    conversion = credited(rows, message_id=987_654)
    assert "message" not in entry_of(rows, "#77").links
    assert "Credited to" in credit_sentence(Conversion.objects.filter(pk=conversion.pk).values().get(), "UTC")


# Clicks ------------------------------------------------------------------------------------------


def test_people_s_clicks_are_told_and_robots_only_where_they_are_asked_for(ada: Client, rows: Rows) -> None:
    click(rows.message, hours=1)
    click(rows.message, hours=2, kind="preview")
    everything = shown(page(ada, rows.contact))
    assert [entry.detail for entry in everything if entry.kind is Kind.CLICK] == ["https://shop.example/sale"]
    assert Kind.ROBOT not in {entry.kind for entry in everything}
    response = page(ada, rows.contact, show="clicks")
    assert [entry.kind for entry in shown(response)] == [Kind.CLICK, Kind.ROBOT]
    assert "Preview in a message app · WhatsApp/2" in response.content.decode()


def test_a_click_that_became_an_event_is_told_once(rows: Rows) -> None:
    click(rows.message, hours=1)
    for code in ("abc", "purged"):
        Event.objects.create(
            store=rows.store, contact=rows.contact, kind="link_clicked", key=f"click-{code}",
            occurred_at=clock.now() - timedelta(hours=1), data={"url": "https://shop.example/sale", "link": code},
        )  # fmt: skip
    told = [entry for entry in timeline(rows.contact) if "lick" in entry.title]
    assert sorted(entry.kind for entry in told) == [Kind.CLICK, Kind.EVENT]


# The head ----------------------------------------------------------------------------------------


def test_the_head_adds_up_what_a_person_is_worth(ada: Client, rows: Rows) -> None:
    Contact.objects.filter(pk=rows.contact.pk).update(
        orders_count=4, total_spent="210.00", last_order_at=NOON, first_order_at=NOON - timedelta(days=90)
    )
    Message.objects.filter(pk=rows.message.pk).update(cost="0.0158", clicked_at=NOON)
    click(rows.message, hours=1)
    click(rows.message, hours=2)
    click(rows.message, hours=3, kind="bot")
    credited(rows)
    credited(rows, "78", cancelled=True, revenue=0)
    credited(rows, "79", currency="DKK", revenue=500)
    worth = worth_of(Contact.objects.select_related("store").get(pk=rows.contact.pk))
    assert (worth.orders, worth.spent, worth.average) == (4, Decimal(210), Decimal("52.50"))
    assert (worth.credited, worth.credited_orders) == (Decimal(80), 2)
    assert (worth.sent, worth.clicked, worth.clicks, worth.cost) == (1, 1, 2, Decimal("0.0158"))
    html = page(ada, rows.contact).content.decode()
    for words in ("210.00 USD", "52.50 USD", "80.00 USD", "0.02 USD"):
        assert words in html


def test_tests_are_no_texts_and_nobody_else_s_money_counts(rows: Rows, danish_store: Store) -> None:
    Message.objects.filter(pk=rows.message.pk).update(purpose="test_run", cost=1)
    other = fill(danish_store, "Other")
    credited(other)
    worth = worth_of(rows.contact)
    assert (worth.sent, worth.cost, worth.credited) == (0, None, 0)


def test_answers_in_numbers_stand_as_scores(ada: Client, store: Store) -> None:
    question = Listen("l", (Choice(2, low=0, high=10),), 1, "days", score_as="nps")
    make_flow(store, Send("s", {"": "0 to 10?"}), question, name="NPS")
    anna = make_contact(store, fields={"nps": "9", "size": "42"})
    response = page(ada, anna)
    assert response.context["scores"] == [("nps", "9")]
    assert ("size", "42") in response.context["profile"]


def test_what_comes_next_stands_on_the_page(ada: Client, store: Store) -> None:
    anna = make_contact(store, first_name="Anna", marketing_consent="granted")
    make_flow(store, Wait("w", 2, "hours"), Send("s", {"": "Come back, Anna"}), name="Win back", trigger="order_paid")
    happened(store, "order_paid", phone=anna.phone, subject="o1")
    pump()
    html = page(ada, anna).content.decode()
    assert "Next text: 13:00 at the earliest" in html
    assert "Come back, Anna" in html
    assert "As things stand now" in html


# Filters and pages -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("show", "kinds"),
    [
        ("texts", {Kind.MESSAGE, Kind.EVENT}),
        ("orders", {Kind.EVENT, Kind.REDEEMED}),
        ("flows", {Kind.ENTERED, Kind.EFFECT}),
        ("decisions", {Kind.DECISION}),
        ("consent", {Kind.CONSENT}),
        ("notes", {Kind.NOTE}),
        ("nonsense", {*TOLD, Kind.NOTE} - {Kind.THREAD, Kind.LEFT, Kind.REVIEW, Kind.CLICK, Kind.TRIED}),
    ],
)
def test_one_kind_of_thing_is_shown(ada: Client, rows: Rows, show: str, kinds: set[Kind]) -> None:
    response = page(ada, rows.contact, show=show)
    assert {entry.kind for entry in shown(response)} == kinds
    assert response.content.decode().count('aria-current="true"') == 1


def test_orders_are_nothing_but_orders_and_texts_nothing_but_texts(ada: Client, rows: Rows) -> None:
    texts, orders = (
        [entry.title for entry in shown(page(ada, rows.contact, show=show))] for show in ("texts", "orders")
    )
    assert sorted(texts) == ["Text of “Welcome”", "Text received"]
    assert sorted(orders) == ["Order placed", "Used the discount code of “Welcome”"]


def test_notes_of_staff_are_for_those_who_read_the_conversation(rows: Rows, store: Store) -> None:
    thread = Thread.objects.get(store=store)
    ThreadNote.objects.create(store=store, thread=thread, body="Handle with care", author_name="Ben")
    reader = client_of(make_user("ines", "Support", store))
    assert "Handle with care" in page(reader, rows.contact).content.decode()
    other = client_of(person("Mo", (store, ("view_store", "view_contact"))))
    for show in ("", "notes"):
        assert "Handle with care" not in page(other, rows.contact, show=show).content.decode()


def test_pages_of_a_filter_join_without_a_gap(ada: Client, rows: Rows) -> None:
    click(rows.message, hours=0.5)
    for number in range(119):
        click(rows.message, hours=1 + number // 4, kind="human" if number % 2 else "bot")
    found: list[int] = []
    asked = {"show": "clicks"}
    while True:
        response = page(ada, rows.contact, **asked)
        found += [entry.pk for entry in shown(response)]
        older = response.context["page"].older
        if not older:
            break
        asked["before"] = older
    assert len(found) == len(set(found)) == 120


def test_the_page_takes_as_many_queries_for_a_long_life_as_for_a_short_one(ada: Client, rows: Rows) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert page(ada, rows.contact).status_code == 200
        return len(caught)

    credited(rows)
    click(rows.message, hours=1)
    page(ada, rows.contact)
    few = queries()
    for number in range(100, 160):
        credited(rows, str(number), ordered_at=clock.now() - timedelta(minutes=number))
        click(rows.message, hours=number / 10, code=f"c{number}")
    assert queries() == few
    assert few <= 55
