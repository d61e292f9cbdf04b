"""Discount codes out of a pool: each given once, made in advance, and made now where there is none."""

from __future__ import annotations

import os
from datetime import timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connections

from smsflow_plugin import clock
from smsflow_plugin.engine.discounts import CodeRequest, discount_maker_for
from smsflow_plugin.engine.notices import StaffNotice
from smsflow_plugin.engine.performing import Failed
from smsflow_plugin.integrations.shopify.admin.errors import Unreachable
from smsflow_plugin.integrations.shopify.admin.transport import Answer
from smsflow_plugin.integrations.shopify.writes import filling, pool
from smsflow_plugin.integrations.shopify.writes.codes import ShopifyCodes
from smsflow_plugin.integrations.shopify.writes.definition import definition, new_codes, parent, stretch
from smsflow_plugin.integrations.shopify.writes.models import CodePool, PoolCode
from smsflow_plugin.models import Connection, Incentive, Store
from tests.admin.people import make_user
from tests.conftest import NOON, TestClock
from tests.factories import make_contact
from tests.shopify_writes.conftest import FakeShop, let_in

in_database = pytest.mark.django_db


def request(key: str, *, kind: str = "percent", amount: str = "10", days: int = 7, **values: Any) -> CodeRequest:
    now = clock.now()
    given = {"minimum": None, "prefix": "Welcome", "customer": "Ada", **values}
    return CodeRequest(
        key=key, kind=kind, amount=Decimal(amount), starts_at=now, ends_at=now + timedelta(days=days), **given
    )


def refill(times: int = 20) -> None:
    for _look in range(times):
        if not filling.fill_next():
            return


def test_a_pool_lasts_as_long_as_its_codes_and_they_as_long_as_was_promised() -> None:
    for days in (1, 7, 30, 90):
        now = stretch(days, NOON)
        assert now.starts_at <= NOON < now.until
        assert now.ends_at - now.until == timedelta(days=days)
        assert now.ends_at - NOON <= timedelta(days=days + min(days, 30))
        assert stretch(days, now.until).number == now.number + 1


def test_codes_are_hard_to_guess_and_easy_to_read() -> None:
    found = new_codes("HI", 250)
    assert len(set(found)) == 250
    assert not set("".join(code.removeprefix("HI-") for code in found)) & set("O0I1S5Z2")


def test_the_parent_says_what_was_asked_for() -> None:
    ten = parent(definition("percent", Decimal(10), None, timedelta(days=7), "hi!"), "X", NOON, NOON, "USD")
    assert ten["customerGets"]["value"] == {"percentage": 0.1}
    assert (ten["usageLimit"], ten["appliesOncePerCustomer"], ten["context"]) == (1, True, {"all": "ALL"})
    five = parent(definition("amount", Decimal(5), Decimal(40), timedelta(days=7), ""), "X", NOON, NOON, "DKK")
    assert five["customerGets"]["value"] == {"discountAmount": {"amount": "5.00", "appliesOnEachItem": False}}
    assert five["minimumRequirement"] == {"subtotal": {"greaterThanOrEqualToSubtotal": "40.00"}}
    free = parent(definition("shipping", Decimal(0), None, timedelta(days=7), ""), "X", NOON, NOON, "DKK")
    assert free["destination"] == {"all": True}
    assert "customerGets" not in free


@in_database
def test_the_first_code_costs_one_call_and_the_same_request_gets_it_again(
    connection: Connection, shop: FakeShop, store: Store
) -> None:
    maker = discount_maker_for(store)
    code = maker.make(store, request("1:s:0"))
    assert code.startswith("WELCOME-")
    assert code in shop.codes
    assert maker.make(store, request("1:s:0")) == code
    assert shop.names() == ["DiscountCreate"]
    assert maker.make(store, request("2:s:0")) != code


@in_database
def test_other_discounts_have_other_parents_and_a_new_stretch_a_new_one(
    connection: Connection, shop: FakeShop, store: Store, still: TestClock
) -> None:
    maker = ShopifyCodes()
    for number, values in enumerate(({}, {"amount": "20"}, {"kind": "shipping", "amount": "0"}, {"days": 14})):
        maker.make(store, request(f"{number}", **values))
    assert len(shop.parents) == 4
    still.move(days=8)
    maker.make(store, request("later"))
    assert len(shop.parents) == 5
    ends = max(discount["endsAt"] for discount in shop.parents.values())
    assert ends >= (still() + timedelta(days=7)).strftime("%Y-%m-%d")


@in_database
def test_pools_are_filled_before_they_run_dry_and_grow_with_use(
    connection: Connection, shop: FakeShop, store: Store, still: TestClock
) -> None:
    maker = ShopifyCodes()
    maker.make(store, request("first"))
    refill()
    first = PoolCode.objects.filter(state="free").count()
    assert first >= filling.LEAST
    shop.asked.clear()
    for number in range(first):
        maker.make(store, request(f"r{number}"))
    assert shop.asked == []
    still.move(minutes=1)
    refill()
    still.move(minutes=1)
    refill()
    assert PoolCode.objects.filter(state="free").count() >= first
    assert set(shop.names()) == {"CodesAdd", "CodesAdded"}


@in_database
def test_the_next_pool_is_ready_when_its_stretch_begins(
    connection: Connection, shop: FakeShop, store: Store, still: TestClock
) -> None:
    ShopifyCodes().make(store, request("first", days=1))
    current = CodePool.objects.get()
    still.at = current.until - timedelta(minutes=30)
    PoolCode.objects.filter(state="given").update(given_at=still())
    refill()
    assert CodePool.objects.get(number=current.number + 1).discount


@in_database
def test_a_code_that_is_taken_is_not_given_out(connection: Connection, shop: FakeShop, store: Store) -> None:
    ShopifyCodes().make(store, request("first"))
    original = shop.do_CodesAdd

    def with_one_taken(id: str, codes: list[dict[str, str]]) -> dict[str, Any]:
        shop.codes[codes[0]["code"]] = "somebody else's"
        return original(id, codes)

    shop.do_CodesAdd = with_one_taken  # type: ignore[method-assign]
    refill()
    lost = PoolCode.objects.get(state="lost")
    assert shop.codes[lost.code] == "somebody else's"
    assert PoolCode.objects.filter(state="free").exists()


@in_database
@pytest.mark.parametrize("operation", ["DiscountCreate", "CodesAdd"])
def test_trouble_is_told_to_the_step_and_what_was_cut_off_is_never_given_out(
    connection: Connection, shop: FakeShop, store: Store, still: TestClock, operation: str
) -> None:
    maker = ShopifyCodes()
    if operation == "CodesAdd":
        maker.make(store, request("first"))
    shop.faults[operation] = [Unreachable("Nobody answers.")]
    with pytest.raises(Failed, match="Nobody answers") as failure:
        maker.make(store, request("second"))
    assert failure.value.again
    planned = set(PoolCode.objects.filter(state="making").values_list("code", flat=True))
    assert planned
    assert CodePool.objects.get().trouble == "Nobody answers."
    code = maker.make(store, request("second"))
    assert code in shop.codes
    assert code not in planned
    assert CodePool.objects.get().trouble == ""


@in_database
def test_a_refusal_is_final_and_the_store_is_told_once_a_day(
    connection: Connection, shop: FakeShop, store: Store, still: TestClock
) -> None:
    make_user("ada", "Store admin", store)
    said = {"discountCodeBasicCreate": {"userErrors": [{"message": "Too many discounts."}]}}
    shop.faults["DiscountCreate"] = [Answer(200, {}, {"data": said}) for _try in range(9)]
    with pytest.raises(Failed, match="Too many discounts") as failure:
        ShopifyCodes().make(store, request("first"))
    assert not failure.value.again
    for _look in range(3):
        still.move(minutes=10)
        refill()
    notice = StaffNotice.objects.get()
    assert "Too many discounts." in notice.body
    assert notice.to == ["ada@example.com"]


@in_database
def test_a_slow_shop_is_waited_for_and_then_asked_again_later(
    connection: Connection, shop: FakeShop, store: Store, still: TestClock
) -> None:
    maker = ShopifyCodes()
    maker.make(store, request("first"))
    shop.slow = True
    with pytest.raises(Failed) as failure:
        maker.make(store, request("second"))
    assert failure.value.again
    shop.slow = False
    assert maker.make(store, request("second")) in shop.codes
    assert shop.names().count("CodesAdd") == 1


@in_database
def test_killed_after_shopify_made_them_the_codes_are_given_up(
    connection: Connection, shop: FakeShop, store: Store, still: TestClock
) -> None:
    maker = ShopifyCodes()
    maker.make(store, request("first"))
    shop.cut_off = {"CodesAdd"}
    with pytest.raises(KeyboardInterrupt):
        maker.make(store, request("second"))
    CodePool.objects.update(working_until=clock.now() + filling.LEASE)
    with pytest.raises(Failed):
        maker.make(store, request("second"))
    still.move(minutes=3)
    orphans = set(PoolCode.objects.filter(state="making").values_list("code", flat=True))
    assert maker.make(store, request("second")) not in orphans
    assert set(PoolCode.objects.filter(state="lost").values_list("code", flat=True)) == orphans


@in_database
def test_without_a_grant_there_is_no_code_and_nobody_is_asked(shop: FakeShop, store: Store, still: TestClock) -> None:
    with pytest.raises(Failed, match="granted nothing") as failure:
        ShopifyCodes().make(store, request("first"))
    assert not failure.value.again
    refill()
    assert shop.asked == []


@in_database
def test_an_order_with_the_code_is_noted_as_its_use(connection: Connection, shop: FakeShop, store: Store) -> None:
    from smsflow_plugin.governance.incentives import code_key
    from tests.shopify_writes.conftest import deliver

    code = ShopifyCodes().make(store, request("first"))
    ada = make_contact(store)
    given = Incentive.objects.create(
        store=store, contact=ada, step="s", kind="percent", amount=10, state="given", code=code,
        code_key=code_key(code), wanted_at=clock.now(), given_at=clock.now(), valid_until=clock.now(),
    )  # fmt: skip
    order = {
        "id": 5, "name": "#1005", "phone": ada.phone, "created_at": clock.now().isoformat(), "total_price": "90.00",
        "currency": "USD", "discount_codes": [{"code": code.lower(), "amount": "10.00", "type": "percentage"}],
        "source_name": "web",
    }  # fmt: skip
    deliver(store, ("orders/create", order))
    given.refresh_from_db()
    assert given.redeemed_at is not None
    assert given.order_value == Decimal("90.00")


@in_database
def test_pools_that_ran_out_long_ago_are_forgotten(
    connection: Connection, shop: FakeShop, store: Store, still: TestClock
) -> None:
    ShopifyCodes().make(store, request("first"))
    still.move(days=110)
    assert filling.tidy() == 2


@pytest.mark.postgres
@pytest.mark.skipif("postgres" not in os.environ.get("DATABASE_URL", ""), reason="Needs PostgreSQL's row locks.")
@pytest.mark.django_db(transaction=True)
def test_many_workers_never_give_a_code_twice(shop: FakeShop, store: Store) -> None:
    let_in(store)
    wanted = request("")
    own = definition(wanted.kind, wanted.amount, None, timedelta(days=7), "WELCOME")
    found = pool.pool_for(store.connections.get(kind="shopify"), own, clock.now())
    PoolCode.objects.bulk_create(
        PoolCode(store=store, pool=found, code=code, state="free") for code in new_codes("WELCOME", 60)
    )
    given: list[tuple[str, str | None]] = []
    start = Barrier(8)

    def worker(name: int) -> None:
        try:
            start.wait()
            for number in range(12):
                # every other request is that of another worker, too
                key = f"shared:{number}" if number % 2 else f"{name}:{number}"
                given.append((key, pool.take(found, key)))
        finally:
            connections.close_all()

    threads = [Thread(target=worker, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    by_key: dict[str, set[str | None]] = {}
    for key, code in given:
        by_key.setdefault(key, set()).add(code)
    assert all(len(codes) == 1 for codes in by_key.values())
    codes = [next(iter(one)) for one in by_key.values()]
    assert None not in codes
    assert len(set(codes)) == len(codes) == 54
