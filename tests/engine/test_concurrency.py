"""Several workers at once on PostgreSQL: nobody twice, nothing lost, no cap overspent."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import pytest
from django.db import connections

from smsflow_plugin.engine.advance import advance
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.flows.program import Reentry, Send
from smsflow_plugin.models import Contact, Decision, Delivery, Enrollment, Event, Message, Policy, Store
from tests.engine.helpers import happened, make_flow, pump
from tests.factories import make_contact

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="DATABASE_URL names no PostgreSQL"
    ),
]


def together(work: Callable[[], object], *, workers: int = 4) -> None:
    """Run ``work`` in several threads at once, and fail with the first error of any of them."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised below, in the test's own thread
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _n in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    if failures:
        raise failures[0]


def send(text: str = "Hello") -> Send:
    return Send("s1", {"": text})


def test_two_workers_never_spend_the_same_cap_slot(store: Store) -> None:
    Policy.objects.update(cap_per_day=1, minimum_gap=0)
    make_flow(store, send(), name="A")
    make_flow(store, send(), name="B")
    for n in range(100, 160):
        make_contact(store, phone=f"+1202555{n:04d}")
        happened(store, "opted_in", phone=f"+1202555{n:04d}")
    while ingest():
        pass

    def work() -> None:
        while advance(7):
            pass

    together(work)
    assert Message.objects.count() == 60
    assert Decision.objects.filter(verdict="allow").count() == 60
    assert Decision.objects.filter(verdict="defer", reason="cap_day").count() == 60


def test_workers_that_meet_the_same_new_people_make_each_of_them_once(store: Store) -> None:
    make_flow(store, send(), trigger="order_created", reentry=Reentry("subject"), message_class="service")
    for n in range(150):
        person = n % 12
        happened(
            store, "order_created", phone=f"+1202555{person:04d}", customer=str(person), key=str(n), subject=str(n),
            identities=[("order", str(n))],
        )  # fmt: skip

    def work() -> None:
        while Delivery.objects.filter(state="pending").exists():
            ingest(9)
            advance(5)

    together(work)
    pump()
    assert Contact.objects.count() == 12
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}
    assert Event.objects.count() == Enrollment.objects.count() == Message.objects.count() == 150
    assert sum(Contact.objects.values_list("orders_count", flat=True)) == 150
    assert not Enrollment.objects.filter(status="waiting").exists()
