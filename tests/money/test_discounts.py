"""Discounts in flows: who gets one, who gets the text without, what was used, and who is told when there are none."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin import clock
from smsflow_plugin.engine import offers
from smsflow_plugin.engine.advance import advance
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.engine.performing import perform
from smsflow_plugin.flows.program import Discount, Jump, Reentry, Send
from smsflow_plugin.measurement.timeline import timeline
from smsflow_plugin.models import Contact, Decision, Flow, Incentive, Message, Store
from tests.admin.people import make_user
from tests.conftest import TestClock
from tests.engine.helpers import happened, make_flow, pump
from tests.factories import make_contact
from tests.money.shop import Pool, allow, live, offering

pytestmark = pytest.mark.django_db

CART = {"trigger": "checkout_started", "reentry": Reentry("subject")}


@pytest.fixture
def ada(store: Store) -> Contact:
    allow(discounts=1)
    return make_contact(store)


@pytest.fixture(autouse=True)
def _full_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pool, "empty", False)


def texts() -> list[str]:
    return [body.partition(": ")[2].partition("\n")[0] for body in bodies()]


def bodies() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("body", flat=True))


def states() -> list[str]:
    return list(Incentive.objects.order_by("pk").values_list("state", flat=True))


def buys(store: Store, ada: Contact, code: str, kind: str = "order_created", **values: Any) -> None:
    order = {"total": "90.00", "currency": "USD", "discount_codes": [code], **values}
    happened(store, kind, phone=str(ada.phone), subject="1001", key=f"1001{kind}", data={"order": order})
    ingest()


def test_a_code_is_made_and_stands_in_the_ledger(store: Store, ada: Contact) -> None:
    offering(store, "Welcome", minimum="50")
    happened(store, "opted_in", phone=str(ada.phone))
    live()
    given = Incentive.objects.get()
    assert texts()[0].startswith(f"10 off: {given.code}")
    assert (given.state, given.amount, given.minimum, given.given_at) == ("given", 10, 50, clock.now())
    assert given.valid_until == clock.now() + timedelta(days=14)
    assert not Decision.objects.filter(reason="incentive").exists()


def test_two_flows_at_once_the_second_sees_what_the_first_gives_and_its_text_goes_without(
    store: Store, ada: Contact
) -> None:
    offering(store, "Welcome", flow={"priority_number": 1})
    offering(store, "Cart", "15")
    happened(store, "opted_in", phone=str(ada.phone))
    live()
    assert sorted(text.split("-")[0] for text in texts()) == ["10 off: WELCOME", "Cart: come and see."]
    assert sorted(states()) == ["given", "refused"]
    decision = Decision.objects.get(reason="incentive")
    assert (decision.verdict, decision.flow.name) == ("skip", "Cart")
    assert decision.notes == [{"why": "count", "limit": 1, "days": 30, "given": 1}]
    told = [entry.title for entry in timeline(ada)]
    assert "No discount: the rules allow 1 for one person in 30 days." in told
    assert sum(title.startswith("Discount code of") for title in told) == 1


def test_a_later_flow_gives_the_code_again_that_the_person_holds(store: Store, ada: Contact, still: TestClock) -> None:
    offering(store, "Welcome")
    offering(store, "Cart", "10", flow=CART, valid_days=3)
    happened(store, "opted_in", phone=str(ada.phone))
    live()
    still.move(days=2)
    happened(store, "checkout_started", phone=str(ada.phone))
    live()
    [given] = Incentive.objects.all()
    assert [given.code in text for text in texts()] == [True, True]
    assert Decision.objects.get(reason="incentive").verdict == "allow"
    assert "No new code: the person holds one that is as good, and gets it again." in [
        entry.title for entry in timeline(ada)
    ]


def test_the_way_for_no_code_is_taken_when_the_rules_refuse(store: Store, ada: Contact) -> None:
    steps = (Discount("d", "offer", on_failure=3), Send("a", {"": "Code"}), Jump("j", 4), Send("b", {"": "No code"}))
    make_flow(store, *steps)
    allow(discounts=0)
    happened(store, "opted_in", phone=str(ada.phone))
    live()
    assert texts() == ["No code"]


def test_a_discount_is_used_by_an_order_whatever_its_letters_and_a_refund_takes_nothing_back(
    store: Store, ada: Contact
) -> None:
    offering(store, "Welcome")
    happened(store, "opted_in", phone=str(ada.phone))
    live()
    buys(store, ada, Incentive.objects.get().code.lower())
    used = Incentive.objects.get()
    assert (used.redeemed_at, used.order, used.order_value, used.order_currency) == (
        clock.now(), "1001", Decimal("90.00"), "USD",
    )  # fmt: skip
    buys(store, ada, used.code, "order_paid", total="91.00")
    buys(store, ada, used.code, "order_cancelled")
    used.refresh_from_db()
    assert used.order_value == Decimal("90.00")
    assert ("Used the discount code of “Welcome”", "The order came to 90.00 USD.") in [
        (entry.title, entry.detail) for entry in timeline(ada)
    ]


def test_a_code_passed_on_to_a_friend_is_used_and_another_stores_code_is_not(
    store: Store, danish_store: Store, ada: Contact
) -> None:
    offering(store, "Welcome")
    happened(store, "opted_in", phone=str(ada.phone))
    live()
    code = Incentive.objects.get().code
    order = {"order": {"total": "x", "discount_codes": [code, 7, None]}}
    happened(danish_store, "order_created", phone="+4520123456", data=order)
    ingest()
    assert Incentive.objects.get().redeemed_at is None
    happened(store, "order_created", phone="+12025550999", data=order)
    ingest()
    used = Incentive.objects.get()
    assert (used.redeemed_at, used.order_value) == (clock.now(), None)


def test_who_bought_with_ten_is_not_offered_fifteen(store: Store, ada: Contact, still: TestClock) -> None:
    allow(discounts=5)
    offering(store, "Welcome")
    offering(store, "Cart", "15", flow=CART)
    happened(store, "opted_in", phone=str(ada.phone))
    live()
    buys(store, ada, Incentive.objects.get().code)
    still.move(days=1)
    happened(store, "checkout_started", phone=str(ada.phone))
    live()
    assert texts()[1] == "Cart: come and see."
    title = "No discount: 15 % is more than the last one (10 %), and the person bought with that."
    assert title in [entry.title for entry in timeline(ada)]


def test_an_amount_is_weighed_against_the_cart(store: Store, ada: Contact) -> None:
    allow(discounts=None, margin_floor=20, gross_margin=45)
    offering(store, "Cart", "20", kind="amount", flow=CART)
    for subject, total, currency in (("a", "100.00", "USD"), ("b", "70.00", "USD"), ("c", "900.00", "DKK")):
        data = {"cart": {"total": total, "currency": currency}}
        happened(store, "checkout_started", phone=str(ada.phone), subject=subject, data=data)
        live()
        Incentive.objects.update(valid_until=clock.now())
    assert states() == ["given", "refused", "refused"]
    assert [incentive.notes.get("why") for incentive in Incentive.objects.order_by("pk")] == [
        None, "margin", "margin_unknown",
    ]  # fmt: skip


def test_an_empty_pool_is_told_to_the_owner_once_a_day_and_everybody_gets_the_other_text(
    store: Store, still: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow()
    monkeypatch.setattr(Pool, "empty", True)
    flow = offering(store, "Welcome")
    Flow.objects.filter(pk=flow.pk).update(owner=make_user("olga", "Copywriter", store))
    for n in range(100, 105):
        happened(store, "opted_in", phone=f"+1202555{n:04d}", consent="granted")
    live()
    assert texts() == ["Welcome: come and see."] * 5
    assert states() == ["failed"] * 5
    [notice] = mail.outbox
    assert (notice.to, notice.subject) == (["olga@example.com"], "No discount code for “Welcome”")
    assert "The pool of codes is empty." in notice.body
    still.move(days=1)
    happened(store, "opted_in", phone="+12025550110", consent="granted")
    live()
    assert len(mail.outbox) == 2


def test_a_code_that_failed_does_not_count(store: Store, ada: Contact, monkeypatch: pytest.MonkeyPatch) -> None:
    offering(store, "Welcome")
    offering(store, "Cart", "15", flow=CART)
    monkeypatch.setattr(Pool, "empty", True)
    happened(store, "opted_in", phone=str(ada.phone))
    live()
    monkeypatch.setattr(Pool, "empty", False)
    happened(store, "checkout_started", phone=str(ada.phone))
    live()
    assert sorted(states()) == ["failed", "given"]


def test_codes_that_have_run_out_are_said_to_have_and_requests_that_nobody_works_on_fail(
    store: Store, ada: Contact, still: TestClock
) -> None:
    offering(store, "Welcome")
    happened(store, "opted_in", phone=str(ada.phone))
    live()
    still.move(days=15)
    offers.tidy(clock.now())
    assert states() == ["expired"]
    Incentive.objects.update(state="wanted")
    offers.tidy(clock.now())
    assert states() == ["failed"]


def test_the_number_of_statements_does_not_grow_with_the_people(store: Store) -> None:
    allow(discounts=1)
    offering(store, "Welcome")
    offering(store, "Cart", "15")

    def count(numbers: range) -> int:
        for n in numbers:
            happened(store, "opted_in", phone=f"+1202555{n:04d}", consent="granted")
        while ingest():
            pass
        with CaptureQueriesContext(connection) as queries:
            advance()
        pump()
        while perform():
            pump()
        return len(queries)

    count(range(100, 101))
    assert count(range(200, 203)) == count(range(300, 320))
