"""Reports move texts forward, whatever their order."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.events.facts import Report
from smsflow_plugin.events.reports import ReportStatus
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.messaging.gateway import Unknown
from smsflow_plugin.messaging.outbox import cancel_queued
from smsflow_plugin.messaging.reconcile import reconcile
from smsflow_plugin.messaging.reports import apply_reports
from smsflow_plugin.models import Batch, Message, Store
from tests.conftest import NOON, TestClock
from tests.dispatch.conftest import Queue
from tests.dispatch.scripted import ScriptedGateway
from tests.factories import make_contact

pytestmark = pytest.mark.django_db
Gateway = type[ScriptedGateway]
LATER = NOON + timedelta(minutes=3)


def report(message: Message, status: ReportStatus, **values: Any) -> tuple[int, Report]:
    batch = Message.objects.get(pk=message.pk).batch
    assert batch is not None
    defaults = {"to": message.to, "status": status, "at": LATER, "reference": str(batch.reference)}
    return message.store_id, Report(**{**defaults, **values})


def test_a_delivered_text_says_when(gateway: Gateway, queue: Queue) -> None:
    message = queue()
    dispatch()
    changes = apply_reports([report(message, ReportStatus.DELIVERED, code=0, parts=2)], LATER)
    message.refresh_from_db()
    assert changes == [(message.pk, message.contact_id, "delivered")]
    assert (message.state, message.finished_at, message.error_code) == ("delivered", LATER, None)
    assert (message.parts, message.reported_parts) == (1, 2), "the price goes by our own count"


def test_a_text_that_was_read_has_arrived_and_says_how(gateway: Gateway, queue: Queue) -> None:
    message = queue()
    dispatch()
    apply_reports([report(message, ReportStatus.READ, channel="rcs")], LATER)
    assert apply_reports([report(message, ReportStatus.DELIVERED)], LATER) == []
    message.refresh_from_db()
    assert (message.state, message.read_at, message.channel) == ("delivered", LATER, "rcs")


def test_a_text_is_read_after_it_was_delivered(gateway: Gateway, queue: Queue) -> None:
    message = queue()
    dispatch()
    apply_reports([report(message, ReportStatus.DELIVERED)], LATER)
    assert apply_reports([report(message, ReportStatus.READ, at=LATER + timedelta(hours=1))], LATER) == []
    message.refresh_from_db()
    assert (message.finished_at, message.read_at) == (LATER, LATER + timedelta(hours=1))


def test_a_failed_text_says_why(gateway: Gateway, queue: Queue) -> None:
    message = queue()
    dispatch()
    apply_reports([report(message, ReportStatus.FAILED, code=402)], LATER)
    message.refresh_from_db()
    assert (message.state, message.finished_at, message.error_code) == ("failed", LATER, 402)


@pytest.mark.parametrize("order", list(permutations(["dispatched", "delivered", "dispatched"])))
def test_reports_out_of_order_and_twice_end_the_same(gateway: Gateway, queue: Queue, order: tuple[str, ...]) -> None:
    message = queue()
    dispatch()
    for status in order:
        apply_reports([report(message, ReportStatus(status))], LATER)
    message.refresh_from_db()
    assert message.state == "delivered"
    assert apply_reports([report(message, ReportStatus.DELIVERED)], LATER) == []


def test_of_two_final_words_the_first_counts_but_for_proof_of_arrival(gateway: Gateway, queue: Queue) -> None:
    first, second = queue("a"), queue("b")
    dispatch()
    expired, failed, delivered = ReportStatus.EXPIRED, ReportStatus.FAILED, ReportStatus.DELIVERED
    apply_reports([report(first, expired), report(first, failed), report(second, failed)], LATER)
    apply_reports([report(second, delivered), report(second, failed)], LATER)
    assert list(Message.objects.order_by("pk").values_list("state", flat=True)) == ["expired", "delivered"]


def test_a_report_finds_its_text_by_the_vendors_id_alone(gateway: Gateway, queue: Queue) -> None:
    message = queue()
    dispatch()
    message.refresh_from_db()
    assert message.batch is not None
    apply_reports([report(message, ReportStatus.DELIVERED, reference="", provider_id=message.batch.provider_id)], LATER)
    message.refresh_from_db()
    assert message.state == "delivered"


def test_one_store_cannot_report_on_another_stores_texts(gateway: Gateway, queue: Queue, danish_store: Store) -> None:
    message = queue()
    dispatch()
    _own, stranger = report(message, ReportStatus.FAILED)
    assert apply_reports([(danish_store.pk, stranger)], LATER) == []
    message.refresh_from_db()
    assert message.state == "accepted"


def test_reports_about_nothing_of_ours_are_passed_over(store: Store) -> None:
    for values in ({"reference": "not a uuid"}, {"provider_id": "unknown"}, {"reference": "0" * 32}):
        assert apply_reports([(store.pk, Report("+12025550111", ReportStatus.DELIVERED, LATER, **values))], LATER) == []
    assert apply_reports([], LATER) == []


def test_a_report_proves_that_a_cut_off_call_was_taken(gateway: Gateway, queue: Queue, still: TestClock) -> None:
    one, other = queue("Sale!"), queue("Sale!")
    gateway.answer = staticmethod(lambda text: Unknown("timed out"))
    dispatch()
    apply_reports([report(one, ReportStatus.DELIVERED, provider_id="theirs")], LATER)
    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.state, other.state) == ("delivered", "accepted")
    batch = Batch.objects.get()
    assert (batch.state, batch.provider_id) == ("accepted", "theirs")
    still.move(minutes=2)
    assert reconcile() == 0


def test_a_report_takes_a_text_out_of_the_queue_that_was_given_back_too_early(
    gateway: Gateway, queue: Queue, still: TestClock
) -> None:
    message = queue()
    gateway.answer = staticmethod(lambda text: Unknown("timed out"))
    dispatch()
    gateway.answer = None
    still.move(minutes=1)
    reconcile()  # the gateway's list lags behind: "never heard of it"
    message.refresh_from_db()
    assert message.state == "queued"
    apply_reports([report(message, ReportStatus.DISPATCHED)], LATER)
    assert dispatch().taken == 0
    message.refresh_from_db()
    assert message.state == "accepted"


def test_the_number_of_statements_does_not_depend_on_the_number_of_reports(gateway: Gateway, queue: Queue) -> None:
    messages = [queue(str(i)) for i in range(40)]
    dispatch()
    made = []
    for some in (messages[:1], messages[1:]):
        reports = [report(message, ReportStatus.DELIVERED) for message in some]
        with CaptureQueriesContext(database) as queries:
            assert len(apply_reports(reports, LATER)) == len(some)
        made.append(len(queries))
    assert made[0] == made[1] <= 6


def test_an_opt_out_cancels_what_is_queued_and_leaves_replies_and_other_people(
    gateway: Gateway, queue: Queue, store: Store
) -> None:
    ada = make_contact(store)
    queue("Sale!", ada), queue("Parcel", ada, message_class="service")
    queue("You are out.", ada, message_class="reply")
    queue("Sale!")
    done = queue("Earlier", ada, state="delivered")
    assert cancel_queued({ada.pk}, "opted_out") == 2
    assert cancel_queued(set(), "opted_out") == 0
    rows = Message.objects.order_by("pk").values_list("state", "reason", "finished_at")
    assert list(rows)[:4] == [("cancelled", "opted_out", NOON)] * 2 + [("queued", "", None)] * 2
    done.refresh_from_db()
    assert done.state == "delivered"
