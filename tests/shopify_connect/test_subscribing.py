"""A shop's subscriptions are kept as its flows need them, whatever Shopify does with them."""

from __future__ import annotations

from typing import Any

import pytest

from smsflow_plugin import clock
from smsflow_plugin.events import words
from smsflow_plugin.events.facts import StoreWord
from smsflow_plugin.flows.models import FlowVersion
from smsflow_plugin.flows.program import Exit, Program, Send, Trigger
from smsflow_plugin.integrations.shopify import subscribing, tasks
from smsflow_plugin.integrations.shopify.models import Grant, SubscriptionCheck
from smsflow_plugin.integrations.shopify.needed import needs_of, scopes_to_ask_for
from smsflow_plugin.integrations.shopify.subscribing import compare_shop, granted_connections
from smsflow_plugin.integrations.shopify.topic_table import ALWAYS, TOPICS
from smsflow_plugin.models import Connection, Enrollment, Flow, Store
from tests.conftest import TestClock
from tests.factories import make_contact
from tests.shopify_connect.conftest import Shopify

URI = "https://texts.example/smsflow/shopify/webhooks/"
pytestmark = pytest.mark.django_db


def live_flow(store: Store, *triggers: str, name: str = "Cart", live: bool = True) -> Flow:
    flow = Flow.objects.create(store=store, name=name, live=live)
    program = Program(tuple(Trigger(kind) for kind in triggers), (Send("s", {"": "Hi"}), Exit("e"))).to_json()
    version = FlowVersion.objects.create(store=store, flow=flow, number=1, content_hash="0" * 64, program=program)
    Flow.objects.filter(pk=flow.pk).update(current_version=version)
    return flow


def check_of(connection: Connection) -> SubscriptionCheck:
    return SubscriptionCheck.objects.get(connection=connection)


def test_what_is_needed_always_is_set_up_first_and_nothing_else(
    shopify: Shopify, connection: Connection, grant: Grant, still: TestClock
) -> None:
    assert compare_shop(connection.pk)
    shop = shopify.shop()
    assert shop.topics() == sorted(TOPICS[name].enum for name in ALWAYS)
    assert {row["uri"] for row in shop.webhooks.values()} == {URI}
    assert {row["format"] for row in shop.webhooks.values()} == {"JSON"}
    check = check_of(connection)
    assert check.topics == sorted(ALWAYS) and check.repairs == [] and check.problems == []
    assert check.compared_at == check.answered_at == clock.now() and check.comparing_until is None
    asked = len(shopify.asked)
    compare_shop(connection.pk)
    assert [what for _shop, what in shopify.asked[asked:]] == ["Shop", "Webhooks", "Webhooks"]


def test_a_flow_that_is_published_brings_its_topics_and_one_that_ends_takes_them_away(
    shopify: Shopify, connection: Connection, grant: Grant, store: Store
) -> None:
    flow = live_flow(store, "checkout_updated")
    compare_shop(connection.pk)
    shop = shopify.shop()
    [row] = [row for row in shop.webhooks.values() if row["topic"] == "CHECKOUTS_UPDATE"]
    assert set(row["includeFields"]) == set(TOPICS["checkouts/update"].fields)
    Flow.objects.filter(pk=flow.pk).update(live=False)
    compare_shop(connection.pk)
    assert "CHECKOUTS_UPDATE" not in shop.topics()
    assert check_of(connection).repairs == []


def test_who_is_still_in_a_flow_that_was_unpublished_waits_for_its_events(
    shopify: Shopify, connection: Connection, grant: Grant, store: Store
) -> None:
    flow = live_flow(store, "checkout_updated", live=False)
    assert "checkouts/update" not in needs_of(store.pk).topics
    run = Enrollment.objects.create(
        store=store, flow=flow, version_id=Flow.objects.get(pk=flow.pk).current_version_id, contact=make_contact(store)
    )
    assert needs_of(store.pk).topics["checkouts/update"] == ["Cart"]
    Enrollment.objects.filter(pk=run.pk).update(status=Enrollment.Status.FINISHED)
    assert "checkouts/update" not in needs_of(store.pk).topics


def test_a_subscription_that_shopify_has_deleted_is_made_again_and_told(
    shopify: Shopify, connection: Connection, grant: Grant, still: TestClock
) -> None:
    compare_shop(connection.pk)
    shop = shopify.shop()
    shop.loses("ORDERS_CREATE")
    still.move(hours=1)
    compare_shop(connection.pk)
    assert "ORDERS_CREATE" in shop.topics()
    assert check_of(connection).repairs == [{"at": clock.now().isoformat(), "topic": "orders/create", "what": "lost"}]


def test_what_somebody_changed_at_shopify_is_changed_back_and_told(
    shopify: Shopify, connection: Connection, grant: Grant
) -> None:
    compare_shop(connection.pk)
    [row] = [row for row in shopify.shop().webhooks.values() if row["topic"] == "ORDERS_CREATE"]
    row["filter"] = "total_price:>100"
    compare_shop(connection.pk)
    assert not row["filter"]
    [repair] = check_of(connection).repairs
    assert (repair["topic"], repair["what"]) == ("orders/create", "changed")


def test_other_sites_of_the_app_keep_their_subscriptions(
    shopify: Shopify, connection: Connection, grant: Grant
) -> None:
    theirs = {"topic": "ORDERS_PAID", "uri": "https://staging.example/smsflow/shopify/webhooks/", "format": "JSON"}
    shopify.shop().webhooks["gid://theirs"] = theirs
    compare_shop(connection.pk)
    assert shopify.shop().webhooks["gid://theirs"] == theirs


def test_what_shopify_does_not_do_is_told_and_holds_up_nothing_else(
    shopify: Shopify, connection: Connection, grant: Grant
) -> None:
    shopify.shop().refuses["CUSTOMERS_UPDATE"] = "This app is not approved for protected customer data."
    compare_shop(connection.pk)
    check = check_of(connection)
    said = "This app is not approved for protected customer data."
    assert check.problems == [{"topic": "customers/update", "said": said}]
    assert "customers/update" not in check.topics and "orders/create" in check.topics


def test_a_topic_whose_right_is_missing_waits_for_it_and_is_not_asked_for(
    shopify: Shopify, connection: Connection, grant: Grant, store: Store
) -> None:
    live_flow(store, "return_requested", name="Returns")
    compare_shop(connection.pk)
    assert "RETURNS_REQUEST" not in shopify.shop().topics()
    assert check_of(connection).problems == [
        {"topic": "returns/request", "said": "The shop has not granted read_returns."}
    ]
    # the merchant agrees in Shopify's admin, and nobody tells us
    shopify.shop().scopes.append("read_returns")
    compare_shop(connection.pk)
    assert "RETURNS_REQUEST" in shopify.shop().topics() and check_of(connection).problems == []
    grant.refresh_from_db()
    assert "read_returns" in grant.scopes


def test_trouble_is_written_down_and_tried_again(shopify: Shopify, connection: Connection, grant: Grant) -> None:
    shopify.down = True
    compare_shop(connection.pk)
    check = check_of(connection)
    assert "does not answer" in check.failed_because and check.compared_at is None and check.comparing_until is None
    shopify.down = False
    compare_shop(connection.pk)
    check.refresh_from_db()
    assert check.failed_because == "" and check.compared_at is not None


def test_a_shop_that_does_not_let_us_in_is_not_asked_again(
    shopify: Shopify, connection: Connection, grant: Grant
) -> None:
    shopify.shop().tokens.clear()
    # its refresh token is refused as well
    shopify.apps.clear()
    compare_shop(connection.pk)
    grant.refresh_from_db()
    assert grant.broken_at is not None
    assert "token" in check_of(connection).failed_because
    assert granted_connections() == []
    asked = len(shopify.asked)
    tasks.compare_subscriptions.call_local(connection.pk)
    assert len(shopify.asked) == asked


def test_without_https_shopify_is_not_even_asked(
    shopify: Shopify, connection: Connection, grant: Grant, settings: Any
) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "PUBLIC_URL": "http://localhost:8000"}
    compare_shop(connection.pk)
    assert "https://" in check_of(connection).failed_because and shopify.asked == []


def test_whoever_comes_while_a_worker_compares_makes_it_look_again(
    shopify: Shopify, connection: Connection, grant: Grant, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    compare = subscribing._compare

    def slowly(check: SubscriptionCheck) -> None:
        looks.append(1)
        compare(check)
        if len(looks) == 1:
            # published after the flows were read
            live_flow(store, "checkout_updated")
            assert not compare_shop(connection.pk)

    monkeypatch.setattr(subscribing, "_compare", slowly)
    assert compare_shop(connection.pk)
    assert len(looks) == 2
    assert "CHECKOUTS_UPDATE" in shopify.shop().topics()
    check = check_of(connection)
    assert check.comparing_until is None and not check.again


def test_a_worker_that_was_killed_holds_nobody_up_for_ever(
    shopify: Shopify, connection: Connection, grant: Grant, still: TestClock
) -> None:
    until = clock.now() + subscribing.LEASE
    SubscriptionCheck.objects.create(connection=connection, comparing_until=until)
    assert not compare_shop(connection.pk)
    still.move(minutes=6)
    assert compare_shop(connection.pk)


def test_an_error_of_ours_gives_the_lease_back(
    connection: Connection, grant: Grant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(subscribing, "_compare", fail)
    with pytest.raises(ZeroDivisionError):
        compare_shop(connection.pk)
    assert check_of(connection).comparing_until is None


def test_every_granted_shop_is_a_task_of_its_own_once_an_hour(
    connection: Connection, grant: Grant, danish_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(tasks, "compare_subscriptions", seen.append)
    tasks.compare_all_subscriptions.call_local()
    assert seen == [connection.pk]
    Store.objects.filter(pk=connection.store_id).update(status=Store.Status.UNINSTALLED)
    seen.clear()
    tasks.compare_all_subscriptions.call_local()
    assert seen == []


def test_a_flow_that_is_published_or_unpublished_has_the_shop_compared(
    grant: Grant, store: Store, danish_store: Store, compared: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    for signal in ("published", "unpublished"):
        compared.clear()
        with django_capture_on_commit_callbacks(execute=True):
            for each in (store, danish_store):  # that one is not connected through an app
                from wagtail import signals

                getattr(signals, signal).send(sender=Flow, instance=Flow(store=each))
        assert compared == [grant.connection_id]


def test_a_shop_that_grants_more_is_compared_at_once(
    grant: Grant, store: Store, danish_store: Store, compared: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    word = StoreWord("scopes_changed", clock.now(), {"scopes": ["read_orders"]})
    with django_capture_on_commit_callbacks(execute=True):
        words.tell([(store.pk, word), (danish_store.pk, word)], clock.now())
    assert compared == [grant.connection_id]


def test_scopes_that_are_granted_stay_asked_for(store: Store) -> None:
    live_flow(store, "parcel_delivered")
    found = scopes_to_ask_for([store.pk], ["read_returns", "read_customers"])
    assert found == [
        "read_customer_merge", "read_fulfillments", "read_orders", "read_returns", "write_customers"
    ]  # fmt: skip
