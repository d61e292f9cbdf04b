"""What orders and parcels say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from smsflow_plugin.events.facts import CannotUnderstand, Happening, Person, PersonFact
from tests.shopify import payloads
from tests.shopify.payloads import CART_TOKEN, CHECKOUT_TOKEN, CUSTOMER_ID, FULFILLMENT_ID, ORDER_ID
from tests.shopify.webhooks import told


def the_fact(topic: str, payload: Any) -> PersonFact:
    [fact] = told(topic, payload).facts
    assert isinstance(fact, PersonFact)
    return fact


def the_happening(topic: str, payload: Any) -> Happening:
    [happening] = the_fact(topic, payload).happenings
    return happening


def test_an_order_is_placed() -> None:
    fact = the_fact("orders/create", payloads.order())
    assert fact.person.identities == (
        ("customer", str(CUSTOMER_ID)),
        ("order", str(ORDER_ID)),
        ("checkout", CHECKOUT_TOKEN),
        ("cart", CART_TOKEN),
    )
    [happening] = fact.happenings
    assert (happening.kind, happening.key, happening.subject) == ("order_created", str(ORDER_ID), str(ORDER_ID))
    assert happening.occurred_at == datetime(2026, 3, 4, 15, 54, 58, tzinfo=UTC)
    order = happening.data["order"]
    assert (order["name"], order["total"], order["currency"], order["item_count"]) == ("#1001", "138.60", "USD", 3)
    assert (order["url"], order["source"]) == (payloads.order()["order_status_url"], "web")
    assert order["discount_codes"] == ["SPRING10"]
    assert order["first_item"] == "Trail Jacket"


@pytest.mark.parametrize(
    ("topic", "kind", "at"),
    [
        ("orders/paid", "order_paid", datetime(2026, 3, 4, 15, 55, 10, tzinfo=UTC)),
        ("orders/cancelled", "order_cancelled", datetime(2026, 3, 4, 15, 59, tzinfo=UTC)),
    ],
)
def test_an_order_is_paid_or_cancelled_once(topic: str, kind: str, at: datetime) -> None:
    cancelled_at = "2026-03-04T10:59:00-05:00" if kind == "order_cancelled" else None
    happening = the_happening(topic, payloads.order(cancelled_at=cancelled_at))
    assert (happening.kind, happening.key, happening.occurred_at) == (kind, str(ORDER_ID), at)
    again = the_happening(topic, payloads.order(cancelled_at=cancelled_at, updated_at="2026-03-04T10:59:30-05:00"))
    assert again.key == happening.key


@pytest.mark.parametrize("topic", ["orders/create", "orders/paid", "orders/cancelled"])
def test_nobody_is_told_about_a_test_order(topic: str) -> None:
    translation = told(topic, payloads.order(test=True))
    assert translation.facts == ()
    assert "a test order" in translation.ignored


@pytest.mark.parametrize("topic", ["orders/create", "orders/paid"])
def test_nobody_is_thanked_for_an_order_that_is_already_cancelled(topic: str) -> None:
    fact = the_fact(topic, payloads.order(cancelled_at="2026-03-04T10:55:05-05:00"))
    assert fact.happenings == ()
    assert ("order", str(ORDER_ID)) in fact.person.identities


@pytest.mark.parametrize("topic", ["orders/create", "orders/paid"])
def test_an_imported_order_happened_when_it_was_processed(topic: str) -> None:
    imported = payloads.order(processed_at="2024-05-01T12:00:00Z")
    assert the_happening(topic, imported).occurred_at == datetime(2024, 5, 1, 12, tzinfo=UTC)


def test_an_invoice_that_is_paid_a_week_later_was_paid_now() -> None:
    order = payloads.order(created_at="2026-02-25T10:00:00Z", processed_at="2026-02-25T10:00:00Z")
    assert the_happening("orders/paid", order).occurred_at == datetime(2026, 3, 4, 15, 55, 10, tzinfo=UTC)


@pytest.mark.parametrize("source", ["pos", "shopify_draft_order"])
def test_where_an_order_comes_from_is_told_so_that_a_flow_can_choose(source: str) -> None:
    assert the_happening("orders/create", payloads.order(source_name=source)).data["order"]["source"] == source


def test_an_order_without_an_id_goes_by_its_gid_or_its_checkout() -> None:
    nameless = payloads.order(id=None)
    assert the_happening("orders/create", nameless).subject == str(ORDER_ID)
    del nameless["admin_graphql_api_id"]
    happening = the_happening("orders/create", nameless)
    assert (happening.subject, happening.key) == (CHECKOUT_TOKEN, CHECKOUT_TOKEN)


def test_an_order_of_nobody_is_not_understood() -> None:
    with pytest.raises(CannotUnderstand, match="an order"):
        told("orders/create", {"name": "#1001", "total_price": "1.00", "email": "ada@example.com"})


def test_an_order_that_says_little_is_still_an_order() -> None:
    happening = the_happening("orders/create", {"id": 5, "line_items": [None, "x", {"quantity": -1}, {"title": 7}]})
    assert happening.data["order"] == {
        "name": None,
        "url": None,
        "source": None,
        "total": None,
        "currency": "USD",
        "item_count": 0,
        "first_item": None,
        "lines": [dict.fromkeys(("title", "price", "product_id", "variant_id")) | {"quantity": 0}] * 2,
        "discount_codes": [],
    }


def test_the_lines_of_a_huge_order_are_cut_and_its_items_all_counted() -> None:
    order = the_happening("orders/create", payloads.order(line_items=[payloads.line()] * 400)).data["order"]
    assert (len(order["lines"]), order["item_count"]) == (50, 400)


# --- parcels


def test_a_parcel_is_sent_to_whoever_ordered() -> None:
    fact = the_fact("fulfillments/create", payloads.fulfillment())
    # neither the number nor the name on the parcel: it may be a present
    assert fact.person == Person(identities=(("order", str(ORDER_ID)),))
    happening, tracked = fact.happenings
    assert (happening.kind, happening.key, happening.subject) == ("parcel_sent", str(FULFILLMENT_ID), str(ORDER_ID))
    assert (tracked.kind, tracked.key) == ("parcel_tracked", f"{FULFILLMENT_ID}:1Z827WK74630")
    assert happening.data["parcel"] == {
        "order_id": str(ORDER_ID),
        "order_name": "#1001",
        "fulfillment_id": str(FULFILLMENT_ID),
        "status": "success",
        "tracking_company": "UPS",
        "tracking_number": "1Z827WK74630",
        "tracking_url": "https://www.ups.example/track?num=1Z827WK74630",
    }


@pytest.mark.parametrize("status", ["cancelled", "error", "failure"])
def test_a_parcel_that_was_not_sent_is_no_news(status: str) -> None:
    assert status in told("fulfillments/create", payloads.fulfillment(status=status)).ignored


@pytest.mark.parametrize("status", ["confirmed", "in_transit", "out_for_delivery", "attempted_delivery", "delayed"])
def test_a_parcel_moves(status: str) -> None:
    happening = the_happening("fulfillment_events/create", payloads.fulfillment_event(status=status))
    assert (happening.kind, happening.key, happening.subject) == ("parcel_moved", "1234567", str(ORDER_ID))
    assert happening.data["parcel"]["status"] == status
    assert happening.occurred_at == datetime(2026, 3, 4, 15, 58, tzinfo=UTC)


def test_a_parcel_is_delivered_once_however_often_the_carrier_says_so() -> None:
    first, second = (
        the_happening("fulfillment_events/create", payloads.fulfillment_event(id=report)) for report in (1, 2)
    )
    assert first.kind == "parcel_delivered"
    assert first == second
    assert first.key == str(FULFILLMENT_ID)


@pytest.mark.parametrize("status", ["label_printed", "label_purchased"])
def test_a_label_is_not_a_parcel_on_its_way(status: str) -> None:
    assert status in told("fulfillment_events/create", payloads.fulfillment_event(status=status)).ignored


def test_a_report_without_a_status_is_no_news() -> None:
    assert told("fulfillment_events/create", payloads.fulfillment_event(status=None)).ignored


@pytest.mark.parametrize("topic", ["fulfillments/create", "fulfillment_events/create"])
def test_a_parcel_of_no_order_is_not_understood(topic: str) -> None:
    with pytest.raises(CannotUnderstand, match="which order"):
        told(topic, {"id": 1, "status": "delivered"})
