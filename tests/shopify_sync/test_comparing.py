"""What webhooks have lost is found, told once, and never told too late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from smsflow_plugin import clock
from smsflow_plugin.audience.consent import Consent
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.engine.writing import Entry, write_people
from smsflow_plugin.events.facts import Person, PersonFact, RawDelivery, StoreInfo
from smsflow_plugin.events.inbox import store_delivery
from smsflow_plugin.events.models import Delivery, Event
from smsflow_plugin.flows.program import Send, Wait
from smsflow_plugin.integrations.shopify.admin.errors import Unreachable
from smsflow_plugin.integrations.shopify.admin.transport import Answer
from smsflow_plugin.integrations.shopify.models import Grant, SyncFind, SyncRun, SyncState
from smsflow_plugin.integrations.shopify.sync import comparing, mapping
from smsflow_plugin.integrations.shopify.sync.comparing import compare_shops, state_of
from smsflow_plugin.integrations.shopify.translate import translate
from smsflow_plugin.models import Connection, ConsentRecord, Contact, Store
from tests.conftest import NOON, TestClock
from tests.engine.helpers import make_flow
from tests.factories import make_store
from tests.shopify_sync.conftest import Shop, ago, checkout, customer, granted, order, subscribed

pytestmark = pytest.mark.django_db

THROTTLED = Answer(200, {}, {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]})


@pytest.fixture
def state(connection: Connection, grant: Grant) -> SyncState:
    """We have listened for two days, and were away for the last one."""
    made = state_of(connection)
    day, two = NOON - timedelta(days=1), NOON - timedelta(days=2)
    SyncState.objects.update(since=two, customers_at=day, orders_at=day, checkouts_at=day)
    made.refresh_from_db()
    return made


def compare(clock_of_test: TestClock) -> None:
    """Compare, read, and compare on, until the run is over."""
    for _round in range(6):
        compare_shops()
        while ingest():
            pass
        if not SyncState.objects.exclude(run=None).exists():
            break
        clock_of_test.move(seconds=21)
    for store_id in Store.objects.values_list("pk", flat=True):
        comparing.settle(store_id)


def found(state: str = "recovered") -> list[tuple[str, str]]:
    return list(SyncFind.objects.filter(state=state).order_by("pk").values_list("topic", "label"))


def webhook(store: Store, topic: str, payload: dict[str, Any], key: str = "hook-1") -> None:
    store_delivery(
        store_id=store.pk, source="shopify", external_id=key, topic=topic,
        headers={"x-shopify-triggered-at": payload["updated_at"]}, body=mapping.body(payload) + b"\n",
    )  # fmt: skip
    while ingest():
        pass


def test_what_was_missed_is_told_as_a_webhook_would(
    store: Store, state: SyncState, shop: Shop, still: TestClock
) -> None:
    shop.customers = [customer(1, ago(hours=5), tags=["VIP"], phone=subscribed(ago(hours=5)))]
    shop.orders = [order(n, ago(hours=n)) for n in (3, 2, 1)]
    shop.abandonedCheckouts = [checkout("c9", ago(hours=1), of=2)]
    compare(still)
    ada = Contact.objects.get(phone="+12025550001")
    assert (ada.first_name, ada.tags, ada.marketing_consent, ada.orders_count) == ("Ada", ["VIP"], "granted", 3)
    line = ConsentRecord.objects.get()
    assert (line.effective_at, line.opt_in_level) == (NOON - timedelta(hours=5), "single")
    kinds = sorted(Event.objects.exclude(kind="tag_added").values_list("kind", flat=True))
    assert kinds == ["checkout_updated", "customer_created", "opted_in", *3 * ["order_created"], *3 * ["order_paid"]]
    assert SyncRun.objects.get().seen == 5
    assert len(found()) == 10
    assert not found("waiting")


def test_what_a_webhook_has_told_is_not_told_again(
    store: Store, state: SyncState, shop: Shop, still: TestClock
) -> None:
    node = order(1, ago(hours=1), displayFinancialStatus="PENDING")
    webhook(store, "orders/create", mapping.order(node))
    shop.orders = [node]
    compare(still)
    assert not SyncFind.objects.exists()
    assert Event.objects.count() == 1


def test_a_webhook_that_comes_later_is_the_same_event(
    store: Store, state: SyncState, shop: Shop, still: TestClock
) -> None:
    node = order(1, ago(hours=1))
    shop.orders = [node]
    compare(still)
    webhook(store, "orders/create", mapping.order(node), "hook-1")
    webhook(store, "orders/paid", mapping.order(node), "hook-2")
    assert sorted(Event.objects.values_list("kind", flat=True)) == ["order_created", "order_paid"]
    assert Contact.objects.get().orders_count == 1


def test_a_webhook_that_is_being_read_meanwhile_wins(
    store: Store, state: SyncState, shop: Shop, still: TestClock
) -> None:
    node = order(1, ago(hours=1), displayFinancialStatus="PENDING")
    payload = mapping.order(node)
    shop.orders = [node]
    shop.faults = [lambda: store_delivery(
        store_id=store.pk, source="shopify", external_id="hook", topic="orders/create", headers={},
        body=mapping.body(payload) + b"\n",
    ) and None]  # fmt: skip
    compare(still)
    assert found("known") == [("orders/create", "#1")]
    assert Event.objects.count() == 1


def test_comparing_twice_finds_nothing_more(store: Store, state: SyncState, shop: Shop, still: TestClock) -> None:
    shop.customers = [customer(1, ago(minutes=5), phone=subscribed(None))]
    shop.orders = [order(1, ago(minutes=4))]
    shop.abandonedCheckouts = [checkout("c9", ago(hours=19), of=2), checkout("c8", ago(minutes=2), of=3)]
    compare(still)
    before = SyncFind.objects.count(), Delivery.objects.count(), Event.objects.count()
    SyncState.objects.update(next_at=clock.now())
    compare(still)
    assert (SyncFind.objects.count(), Delivery.objects.count(), Event.objects.count()) == before
    assert SyncRun.objects.count() == 2


class TestCarts:
    def test_one_of_yesterday_is_let_go(self, store: Store, state: SyncState, shop: Shop, still: TestClock) -> None:
        make_flow(store, Wait("w", 1, "hours"), Send("s", {"": "Your cart"}), trigger="checkout_updated")
        shop.abandonedCheckouts = [checkout("old", ago(hours=19, minutes=10)), checkout("new", ago(hours=2), of=2)]
        compare(still)
        ignored = SyncFind.objects.get(state="ignored")
        assert (ignored.label, ignored.reason, ignored.hours, ignored.delivery) == ("old", "too_old", 19, None)
        assert Enrollment.objects.get().contact.phone == "+12025550002"

    def test_one_whose_order_was_missed_too_is_bought(
        self, store: Store, state: SyncState, shop: Shop, still: TestClock
    ) -> None:
        make_flow(store, Wait("w", 1, "hours"), Send("s", {"": "Your cart"}), trigger="checkout_updated")
        shop.customers = [customer(1, ago(hours=3))]
        shop.orders = [order(5, ago(hours=1))]
        shop.abandonedCheckouts = [checkout("c1", ago(hours=2))]
        compare(still)
        assert SyncFind.objects.get(state="ignored").reason == "bought"
        assert not Enrollment.objects.exists()

    def test_a_guests_order_counts_by_the_number(
        self, store: Store, state: SyncState, shop: Shop, still: TestClock
    ) -> None:
        shop.orders = [order(5, ago(hours=1), customer=None, phone="+12025550001")]
        shop.abandonedCheckouts = [checkout("c1", ago(hours=2))]
        compare(still)
        assert SyncFind.objects.get(state="ignored").reason == "bought"

    def test_an_order_in_another_store_is_none_here(
        self, store: Store, state: SyncState, shop: Shop, still: TestClock
    ) -> None:
        other = make_store(name="Other", domain="other.myshopify.com")
        Contact.objects.create(store=other, phone="+12025550001", last_order_at=NOON)
        shop.abandonedCheckouts = [checkout("c1", ago(hours=2))]
        compare(still)
        assert found() == [("checkouts/update", "c1")]

    def test_a_completed_one_is_no_cart(self, store: Store, state: SyncState, shop: Shop, still: TestClock) -> None:
        shop.abandonedCheckouts = [checkout("c1", ago(hours=2), completedAt=ago(hours=1))]
        compare(still)
        assert not SyncFind.objects.exists()

    def test_one_whose_token_nobody_knows_is_let_go(
        self, store: Store, state: SyncState, shop: Shop, still: TestClock
    ) -> None:
        shop.abandonedCheckouts = [checkout("c1", ago(hours=2), abandonedCheckoutUrl="https://x.example/")]
        compare(still)
        assert SyncFind.objects.get(state="ignored").reason == "no_token"


class TestHistory:
    """What was before we listened was never missed."""

    def test_an_old_order_that_changes_now_is_not_recovered(
        self, store: Store, state: SyncState, shop: Shop, still: TestClock
    ) -> None:
        shop.orders = [order(1, ago(hours=1), createdAt=ago(days=90), processedAt=ago(days=90))]
        compare(still)
        assert not SyncFind.objects.exists()

    def test_an_order_that_we_know_and_that_was_paid_since_is(
        self, store: Store, state: SyncState, shop: Shop, still: TestClock
    ) -> None:
        old = order(1, ago(days=3), displayFinancialStatus="PENDING")
        webhook(store, "orders/create", mapping.order(old))
        shop.orders = [{**old, "updatedAt": ago(hours=1), "displayFinancialStatus": "PAID"}]
        compare(still)
        assert found() == [("orders/paid", "#1")]

    def test_an_imported_order_that_is_only_touched_was_paid_long_ago(
        self, store: Store, state: SyncState, shop: Shop, still: TestClock
    ) -> None:
        make_flow(store, Send("s1", "Thanks for paying!"), trigger="order_paid")
        old = order(1, ago(days=90))
        raw = RawDelivery("shopify", "orders/create", "history", {}, mapping.body(mapping.order(old)), clock.now())
        (fact,) = translate(raw, StoreInfo("US", "UTC", "en", "USD")).facts
        assert isinstance(fact, PersonFact)
        with transaction.atomic():
            write_people([Entry(None, store.pk, fact)], {store.pk: store}, NOON, heard=lambda event: False)
        shop.orders = [{**old, "updatedAt": ago(hours=1)}]
        compare(still)
        assert not Event.objects.filter(kind="order_paid").exists()
        assert not Enrollment.objects.exists()

    def test_an_order_of_a_long_outage_that_is_only_touched_starts_nothing(
        self, store: Store, state: SyncState, shop: Shop, still: TestClock
    ) -> None:
        """The app was taken away for months, and is back: what is told now of then is no news."""
        make_flow(store, Send("s1", "Thanks for paying!"), trigger="order_paid")
        SyncState.objects.update(since=NOON - timedelta(days=200))
        shop.orders = [order(1, ago(hours=1), createdAt=ago(days=90), processedAt=ago(days=90))]
        compare(still)
        assert found() == [("orders/create", "#1")]
        shop.orders = [{**shop.orders[0], "updatedAt": ago(minutes=2)}]
        SyncState.objects.update(next_at=clock.now())
        compare(still)
        assert not Enrollment.objects.exists()

    def test_a_yes_without_a_date_is_no_news_of_today(
        self, store: Store, state: SyncState, shop: Shop, still: TestClock
    ) -> None:
        make_flow(store, Send("s1", "Welcome!"), trigger="opted_in")
        shop.customers = [customer(1, ago(minutes=5), createdAt=ago(days=400), phone=subscribed(None))]
        compare(still)
        assert Contact.objects.get().marketing_consent == "granted"
        assert not Enrollment.objects.exists()

    def test_a_cancellation_is(self, store: Store, state: SyncState, shop: Shop, still: TestClock) -> None:
        shop.orders = [order(1, ago(hours=1), createdAt=ago(days=90), cancelledAt=ago(hours=1))]
        compare(still)
        assert found() == [("orders/cancelled", "#1")]


def test_stop_is_not_undone_by_what_was_said_before(
    store: Store, state: SyncState, shop: Shop, still: TestClock
) -> None:
    shop.customers = [customer(1, ago(hours=20))]
    compare(still)
    ada = Contact.objects.get(phone="+12025550001")
    stop = Consent("revoked", "all", "keyword", NOON - timedelta(hours=1), key="stop", own_words=True)
    with transaction.atomic():
        write_people([Entry(None, store.pk, PersonFact(Person(phone=ada.phone), (stop,)))], {store.pk: store}, NOON)
    shop.customers = [customer(1, ago(minutes=5), phone=subscribed(ago(hours=3)))]
    SyncState.objects.update(next_at=clock.now())
    compare(still)
    ada = Contact.objects.get(phone="+12025550001")
    assert (ada.marketing_consent, ada.service_consent) == ("revoked", "revoked")
    assert ConsentRecord.objects.count() == 2


def test_a_tag_that_was_taken_away_since_stays_away(
    store: Store, state: SyncState, shop: Shop, still: TestClock
) -> None:
    shop.customers = [customer(1, ago(hours=2), tags=["VIP"])]
    compare(still)
    Contact.objects.update(tags=[], profile_at=NOON - timedelta(hours=1))
    SyncState.objects.update(next_at=clock.now(), customers_at=NOON - timedelta(hours=5))
    compare(still)
    assert Contact.objects.get().tags == []


class TestTrouble:
    def test_a_shop_that_is_slow_keeps_nobody_waiting(
        self, store: Store, state: SyncState, shop: Shop, still: TestClock
    ) -> None:
        other = make_store(name="Other", domain="other.myshopify.com", sender="+12025550177")
        connection = other.connections.get(kind="shopify")
        granted(connection)
        state_of(connection)
        SyncState.objects.filter(pk=state.pk).update(next_at=NOON - timedelta(hours=1))
        slow = Answer(429, {"Retry-After": "40"}, None)
        shop.faults = [slow]
        assert compare_shops() == 1
        state.refresh_from_db()
        assert state.next_at == NOON + timedelta(seconds=40)
        assert state.run is not None
        assert compare_shops() == 1  # the other one
        assert SyncRun.objects.get(store=other).finished_at == NOON
        assert compare_shops() == 0

    def test_an_outage_is_shown_and_forgotten(
        self, store: Store, state: SyncState, shop: Shop, still: TestClock
    ) -> None:
        shop.faults = [Unreachable("Shopify does not answer.")]
        compare_shops()
        assert SyncRun.objects.get().trouble == "Shopify does not answer."
        still.move(minutes=5)
        compare_shops()
        run = SyncRun.objects.get()
        assert (run.trouble, run.finished_at) == ("", NOON + timedelta(minutes=5))

    def test_what_is_not_granted_is_left_out_and_said(
        self, store: Store, connection: Connection, shop: Shop, still: TestClock
    ) -> None:
        granted(connection, "read_customers")
        state_of(connection)
        compare_shops()
        run = SyncRun.objects.get()
        assert run.finished_at
        assert "read_orders" in run.trouble
        assert [name for name, _variables in shop.asked] == ["CustomersChanged"]

    def test_a_shop_that_was_lost_is_not_asked(
        self, store: Store, state: SyncState, grant: Grant, shop: Shop, still: TestClock
    ) -> None:
        Grant.objects.update(broken_at=NOON)
        assert compare_shops() == 0

    def test_a_worker_that_is_killed_leaves_nothing_out(
        self, store: Store, state: SyncState, shop: Shop, still: TestClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shop.orders = [order(n, ago(hours=n)) for n in (9, 8, 7, 6, 5)]
        real, calls = comparing._store, []

        def dies_after_writing(*args: Any) -> None:
            real(*args)
            calls.append(1)
            if len(calls) == 2:
                raise KeyboardInterrupt  # in the middle of the second page

        monkeypatch.setattr(comparing, "_store", dies_after_writing)
        with pytest.raises(KeyboardInterrupt):
            compare_shops()
        monkeypatch.undo()
        assert Delivery.objects.count() == 4  # of the first page, paid and created
        monkeypatch.setattr("smsflow_plugin.integrations.shopify.admin.transport.post", shop.post)
        state.refresh_from_db()
        assert state.orders_at == NOON - timedelta(hours=8)
        assert compare_shops() == 0  # the lease of the dead
        still.move(minutes=3)
        compare(still)
        assert Event.objects.filter(kind="order_created").count() == 5
        assert Delivery.objects.count() == 10

    def test_who_was_overtaken_writes_nothing(
        self, store: Store, state: SyncState, shop: Shop, still: TestClock
    ) -> None:
        shop.orders = [order(1, ago(hours=1))]

        def overtake() -> None:
            SyncState.objects.update(lease="somebody else's")

        shop.faults = [overtake]
        compare_shops()
        assert not Delivery.objects.exists()
        state.refresh_from_db()
        assert state.lease == "somebody else's"


def test_a_shop_is_compared_as_soon_as_it_is_connected(
    store: Store, connection: Connection, shop: Shop, still: TestClock
) -> None:
    assert compare_shops() == 0
    granted(connection)
    assert compare_shops() == 1
    state = SyncState.objects.get()
    assert state.next_at == NOON + comparing.EVERY
    assert compare_shops() == 0


def test_statements_do_not_grow_with_the_page(
    store: Store, state: SyncState, shop: Shop, still: TestClock, django_assert_max_num_queries: Any
) -> None:
    shop.page = 100
    shop.customers = [customer(n, ago(hours=1), tags=["a"], phone=subscribed(ago(hours=2))) for n in range(1, 90)]
    shop.orders = [order(n, ago(hours=1), of=n) for n in range(1, 90)]
    shop.abandonedCheckouts = [checkout(f"c{n}", ago(hours=1), of=n) for n in range(1, 90)]
    with django_assert_max_num_queries(60):
        compare_shops()
