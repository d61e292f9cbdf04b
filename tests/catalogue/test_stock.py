"""Stock and prices: what is known, who waits, and who is told when something is back or cheaper."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.catalogue.stock_rules import UNCOUNTED, drop_percent, in_turn, to_tell
from smsflow_plugin.engine.advance import advance
from smsflow_plugin.engine.facts import Programs
from smsflow_plugin.engine.stock import tell_stock
from smsflow_plugin.events.facts import StockFact
from smsflow_plugin.flows.program import Branch, Exit, Program, Reentry, Trigger, Wait
from smsflow_plugin.models import Contact, Enrollment, Event, Flow, FlowVersion, Interest, Store, Variant
from tests.conftest import NOON, TestClock
from tests.factories import make_contact
from tests.triggers.helpers import happened, make_flow, take_in, told

pytestmark = pytest.mark.django_db

JACKET = "808950810"


def say(store: Store, *, variant_id: str = JACKET, minutes: int = 0, **values: Any) -> None:
    """The shop says something of the jacket."""
    take_in(store, StockFact(variant_id, NOON + timedelta(minutes=minutes), title="Trail Jacket", **values))


def wait_for(store: Store, contact: Contact, *, minutes: int = 0, price: str = "129.00") -> None:
    product = {"title": "Trail Jacket", "variant_id": JACKET, "price": price}
    happened(store, contact, "waitlist_joined", NOON - timedelta(hours=1) + timedelta(minutes=minutes), product=product)


def look_at(store: Store, contact: Contact, price: str, *, at: Any = NOON - timedelta(hours=1)) -> None:
    happened(store, contact, "product_viewed", at, product={"variant_id": JACKET, "price": price})


def tell_all() -> int:
    rounds = 0
    while tell_stock():
        rounds += 1
        assert rounds < 50, "it never comes to an end"
    return rounds


@pytest.fixture
def back(store: Store) -> Flow:
    return make_flow(store, Trigger("back_in_stock"))


@pytest.fixture
def cheaper(store: Store) -> Flow:
    when = {"field": "trigger.product.drop_percent", "op": "ge", "value": 10}
    return make_flow(store, Trigger("price_dropped", when=when))


def test_what_a_shop_says_is_kept_and_older_words_are_dropped(store: Store) -> None:
    say(store, available=5, price="129.00", variant="M", url="https://shop.example/jacket", product_id="632")
    say(store, minutes=2, available=3)
    say(store, minutes=1, available=9)
    variant = Variant.objects.get()
    assert (variant.available, variant.price, variant.variant) == (3, Decimal("129.00"), "M")
    say(store, minutes=3, counted=False)
    variant.refresh_from_db()
    assert variant.available is None


def test_a_variant_of_which_only_the_price_is_known_is_not_thought_to_be_there(store: Store, back: Flow) -> None:
    wait_for(store, make_contact(store))
    say(store, price="129.00")
    assert tell_stock() == 0


@pytest.mark.parametrize("price", ["NaN", "a lot", "1e400", ""])
def test_a_price_that_is_no_number_is_not_known(store: Store, price: str) -> None:
    say(store, price=price)
    assert Variant.objects.get().price is None


def test_three_people_are_told_for_each_piece_the_oldest_first_and_vips_before_them(store: Store, back: Flow) -> None:
    people = [make_contact(store, tags=["VIP"] if n in (4, 6) else []) for n in range(8)]
    for n, contact in enumerate(people):
        wait_for(store, contact, minutes=n)
    say(store, available=0)
    assert tell_all() == 0
    say(store, minutes=1, available=1, price="129.00")
    assert tell_all() == 1
    assert set(told("back_in_stock")) == {people[n].pk for n in (4, 6, 0)}
    assert set(Enrollment.objects.values_list("contact_id", flat=True)) == {people[n].pk for n in (4, 6, 0)}
    product = Event.objects.filter(kind="back_in_stock")[0].data["product"]
    assert (product["available"], product["price"], product["currency"]) == (1, "129.00", "USD")


def test_the_next_are_told_when_more_comes_or_a_day_has_passed(store: Store, back: Flow, still: TestClock) -> None:
    for n in range(12):
        wait_for(store, make_contact(store), minutes=n)
    say(store, available=1)
    tell_all()
    assert len(told("back_in_stock")) == 3
    say(store, minutes=1, available=3)
    tell_all()
    assert len(told("back_in_stock")) == 9
    say(store, minutes=2, available=1)
    assert tell_all() == 0, "nine have been told of one piece"
    still.move(hours=25)
    tell_all()
    assert len(told("back_in_stock")) == 12


def test_nobody_is_told_once_it_is_sold_out_again(store: Store, back: Flow, still: TestClock) -> None:
    for n in range(5):
        wait_for(store, make_contact(store), minutes=n)
    say(store, available=1)
    tell_all()
    say(store, minutes=1, available=0)
    still.move(days=2)
    assert tell_all() == 0


def test_everybody_is_told_of_what_the_shop_does_not_count(store: Store, back: Flow) -> None:
    for n in range(5):
        wait_for(store, make_contact(store), minutes=n)
    say(store, counted=False)
    tell_all()
    assert len(told("back_in_stock")) == 5


def test_who_waits_again_is_told_again(store: Store, back: Flow, still: TestClock) -> None:
    ada = make_contact(store)
    wait_for(store, ada)
    say(store, available=2)
    tell_all()
    still.move(days=3)
    wait_for(store, ada, minutes=60 * 48)
    assert Interest.objects.get(kind="waitlist").told_at is None
    tell_all()
    assert told("back_in_stock") == [ada.pk, ada.pk]


def test_joining_twice_keeps_the_place_in_the_queue(store: Store) -> None:
    ada = make_contact(store)
    wait_for(store, ada)
    since = Interest.objects.get(kind="waitlist").since
    wait_for(store, ada, minutes=30)
    assert Interest.objects.get(kind="waitlist").since == since


def test_people_go_on_waiting_while_no_flow_would_write_to_them(store: Store) -> None:
    wait_for(store, make_contact(store))
    say(store, available=5)
    assert tell_all() == 0
    make_flow(store, Trigger("back_in_stock"))
    assert tell_all() == 1


def test_the_waitlist_of_another_store_is_left_alone(store: Store, danish_store: Store, back: Flow) -> None:
    wait_for(danish_store, make_contact(danish_store))
    say(store, available=5)
    say(danish_store, available=5)
    assert tell_all() == 0


def test_a_price_drop_is_told_against_the_price_that_the_person_saw(store: Store, cheaper: Flow) -> None:
    saw_129, saw_110, saw_100 = (make_contact(store) for _ in range(3))
    for contact, price in ((saw_129, "129.00"), (saw_110, "110.00"), (saw_100, "100.00")):
        look_at(store, contact, price)
    say(store, price="99.00", available=3)
    tell_all()
    drops = {e.contact_id: e.data["product"] for e in Event.objects.filter(kind="price_dropped")}
    assert {pk: data["drop_percent"] for pk, data in drops.items()} == {saw_129.pk: 23, saw_110.pk: 10}
    assert drops[saw_129.pk]["old_price"] == "129.00"
    assert Enrollment.objects.count() == 2


def test_small_steps_add_up_and_each_price_is_told_once(store: Store, cheaper: Flow, still: TestClock) -> None:
    ada = make_contact(store)
    look_at(store, ada, "100.00")
    for minutes, price in ((1, "94.00"), (2, "88.00"), (3, "88.00"), (4, "95.00"), (5, "88.00")):
        still.move(minutes=1)
        say(store, minutes=minutes, price=price)
        tell_all()
    drops = [e.data["product"]["drop_percent"] for e in Event.objects.filter(kind="price_dropped").order_by("pk")]
    assert drops == [6, 12, 5]
    assert Enrollment.objects.count() == 1, "only one of them is large enough for the flow"


def test_who_looked_long_ago_is_not_told_of_a_price(store: Store, cheaper: Flow) -> None:
    look_at(store, make_contact(store), "200.00", at=NOON - timedelta(days=61))
    say(store, price="99.00")
    assert tell_all() == 0


def test_a_run_sees_how_many_there_are_now_and_not_when_it_began(store: Store, still: TestClock) -> None:
    left = {"field": "trigger.product.available", "op": "gt", "value": "0"}
    program = Program(
        triggers=(Trigger("back_in_stock"),),
        instructions=(Wait("w", 1, "hours"), Branch("b", left, 3), Exit("there", "there"), Exit("gone", "gone")),
        reentry=Reentry("always"),
    )
    flow = Flow.objects.create(store=store, name="Back", trigger="back_in_stock", live=True)
    version = FlowVersion.objects.create(store=store, flow=flow, number=1, content_hash="x", program=program.to_json())
    Flow.objects.update(current_version=version)
    wait_for(store, make_contact(store))
    say(store, available=1)
    tell_all()
    advance()
    say(store, minutes=1, available=0)
    still.move(hours=1)
    advance()
    assert Enrollment.objects.get().exit_reason == "gone"


def test_the_number_of_statements_does_not_grow_with_the_people(store: Store, back: Flow) -> None:
    counted = []
    for minutes, people in ((1, 2), (2, 40)):
        for n in range(people):
            wait_for(store, make_contact(store), minutes=n)
        say(store, minutes=minutes, available=100)
        Programs._kept.clear()
        with CaptureQueriesContext(connection) as queries:
            assert tell_stock() == people
        counted.append(len(queries))
    assert counted[0] == counted[1]


def test_the_rules_in_numbers() -> None:
    assert [to_tell(2, 0, 500), to_tell(2, 5, 500), to_tell(2, 9, 500), to_tell(-3, 0, 500)] == [6, 1, 0, 0]
    assert (to_tell(None, 9, 500), to_tell(1000, 0, 500)) == (500, 500)
    assert drop_percent(Decimal("129"), Decimal("99")) == 23
    assert drop_percent(Decimal("99"), Decimal("129")) == drop_percent(Decimal(0), Decimal(0)) == 0
    assert in_turn([(1, False), (2, True), (3, False)], 2) == [2, 1]
    assert UNCOUNTED > 100
