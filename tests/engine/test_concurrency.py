"""Several workers at once on PostgreSQL: nobody twice, nothing lost, no cap overspent."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import timedelta
from threading import Lock

import pytest
from django.db import connections, transaction
from django.db.models import Count

from smsflow_plugin.engine import carrying
from smsflow_plugin.engine.advance import advance
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.engine.models import Effect
from smsflow_plugin.engine.pausing import PauseFlow, ResumeFlow
from smsflow_plugin.flows.program import (
    Discount,
    GoTo,
    Reentry,
    Send,
    SetField,
    Tag,
    Throttle,
    Trigger,
    Wait,
)
from smsflow_plugin.models import Contact, Decision, Delivery, Enrollment, Event, Message, Policy, Store
from tests.conftest import NOON, TestClock
from tests.engine.helpers import happened, make_flow, pump
from tests.factories import caps, make_contact

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
    Policy.objects.update(caps=caps(1), minimum_gap=0)
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


def test_two_workers_let_no_more_people_in_than_the_doors_allow(store: Store) -> None:
    make_flow(store, send(), name="Slow", throttle=Throttle(3, "minute"), priority_number=1)
    make_flow(store, send("Few"), name="Few", max_people=7, message_class="service")
    for n in range(100, 140):
        make_contact(store, phone=f"+1202555{n:04d}")
        happened(store, "opted_in", phone=f"+1202555{n:04d}")

    def work() -> None:
        while ingest(3):
            advance(2)

    together(work)
    pump()
    turns = sorted(Enrollment.objects.filter(flow__name="Slow").values_list("entered_at", flat=True))
    assert len(turns) == 40
    minute = timedelta(minutes=1)
    assert all(
        later - earlier >= minute - timedelta(milliseconds=1) for earlier, later in zip(turns, turns[3:], strict=False)
    )
    assert Enrollment.objects.filter(flow__name="Few").count() == 7
    assert Decision.objects.filter(reason="flow_full").count() == 33


def test_workers_that_start_each_others_flows_lose_nothing_and_do_nothing_twice(store: Store) -> None:
    tagged = (Trigger("tag_added", {"field": "trigger.tag", "op": "eq", "value": "vip"}),)
    last = make_flow(store, send("Last"), name="Last", trigger="custom", message_class="service", max_people=1000)
    steps = (Discount("d", "code"), GoTo("g", last.pk))
    make_flow(store, *steps, name="Tagged", triggers=tagged, throttle=Throttle(1000, "hour"))
    make_flow(store, Tag("t", "vip"), SetField("f", "size", "M"), name="First", reentry=Reentry("always"))
    people = [make_contact(store, phone=f"+1202555{n:04d}") for n in range(100, 116)]
    for contact in people * 2:
        happened(store, "opted_in", phone=str(contact.phone))

    def work() -> None:
        busy = 1
        while busy or Delivery.objects.filter(state="pending").exists():
            busy = ingest(4) + advance(4) + _answer_requests()

    together(work)
    while _answer_requests():
        pump()
    assert Event.objects.filter(kind="tag_added").count() == 16
    assert Event.objects.filter(kind="field_changed").count() == 16
    assert Effect.objects.count() == 16
    assert dict(Enrollment.objects.values_list("flow__name").annotate(n=Count("pk"))) == {
        "First": 32, "Tagged": 16, "Last": 16,
    }  # fmt: skip
    assert not Enrollment.objects.filter(status="waiting").exists()
    assert Message.objects.count() == 16


@transaction.atomic
def _answer_requests() -> int:
    """Give every run the code that it waits for, as the pump for effects does."""
    queued = list(Effect.objects.filter(state="queued").order_by("contact_id").select_for_update(skip_locked=True)[:3])
    for effect in queued:
        Contact.objects.select_for_update().get(pk=effect.contact_id)
        Effect.objects.filter(pk=effect.pk).update(state="done", result={"value": "C"})
        Enrollment.objects.filter(pk=effect.enrollment_id, status="waiting").update(wake_at=NOON)
        Contact.objects.filter(pk=effect.contact_id).update(wake_at=NOON)
    return len(queued)


def test_nobody_is_forgotten_when_a_flow_is_paused_and_resumed_while_workers_run(
    store: Store, still: TestClock
) -> None:
    flow = make_flow(store, Wait("w", 1, "minutes"), send(), message_class="service", throttle=Throttle(1000, "hour"))
    make_flow(store, Wait("v", 1, "minutes"), Tag("t", "x"), name="Other")
    for n in range(100, 140):
        make_contact(store, phone=f"+1202555{n:04d}")
        happened(store, "opted_in", phone=f"+1202555{n:04d}")
    pump()
    still.move(minutes=2)
    first = Lock()

    def work() -> None:
        if first.acquire(blocking=False):
            for _time in range(6):
                PauseFlow(flow).execute(skip_permission_checks=True)
                ResumeFlow(flow).execute(skip_permission_checks=True)
            return
        for _round in range(60):
            advance(3)

    together(work)
    pump()
    assert Message.objects.count() == 40
    assert not Enrollment.objects.filter(status="waiting").exists()


def test_a_worker_that_is_killed_leaves_nothing_half_done(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    make_flow(store, Tag("t", "vip"), Discount("d", "code"), send())
    ada = make_contact(store)
    happened(store, "opted_in", phone=str(ada.phone))
    ingest()
    monkeypatch.setattr(carrying, "react", _killed)
    with pytest.raises(KeyboardInterrupt):
        advance()
    ada.refresh_from_db()
    assert (ada.tags, Event.objects.filter(kind="tag_added").exists(), Effect.objects.exists()) == ([], False, False)
    monkeypatch.undo()
    pump()
    ada.refresh_from_db()
    assert (ada.tags, Effect.objects.count()) == (["vip"], 1)


def _killed(*_args: object) -> None:
    raise KeyboardInterrupt
