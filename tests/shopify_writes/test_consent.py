"""Consent goes out: what is said here is known in Shopify, once, and never to the wrong number."""

from __future__ import annotations

import os
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connections

from smsflow_plugin.integrations.shopify.admin import client, tokens, transport
from smsflow_plugin.integrations.shopify.admin.errors import Unreachable
from smsflow_plugin.integrations.shopify.admin.transport import Answer
from smsflow_plugin.integrations.shopify.models import Grant
from smsflow_plugin.integrations.shopify.writes import outbox
from smsflow_plugin.integrations.shopify.writes.models import Turn, Write
from smsflow_plugin.integrations.shopify.writes.wishes import Wishes, with_wishes
from smsflow_plugin.models import Connection, ConsentRecord, Identity, Store
from tests.conftest import NOON, TestClock
from tests.factories import make_contact, make_store
from tests.shopify_writes.conftest import Customer, FakeShop, let_in, make_customer, say, work

pytestmark = pytest.mark.django_db


def outcome(contact: Any) -> str:
    return Write.objects.get(contact=contact, kind="consent").outcome


def wish(connection: Connection, **values: bool) -> None:
    connection.settings = with_wishes(connection.settings, Wishes(**values))
    connection.save(update_fields=["settings"])


def test_a_stop_here_is_an_unsubscribe_there_with_its_own_time(
    connection: Connection, shop: FakeShop, store: Store, still: TestClock
) -> None:
    ada = make_customer(shop, store)
    shop.customers["77"].state = "SUBSCRIBED"
    say(ada, "revoked", scope="all")
    still.move(minutes=3)
    work()
    assert shop.customers["77"].state == "UNSUBSCRIBED"
    assert shop.customers["77"].at == NOON.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert outcome(ada) == "done"


@pytest.mark.parametrize(("level", "theirs"), [("confirmed", "CONFIRMED_OPT_IN"), ("single", "SINGLE_OPT_IN")])
def test_an_opt_in_goes_out_with_its_level(
    connection: Connection, shop: FakeShop, store: Store, level: str, theirs: str
) -> None:
    from smsflow_plugin.audience.consent import Proof

    say(make_customer(shop, store), "granted", source="form", proof=Proof(opt_in_level=level))
    work()
    assert (shop.customers["77"].state, shop.customers["77"].level) == ("SUBSCRIBED", theirs)


def test_what_came_from_shopify_is_not_told_to_it(connection: Connection, shop: FakeShop, store: Store) -> None:
    for source in ("shopify_customer", "shopify_checkout", "shopify_import"):
        say(make_customer(shop, store, source), "granted", source=source)
    work()
    assert not Write.objects.exists()
    assert not shop.asked


def test_what_shopify_has_already_is_not_written_again(connection: Connection, shop: FakeShop, store: Store) -> None:
    ada = make_customer(shop, store)
    shop.customers["77"].state = "UNSUBSCRIBED"
    say(ada, "revoked")
    work()
    assert outcome(ada) == "same"
    assert shop.names() == ["CustomerConsents"]


def test_only_the_last_of_several_changes_is_written(connection: Connection, shop: FakeShop, store: Store) -> None:
    ada = make_customer(shop, store)
    say(ada, "granted", effective_at=NOON - timedelta(minutes=2))
    say(ada, "revoked", scope="all", effective_at=NOON - timedelta(minutes=1))
    work()
    assert shop.customers["77"].state == "UNSUBSCRIBED"
    assert shop.names().count("SmsConsentUpdate") == 1


def test_what_shopify_heard_later_stands(connection: Connection, shop: FakeShop, store: Store) -> None:
    ada = make_customer(shop, store)
    shop.customers["77"].state, shop.customers["77"].at = "UNSUBSCRIBED", "2026-03-04T15:59:00Z"
    say(ada, "granted", effective_at=NOON - timedelta(hours=1))
    work()
    assert outcome(ada) == "newer"
    assert shop.customers["77"].state == "UNSUBSCRIBED"


@pytest.mark.parametrize("theirs", ["SUBSCRIBED", "UNSUBSCRIBED"])
def test_a_question_takes_back_no_answer_that_shopify_has(
    connection: Connection, shop: FakeShop, store: Store, theirs: str
) -> None:
    """Somebody typed the number into a form here. What its owner has said in the shop is not undone by that."""
    ada = make_customer(shop, store, marketing_consent="unknown")
    shop.customers["77"].state, shop.customers["77"].at = theirs, "2025-03-04T15:59:00Z"
    say(ada, "pending", source="form")
    work()
    assert shop.customers["77"].state == theirs
    assert outcome(ada) == "nothing"


def test_a_stop_wins_over_our_own_yes_that_shopify_dates_later(
    connection: Connection, shop: FakeShop, store: Store, still: TestClock
) -> None:
    """Shopify might give its own time to what we write; that does not make it newer than what the person said since."""
    ada = make_customer(shop, store)
    say(ada, "granted")
    still.move(seconds=30)
    original = shop.do_SmsConsentUpdate

    def dated_by_shopify(input: dict[str, Any]) -> dict[str, Any]:
        input["smsMarketingConsent"]["consentUpdatedAt"] = "2026-03-04T16:05:00Z"
        return original(input)

    shop.do_SmsConsentUpdate = dated_by_shopify  # type: ignore[method-assign]
    work()
    shop.do_SmsConsentUpdate = original  # type: ignore[method-assign]
    say(ada, "revoked", scope="all")
    work()
    assert shop.customers["77"].state == "UNSUBSCRIBED"


def test_consent_is_never_written_to_another_number(connection: Connection, shop: FakeShop, store: Store) -> None:
    ada = make_customer(shop, store)
    shop.customers["77"].phone = "+12025550111"
    say(ada, "granted")
    work()
    assert outcome(ada) == "other_phone"
    assert shop.customers["77"].state == "NOT_SUBSCRIBED"


def test_a_customer_without_a_number_is_left_alone_unless_the_store_wants_it(
    connection: Connection, shop: FakeShop, store: Store
) -> None:
    ada = make_customer(shop, store)
    shop.customers["77"].phone = None
    say(ada, "granted")
    work()
    assert outcome(ada) == "no_phone"
    wish(connection, phones=True)
    say(ada, "granted")
    work()
    assert (shop.customers["77"].phone, shop.customers["77"].state) == (ada.phone, "SUBSCRIBED")
    assert shop.names()[-2:] == ["CustomerPhone", "SmsConsentUpdate"]


def test_whom_nobody_has_named_is_found_by_the_number_and_remembered(
    connection: Connection, shop: FakeShop, store: Store
) -> None:
    ada = make_contact(store)
    shop.customers["501"] = Customer(phone=ada.phone)
    say(ada, "granted")
    work()
    assert shop.customers["501"].state == "SUBSCRIBED"
    assert Identity.objects.get(contact=ada, kind="customer").value == "501"


def test_nobody_is_created_in_the_shop_and_told_once_they_turn_up(
    connection: Connection, shop: FakeShop, store: Store
) -> None:
    ada = make_contact(store)
    say(ada, "granted")
    work()
    assert outcome(ada) == "no_customer"
    assert outbox.look_again() == 0
    Identity.objects.create(store=store, contact=ada, kind="customer", value="78")
    shop.customers["78"] = Customer(phone=ada.phone)
    assert outbox.look_again() == 1
    work()
    assert shop.customers["78"].state == "SUBSCRIBED"


def test_a_store_may_switch_it_off(connection: Connection, shop: FakeShop, store: Store) -> None:
    wish(connection, consent=False)
    say(make_customer(shop, store), "granted")
    work()
    assert not Write.objects.exists()


def test_a_shop_without_a_grant_is_told_everything_once_there_is_one(
    shop: FakeShop, store: Store, still: TestClock
) -> None:
    ada = make_customer(shop, store)
    say(ada, "granted")
    work()
    assert not shop.asked
    let_in(store)
    work()
    assert shop.customers["77"].state == "SUBSCRIBED"


def test_mistakes_are_parked_with_shopifys_words_and_tried_again_on_demand(
    connection: Connection, shop: FakeShop, store: Store
) -> None:
    ada = make_customer(shop, store)
    said = {"customerSmsMarketingConsentUpdate": {"userErrors": [{"code": "INVALID", "message": "No such state."}]}}
    shop.faults["SmsConsentUpdate"] = [Answer(200, {}, {"data": said})]
    say(ada, "granted")
    work()
    row = Write.objects.get()
    assert (row.outcome, row.detail, row.is_waiting) == ("parked", "No such state.", False)
    assert outbox.retry([row.pk]) == 1
    work()
    assert outcome(ada) == "done"


def test_silence_is_waited_out_longer_and_longer_and_ends_with_a_person(
    connection: Connection, shop: FakeShop, store: Store, still: TestClock
) -> None:
    ada = make_customer(shop, store)
    shop.faults["SmsConsentUpdate"] = [Unreachable("Nobody answers.") for _try in range(7)]
    say(ada, "granted")
    work()
    assert outcome(ada) == "trouble"
    work()
    assert shop.names().count("SmsConsentUpdate") == 1
    for hours in range(7):
        still.move(hours=hours * 3 + 1)
        work()
    row = Write.objects.get()
    assert (row.outcome, row.detail) == ("parked", "Nobody answers.")


def test_a_token_that_was_revoked_holds_everything_until_there_is_another(
    connection: Connection, shop: FakeShop, store: Store, still: TestClock
) -> None:
    ada = make_customer(shop, store)
    shop.faults["CustomerConsents"] = [Answer(401, {}, None)]
    say(ada, "granted")
    work()
    assert Grant.objects.get().broken_at is not None
    asked = len(shop.asked)
    still.move(hours=1)
    work()
    assert len(shop.asked) == asked
    let_in(store, "token-2")
    work()
    assert outcome(ada) == "done"


def test_a_missing_scope_is_waited_for(connection: Connection, shop: FakeShop, store: Store, still: TestClock) -> None:
    let_in(store, scopes=("read_customers",))
    ada = make_customer(shop, store)
    say(ada, "granted")
    still.move(seconds=1)
    work()
    assert outcome(ada) == "held"
    work()
    assert not [name for name in shop.names() if name == "SmsConsentUpdate"]
    still.move(minutes=1)
    let_in(store)
    work()
    assert outcome(ada) == "done"


def test_killed_between_call_and_mark_it_is_not_written_twice(
    connection: Connection, shop: FakeShop, store: Store, still: TestClock
) -> None:
    ada = make_customer(shop, store)
    say(ada, "granted")
    shop.cut_off = {"SmsConsentUpdate"}
    with pytest.raises(KeyboardInterrupt):
        outbox.write_out()
    # a process that is killed gives nothing back
    Turn.objects.update(held_until=still() + outbox.LEASE)
    assert outbox.write_out() == 0
    still.move(minutes=4)
    work()
    assert shop.names().count("SmsConsentUpdate") == 1
    assert outcome(ada) == "same"


def test_a_shop_that_is_throttled_holds_up_no_other(
    connection: Connection, shop: FakeShop, store: Store, still: TestClock
) -> None:
    other = make_store(name="Bolton", domain="bolton.myshopify.com")
    let_in(other, "token-b")
    for number in range(60):
        say(make_customer(shop, store, f"1{number:02}"), "granted")
    bob = make_customer(shop, other, "9")
    say(bob, "granted")
    slow = {"extensions": {"code": "THROTTLED"}, "message": "Throttled"}
    status = {"currentlyAvailable": 0, "maximumAvailable": 2000, "restoreRate": 1}
    cost = {"requestedQueryCost": 100, "throttleStatus": status}
    throttled = Answer(200, {}, {"errors": [slow], "extensions": {"cost": cost}})
    shop.faults["SmsConsentUpdate"] = [throttled]
    outbox.write_out()
    outbox.write_out()
    assert outcome(bob) == "done"
    assert not Write.objects.filter(store=store, outcome="done").exists()
    still.move(minutes=5)
    client._buckets.clear()  # it fills up by the machine's clock
    work()
    assert Write.objects.filter(store=store, outcome="done").count() == 60


def test_shops_take_turns_and_an_opt_out_goes_first(
    connection: Connection, shop: FakeShop, store: Store, still: TestClock
) -> None:
    other = make_store(name="Bolton", domain="bolton.myshopify.com")
    let_in(other, "token-b")
    for number in range(40):
        say(make_customer(shop, store, f"1{number:02}"), "granted", source="import")
    late = make_customer(shop, store, "200")
    shop.customers["200"].state = "SUBSCRIBED"
    say(late, "revoked", scope="all")
    bob = make_customer(shop, other, "9")
    say(bob, "granted")
    outbox.write_out()
    assert outcome(late) == "done"
    still.move(seconds=1)
    outbox.write_out()
    assert outcome(bob) == "done"
    assert Write.objects.filter(store=store, outcome="done").count() == outbox.CLAIM


def test_a_change_while_it_is_written_goes_out_after_it(connection: Connection, shop: FakeShop, store: Store) -> None:
    ada = make_customer(shop, store)
    say(ada, "granted", effective_at=NOON - timedelta(minutes=5))
    original = shop.do_SmsConsentUpdate

    def with_a_stop_meanwhile(input: dict[str, Any]) -> dict[str, Any]:
        shop.do_SmsConsentUpdate = original  # type: ignore[method-assign]
        say(ada, "revoked", scope="all")
        return original(input)

    shop.do_SmsConsentUpdate = with_a_stop_meanwhile  # type: ignore[method-assign]
    work()
    assert shop.names().count("SmsConsentUpdate") == 2
    assert shop.customers["77"].state == "UNSUBSCRIBED"


def test_the_statements_of_a_turn_do_not_grow_with_what_is_read(
    connection: Connection, shop: FakeShop, store: Store
) -> None:
    for number in range(outbox.CLAIM):
        shop_customer = make_customer(shop, store, f"1{number:02}")
        shop.customers[f"1{number:02}"].state = "UNSUBSCRIBED"
        say(shop_customer, "revoked")
    outbox.write_out()
    assert shop.names() == ["CustomerConsents"]
    assert not Write.objects.waiting().exists()  # type: ignore[attr-defined]


def test_the_ledger_is_told_of_nothing_by_writing_out(connection: Connection, shop: FakeShop, store: Store) -> None:
    say(make_customer(shop, store), "granted")
    work()
    assert ConsentRecord.objects.count() == 1
    assert tokens.usable(connection)


def test_erasing_a_person_leaves_nothing_in_the_outbox(connection: Connection, shop: FakeShop, store: Store) -> None:
    from smsflow_plugin.engine.erasing import erase

    ada = make_customer(shop, store)
    say(ada, "granted")
    erase(ada)
    assert not Write.objects.exists()
    work()
    assert not shop.asked


@pytest.mark.postgres
@pytest.mark.skipif("postgres" not in os.environ.get("DATABASE_URL", ""), reason="Needs PostgreSQL's row locks.")
@pytest.mark.django_db(transaction=True)
def test_many_workers_write_each_change_once_and_each_with_its_own_shops_token(
    shop: FakeShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = [make_store(name=name, domain=f"{name}.myshopify.com") for name in ("one", "two", "three")]
    tokens_of: dict[str, str] = {}
    for store in stores:
        token = f"token-{store.name}"
        let_in(store, token)
        for number in range(40):
            contact = make_customer(shop, store, f"{store.pk}{number:03}")
            tokens_of[f"{store.pk}{number:03}"] = token
            say(contact, "granted")
    strangers: list[str] = []

    def post(url: str, body: Any, headers: Any = None) -> Answer:
        if body["operationName"] == "SmsConsentUpdate":
            number = body["variables"]["input"]["customerId"].rpartition("/")[2]
            if headers["X-Shopify-Access-Token"] != tokens_of[number] or tokens_of[number][6:] not in url:
                strangers.append(number)
        return shop.post(url, body, headers)

    monkeypatch.setattr(transport, "post", post)

    def worker() -> None:
        try:
            for _turn in range(12):
                outbox.write_out()
        finally:
            connections.close_all()

    threads = [Thread(target=worker) for _worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    work()
    assert strangers == []
    assert shop.names().count("SmsConsentUpdate") == 120
    assert Write.objects.filter(outcome="done").count() == 120
