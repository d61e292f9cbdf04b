"""A worker of its own process, which a test may kill: ``python -m tests.shopify_sync.worker <what>``."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import timedelta
from typing import Any


class NoMigrations:
    """Tables as the models say: the test is not about migrations."""

    def __contains__(self, app: str) -> bool:
        return True

    def __getitem__(self, app: str) -> None:
        return None


def main(what: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    from django.conf import settings

    settings.MIGRATION_MODULES = NoMigrations()
    settings.SMSFLOW = {**settings.SMSFLOW, "SHOPIFY_URL": os.environ["TEST_SHOPIFY_URL"]}
    import django

    django.setup()
    from smsflow_plugin.integrations.shopify.sync import gathering, leases

    # one worker at a time here: whoever comes after the dead waits no two minutes
    leases.LEASE = timedelta(milliseconds=100)
    gathering.chunks.__defaults__ = (25, 100)
    print(json.dumps(TASKS[what]()), flush=True)


def setup() -> None:
    from django.core.management import call_command

    from smsflow_plugin import clock
    from smsflow_plugin.integrations.shopify.admin import tokens
    from smsflow_plugin.integrations.shopify.admin.grants import Granted
    from smsflow_plugin.integrations.shopify.models import Grant, SyncState
    from smsflow_plugin.integrations.shopify.sync.actions import StartImport
    from smsflow_plugin.integrations.shopify.sync.comparing import state_of
    from tests.factories import make_store

    call_command("migrate", run_syncdb=True, verbosity=0)
    store = make_store(domain=os.environ["TEST_SHOP"])
    connection = store.connections.get(kind="shopify")
    scopes = ("write_customers", "read_orders", "read_all_orders")
    granted = Granted(os.environ["TEST_TOKEN"], "", scopes, None, None)
    tokens.save(connection, kind=Grant.Kind.STATIC, granted=granted, app=None)
    state = state_of(connection)
    if os.environ.get("TEST_COMPARE"):
        hour = clock.now() - timedelta(hours=1)
        SyncState.objects.filter(pk=state.pk).update(since=hour, customers_at=hour, orders_at=hour, checkouts_at=hour)
    else:
        StartImport(store, None).execute(skip_permission_checks=True)


def begin() -> None:
    """Say that the imports are over: what is killed from now on is killed at work."""
    print("begins", flush=True)


def import_all() -> None:
    from smsflow_plugin import clock
    from smsflow_plugin.integrations.shopify.models import ImportRun
    from smsflow_plugin.integrations.shopify.sync.importing import import_history

    begin()
    while ImportRun.objects.filter(state__in=ImportRun.ACTIVE).exists():
        ImportRun.objects.update(next_at=clock.now())
        if not import_history():
            time.sleep(0.05)


def compare_all() -> None:
    from smsflow_plugin import clock
    from smsflow_plugin.engine.ingest import ingest
    from smsflow_plugin.integrations.shopify.models import SyncRun, SyncState
    from smsflow_plugin.integrations.shopify.sync.comparing import compare_shops

    begin()
    while not SyncRun.objects.filter(finished_at__isnull=False).exists():
        SyncState.objects.update(next_at=clock.now())
        if not compare_shops():
            time.sleep(0.05)
        while ingest():
            pass


def figures() -> dict[str, Any]:
    from django.db.models import Sum

    from smsflow_plugin.audience.ledger import broken_chains
    from smsflow_plugin.events.models import Delivery, Event
    from smsflow_plugin.integrations.shopify.models import ImportRun, SyncRun
    from smsflow_plugin.models import ConsentRecord, Contact

    run = ImportRun.objects.first()
    sums = Contact.objects.aggregate(orders=Sum("orders_count"), spent=Sum("total_spent"))
    orders = Event.objects.filter(kind="order_created")
    return {
        "state": run.state if run else str(SyncRun.objects.get().finished_at is not None),
        "report": run.report if run else {},
        "contacts": Contact.objects.count(),
        "people": sorted(
            [str(phone), orders, str(spent), consent, tags]
            for phone, orders, spent, consent, tags in Contact.objects.values_list(
                "phone", "orders_count", "total_spent", "marketing_consent", "tags"
            )
        ),
        "orders": orders.count(),
        "items": sum(one["order"]["item_count"] for one in orders.values_list("data", flat=True)),
        "sums": [str(sums["orders"]), str(sums["spent"])],
        "ledger": ConsentRecord.objects.count(),
        "broken_chains": len(list(broken_chains(Contact.objects.all()))),
        "deliveries": Delivery.objects.count(),
    }


TASKS = {"setup": setup, "import": import_all, "compare": compare_all, "figures": figures}

if __name__ == "__main__":
    main(sys.argv[1])
