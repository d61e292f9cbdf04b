"""A shop's history is imported once, whatever happens meanwhile, and starts nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from smsflow_plugin import clock
from smsflow_plugin.audience.models import ContactDate
from smsflow_plugin.engine.dated import enroll_by_date
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.engine.lists import watch_lists
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.events.facts import StoreWord
from smsflow_plugin.events.inbox import store_delivery
from smsflow_plugin.events.models import Delivery, Event
from smsflow_plugin.flows.models import Segment
from smsflow_plugin.flows.program import Send, Trigger
from smsflow_plugin.integrations.shopify import listening
from smsflow_plugin.integrations.shopify.admin.errors import UserError, UserErrors
from smsflow_plugin.integrations.shopify.models import Grant, ImportRun, SyncState
from smsflow_plugin.integrations.shopify.sync import gathering, importing, leases, mapping
from smsflow_plugin.integrations.shopify.sync.actions import CancelImport, ResumeImport, StartImport
from smsflow_plugin.integrations.shopify.sync.importing import import_history
from smsflow_plugin.models import Connection, ConsentRecord, Contact, Incentive, Store, StoreLogEntry
from tests.admin.people import make_user
from tests.conftest import NOON, TestClock
from tests.engine.helpers import make_flow
from tests.factories import make_contact
from tests.flows.people import rule
from tests.shopify_sync.bulk_file import FileServer, bulk_order, jsonl, order_lines, serving
from tests.shopify_sync.conftest import Shop, ago, customer, granted, order, subscribed

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving(FileServer()) as running:
        yield running


class History:
    """What Shopify will put into its files, and the bulk operations that it was asked for."""

    def __init__(self, shop: Shop, server: FileServer) -> None:
        self.shop, self.server = shop, server
        self.customers: list[dict[str, Any]] = []
        self.orders: list[dict[str, Any]] = []
        self.queries: list[str] = []
        self.status = "COMPLETED"
        self.cancelled: list[str] = []
        shop.answers = {"BulkRun": self.run, "BulkStatus": self.look, "BulkCancel": self.cancel}

    def run(self, variables: Any) -> dict[str, Any]:
        self.queries.append(variables["query"])
        return {
            "bulkOperationRunQuery": {"bulkOperation": {"id": self.operation, "status": "CREATED"}, "userErrors": []}
        }

    @property
    def operation(self) -> str:
        return f"gid://shopify/BulkOperation/{len(self.queries)}"

    def look(self, variables: Any) -> dict[str, Any]:
        rows = self.customers if " customers " in self.queries[-1] else self.orders
        path = f"/{variables['id'].rpartition('/')[2]}.jsonl"
        self.server.files[path] = jsonl(*rows)
        found = {
            "id": variables["id"], "status": self.status, "errorCode": None, "objectCount": str(len(rows)),
            "fileSize": str(len(self.server.files[path])), "url": f"{self.server.url}{path}" if rows else None,
        }  # fmt: skip
        return {"bulkOperation": found}

    def cancel(self, variables: Any) -> dict[str, Any]:
        self.cancelled.append(variables["id"])
        return {"bulkOperationCancel": {"bulkOperation": {"id": variables["id"]}, "userErrors": []}}


@pytest.fixture
def history(shop: Shop, server: FileServer, grant: Grant) -> History:
    return History(shop, server)


@pytest.fixture
def boss(store: Store) -> Any:
    return make_user("boss", "Store admin", store)


def start(store: Store, user: Any = None, **values: Any) -> ImportRun:
    return StartImport(store, user, **values).execute(skip_permission_checks=user is None)


def run_all(still: TestClock) -> ImportRun:
    for _round in range(30):
        while import_history():
            pass
        if not ImportRun.objects.filter(state__in=ImportRun.ACTIVE).exists():
            break
        still.move(seconds=16)
    return ImportRun.objects.latest("pk")


def snapshot() -> Any:
    people = Contact.objects.order_by("phone").values_list(
        "phone", "first_name", "tags", "marketing_consent", "consent_changed_at", "orders_count", "total_spent",
        "first_order_at", "last_order_at", "replenish_at", "profile_at", "order_times", "ledger_head",
    )  # fmt: skip
    events = Event.objects.order_by("kind", "key").values_list("kind", "key", "occurred_at", "data", "contact__phone")
    return list(people), list(events), ConsentRecord.objects.count(), ContactDate.objects.count()


def a_shop(history: History) -> None:
    history.customers = [
        customer(
            1, ago(days=3), createdAt=ago(days=400), tags=["VIP", "vip", "Trail"], phone=subscribed(ago(days=300))
        ),
        customer(2, ago(days=2), createdAt=ago(days=90), phone=subscribed(ago(days=80), "CONFIRMED_OPT_IN")),
        customer(3, ago(days=2), phone=subscribed(ago(days=10), state="UNSUBSCRIBED")),
        customer(4, ago(days=2), phone={"phoneNumber": None}),
        customer(5, ago(days=2), phone={"phoneNumber": "+4512"}),
    ]
    first, second, third = (order(n, ago(days=age)) for n, age in ((11, 200), (12, 140), (13, 80)))
    till = order(14, ago(days=5), customer=None)
    test, dead = order(15, ago(days=5), test=True), order(16, ago(days=5), cancelledAt=ago(days=4))
    history.orders = [
        bulk_order(first), *order_lines(first, "Jacket", "Socks"),
        bulk_order(second), bulk_order(third), *order_lines(third, "Jacket"), *order_lines(second, "Hat"),
        bulk_order(till), bulk_order(test), bulk_order(dead),
    ]  # fmt: skip


def test_people_consent_and_orders_are_taken_over(store: Store, boss: Any, history: History, still: TestClock) -> None:
    a_shop(history)
    start(store, boss)
    run = run_all(still)
    assert (run.state, run.trouble, run.created_by) == ("done", "", "boss")
    ada = Contact.objects.get(phone="+12025550001")
    assert (ada.first_name, ada.tags, ada.language) == ("Ada", ["VIP", "Trail"], "en")
    assert (ada.orders_count, ada.total_spent) == (3, Decimal("387.00"))
    assert (ada.first_order_at, ada.last_order_at) == (NOON - timedelta(days=200), NOON - timedelta(days=80))
    assert ada.replenish_at == NOON - timedelta(days=20)
    dates = dict(ContactDate.objects.filter(contact=ada).values_list("name", "at"))
    assert dates["signed_up"] == NOON - timedelta(days=400)
    assert dates["first_order"] == NOON - timedelta(days=200)
    assert dates["opted_in"] == NOON - timedelta(days=300)
    lines = list(ConsentRecord.objects.order_by("effective_at").values_list("action", "opt_in_level", "effective_at"))
    assert lines == [
        ("granted", "single", NOON - timedelta(days=300)),
        ("granted", "confirmed", NOON - timedelta(days=80)),
        ("revoked", "", NOON - timedelta(days=10)),
    ]
    assert [
        len(event.data["order"]["lines"]) for event in Event.objects.filter(kind="order_created").order_by("key")
    ] == [2, 1, 1]
    assert run.report == {
        "consent:granted:confirmed": 1, "consent:granted:single": 1, "consent:revoked": 1, "created": 5, "customers": 5,
        "never_asked": 2, "number:short": 1, "orders": 6, "orders_cancelled": 1, "orders_new": 3,
        "orders_of_nobody": 1, "orders_test": 1, "updated": 1, "with_number": 3, "without_number": 1,
    }  # fmt: skip
    assert not Delivery.objects.exists()


def test_an_item_far_behind_its_order_still_comes_to_it(
    store: Store, history: History, still: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering.chunks, "__defaults__", (1, 3))
    orders = [order(n, ago(days=n)) for n in (11, 12, 13)]
    history.customers = [customer(1, ago(days=3))]
    history.orders = [*map(bulk_order, orders), *order_lines(orders[0], *"abcd"), *order_lines(orders[1], "Hat")]
    start(store)
    run_all(still)
    first = Event.objects.get(key="11").data["order"]
    assert [line["title"] for line in first["lines"]] == ["a", "b", "c", "d"]
    assert (first["item_count"], first["first_item"]) == (4, "a")
    still.move(hours=1)
    start(store)
    run_all(still)
    assert Event.objects.get(key="11").data["order"] == first


def test_importing_twice_changes_nothing(store: Store, history: History, still: TestClock) -> None:
    a_shop(history)
    start(store)
    run_all(still)
    before = snapshot()
    still.move(days=1)
    start(store)
    again = run_all(still)
    assert snapshot() == before
    assert {name: again.report.get(name) for name in ("created", "updated", "orders_new")} == {
        "created": None, "updated": None, "orders_new": None,
    }  # fmt: skip
    assert again.report["consents_known"] == 3


class TestFlows:
    def flows(self, store: Store) -> None:
        for kind in ("opted_in", "order_created", "customer_created", "tag_added"):
            make_flow(store, Send("s", {"": "Hello"}), trigger=kind, name=kind)

    def test_none_starts(self, store: Store, history: History, still: TestClock) -> None:
        self.flows(store)
        a_shop(history)
        history.customers[0]["defaultPhoneNumber"]["marketingUpdatedAt"] = ago(hours=1)
        history.orders.append(bulk_order(order(17, ago(hours=3))))
        start(store)
        run_all(still)
        assert not Enrollment.objects.exists()
        assert Event.objects.filter(key="17").exists()

    def test_none_starts_when_somebody_turns_out_to_be_somebody_else(
        self, store: Store, history: History, still: TestClock
    ) -> None:
        make_flow(store, Send("s1", "Thank you!"), trigger="order_created")
        make_contact(store, phone="+12025550001")
        history.customers = [customer(1, ago(days=300), phone={"phoneNumber": None})]
        history.orders = [bulk_order(order(11, ago(hours=5)))]
        start(store)
        run_all(still)
        payload = mapping.customer(customer(1, ago(minutes=1)))
        store_delivery(
            store_id=store.pk, source="shopify", external_id="hook", topic="customers/update", headers={},
            body=mapping.body(payload),
        )  # fmt: skip
        ingest()
        assert Contact.objects.get(phone="+12025550001").orders_count == 1
        assert not Enrollment.objects.exists()

    def test_if_somebody_wants_it_what_is_new_starts_them(
        self, store: Store, history: History, still: TestClock
    ) -> None:
        self.flows(store)
        a_shop(history)
        history.orders.append(bulk_order(order(17, ago(hours=3))))
        start(store, start_flows=True)
        run_all(still)
        runs = Enrollment.objects.filter(flow__name="order_created")
        assert list(Event.objects.filter(pk__in=runs.values("trigger_event_id")).values_list("key", flat=True)) == [
            "17"
        ]
        assert not Enrollment.objects.exclude(flow__name__in=["order_created", "tag_added"]).exists()

    def test_nobody_lapses_or_runs_out_because_of_it(self, store: Store, history: History, still: TestClock) -> None:
        make_flow(store, Send("s", {"": "Hi"}), triggers=(Trigger("lapsed", options={"days": 80}),), name="lapsed")
        still.move(days=3)
        a_shop(history)
        history.orders[4] = bulk_order(order(13, ago(days=78)))
        start(store)
        run_all(still)
        enroll_by_date()
        assert not Enrollment.objects.exists()

    def test_nobody_comes_into_a_segment_because_of_it(self, store: Store, history: History, still: TestClock) -> None:
        segment = Segment.objects.create(store=store, name="Buyers", rules=[rule(value="1")])
        watch = (Trigger("segment_entered", options={"segment": segment.pk}),)
        make_flow(store, Send("s", {"": "Hi"}), triggers=watch, name="segment")
        watch_lists()
        still.move(minutes=6)
        a_shop(history)
        start(store)
        run_all(still)
        still.move(minutes=6)
        watch_lists()
        assert Contact.objects.filter(store=store).count() == 5
        assert not Enrollment.objects.exists()


class TestWhatIsKnownHere:
    def test_a_newer_webhook_wins(self, store: Store, history: History, still: TestClock) -> None:
        newer = mapping.customer(customer(1, ago(hours=1), firstName="Augusta"))
        store_delivery(
            store_id=store.pk, source="shopify", external_id="1", topic="customers/update", headers={},
            body=mapping.body(newer),
        )  # fmt: skip
        while ingest():
            pass
        history.customers = [customer(1, ago(days=3), tags=["Old"])]
        start(store)
        run = run_all(still)
        ada = Contact.objects.get()
        assert (ada.first_name, ada.tags) == ("Augusta", [])
        assert run.report["newer_here"] == 1

    @pytest.mark.parametrize(("said", "outcome"), [(30, "revoked"), (5, "granted")])
    def test_stop_is_undone_by_nothing_older(
        self, store: Store, history: History, still: TestClock, said: int, outcome: str
    ) -> None:
        make_contact(
            store, phone="+12025550001", marketing_consent="revoked", service_consent="revoked",
            consent_changed_at=NOON - timedelta(days=20),
        )  # fmt: skip
        history.customers = [customer(1, ago(days=3), phone=subscribed(ago(days=said)))]
        start(store)
        run_all(still)
        assert Contact.objects.get().marketing_consent == outcome

    def test_a_yes_that_nobody_has_dated_undoes_no_stop(self, store: Store, history: History, still: TestClock) -> None:
        make_contact(store, phone="+12025550001", marketing_consent="revoked", service_consent="revoked")
        history.customers = [customer(1, ago(days=3), phone=subscribed(None))]
        start(store)
        run = run_all(still)
        assert Contact.objects.get().marketing_consent == "revoked"
        assert run.report["consents_undated"] == 1

    def test_what_happened_since_we_listen_is_left_to_the_webhooks(
        self, store: Store, history: History, still: TestClock
    ) -> None:
        make_flow(store, Send("s", {"": "Thanks"}), trigger="order_created")
        history.customers = [customer(1, ago(days=3))]
        node = order(11, ago(minutes=-5))
        history.orders = [bulk_order(node)]
        start(store)
        still.move(minutes=10)
        run = run_all(still)
        assert run.report["orders_recent"] == 1
        store_delivery(
            store_id=store.pk, source="shopify", external_id="1", topic="orders/create", headers={},
            body=mapping.body(mapping.order(node)),
        )  # fmt: skip
        while ingest():
            pass
        assert Enrollment.objects.count() == 1

    def test_a_tag_that_was_taken_away_here_stays_away(self, store: Store, history: History, still: TestClock) -> None:
        history.customers = [customer(1, ago(days=3), tags=["VIP"])]
        start(store)
        run_all(still)
        ada = Contact.objects.get()
        Contact.objects.update(tags=[])
        Event.objects.create(
            store=store, contact=ada, kind="tag_removed", key="x", occurred_at=NOON, data={"tag": "vip"}
        )
        start(store)
        run_all(still)
        ada.refresh_from_db()
        assert ada.tags == []

    def test_codes_of_ours_are_attributed(self, store: Store, history: History, still: TestClock) -> None:
        ada = make_contact(store, phone="+12025550001")
        flow = make_flow(store, Send("s", {"": "Hi"}))
        Incentive.objects.create(
            store=store, contact=ada, flow=flow, step="s", kind="percent", amount=10, state="given",
            code="ADA10", code_key="ada10", wanted_at=NOON - timedelta(days=90),
        )  # fmt: skip
        history.customers = [customer(1, ago(days=3))]
        history.orders = [bulk_order(order(11, ago(days=80), discountCodes=["ADA10"]))]
        start(store)
        run = run_all(still)
        assert run.report["codes"] == 1
        assert Incentive.objects.get().redeemed_at == NOON - timedelta(days=80)


class TestTrouble:
    @pytest.mark.parametrize("ranges", [True, False])
    def test_a_worker_that_is_killed_is_followed_by_one_that_goes_on(
        self, store: Store, history: History, server: FileServer, still: TestClock,
        monkeypatch: pytest.MonkeyPatch, ranges: bool,
    ) -> None:  # fmt: skip
        server.ranges = ranges
        monkeypatch.setattr(gathering.chunks, "__defaults__", (2, 4))
        a_shop(history)
        start(store)
        real, calls = importing.backfill.write, []

        def dies(*args: Any) -> Any:
            written = real(*args)
            calls.append(1)
            if len(calls) in (2, 5, 6):
                raise SystemExit  # everything of this chunk is written, and not committed
            return written

        monkeypatch.setattr(importing.backfill, "write", dies)
        deaths = 0
        for _round in range(60):
            try:
                if not import_history():
                    still.move(minutes=3)
            except SystemExit:
                deaths += 1
            if not ImportRun.objects.filter(state__in=ImportRun.ACTIVE).exists():
                break
        run = ImportRun.objects.get()
        assert (run.state, deaths) == ("done", 3)
        killed = snapshot()[0]
        report = run.report
        Contact.objects.get(phone="+12025550001")
        assert report["orders_new"] == 3
        assert report["created"] == 5
        assert [row[5] for row in killed if row[0] == "+12025550001"] == [3]

    def test_a_file_that_breaks_off_is_read_on(
        self, store: Store, history: History, server: FileServer, still: TestClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(gathering.chunks, "__defaults__", (1, 5))
        monkeypatch.setattr(importing.stream, "PIECE", 64)
        a_shop(history)
        server.cut = [900, 700, 1500]
        start(store)
        run = run_all(still)
        assert run.state == "done"
        assert run.report["customers"] == 5
        assert any(wanted for _path, wanted in server.asked)

    def test_an_address_that_ended_is_asked_for_anew(
        self, store: Store, history: History, server: FileServer, still: TestClock
    ) -> None:
        a_shop(history)
        start(store)
        server.gone = {"/1.jsonl"}
        for _round in range(3):
            import_history()
            still.move(seconds=16)
        assert ImportRun.objects.get().state == "preparing"
        server.gone = set()
        assert run_all(still).state == "done"

    def test_an_address_that_leads_nowhere_is_given_up(
        self, store: Store, history: History, server: FileServer, still: TestClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(importing, "MOST_FAILURES", 3)
        a_shop(history)
        start(store)
        server.gone = {"/1.jsonl"}
        for _round in range(10):
            for _look in range(3):  # the second look must find nothing due: it would go on for ever
                import_history()
            still.move(seconds=16)
        assert (ImportRun.objects.get().state, ImportRun.objects.get().trouble) == ("failed", "The file is gone.")
        assert len(server.asked) <= 5

    def test_a_file_that_ended_half_read_is_no_end_of_the_import(
        self, store: Store, history: History, shop: Shop, still: TestClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_shop(history)
        start(store)

        def ended(variables: Any) -> dict[str, Any]:
            found = history.look(variables)["bulkOperation"]
            return {"bulkOperation": {**found, "url": None, "fileSize": None}}

        shop.answers["BulkStatus"] = ended
        run = run_all(still)
        assert (run.state, run.trouble) == ("failed", "The file is gone.")

    def test_what_shopify_does_not_finish_is_said_and_may_be_tried_again(
        self, store: Store, boss: Any, history: History, still: TestClock
    ) -> None:
        a_shop(history)
        history.status = "FAILED"
        start(store)
        run = run_all(still)
        assert (run.state, run.trouble) == ("failed", "Shopify did not finish: failed.")
        history.status = "COMPLETED"
        assert ResumeImport(store, boss).execute()
        assert run_all(still).state == "done"
        assert len(history.queries) == 3

    def test_another_operation_of_the_app_is_waited_for(
        self, store: Store, history: History, shop: Shop, still: TestClock
    ) -> None:
        a_shop(history)
        shop.faults = [UserErrors([UserError("Already running", code="OPERATION_IN_PROGRESS")])]
        start(store)
        import_history()
        assert ImportRun.objects.get().state == "queued"
        still.move(minutes=2)
        assert run_all(still).state == "done"

    def test_cancelling_stops_it_and_keeps_what_is_written(
        self, store: Store, boss: Any, history: History, still: TestClock
    ) -> None:
        a_shop(history)
        start(store)
        import_history()
        assert CancelImport(store, boss).execute()
        run = run_all(still)
        assert run.state == "cancelled"
        assert history.cancelled == ["gid://shopify/BulkOperation/1"]
        assert not Contact.objects.exists()
        assert not CancelImport(store, boss).execute()

    def test_a_chunk_is_not_written_after_somebody_has_cancelled(
        self, store: Store, history: History, still: TestClock
    ) -> None:
        a_shop(history)
        run = start(store)
        import_history()
        ImportRun.objects.update(state="cancelled", lease="")
        with pytest.raises(leases.Lost):
            importing._write(run, gathering.Chunk(nodes=history.customers, lines=5, end=9), None)  # type: ignore[arg-type]
        assert not Contact.objects.exists()


class TestWhoMay:
    def test_only_one_import_is_under_way(self, store: Store, history: History, still: TestClock) -> None:
        start(store)
        with pytest.raises(ValidationError):
            start(store)

    @pytest.mark.parametrize("role", ["Agency", "Support", "Copywriter"])
    def test_others_than_the_stores_admin_may_not(
        self, store: Store, history: History, still: TestClock, role: str
    ) -> None:
        user = make_user("somebody", role, store)
        for action in (StartImport, CancelImport, ResumeImport):
            with pytest.raises(PermissionDenied):
                action(store, user).execute()

    def test_a_shop_that_granted_nothing_is_not_asked(
        self, store: Store, boss: Any, connection: Connection, still: TestClock
    ) -> None:
        with pytest.raises(ValidationError):
            start(store, boss)
        granted(connection)
        assert start(store, boss).state == "queued"

    def test_it_is_in_the_audit_log(self, store: Store, boss: Any, history: History, still: TestClock) -> None:

        start(store, boss, orders="since", since=date(2026, 1, 1))
        entry = StoreLogEntry.objects.get(action="smsflow.import_history")
        assert (entry.user, entry.data["orders"], entry.data["since"]) == (boss, "since", "2026-01-01")


def test_orders_since_a_day_begin_at_the_stores_midnight(store: Store, history: History, still: TestClock) -> None:
    a_shop(history)
    start(store, orders="since", since=date(2026, 1, 1))
    run_all(still)
    assert "orders(query: \"created_at:>='2026-01-01T05:00:00Z'\")" in history.queries[1]


def test_customers_alone(store: Store, history: History, still: TestClock) -> None:
    a_shop(history)
    start(store, orders="none")
    run = run_all(still)
    assert (run.state, len(history.queries)) == ("done", 1)
    assert "orders" not in run.report


def test_shopifys_word_that_it_is_done_is_followed_at_once(store: Store, history: History, still: TestClock) -> None:
    a_shop(history)
    run = start(store)
    history.status = "RUNNING"
    import_history()
    import_history()
    run.refresh_from_db()
    assert run.next_at > clock.now()
    assert not importing.bulk_finished(store.pk + 1, run.operation)
    ended = StoreWord("bulk_finished", clock.now(), {"gid": run.operation, "status": "completed"})
    listening.hand_on_bulk([(store.pk, ended)], clock.now())
    run.refresh_from_db()
    assert run.next_at == clock.now()


def test_statements_do_not_grow_with_the_chunk(
    store: Store, history: History, still: TestClock, django_assert_max_num_queries: Any
) -> None:
    history.customers = [customer(n, ago(days=3), tags=["a"], phone=subscribed(ago(days=5))) for n in range(1, 200)]
    history.orders = [bulk_order(order(n, ago(days=9), of=n)) for n in range(1, 200)]
    start(store)
    import_history()
    still.move(seconds=11)
    import_history()
    with django_assert_max_num_queries(60):
        import_history()
    assert Contact.objects.count() == 199
    assert SyncState.objects.count() == 1
