"""Every button of the shop reaches the database as an event, a person's field or a variant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from smsflow_plugin.conf import DEFAULTS
from smsflow_plugin.engine.discounts import CodeRequest, discount_maker_for
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.engine.performing import Failed
from smsflow_plugin.integrations.simulator.models import SimulatedDiscount
from smsflow_plugin.integrations.simulator.shelves import on_the_shelf
from smsflow_plugin.integrations.simulator.shopping import DOINGS, NotPossible, Visit, groups_for, shop_of
from smsflow_plugin.models import Contact, ContactDate, Delivery, Event, Interest, Store, Variant
from tests.conftest import NOON, TestClock
from tests.factories import make_contact

pytestmark = pytest.mark.django_db

MAKER = "smsflow_plugin.integrations.simulator.discounts.SimulatedDiscounts"


@pytest.fixture
def anna(store: Store, still: TestClock, settings: Any) -> Contact:
    path = "smsflow_plugin.integrations.simulator.translate.translate"
    settings.SMSFLOW = {
        **settings.SMSFLOW,
        "SIMULATOR": True,
        "TRANSLATORS": {**DEFAULTS["TRANSLATORS"], "simulator": path},
        "DISCOUNT_MAKERS": {"shopify": MAKER},
    }
    settings.ROOT_URLCONF = "tests.simulator.urls"
    return make_contact(store, first_name="Anna")


def post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    others = {name: value for name, value in headers.items() if name != "Content-Type"}
    answer = Client().post(urlsplit(url).path, data=body, content_type="application/json", headers=others)
    return answer.status_code, answer.content.decode()


def do(contact: Contact, name: str, **said: str) -> None:
    contact = Contact.objects.select_related("store").get(pk=contact.pk)
    answers = DOINGS[name].do(Visit(shop_of(contact.store, post), contact, said))
    assert [answer.status for answer in answers] == [200] * len(answers)
    while ingest():
        pass
    assert not Delivery.objects.filter(state="parked").exists(), Delivery.objects.get(state="parked").reason


def kinds(contact: Contact) -> list[str]:
    return list(Event.objects.filter(contact=contact).order_by("pk").values_list("kind", flat=True))


@pytest.mark.parametrize(
    ("buttons", "kind"),
    [
        (["looks"], "product_viewed"),
        (["waits"], "waitlist_joined"),
        (["books"], "appointment_booked"),
        (["books", "moves"], "appointment_moved"),
        (["books", "moves", "cancels-appointment"], "appointment_cancelled"),
        (["cancels-subscription"], "subscription_cancelled"),
        (["opens-case"], "case_opened"),
        (["opens-case", "closes-case"], "case_closed"),
        (["orders", "pickup-ready"], "pickup_ready"),
        (["orders", "refunds"], "order_refunded"),
        (["orders", "parcel-sent", "parcel-out"], "parcel_moved"),
        (["own-event"], "custom"),
        (["opts-in", "gets-tag"], "tag_added"),
        (["opts-in", "gets-tag", "loses-tag"], "tag_removed"),
        (["has-birthday"], "field_changed"),
        (["sets-field"], "field_changed"),
    ],
)
def test_a_button_becomes_an_event_of_the_person(
    anna: Contact, still: TestClock, buttons: list[str], kind: str
) -> None:
    for button in buttons:
        do(anna, button, tag="vip", birthday="1992-02-29", field="size", value="M", event="quiz_finished")
        still.move(minutes=1)
    assert kinds(anna)[-1] == kind


def test_an_appointment_keeps_its_subject_as_it_moves(anna: Contact, still: TestClock) -> None:
    do(anna, "books")
    still.move(hours=1)
    do(anna, "moves")
    booked, moved = Event.objects.filter(contact=anna).order_by("pk")
    assert booked.subject == moved.subject
    assert booked.data["appointment"]["starts_at"] == "2026-03-07T14:30:00-05:00"
    assert moved.data["appointment"]["starts_at"].startswith("2026-03-08T14:30:00")


NEEDS_MORE = (
    "moves", "cancels-appointment", "closes-case", "refunds", "parcel-out", "pickup-ready", "gets-tag", "has-birthday",
)  # fmt: skip


@pytest.mark.parametrize("button", NEEDS_MORE)
def test_what_cannot_be_is_said_in_a_sentence(anna: Contact, button: str) -> None:
    with pytest.raises(NotPossible, match=r"\.$"):
        do(anna, button)


@pytest.mark.parametrize("birthday", ["2030-02-30", "1990-13-01", "soon"])
def test_a_day_that_does_not_exist_is_no_birthday(anna: Contact, birthday: str) -> None:
    with pytest.raises(NotPossible, match="as a date"):
        do(anna, "has-birthday", birthday=birthday)


def test_a_birthday_is_kept_as_a_date(anna: Contact) -> None:
    do(anna, "has-birthday", birthday="1992-02-29")
    anna.refresh_from_db()
    assert anna.fields == {"birthday": "1992-02-29"}
    assert ContactDate.objects.get().month_day == 229
    do(anna, "sets-field", field="birthday", value="")
    assert not ContactDate.objects.exists()


def test_the_shelf_follows_what_the_shop_does(anna: Contact, still: TestClock) -> None:
    chosen = on_the_shelf(anna.store)[1][0]
    for button, price, available in (
        ("sells-out", "129.00", 0),
        ("restocks", "129.00", 2),
        ("cheaper", "103.20", 2),
        ("old-price", "129.00", 2),
    ):
        still.move(minutes=1)
        do(anna, button, article=chosen)
        variant = Variant.objects.get()
        assert (variant.variant_id, variant.price, variant.available) == (chosen, Decimal(price), available)
    do(anna, "waits", article=chosen)
    assert set(Interest.objects.values_list("variant_id", "kind")) == {(chosen, "waitlist"), (chosen, "viewed")}


def request(key: str = "1:a:0", **values: Any) -> CodeRequest:
    given = {"kind": "percent", "amount": Decimal(10), "minimum": None, "prefix": "Welcome!", "customer": "Anna"}
    return CodeRequest(key=key, starts_at=NOON, ends_at=NOON + timedelta(days=7), **{**given, **values})


def test_a_code_is_made_once_for_each_key_and_taken_once_at_the_checkout(anna: Contact, still: TestClock) -> None:
    maker = discount_maker_for(anna.store)
    code = maker.make(anna.store, request())
    assert code == maker.make(anna.store, request())
    assert code != maker.make(anna.store, request("2:a:0"))
    assert code.startswith("WELCOME-")
    do(anna, "orders", code=f" {code.lower()} ")
    order = Event.objects.get(kind="order_created").data["order"]
    assert order["discount_codes"] == [code]
    lines = sum(Decimal(line["price"]) for line in order["lines"])
    assert Decimal(order["total"]) == lines * Decimal("0.9")
    with pytest.raises(NotPossible, match="has been used"):
        do(anna, "orders", code=code)
    assert SimulatedDiscount.objects.exclude(used_in="").count() == 1


@pytest.mark.parametrize(
    ("values", "why"),
    [({"minimum": Decimal(100_000)}, "or more"), ({"ends_at": NOON - timedelta(days=1)}, "no longer valid")],
)
def test_a_code_that_does_not_hold_is_refused_with_the_reason(anna: Contact, values: dict[str, Any], why: str) -> None:
    given = {"ends_at": NOON + timedelta(days=7), "minimum": None, **values}
    code = discount_maker_for(anna.store).make(
        anna.store, CodeRequest("k", "amount", Decimal(5), starts_at=NOON, prefix="", customer="", **given)
    )
    with pytest.raises(NotPossible, match=why):
        do(anna, "orders", code=code)
    with pytest.raises(NotPossible, match="does not know"):
        do(anna, "orders", code="NOSUCHCODE")


def test_a_store_without_a_shop_that_makes_codes_gets_none(anna: Contact, settings: Any) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "DISCOUNT_MAKERS": {}}
    with pytest.raises(Failed, match="No shop"):
        discount_maker_for(anna.store)


def test_what_is_not_signed_by_the_shop_is_not_believed(anna: Contact) -> None:
    headers = {"X-Shopify-Shop-Domain": "sierra-gear.myshopify.com", "X-Shopify-Hmac-Sha256": "x"}
    assert post("/smsflow/simulator/webhooks/", b"{}", headers)[0] == 401
    assert not Delivery.objects.exists()


def test_nothing_of_the_simulator_answers_while_it_is_off(anna: Contact, settings: Any) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "SIMULATOR": False}
    assert post("/smsflow/simulator/webhooks/", b"{}", {})[0] == 404


def test_every_button_stands_in_a_group(store: Store, still: TestClock) -> None:
    groups = groups_for(make_contact(store))
    assert sorted(button.doing.name for _name, _label, buttons in groups for button in buttons) == sorted(DOINGS)
