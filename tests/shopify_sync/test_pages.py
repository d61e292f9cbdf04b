"""Who sees the page of a store's sync, what it says, and who may press its buttons."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from smsflow_plugin.admin_panels.shopify_sync import words
from smsflow_plugin.admin_panels.shopify_sync.words import Found
from smsflow_plugin.integrations.shopify.models import Grant, ImportRun, SyncFind, SyncRun, SyncState
from smsflow_plugin.integrations.shopify.sync.comparing import state_of
from smsflow_plugin.models import Connection, Store
from tests.admin.people import client_of, make_user
from tests.conftest import NOON, TestClock
from tests.factories import make_store
from tests.shopify_sync.conftest import granted

pytestmark = pytest.mark.django_db

POSTS = ("compare", "cancel", "resume")


def address(store: Store, name: str = "index") -> str:
    return reverse(f"smsflow_store_sync:{name}", args=(store.pk,))


@pytest.fixture
def boss(store: Store) -> Client:
    return client_of(make_user("boss", "Store admin", store))


@pytest.fixture
def compared(store: Store, connection: Connection, grant: Grant) -> SyncRun:
    state_of(connection)
    run = SyncRun.objects.create(store=store, started_at=NOON, finished_at=NOON, seen=9)
    rows = [("orders/create", f"#{n}", "recovered", "", None) for n in range(3)]
    rows.append(("checkouts/update", "c1", "ignored", "too_old", 19))
    for topic, label, state, reason, hours in rows:
        SyncFind.objects.create(
            store=store, run=run, topic=topic, key=label, label=label, state=state, reason=reason, hours=hours,
            changed_at=NOON - timedelta(hours=19),
        )  # fmt: skip
    return run


def test_the_page_says_what_was_found(store: Store, boss: Client, compared: SyncRun) -> None:
    text = boss.get(address(store)).content.decode()
    assert "3 orders recovered, 1 cart ignored because it is 19 h old." in " ".join(text.split())
    assert "Compare now" in text
    assert "Import history" in text


def test_a_shop_that_is_not_connected_is_said_to_be(store: Store, boss: Client, still: TestClock) -> None:
    text = boss.get(address(store)).content.decode()
    assert "nothing is compared" in text
    assert "Compare now" not in text


def test_compare_now_makes_it_due(store: Store, boss: Client, compared: SyncRun, still: TestClock) -> None:
    SyncState.objects.update(next_at=NOON + timedelta(hours=1))
    assert boss.post(address(store, "compare")).status_code == 302
    assert SyncState.objects.get().next_at == NOON


def test_an_import_is_started_watched_and_cancelled(
    store: Store, boss: Client, compared: SyncRun, still: TestClock
) -> None:
    assert boss.get(address(store, "import")).status_code == 200
    missing = boss.post(address(store, "import"), {"orders": "since"})
    assert "Choose the day." in missing.content.decode()
    boss.post(address(store, "import"), {"orders": "since", "since": "2025-11-01"})
    run = ImportRun.objects.get()
    assert (run.with_orders, str(run.orders_since), run.start_flows) == (True, "2025-11-01", False)
    ImportRun.objects.update(
        state="reading", size=1000, offset=420, lines=1234, report={"customers": 1234, "number:short": 2}
    )
    part = boss.get(address(store, "progress")).content.decode()
    assert "42%" in part
    assert "1,234" in part
    assert "Too short" in part
    page = boss.get(address(store)).content.decode()
    assert "smsflow-refresh" in page
    assert "An import is under way" in boss.post(address(store, "import"), {"orders": "all"}).content.decode()
    boss.post(address(store, "cancel"))
    assert ImportRun.objects.get().state == "cancelled"
    assert 'smsflow-refresh"' not in boss.get(address(store)).content.decode()


def test_an_import_that_stopped_goes_on(store: Store, boss: Client, compared: SyncRun, still: TestClock) -> None:
    run = ImportRun.objects.create(
        store=store, connection=store.connections.get(kind="shopify"), state="failed", offset=5, trouble="Broken."
    )
    text = boss.get(address(store)).content.decode()
    assert "Go on" in text
    assert "Broken." in text
    boss.post(address(store, "resume"))
    run.refresh_from_db()
    assert (run.state, run.trouble) == ("preparing", "")


@pytest.mark.parametrize(("role", "seen"), [("Agency", 200), ("Support", 302), ("Copywriter", 302)])
def test_others_look_at_most(store: Store, compared: SyncRun, role: str, seen: int, still: TestClock) -> None:
    client = client_of(make_user("other", role, store))
    page = client.get(address(store))
    assert page.status_code == seen
    assert "Compare now" not in page.content.decode()
    for name in POSTS:
        assert client.post(address(store, name)).status_code in (302, 403)
    client.post(address(store, "import"), {"orders": "all"})
    assert not ImportRun.objects.exists()
    assert SyncState.objects.get().next_at == NOON


@pytest.mark.parametrize("name", ["index", "progress", "import", *POSTS])
def test_another_store_is_not_there(store: Store, boss: Client, still: TestClock, name: str) -> None:
    other = make_store(name="Bolton", domain="bolton.myshopify.com", sender="+12025550177")
    connection = other.connections.get(kind="shopify")
    granted(connection)
    before = state_of(connection).next_at
    ImportRun.objects.create(store=other, connection=connection, state="failed")
    for response in (boss.get(address(other, name)), boss.post(address(other, name), {"orders": "all"})):
        assert response.status_code in (404, 405)
        assert "Bolton" not in response.content.decode()
    assert ImportRun.objects.get().state == "failed"
    assert SyncState.objects.get().next_at == before


def test_the_page_asks_the_same_however_much_was_found(
    store: Store, boss: Client, compared: SyncRun, django_assert_num_queries: Any, still: TestClock
) -> None:
    from django.db import connection as database
    from django.test.utils import CaptureQueriesContext

    boss.get(address(store))
    with CaptureQueriesContext(
        database,
    ) as few:
        boss.get(address(store))
    for n in range(30):
        run = SyncRun.objects.create(store=store, started_at=NOON, finished_at=NOON)
        SyncFind.objects.create(store=store, run=run, topic="orders/paid", key=f"more{n}", state="known")
    with django_assert_num_queries(len(few)):
        boss.get(address(store))
    assert len(few) < 40


def test_every_reason_has_its_words() -> None:
    found = [
        Found("orders/create", "recovered", count=3), Found("orders/paid", "recovered"),
        Found("orders/cancelled", "recovered"), Found("checkouts/update", "recovered"),
        Found("customers/create", "recovered"), Found("customers/update", "recovered", count=2),
        Found("customers_marketing_consent/update", "recovered"),
        Found("checkouts/update", "ignored", "too_old", 19), Found("checkouts/update", "ignored", "bought"),
        Found("checkouts/update", "ignored", "no_token"), Found("orders/create", "ignored", "A test order."),
        Found("orders/create", "parked"), Found("orders/create", "waiting", count=2), Found("orders/paid", "known"),
    ]  # fmt: skip
    said = words.sentences(found)
    assert "3 orders recovered" in said
    assert "1 cart ignored because it is 19 h old" in said
    assert "1 ignored: A test order." in said
    assert len(said) == 13
