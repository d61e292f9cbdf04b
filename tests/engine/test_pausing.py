"""Paused flows and people whom staff has taken over: everything stays where it is, and goes on from there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin import bulk
from smsflow_plugin.engine.actions import HandOverContact, ResumeAutomation
from smsflow_plugin.engine.advance import next_wake
from smsflow_plugin.engine.pausing import PauseFlow, ResumeFlow
from smsflow_plugin.flows.program import HandOver, Send, Wait, WaitForEvent
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.models import Contact, Decision, Enrollment, Flow, Message, Store, StoreLogEntry
from tests.conftest import NOON, TestClock
from tests.dispatch.conftest import gateway  # noqa: F401 - a fixture
from tests.engine.helpers import happened, make_flow, pump
from tests.factories import make_contact

ADA = "+12025550101"


@pytest.fixture
def ada(store: Store) -> Contact:
    return make_contact(store, phone=ADA)


def send(text: str = "Hello", step: str = "s1") -> Send:
    return Send(step, {"": text})


def pause(flow: Flow) -> None:
    PauseFlow(flow).execute(skip_permission_checks=True)


def resume(flow: Flow) -> None:
    ResumeFlow(flow).execute(skip_permission_checks=True)


def actions() -> list[str]:
    return list(StoreLogEntry.objects.order_by("pk").values_list("action", flat=True))


def test_nobody_enters_a_paused_flow_and_it_is_told_why(store: Store, ada: Contact) -> None:
    flow = make_flow(store, send())
    pause(flow)
    assert flow.paused_at == NOON
    happened(store, "opted_in")
    pump()
    assert not Enrollment.objects.exists()
    assert Decision.objects.get().reason == "flow_paused"
    resume(flow)
    happened(store, "opted_in")
    pump()
    assert Message.objects.count() == 1
    assert actions() == ["smsflow.pause", "smsflow.resume"]


def test_people_stay_where_they_are_and_go_on_from_there(store: Store, ada: Contact, still: TestClock) -> None:
    flow = make_flow(store, Wait("w", 1, "hours"), send(), name="Paused")
    make_flow(store, Wait("w", 3, "hours"), send(step="o"), name="Other")
    happened(store, "opted_in")
    pump()
    pause(flow)
    still.move(hours=2)
    pump()
    ada.refresh_from_db()
    run = Enrollment.objects.get(flow=flow)
    assert (run.status, run.wake_at, ada.wake_at) == ("waiting", NOON + timedelta(hours=1), NOON + timedelta(hours=3))
    assert not Message.objects.exists()
    resume(flow)
    ada.refresh_from_db()
    assert ada.wake_at == run.wake_at
    pump()
    assert Message.objects.get().flow == flow


def test_what_happens_during_the_pause_counts(store: Store, ada: Contact, still: TestClock) -> None:
    flow = make_flow(store, WaitForEvent("w", ("order_created",), 9, "days"), send(), exits=("order_paid",))
    happened(store, "opted_in")
    pump()
    pause(flow)
    still.move(minutes=5)
    happened(store, "order_created")
    pump()
    assert (next_wake(), Message.objects.count()) == (None, 0)
    resume(flow)
    pump()
    assert Message.objects.count() == 1


def test_a_flow_that_is_unpublished_during_its_pause_lets_everybody_go(
    store: Store, ada: Contact, still: TestClock
) -> None:
    flow = make_flow(store, Wait("w", 1, "hours"), send())
    happened(store, "opted_in")
    pump()
    pause(flow)
    Flow.objects.update(live=False)
    still.move(hours=2)
    pump()
    assert Enrollment.objects.get().exit_reason == "flow_off"


def test_queued_texts_wait_for_the_end_of_the_pause_and_expire_by_their_own_rules(
    store: Store,
    ada: Contact,
    still: TestClock,
    gateway: Any,  # noqa: F811
) -> None:
    flow, other = make_flow(store, send("Paused"), name="A"), make_flow(store, send("Other"), name="B")
    make_contact(store, phone="+12025550102")
    happened(store, "entered_by_hand", data={"flow": flow.pk})
    happened(store, "entered_by_hand", data={"flow": other.pk}, phone="+12025550102")
    pump()
    pause(flow)
    assert (dispatch(limit=1).accepted, dispatch().taken) == (1, 0)
    assert [call.body for call in gateway.calls] == ["Sierra Gear: Other\nReply STOP to opt out."]
    assert dispatch().next_at is None
    resume(flow)
    assert dispatch().accepted == 1
    happened(store, "entered_by_hand", data={"flow": flow.pk, "again": True}, phone="+12025550102")
    still.move(hours=2)
    pump()
    pause(flow)
    still.move(hours=24)
    resume(flow)
    dispatch()
    assert Message.objects.latest("pk").state == "expired"


def test_pausing_and_resuming_twice_is_once(store: Store, ada: Contact) -> None:
    flow = make_flow(store, send())
    for action in (pause, pause, resume, resume):
        action(flow)
    assert actions() == ["smsflow.pause", "smsflow.resume"]
    flow.refresh_from_db()
    assert flow.paused_at is None


def test_a_draft_cannot_be_paused(store: Store) -> None:
    flow = make_flow(store, send())
    Flow.objects.update(live=False)
    pause(flow)
    assert flow.paused_at is None


def test_only_who_may_publish_may_pause(store: Store) -> None:
    flow = make_flow(store, send())
    nobody = User.objects.create(username="nobody")
    for action in (PauseFlow, ResumeFlow):
        with pytest.raises(PermissionDenied):
            action(flow, user=nobody).execute()


def test_resuming_a_crowd_takes_no_more_statements_than_one(store: Store) -> None:
    flow = make_flow(store, Wait("w", 1, "hours"), send())
    version = flow.current_version_id

    def statements(size: int, start: int) -> int:
        for n in range(start, start + size):
            make_contact(store, phone=f"+1202555{n:04d}")
        people = Contact.objects.values_list("pk", flat=True)
        rows = [(store.pk, flow.pk, version, pk, str(start), "waiting", {}, NOON) for pk in people]
        columns = ("store_id", "flow_id", "version_id", "contact_id", "entry_key", "status", "state", "wake_at")
        bulk.insert(Enrollment, columns, rows)
        pause(flow)
        Contact.objects.update(wake_at=None)
        with CaptureQueriesContext(connection) as queries:
            resume(flow)
        assert not Contact.objects.exclude(wake_at=NOON).exists()
        return len(queries)

    statements(1, 100)
    assert statements(1, 200) == statements(200, 300)


# People ----------------------------------------------------------------------------------------------


def test_staff_takes_somebody_over_and_gives_them_back(store: Store, ada: Contact, still: TestClock) -> None:
    make_flow(store, Wait("w", 1, "hours"), send())
    make_flow(store, Wait("w", 5, "hours"), send(step="later"), name="Later")
    happened(store, "opted_in")
    pump()
    HandOverContact(ada, note="Complained").execute(skip_permission_checks=True)
    still.move(hours=2)
    pump()
    ada.refresh_from_db()
    assert (ada.handed_over_at, ada.handed_over_note, ada.wake_at) == (NOON, "Complained", None)
    assert not Message.objects.exists()
    ResumeAutomation(ada).execute(skip_permission_checks=True)
    ada.refresh_from_db()
    assert (ada.handed_over_at, ada.handed_over_note, ada.wake_at) == (None, "", NOON + timedelta(hours=1))
    pump()
    assert Message.objects.count() == 1
    assert actions() == ["smsflow.hand_over", "smsflow.resume_automation"]


def test_a_flow_that_handed_somebody_over_goes_on_behind_that(store: Store, ada: Contact, still: TestClock) -> None:
    make_flow(store, HandOver("h"), send())
    happened(store, "opted_in")
    pump()
    still.move(days=1)
    assert not Message.objects.exists()
    ResumeAutomation(Contact.objects.get()).execute(skip_permission_checks=True)
    pump()
    assert Message.objects.count() == 1
    assert Contact.objects.get().handed_over_at is None


def test_who_is_given_back_waits_on_where_a_flow_is_paused(store: Store, ada: Contact, still: TestClock) -> None:
    flow = make_flow(store, Wait("w", 1, "hours"), send())
    happened(store, "opted_in")
    pump()
    HandOverContact(ada).execute(skip_permission_checks=True)
    pause(flow)
    ResumeAutomation(ada).execute(skip_permission_checks=True)
    ada.refresh_from_db()
    assert ada.wake_at is None
    HandOverContact(ada).execute(skip_permission_checks=True)
    resume(flow)
    ada.refresh_from_db()
    assert ada.wake_at is None


def test_only_who_may_change_a_contact_may_take_it_over(ada: Contact) -> None:
    nobody = User.objects.create(username="nobody")
    for action in (HandOverContact, ResumeAutomation):
        with pytest.raises(PermissionDenied):
            action(ada, user=nobody).execute()
