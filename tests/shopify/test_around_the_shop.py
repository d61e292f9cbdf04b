"""What is said about the shop itself, and what waits until it is known whose it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.flows.program import Send
from smsflow_plugin.integrations.shopify import asking, joining, listening
from smsflow_plugin.integrations.shopify.admin import client as admin_client
from smsflow_plugin.integrations.shopify.admin import transport
from smsflow_plugin.integrations.shopify.admin.errors import Unreachable
from smsflow_plugin.integrations.shopify.admin.transport import Answer
from smsflow_plugin.integrations.shopify.kept import AnonymousCart, Question, StockItem
from smsflow_plugin.integrations.shopify.models import Grant
from smsflow_plugin.models import Connection, Contact, Decision, Delivery, Enrollment, Event, Identity, Store, Variant
from tests.conftest import NOON, TestClock
from tests.engine.helpers import make_flow
from tests.factories import make_contact
from tests.shopify import more_payloads as more
from tests.shopify import payloads
from tests.shopify.payloads import CUSTOMER_ID, ORDER_ID, PHONE
from tests.shopify.webhooks import body_of, post

pytestmark = pytest.mark.django_db
HELLO = Send("s1", {"": "Hello"})


@pytest.fixture(autouse=True)
def _no_nudges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smsflow_plugin.events.inbox.nudge", lambda pump: None)


@pytest.fixture
def shop(store: Store, still: TestClock) -> Store:
    Connection.objects.filter(store=store).update(connected_at=NOON - timedelta(days=90))
    return store


@pytest.fixture
def grant(shop: Store) -> Grant:
    scopes = ["read_products", "read_inventory", "read_merchant_managed_fulfillment_orders"]
    return Grant.objects.create(
        connection=shop.connections.get(kind="shopify"), kind="static", secrets={"access_token": "t"},
        scopes=scopes, granted_at=NOON - timedelta(days=1),
    )  # fmt: skip


def arrive(client: Client, *said: tuple[str, Any]) -> None:
    for number, (topic, payload) in enumerate(said):
        name = f"{Delivery.objects.count()}-{number}"
        assert post(client, body_of(payload), topic, webhook_id=name).status_code == 200
    while ingest():
        pass


def answers(monkeypatch: pytest.MonkeyPatch, *replies: Any) -> list[Any]:
    left, asked = list(replies), []

    def reply(url: str, body: Any, headers: Any = None) -> Answer:
        asked.append(body)
        said = left.pop(0)
        if isinstance(said, Exception):
            raise said
        return Answer(200, {}, {"data": said})

    monkeypatch.setattr(transport, "post", reply)
    monkeypatch.setattr(admin_client, "_buckets", {})
    return asked


@pytest.mark.parametrize("first", ["cart", "checkout"])
def test_a_cart_becomes_somebodys_by_the_checkout_that_shows_its_token(client: Client, shop: Store, first: str) -> None:
    story = [("carts/update", more.cart()), ("checkouts/update", payloads.checkout())]
    for one in story if first == "cart" else story[::-1]:
        arrive(client, one)
        joining.join()
    event = Event.objects.get(kind="cart_updated")
    assert event.contact.phone == PHONE
    assert event.data["cart"]["total"] == "258.00"
    assert event.data["cart"]["url"] == "https://sierra-gear.myshopify.com/cart/808950810:2"
    assert not AnonymousCart.objects.exists()
    assert Contact.objects.count() == 1


def test_a_cart_of_nobody_makes_no_contact_and_is_forgotten(client: Client, shop: Store, still: TestClock) -> None:
    arrive(client, ("carts/create", more.cart()), ("carts/create", more.cart()))
    joining.join()
    assert (AnonymousCart.objects.count(), Contact.objects.count(), Event.objects.count()) == (1, 0, 0)
    still.move(days=8)
    joining.tidy()
    assert not AnonymousCart.objects.exists()


def test_a_cart_of_19_hours_ago_starts_nothing_and_says_why(client: Client, shop: Store) -> None:
    make_flow(shop, HELLO, trigger="checkout_updated")
    old = "2026-03-03T16:00:00-05:00"  # 19 hours before noon
    arrive(client, ("checkouts/update", payloads.checkout(created_at=old, updated_at=old)))
    assert not Enrollment.objects.exists()
    assert Decision.objects.get().reason == "too_late"


def test_a_cart_that_was_bought_starts_nothing_however_late_it_is_heard_of(client: Client, shop: Store) -> None:
    make_flow(shop, HELLO, trigger="checkout_updated")
    arrive(client, ("orders/create", payloads.order()))
    arrive(client, ("checkouts/update", payloads.checkout(updated_at="2026-03-04T10:20:00-05:00")))
    assert not Enrollment.objects.exists()
    assert Decision.objects.get().reason == "outrun"


def test_who_puts_something_new_into_the_cart_after_an_order_is_reminded(client: Client, shop: Store) -> None:
    make_flow(shop, HELLO, trigger="checkout_updated")
    arrive(client, ("orders/create", payloads.order(created_at="2026-03-04T10:20:00-05:00", processed_at=None)))
    arrive(client, ("checkouts/update", payloads.checkout(updated_at="2026-03-04T10:50:00-05:00")))
    assert Enrollment.objects.count() == 1


def test_a_report_of_the_way_starts_nothing_once_the_parcel_has_arrived(client: Client, shop: Store) -> None:
    make_flow(shop, HELLO, trigger="parcel_moved")
    arrive(client, ("orders/create", payloads.order()), ("fulfillment_events/create", payloads.fulfillment_event(id=2)))
    late = payloads.fulfillment_event(id=1, status="out_for_delivery", happened_at="2026-03-04T10:30:00-05:00")
    arrive(client, ("fulfillment_events/create", late))
    other = payloads.fulfillment_event(id=3, status="out_for_delivery", fulfillment_id=99)
    assert not Enrollment.objects.exists()
    arrive(client, ("fulfillment_events/create", other))
    assert Enrollment.objects.count() == 1  # the order's other parcel is still on its way


def test_an_uninstallation_that_is_older_than_the_connection_closes_nothing(client: Client, shop: Store) -> None:
    Connection.objects.filter(store=shop).update(connected_at=NOON + timedelta(minutes=1))
    arrive(client, ("app/uninstalled", payloads.shop()))
    shop.refresh_from_db()
    assert shop.status == "active"
    assert "installed it again" in Delivery.objects.get().reason


def test_after_an_uninstallation_nothing_counts_but_refusals(client: Client, shop: Store) -> None:
    ada = make_contact(shop, phone=PHONE, consent_changed_at=NOON - timedelta(days=9))
    Identity.objects.create(store=shop, contact=ada, kind="customer", value=str(CUSTOMER_ID))
    arrive(client, ("app/uninstalled", payloads.shop()))
    no = payloads.consent(state="unsubscribed")
    arrive(client, ("orders/create", payloads.order()), ("customers_marketing_consent/update", no))
    ada.refresh_from_db()
    assert not Event.objects.filter(kind="order_created").exists()
    assert ada.marketing_consent == "revoked"
    assert "taken the app away" in Delivery.objects.get(topic="orders/create").reason


def test_the_shops_settings_are_followed_when_they_change(client: Client, shop: Store) -> None:
    def says(zone: str, at: str) -> tuple[str, Any]:
        return "shop/update", payloads.shop(iana_timezone=zone, updated_at=at)

    arrive(client, says("America/Denver", "2026-03-04T10:00:00-05:00"))
    shop.refresh_from_db()
    assert shop.timezone == "America/New_York"  # somebody may have chosen it
    arrive(client, says("America/Chicago", "2026-03-04T10:10:00-05:00"), says("Nowhere/Land", "2026-03-04T10:20:00Z"))
    arrive(client, says("America/Phoenix", "2026-03-04T10:05:00-05:00"))  # older
    shop.refresh_from_db()
    assert shop.timezone == "America/Chicago"


def test_scopes_are_those_of_the_newest_word(client: Client, grant: Grant) -> None:
    def says(scope: str, at: str) -> tuple[str, Any]:
        return "app/scopes_update", {"current": [scope], "updated_at": at}

    arrive(client, says("read_orders", "2026-03-04T15:00:00Z"))
    arrive(client, says("read_products", "2026-03-04T14:00:00Z"))
    grant.refresh_from_db()
    assert grant.scopes == ["read_orders"]


def test_who_waits_for_a_bulk_operation_hears_of_its_end(
    client: Client, shop: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Any] = []
    monkeypatch.setattr(listening, "_on_bulk_finished", [])
    listening.on_bulk_finished(lambda *said: heard.append(said))
    arrive(client, ("bulk_operations/finish", more.of_more_topics()["bulk_operations/finish"]))
    assert heard == [(shop.pk, "gid://shopify/BulkOperation/1", "completed")]


def test_a_level_makes_us_ask_what_there_is_in_all(
    client: Client, shop: Store, grant: Grant, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = {
        "id": "gid://shopify/ProductVariant/808", "title": "M", "price": "129.00", "sellableOnlineQuantity": 7,
        "inventoryItem": {"id": f"gid://shopify/InventoryItem/{more.ITEM_ID}", "tracked": True},
        "product": {"id": "gid://shopify/Product/632", "title": "Trail Jacket", "onlineStoreUrl": None},
    }  # fmt: skip
    unknown, known = {"inventoryItem": {"variants": {"nodes": [node]}}}, {"nodes": [node]}
    asked = answers(monkeypatch, Unreachable("down"), unknown, known)
    arrive(client, ("inventory_levels/update", more.level()), ("inventory_levels/update", more.level(location_id=2)))
    assert Question.objects.count() == 1
    assert asking.ask() == 1  # nobody answers: it is put off
    assert (asking.ask(), Variant.objects.count()) == (0, 0)
    Question.objects.update(not_before=NOON)
    assert asking.ask() == 1
    assert (Variant.objects.get().available, StockItem.objects.get().variant_id) == (7, "808")
    assert not Question.objects.exists()
    arrive(client, ("inventory_items/update", {"id": more.ITEM_ID, "updated_at": more.AT}))
    asking.ask()
    assert [body["operationName"] for body in asked] == ["VariantsOfItem", "VariantsOfItem", "Variants"]


def test_a_shop_without_a_token_is_asked_nothing(client: Client, shop: Store) -> None:
    arrive(client, ("inventory_levels/update", more.level()))
    assert not Question.objects.exists()


def test_what_lies_ready_is_told_to_who_ordered_it(
    client: Client, shop: Store, grant: Grant, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, {"fulfillmentOrder": {"id": "1", "orderId": f"gid://shopify/Order/{ORDER_ID}"}})
    arrive(client, ("fulfillment_orders/line_items_prepared_for_pickup", more.of_more_topics()[
        "fulfillment_orders/line_items_prepared_for_pickup"
    ]))  # fmt: skip
    asking.ask()
    assert not Event.objects.exists()  # the order is not known yet
    arrive(client, ("orders/create", payloads.order()))
    Question.objects.update(not_before=NOON)
    asking.ask()
    event = Event.objects.get(kind="pickup_ready")
    assert (event.contact.phone, event.subject) == (PHONE, str(ORDER_ID))
    assert not Question.objects.exists()


def test_two_customers_who_are_one_share_what_happened(client: Client, shop: Store) -> None:
    arrive(client, ("customers/create", payloads.customer(id=42, phone=None, email="a@example.com")))
    arrive(client, ("customers/create", payloads.customer()), ("customers/merge", more.merged()))
    ada = Contact.objects.get(phone=PHONE)
    assert set(Identity.objects.filter(kind="customer", contact=ada).values_list("value", flat=True)) == {
        "42", str(CUSTOMER_ID),
    }  # fmt: skip
    assert Event.objects.filter(contact=ada, kind="customer_created").count() == 2


def test_customers_with_a_number_each_stay_two(client: Client, shop: Store) -> None:
    other = payloads.customer(id=42, phone="+12025550199")
    arrive(client, ("customers/create", other), ("customers/create", payloads.customer()))
    arrive(client, ("customers/merge", more.merged()))
    assert Contact.objects.count() == 2


def test_a_deleted_customer_leaves_consent_and_no_profile(client: Client, shop: Store) -> None:
    arrive(
        client, ("customers/create", payloads.customer()), ("customers_marketing_consent/update", payloads.consent())
    )
    arrive(client, ("customers/delete", {"id": CUSTOMER_ID}))
    ada = Contact.objects.get()
    assert (ada.first_name, ada.email, ada.postcode) == ("", "", "")
    assert (ada.phone, ada.marketing_consent) == (PHONE, "granted")


def test_an_older_count_of_orders_never_replaces_a_newer(client: Client, shop: Store) -> None:
    arrive(client, ("customers/create", payloads.customer()))
    arrive(client, ("customers/purchasing_summary", more.bought(8, "900.00", "2026-03-04T15:00:00Z")))
    arrive(client, ("customers/purchasing_summary", more.bought(7, "812.50", "2026-03-04T14:00:00Z")))
    fields = Contact.objects.get().fields
    assert (fields["shop_orders"], fields["shop_spent"]) == (8, "900.00")


def test_a_failed_payment_that_comes_before_its_contract_finds_the_person(client: Client, shop: Store) -> None:
    arrive(client, ("customers/create", payloads.customer()))
    arrive(client, ("subscription_billing_attempts/failure", more.billing_attempt()))
    assert Event.objects.get(kind="subscription_unpaid").contact.phone is None
    arrive(client, ("subscription_contracts/create", more.contract()))
    assert Event.objects.get(kind="subscription_unpaid").contact.phone == PHONE
