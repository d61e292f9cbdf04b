"""What the law lets people ask for by way of Shopify: done once, in time, and said to be done."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from django.test import Client
from django.urls import reverse

from smsflow_plugin.audience.suppression import suppressed
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.engine.notices import StaffNotice
from smsflow_plugin.integrations.shopify.kept import PrivacyRequest
from smsflow_plugin.integrations.shopify.privacy import NOTICE, carry_out, comply
from smsflow_plugin.models import Connection, ConsentRecord, Contact, Delivery, Identity, Store
from tests.admin.people import client_of, make_user
from tests.conftest import NOON, TestClock
from tests.factories import make_contact, make_store, said
from tests.shopify.more_payloads import about_person
from tests.shopify.payloads import CUSTOMER_ID, ORDER_ID, PHONE
from tests.shopify.webhooks import SHOP, body_of, post

pytestmark = pytest.mark.django_db
LONG_AGO = NOON - timedelta(days=90)


@pytest.fixture(autouse=True)
def _no_nudges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smsflow_plugin.events.inbox.nudge", lambda pump: None)


@pytest.fixture
def shop(store: Store, still: TestClock) -> Store:
    Connection.objects.filter(store=store).update(connected_at=LONG_AGO)
    return store


@pytest.fixture
def ada(shop: Store) -> Contact:
    contact = make_contact(shop, phone=PHONE, email="ada@example.com")
    Identity.objects.create(store=shop, contact=contact, kind="customer", value=str(CUSTOMER_ID))
    said(contact)
    return contact


def arrives(client: Client, topic: str, payload: dict[str, Any], number: int = 1) -> PrivacyRequest:
    assert post(client, body_of(payload), topic, webhook_id=f"w-{number}").status_code == 200
    while ingest():
        pass
    request = PrivacyRequest.objects.latest("pk")
    while comply():
        pass
    request.refresh_from_db()
    return request


def test_who_asks_what_is_known_gets_a_file_by_way_of_the_owner(client: Client, shop: Store, ada: Contact) -> None:
    make_user("anna", "Store admin", shop)
    request = arrives(client, "customers/data_request", about_person(data_request={"id": 9999}))
    assert (request.state, request.people, request.store) == ("done", 1, shop)
    assert request.due_at - request.asked_at == timedelta(days=30)
    with ZipFile(BytesIO(bytes(request.file or b""))) as archive:
        assert "ada@example.com" in archive.read("person.json").decode()
    assert StaffNotice.objects.get().to == ["anna@example.com"]
    # whom it was about is not kept a second time
    assert (request.phone, request.email, request.customer) == ("", "", "")


def test_the_same_request_is_done_once(client: Client, shop: Store, ada: Contact) -> None:
    payload = about_person(data_request={"id": 9999})
    arrives(client, "customers/data_request", payload)
    arrives(client, "customers/data_request", payload, number=2)
    assert PrivacyRequest.objects.count() == 1


def test_who_is_to_be_erased_is_and_stays_suppressed(client: Client, shop: Store, ada: Contact) -> None:
    request = arrives(client, "customers/redact", about_person())
    ada.refresh_from_db()
    assert (request.state, request.people) == ("done", 1)
    assert (ada.erased_at, ada.phone, ada.email) == (NOON, None, "")
    again = Contact.objects.create(store=shop, phone=PHONE)
    assert suppressed([again])
    assert not any(b"ada@example.com" in bytes(row.body) for row in Delivery.objects.all())
    assert carry_out(request).people == 1  # done is done


def test_somebody_is_found_by_an_order_alone(client: Client, shop: Store, ada: Contact) -> None:
    Identity.objects.create(store=shop, contact=ada, kind="order", value=str(ORDER_ID))
    payload = about_person(customer={"id": 1, "email": None, "phone": None}, orders_to_redact=[ORDER_ID])
    assert arrives(client, "customers/redact", payload).people == 1


def test_somebody_of_whom_nothing_is_known_is_an_answer_too(client: Client, shop: Store) -> None:
    request = arrives(client, "customers/redact", about_person())
    assert (request.state, request.people) == ("done", 0)


def test_nobody_of_another_store_is_touched(client: Client, shop: Store, ada: Contact) -> None:
    other = make_store(name="Bolton", domain="bolton.myshopify.com")
    bo = make_contact(other, phone=PHONE, email="ada@example.com")
    arrives(client, "customers/redact", about_person())
    bo.refresh_from_db()
    assert bo.erased_at is None


def test_a_request_about_another_shop_than_its_header_says_does_nothing(client: Client, shop: Store) -> None:
    payload = about_person(shop_domain="bolton.myshopify.com")
    assert post(client, body_of(payload), "customers/redact").status_code == 200
    ingest()
    assert Delivery.objects.get().state == "parked"
    assert not PrivacyRequest.objects.exists()


@pytest.mark.parametrize("topic", ["customers/redact", "shop/redact"])
def test_a_request_that_names_no_shop_does_nothing(client: Client, shop: Store, topic: str) -> None:
    """Headers are not signed: the body of another topic, sent again under this one, must not erase anybody."""
    payload = {"id": 1, "customer": {"id": CUSTOMER_ID, "email": "ada@example.com"}}
    assert post(client, body_of(payload), topic).status_code == 200
    ingest()
    assert Delivery.objects.get().state == "parked"
    assert not PrivacyRequest.objects.exists()


def test_a_shop_that_has_gone_is_erased_after_a_week_with_all_its_people(
    client: Client, shop: Store, ada: Contact, still: TestClock
) -> None:
    other = make_store(name="Bolton", domain="bolton.myshopify.com")
    make_contact(other)
    Store.objects.filter(pk=shop.pk).update(status="uninstalled")
    request = arrives(client, "shop/redact", {"shop_id": 1, "shop_domain": SHOP})
    assert (request.state, Store.objects.filter(pk=shop.pk).exists()) == ("open", True)
    still.move(seconds=NOTICE.total_seconds() + 1)
    assert comply() == 1
    request.refresh_from_db()
    assert (request.state, request.people, request.store, request.shop) == ("done", 1, None, SHOP)
    assert list(Store.objects.all()) == [other]
    assert Contact.objects.count() == 1
    assert not ConsentRecord.objects.exists()


def test_a_shop_that_came_back_is_not_erased(client: Client, shop: Store, ada: Contact, still: TestClock) -> None:
    request = arrives(client, "shop/redact", {"shop_id": 1, "shop_domain": SHOP})
    Connection.objects.filter(store=shop, kind="shopify").update(connected_at=NOON + timedelta(hours=1))
    still.move(seconds=NOTICE.total_seconds() + 1)
    comply()
    request.refresh_from_db()
    assert request.state == "void"
    assert Contact.objects.filter(pk=ada.pk).exists()


def test_a_shop_at_work_waits_for_somebody_to_look(client: Client, shop: Store, ada: Contact, still: TestClock) -> None:
    request = arrives(client, "shop/redact", {"shop_id": 1, "shop_domain": SHOP})
    still.move(seconds=NOTICE.total_seconds() + 1)
    comply()
    request.refresh_from_db()
    assert request.state == "held"
    assert Contact.objects.filter(pk=ada.pk).exists()


def test_who_may_erase_people_cannot_delete_a_store_at_work(
    client: Client, shop: Store, ada: Contact, still: TestClock
) -> None:
    request = arrives(client, "shop/redact", {"shop_id": 1, "shop_domain": SHOP})
    still.move(seconds=NOTICE.total_seconds() + 1)
    comply()
    boss = client_of(make_user("boss", "Store admin", shop))
    url = reverse("smsflow_shopify_privacy:carry_out", args=[request.pk])
    assert url not in boss.get(reverse("smsflow_shopify_privacy:inspect", args=[request.pk])).content.decode()
    boss.post(url)
    assert Store.objects.filter(pk=shop.pk).exists()
    user = make_user("chief", "Store admin")
    user.is_superuser = True
    user.save()
    chief = client_of(user)
    assert url in chief.get(reverse("smsflow_shopify_privacy:inspect", args=[request.pk])).content.decode()
    chief.post(url)
    assert not Store.objects.filter(pk=shop.pk).exists()


def test_who_may_erase_people_does_so_before_its_time(client: Client, shop: Store, ada: Contact) -> None:
    request = PrivacyRequest.objects.create(
        store=shop, shop=SHOP, kind="erase", key="k", phone=PHONE, asked_at=NOON, due_at=NOON + timedelta(days=30)
    )
    boss = client_of(make_user("boss", "Store admin", shop))
    boss.post(reverse("smsflow_shopify_privacy:carry_out", args=[request.pk]))
    ada.refresh_from_db()
    assert ada.erased_at is not None
