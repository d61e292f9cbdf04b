"""Test runs: real texts in a hurry, also from a draft; governance holds, and they count nowhere."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied

from smsflow_plugin.admin_panels.flows.diagram import numbers_of
from smsflow_plugin.engine.advance import next_wake
from smsflow_plugin.messaging.gate import Gate, Queued
from smsflow_plugin.models import Contact, Enrollment, Flow, FlowVersion, Message, Store
from smsflow_plugin.simulation.test_runs import CannotTest, StartTestRun, StopTestRuns
from tests.conftest import TestClock
from tests.engine.helpers import pump
from tests.factories import make_contact, make_store
from tests.flows.people import person, published_flow, saved_flow, send, wait

pytestmark = pytest.mark.django_db


def start(flow: Flow, *contacts: Contact, pace: int = 1440, draft: bool = True) -> list[int]:
    ids = [contact.pk for contact in contacts]
    return StartTestRun(flow, contact_ids=ids, pace=pace, draft=draft).execute(skip_permission_checks=True)


def short(flow: Flow) -> Flow:
    """Two texts, a day between them."""
    block = type(flow)._meta.get_field("steps").stream_block
    flow.steps = block.to_python(
        [send("First for {{ contact.first_name | default: 'you' }}."), wait(1), send("Second.")]
    )
    flow.audience = []
    flow.save()
    flow.save_revision(clean=False)
    return flow


@pytest.fixture
def draft(store: Store) -> Flow:
    return short(saved_flow(store, "abandoned_cart"))


def test_a_draft_is_tested_with_short_waits_before_it_is_live(store: Store, still: TestClock, draft: Flow) -> None:
    ada = make_contact(store)
    assert start(draft, ada) == [ada.pk]
    pump()
    (first,) = Message.objects.all()
    assert first.purpose == "test_run"
    assert first.body.startswith("Sierra Gear: First for Ada.")
    due = next_wake()
    assert due is not None and due - still.at == timedelta(minutes=1)


def test_the_version_of_a_draft_is_not_the_one_that_runs_and_is_made_once(store: Store, draft: Flow) -> None:
    start(draft, make_contact(store))
    start(draft, make_contact(store))
    draft.refresh_from_db()
    assert draft.current_version is None and not draft.live
    assert FlowVersion.objects.get(flow=draft).published_by == ""


def test_its_texts_pass_the_last_gate_although_the_flow_is_not_live(
    store: Store, still: TestClock, draft: Flow
) -> None:
    start(draft, make_contact(store))
    pump()
    message = Message.objects.get()
    values = {name: getattr(message, name) for name in Queued.__dataclass_fields__ if name != "pk"}
    assert Gate([Queued(pk=message.pk, **values)], still.at).ask(Queued(pk=message.pk, **values)).allowed
    plain = Queued(pk=message.pk, **{**values, "purpose": "flow"})
    assert not Gate([plain], still.at).ask(plain).allowed


def test_consent_and_quiet_hours_hold_for_tests_too(store: Store, still: TestClock, draft: Flow) -> None:
    start(draft, make_contact(store, marketing_consent="unknown"))
    pump()
    assert not Message.objects.exists()
    still.move(hours=10)
    start(draft, make_contact(store))
    pump()
    assert not Message.objects.exists()
    run = Enrollment.objects.get(status="waiting")
    assert run.wake_at is not None and run.wake_at - still.at > timedelta(hours=5)


def test_a_second_test_of_the_same_person_ends_the_first(store: Store, draft: Flow) -> None:
    ada = make_contact(store)
    start(draft, ada)
    start(draft, ada)
    assert sorted(Enrollment.objects.values_list("status", "exit_reason")) == [
        ("exited", "test_stopped"),
        ("waiting", ""),
    ]


def test_stopping_ends_tests_and_nothing_else(store: Store) -> None:
    flow = short(published_flow(store, "abandoned_cart"))
    ada, grace = make_contact(store), make_contact(store)
    start(flow, ada)
    real = Enrollment.objects.create(store=store, flow=flow, contact=grace, version=flow.current_version)
    assert StopTestRuns(flow).execute(skip_permission_checks=True) == 1
    real.refresh_from_db()
    assert real.status == "waiting"


def test_tests_count_nowhere(store: Store, draft: Flow) -> None:
    start(draft, make_contact(store))
    pump()
    Message.objects.update(state="delivered")
    numbers = numbers_of(draft)
    assert not numbers.here and not numbers.sent and not numbers.feet()


def test_nobody_of_another_store_is_tested_with(store: Store, draft: Flow) -> None:
    other = make_store(name="Other", domain="other.myshopify.com", sender="+12025550111")
    with pytest.raises(CannotTest):
        start(draft, make_contact(other))
    assert not Enrollment.objects.exists()


def test_only_who_may_publish_starts_a_test(store: Store, draft: Flow) -> None:
    writer = person("writer", (store, ("change_flow", "view_flow")))
    with pytest.raises(Exception, match="permission") as refused:
        StartTestRun(draft, writer, contact_ids=[make_contact(store).pk], pace=1).execute()
    assert isinstance(refused.value, PermissionDenied)


def test_what_is_live_is_tested_only_if_something_is(store: Store, draft: Flow) -> None:
    with pytest.raises(CannotTest):
        start(draft, make_contact(store), draft=False)
