"""ST14: a flow hears that its text did not arrive, and takes another way: once, and never about somebody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from smsflow_plugin import clock
from smsflow_plugin.events.facts import Report
from smsflow_plugin.events.reports import ReportStatus
from smsflow_plugin.flows.program import Exit, Send, Tag, WaitForEvent
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.messaging.failed import tell
from smsflow_plugin.messaging.gateway import Rejected
from smsflow_plugin.models import Contact, Delivery, Enrollment, Event, Message, Store
from tests.conftest import NOON, TestClock
from tests.dispatch.scripted import ScriptedGateway
from tests.engine.helpers import deliver, happened, make_flow, pump
from tests.factories import make_contact

pytestmark = pytest.mark.django_db
ADA = "+12025550101"

#: Sends, and tags those whose text did not arrive within an hour.
WAY_OUT = (
    Send("s", {"": "Hi"}),
    WaitForEvent("w", ("message_failed",), 1, "hours", on_timeout=3),
    Tag("t", "call her"),
    Exit("x"),
)


@pytest.fixture(autouse=True)
def _outbox(settings: Any, _world: None) -> None:
    translators = {"test": "tests.engine.helpers.translate", "outbox": "smsflow_plugin.messaging.failed.translate"}
    settings.SMSFLOW = {**settings.SMSFLOW, "TRANSLATORS": translators}


@pytest.fixture
def ada(store: Store, gateway: type[ScriptedGateway]) -> Contact:
    """Ada, to whom a text has left."""
    ada = make_contact(store, phone=ADA)
    make_flow(store, *WAY_OUT)
    happened(store, "opted_in", phone=ADA)
    pump()
    return ada


def reported(store: Store, status: ReportStatus) -> None:
    batch = Message.objects.get().batch
    assert batch is not None
    deliver(store, Report(ADA, status, clock.now(), reference=str(batch.reference), code=401))
    pump()


def test_a_text_that_was_reported_as_failed_leads_the_other_way(store: Store, ada: Contact) -> None:
    dispatch()
    reported(store, ReportStatus.FAILED)
    ada.refresh_from_db()
    event = Event.objects.get(kind="message_failed")
    message = Message.objects.get()
    assert ada.tags == ["call her"]
    assert event.data == {
        "message": message.pk, "flow": message.flow_id, "step": "s", "cause": message.reason, "code": 401,
    }  # fmt: skip
    # the same report again tells nothing new
    reported(store, ReportStatus.FAILED)
    assert Event.objects.filter(kind="message_failed").count() == 1


def test_a_text_that_has_arrived_leads_on_when_the_time_is_up(store: Store, ada: Contact, still: TestClock) -> None:
    dispatch()
    reported(store, ReportStatus.DELIVERED)
    assert Enrollment.objects.get().status == "waiting"
    still.move(hours=2)
    pump()
    ada.refresh_from_db()
    assert (ada.tags, Enrollment.objects.get().status) == ([], "exited")
    assert not Event.objects.filter(kind="message_failed").exists()


def test_a_number_that_the_gateway_refuses_is_told_at_once(
    store: Store, ada: Contact, gateway: type[ScriptedGateway]
) -> None:
    gateway.answer = staticmethod(lambda text: Rejected("No such number.", (ADA,)))
    dispatch()
    assert Message.objects.get().state == "failed"
    pump()
    ada.refresh_from_db()
    assert ada.tags == ["call her"]


def test_what_is_no_number_is_told_without_a_call(store: Store, ada: Contact, gateway: type[ScriptedGateway]) -> None:
    Contact.objects.update(phone="12")
    Message.objects.update(to="12")
    dispatch()
    assert not gateway.calls
    assert Delivery.objects.filter(source="outbox").count() == 1


@pytest.mark.parametrize(
    "since", [{"phone": "+12025550177"}, {"erased_at": NOON}], ids=["has another number", "was erased"]
)
def test_nobody_else_hears_of_it(store: Store, ada: Contact, since: dict[str, Any]) -> None:
    dispatch()
    Contact.objects.update(**since)
    reported(store, ReportStatus.FAILED)
    assert Message.objects.get().state == "failed"
    assert not Delivery.objects.filter(source="outbox").exists()


def test_texts_of_no_flow_and_those_that_did_not_fail_are_passed_over(store: Store, ada: Contact) -> None:
    mine = Message.objects.get()
    own = Message.objects.create(
        store=store, contact=ada, message_class="reply", sender="1", to=ADA, body="Hi", state="failed", key="k"
    )
    assert tell([mine.pk, own.pk], NOON) == 0
    Message.objects.update(state="failed", finished_at=NOON - timedelta(minutes=1))
    assert (tell([mine.pk, own.pk], NOON), tell([mine.pk], NOON)) == (1, 0)
