"""kill -9 between the call and the mark: the next worker finds what was done, and does it no second time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings

from smsflow_plugin import clock
from smsflow_plugin.integrations.shopify.admin import client
from smsflow_plugin.integrations.shopify.writes import outbox
from smsflow_plugin.integrations.shopify.writes.models import Turn, Write
from smsflow_plugin.integrations.simulator.shopify_api import running_shop
from smsflow_plugin.integrations.simulator.shopify_api.client import ShopClient
from smsflow_plugin.models import Identity
from tests.factories import make_contact, make_store
from tests.shopify_writes.conftest import let_in, say, work
from tests.simulator_network.conftest import Listener, listener  # noqa: F401 - the fixture
from tests.simulator_shop.conftest import Admin

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.chaos,
    pytest.mark.skipif("postgres" not in os.environ.get("DATABASE_URL", ""), reason="Two processes, one database."),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def shopify(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(client, "_buckets", {})
    with running_shop(webhooks_at_once=1) as server:
        settings.SMSFLOW = {**settings.SMSFLOW, "SHOPIFY_URL": f"{server.url}/shopify/{{shop}}"}
        yield server


def test_a_worker_that_is_killed_after_the_call_leaves_nothing_undone_and_nothing_done_twice(
    shopify: Any,
    listener: Listener,  # noqa: F811
) -> None:
    store = make_store(domain=shopify.domain)
    let_in(store, shopify.token)
    admin = Admin(shopify.graphql_url, shopify.token)
    admin.subscribe("CUSTOMERS_MARKETING_CONSENT_UPDATE", listener.url)
    people = []
    for number in range(3):
        contact = make_contact(store, marketing_consent="unknown", opt_in_level="", consent_changed_at=None)
        made = shopify.shop.add_customer(firstName=f"Ada{number}", phone=contact.phone)
        Identity.objects.create(store=store, contact=contact, kind="customer", value=str(made["id"]))
        say(contact, "granted")
        people.append(contact)
    database = django_settings.DATABASES["default"]
    where = f"{database['HOST']}:{database['PORT'] or 5432}"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.shopify_writes.killed_settings",
        "DATABASE_URL": f"postgres://{database['USER']}:{database['PASSWORD']}@{where}/{database['NAME']}",
        "TEST_SHOPIFY_URL": f"{shopify.url}/shopify/{{shop}}",
    }
    worker = subprocess.run(
        [sys.executable, "-m", "tests.shopify_writes.killed", "SmsConsentUpdate"],
        env=environment, timeout=120, capture_output=True, check=False,
    )  # fmt: skip
    assert worker.returncode == -signal.SIGKILL, worker.stderr.decode()
    assert not Write.objects.filter(outcome="done").exists()
    assert outbox.write_out() == 0  # its turn is not over yet
    Turn.objects.update(held_until=clock.now() - timedelta(seconds=1))
    work()
    ShopClient(shopify.url).wait_until_quiet()
    told = [json.loads(body)["id"] for _headers, body in listener.calls]
    assert sorted(told) == sorted({int(one.value) for one in Identity.objects.all()})
    assert sorted(Write.objects.values_list("outcome", flat=True)) == ["done", "done", "same"]
    admin.session.close()
