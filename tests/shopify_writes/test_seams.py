"""Where the core tells of changes: in the transaction that makes them, whoever makes them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.engine.actions import RecordOptOut
from smsflow_plugin.flows.program import Tag
from smsflow_plugin.integrations.shopify.writes import filling, outbox, tasks
from smsflow_plugin.integrations.shopify.writes.models import Write
from smsflow_plugin.integrations.shopify.writes.wishes import Wishes, with_wishes
from smsflow_plugin.models import Connection, Contact, Store
from tests.admin.people import make_user
from tests.conftest import TestClock
from tests.engine.helpers import happened, make_flow, pump, texted
from tests.factories import make_contact
from tests.shopify_writes.conftest import FakeShop, make_customer, say, work

pytestmark = pytest.mark.django_db

ADA = "+12025550101"


@pytest.fixture(autouse=True)
def _deliveries_of_tests(settings: Any, still: TestClock) -> None:
    translators = {**smsflow_settings.TRANSLATORS, "test": "tests.engine.helpers.translate"}
    settings.SMSFLOW = {**settings.SMSFLOW, "TRANSLATORS": translators}


def test_a_stop_by_text_reaches_the_shop(
    connection: Connection, shop: FakeShop, store: Store, still: TestClock
) -> None:
    make_customer(shop, store, phone=ADA)
    shop.customers["77"].state = "SUBSCRIBED"
    texted(store, "Please take me off your list")
    pump()
    work()
    assert shop.customers["77"].state == "UNSUBSCRIBED"


def test_what_staff_records_reaches_the_shop(connection: Connection, shop: FakeShop, store: Store) -> None:
    ada = make_customer(shop, store, phone=ADA)
    RecordOptOut(ada, make_user("sam", "Support", store), note="Called us.").execute()
    work()
    assert shop.customers["77"].state == "UNSUBSCRIBED"


def test_what_is_rolled_back_was_never_noted(connection: Connection, shop: FakeShop, store: Store) -> None:
    ada = make_customer(shop, store)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        say(ada, "granted")
        assert Write.objects.count() == 1
        raise ZeroDivisionError
    assert not Write.objects.exists()


@pytest.mark.parametrize("wanted", [True, False])
def test_tags_of_flows_reach_the_shop_only_if_the_store_wants_it(
    connection: Connection, shop: FakeShop, store: Store, still: TestClock, wanted: bool
) -> None:
    connection.settings = with_wishes({}, Wishes(tags=wanted))
    connection.save(update_fields=["settings"])
    make_customer(shop, store, phone=ADA, tags=["Old"], marketing_consent="granted", consent_changed_at=still())
    shop.customers["77"].tags = ["Old"]
    make_flow(store, Tag("t", "VIP"), Tag("u", "old", add=False))
    happened(store, "opted_in")
    pump()
    work()
    assert shop.customers["77"].tags == (["VIP"] if wanted else ["Old"])
    assert Contact.objects.get(phone=ADA).tags == ["VIP"]


def test_stores_without_a_shop_note_nothing(store: Store) -> None:
    Connection.objects.filter(kind="shopify").delete()
    say(make_contact(store), "revoked")
    assert not Write.objects.exists()


def test_the_tasks_look_until_there_is_nothing_left(
    connection: Connection, shop: FakeShop, store: Store, still: TestClock
) -> None:
    for number in range(outbox.CLAIM + 5):
        say(make_customer(shop, store, f"1{number:02}"), "granted")
    tasks.write_to_shops.call_local()
    assert Write.objects.filter(outcome="done").count() == outbox.CLAIM + 5
    tasks.fill_pools.call_local()
    tasks.look_again.call_local()
    assert filling.fill_next() == 0
