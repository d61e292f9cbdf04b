"""What failures teach about a number, and what does not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.audience.suppression import Suppression, lift_learned
from smsflow_plugin.events.facts import Report
from smsflow_plugin.events.reports import Cause, ReportStatus
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.messaging.gateway import Rejected
from smsflow_plugin.messaging.learning import Failure, learn
from smsflow_plugin.messaging.reports import apply_reports
from smsflow_plugin.models import Contact, Event, Message, SpendDay, Store
from tests.conftest import NOON, TestClock
from tests.dispatch.conftest import Queue
from tests.dispatch.scripted import ScriptedGateway
from tests.factories import make_contact

pytestmark = pytest.mark.django_db
Gateway = type[ScriptedGateway]


def sent_and_reported(
    queue: Queue, gateway: Gateway, contact: Contact, still: TestClock, cause: Cause, code: int
) -> None:
    message = queue(contact=contact)
    dispatch()
    status = ReportStatus.FAILED if cause else ReportStatus.DELIVERED
    report = Report(message.to, status, still.at, reference=gateway.calls[-1].reference, cause=cause, code=code)
    apply_reports([(message.store_id, report)], still.at)


@pytest.mark.parametrize(
    ("cause", "reason"),
    [(Cause.INVALID, "invalid"), (Cause.LANDLINE, "landline"), (Cause.BLOCKED, "blocked_by_carrier")],
)
def test_what_the_network_knows_for_sure_is_believed_at_once(
    gateway: Gateway, queue: Queue, store: Store, still: TestClock, cause: Cause, reason: str
) -> None:
    contact = make_contact(store)
    sent_and_reported(queue, gateway, contact, still, cause, 300)
    entry = Suppression.objects.get()
    assert (entry.reason, entry.source, entry.note, entry.last4) == (reason, "gateway", "#300", str(contact.phone)[-4:])
    again = queue(contact=contact)
    dispatch()
    again.refresh_from_db()
    assert (again.state, again.reason) == ("cancelled", "suppressed")


def test_a_number_that_cannot_be_reached_is_believed_after_three_days(
    gateway: Gateway, queue: Queue, store: Store, still: TestClock
) -> None:
    contact = make_contact(store)
    for _times in range(3):
        sent_and_reported(queue, gateway, contact, still, Cause.UNREACHABLE, 402)
    assert not Suppression.objects.exists(), "three times on one day is one day"
    still.move(days=1)
    sent_and_reported(queue, gateway, contact, still, Cause.UNREACHABLE, 402)
    assert not Suppression.objects.exists()
    still.move(days=1)
    sent_and_reported(queue, gateway, contact, still, Cause.UNREACHABLE, 402)
    assert Suppression.objects.get().reason == "unreachable"


@pytest.mark.parametrize("sign", ["delivered", "wrote"])
def test_a_sign_of_life_in_between_starts_the_count_anew(
    gateway: Gateway, queue: Queue, store: Store, still: TestClock, sign: str
) -> None:
    contact = make_contact(store)
    for _day in range(2):
        sent_and_reported(queue, gateway, contact, still, Cause.UNREACHABLE, 402)
        still.move(days=1)
    if sign == "delivered":
        sent_and_reported(queue, gateway, contact, still, Cause.UNKNOWN, 0)
    else:
        Event.objects.create(store=store, contact=contact, kind="message_received", key="1", occurred_at=still.at)
    still.move(days=1)
    sent_and_reported(queue, gateway, contact, still, Cause.UNREACHABLE, 402)
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("cause", [Cause.OURS, Cause.TEMPORARY, Cause.ACCOUNT, Cause.UNKNOWN])
def test_what_is_not_about_the_number_teaches_nothing(store: Store, still: TestClock, cause: Cause) -> None:
    contact = make_contact(store)
    assert learn([Failure(store.pk, str(contact.phone), cause, contact.pk)] * 3, NOON) == 0


def test_a_number_that_the_gateway_refuses_in_a_call_is_learnt_and_the_others_go(
    gateway: Gateway, queue: Queue, store: Store, still: TestClock
) -> None:
    bad, good = queue("Sale!"), queue("Sale!")
    gateway.answer = staticmethod(
        lambda text: (
            Rejected("No such number.", recipients=(bad.to,), cause=Cause.INVALID)
            if bad.to in text.recipients
            else None
        )
    )
    gateway.answer = staticmethod(lambda text: Rejected("No such number.", recipients=(bad.to,), cause=Cause.INVALID))
    dispatch()
    gateway.answer = None
    dispatch()
    bad.refresh_from_db(), good.refresh_from_db()
    assert (bad.state, good.state) == ("failed", "accepted")
    assert Suppression.objects.get().last4 == bad.to[-4:]


def numbers(count: int, first: int = 0) -> list[str]:
    return [f"+1202555{first + index:04}" for index in range(count)]


def test_a_gateway_that_calls_everybody_dead_is_not_believed(
    store: Store, danish_store: Store, still: TestClock, caplog: pytest.LogCaptureFixture
) -> None:
    all_of_them = [Failure(store.pk, number, Cause.BLOCKED) for number in numbers(300)]
    assert learn([*all_of_them, Failure(danish_store.pk, numbers(1)[0], Cause.BLOCKED)], NOON) == 1
    assert Suppression.objects.get().store == danish_store
    assert f"store {store.pk} " in caplog.text


def test_however_slowly_it_says_so(store: Store, still: TestClock) -> None:
    for number in numbers(300):
        learn([Failure(store.pk, number, Cause.INVALID)], NOON)
    assert Suppression.objects.count() == 50
    assert learn([Failure(store.pk, numbers(1, 9000)[0], Cause.INVALID)], NOON + timedelta(days=1)) == 1


def test_the_more_a_store_sends_the_more_dead_numbers_it_may_find(store: Store, still: TestClock) -> None:
    SpendDay.objects.create(store=store, day=NOON.date(), texts=1500)
    assert learn([Failure(store.pk, number, Cause.INVALID) for number in numbers(300)], NOON) == 300


def test_a_value_that_is_too_long_is_not_the_numbers_fault(
    gateway: Gateway, queue: Queue, store: Store, still: TestClock
) -> None:
    bad = queue("Sale!")
    queue("Sale!")
    gateway.answer = staticmethod(lambda text: Rejected("A value is too long.", recipients=(bad.to,)))
    dispatch()
    assert Message.objects.filter(state="failed").count() == 1
    assert not Suppression.objects.exists()


def test_whoever_writes_from_a_number_proves_that_it_lives(store: Store, danish_store: Store, still: TestClock) -> None:
    number = "+12025550177"
    learn([Failure(store.pk, number, Cause.INVALID), Failure(danish_store.pk, number, Cause.BLOCKED)], NOON)
    assert lift_learned({(store.pk, number), (danish_store.pk, number)}, "gateway", NOON) == 1
    assert Suppression.objects.get().reason == "blocked_by_carrier", "that says nothing of whether it lives"


def test_what_people_have_put_on_the_list_stays(store: Store, still: TestClock) -> None:
    number = "+12025550177"
    from smsflow_plugin.audience.suppression import suppress

    suppress([(store.pk, number)], "landline", source="import", now=NOON)
    assert lift_learned({(store.pk, number)}, "gateway", NOON) == 0
    assert Suppression.objects.exists()


def test_the_number_of_statements_does_not_depend_on_the_number_of_failures(store: Store, still: TestClock) -> None:
    made = []
    contacts = [make_contact(store) for _one in range(20)]
    for some in (contacts[:1], contacts[1:]):
        failures = [Failure(store.pk, str(one.phone), cause, one.pk) for one in some for cause in Cause]
        with CaptureQueriesContext(database) as queries:
            learn(failures, NOON + timedelta(days=1))
        made.append(len(queries))
    assert made[0] == made[1]
