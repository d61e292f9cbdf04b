"""What the last gate says is written down too, once for each answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.models import Contact, Decision, Flow, Message, Store
from tests.conftest import NOON, TestClock
from tests.dispatch.conftest import Queue, gateway, queue  # noqa: F401 - fixtures
from tests.engine.helpers import happened, make_flow, pump
from tests.factories import make_contact

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("gateway")]


@pytest.fixture
def inbox(settings: Any, gateway: Any) -> None:  # noqa: F811
    """Deliveries of the source "test" hold the facts that a test names."""
    settings.SMSFLOW = {**settings.SMSFLOW, "TRANSLATORS": {"test": "tests.engine.helpers.translate"}}


def said() -> list[tuple[str, str, int | None]]:
    return list(Decision.objects.order_by("pk").values_list("verdict", "reason", "message_id"))


def test_a_text_that_night_held_up_says_so_once_however_often_it_was_tried(
    store: Store,
    still: TestClock,
    queue: Queue,  # noqa: F811
) -> None:
    still.move(hours=12)  # 23:00 in New York
    message = queue(queued_at=still.at, not_before=still.at)
    for _try in range(3):
        dispatch()
        Message.objects.update(not_before=still.at)
        still.move(minutes=5)
    assert said() == [("defer", "quiet_hours", message.pk)]
    kept = Decision.objects.get()
    assert (kept.contact_id, kept.policy_id is None, kept.places_id is None) == (message.contact_id, False, False)
    assert kept.until is not None and kept.until > still.at


def test_another_reason_is_another_decision(store: Store, still: TestClock, queue: Queue) -> None:  # noqa: F811
    still.move(hours=12)
    message = queue(queued_at=still.at, not_before=still.at)
    dispatch()
    Contact.objects.update(marketing_consent="revoked")
    Message.objects.update(not_before=still.at)
    dispatch()
    assert said() == [("defer", "quiet_hours", message.pk), ("skip", "opted_out", message.pk)]


def test_what_goes_at_once_leaves_no_second_decision(queue: Queue) -> None:  # noqa: F811
    queue()
    assert dispatch().accepted == 1
    assert said() == []


def test_all_answers_of_a_batch_are_one_statement(store: Store, still: TestClock, queue: Queue) -> None:  # noqa: F811
    def count(texts: int) -> int:
        for _text in range(texts):
            queue(contact=make_contact(store, marketing_consent="revoked"))
        with CaptureQueriesContext(connection) as queries:
            dispatch()
        return len(queries)

    count(1)
    assert count(2) == count(40)
    assert Decision.objects.filter(reason="opted_out").count() == 43


def test_a_text_of_a_flow_is_found_by_its_run(store: Store, still: TestClock, queue: Queue) -> None:  # noqa: F811
    flow = Flow.objects.create(store=store, name="Off", live=False)
    queue(flow=flow, enrollment_id=77, step="s1", visit=2)
    dispatch()
    kept = Decision.objects.get()
    assert (kept.enrollment_id, kept.step, kept.visit, kept.reason, kept.flow_id) == (77, "s1", 2, "flow_off", flow.pk)


def test_whoever_is_in_a_flow_for_the_same_already_is_told_so_once_for_each_event(
    store: Store, still: TestClock, inbox: None
) -> None:
    from smsflow_plugin.flows.program import Reentry, Send

    make_flow(store, Send("s1", {"": "Hello"}), trigger="order_created", reentry=Reentry("subject"))
    for hours in (0, 1, 2):
        still.move(hours=hours)
        happened(store, "order_created", subject="order:1", consent="granted" if not hours else "")
        pump()
    refused = Decision.objects.filter(reason="same_run")
    assert refused.count() == 2
    assert [one.at - NOON for one in refused.order_by("pk")] == [timedelta(hours=1), timedelta(hours=3)]


def test_an_allowed_text_tells_what_it_was_measured_against(store: Store, still: Any, inbox: None) -> None:
    from smsflow_plugin.flows.program import Send

    make_flow(store, Send("s1", {"": "Hello"}))
    happened(store, "opted_in", consent="granted")
    pump()
    kept = Decision.objects.get(verdict="allow")
    assert kept.notes == [{"used": 0, "limit": 2, "per": "day"}]
    assert kept.places_id is not None
