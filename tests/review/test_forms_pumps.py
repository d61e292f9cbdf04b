"""Flows as forms: one row that makes no sense stops no pump, and nobody is let in before their turn."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from smsflow_plugin.engine import moving
from smsflow_plugin.engine.advance import advance
from smsflow_plugin.engine.intake import let_in
from smsflow_plugin.engine.letting_in import LetIn
from smsflow_plugin.engine.lists import watch_lists
from smsflow_plugin.engine.models import Effect, Enrollment, Intake
from smsflow_plugin.engine.moving import Choice, MovePeople, TakeOut, move_people
from smsflow_plugin.engine.performing import LEASE, perform
from smsflow_plugin.engine.raising import live_flows
from smsflow_plugin.flows.program import Email, Throttle, Trigger, Wait, Webhook
from smsflow_plugin.models import Flow, FlowVersion, Message, Store
from smsflow_plugin.simulation.test_runs import StartTestRun, StopTestRuns
from tests.conftest import NOON, TestClock
from tests.engine.helpers import happened, make_flow, pump
from tests.factories import make_contact
from tests.flows.people import STORE_ADMIN, person
from tests.flows.test_editor import signed_in, url
from tests.outgoing.conftest import RECORDER, Recorder
from tests.outgoing.conftest import recorder as recorder
from tests.versions import flows as forms
from tests.versions.test_publish_page import answers

ADA = "+12025550101"


def newer_version(flow: Flow, **values: Any) -> Flow:
    """Give the flow another version of its program, which newcomers get."""
    old = flow.current_version
    program = {**old.program, **values}
    version = FlowVersion.objects.create(
        store=flow.store, flow=flow, number=old.number + 1, content_hash="another", program=program
    )
    Flow.objects.filter(pk=flow.pk).update(current_version=version)
    return Flow.objects.get(pk=flow.pk)


# What other systems answer -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer", [{"points": float("nan")}, [float("inf")], "a\x00b", {"a\x00": 1}, "\ud800", {1, 2}, Recorder]
)
def test_an_answer_that_no_database_keeps_fails_alone_and_its_run_goes_on(
    store: Store, recorder: Recorder, still: TestClock, answer: Any
) -> None:
    make_contact(store, phone=ADA)
    make_flow(store, Webhook("h", "https://example.com/", save_as="crm"), Wait("w", 1, "days"))
    happened(store, "opted_in")
    pump()
    happened(store, "opted_in", phone="+12025550102", consent="granted")
    pump()
    recorder.answers = [answer, {"points": 1}]
    perform()
    assert sorted(Effect.objects.values_list("state", flat=True)) in (["done", "done"], ["done", "failed"])
    pump()
    assert set(Enrollment.objects.values_list("state__at", flat=True)) == {1}, "nobody waits for the answer any more"
    assert not RECORDER.answers


def test_an_effect_of_a_program_that_cannot_be_read_stops_no_other(
    store: Store, recorder: Recorder, still: TestClock
) -> None:
    make_contact(store, phone=ADA)
    make_flow(store, Webhook("h", "https://example.com/"), name="Odd")
    make_flow(store, Webhook("h", "https://example.com/"), name="Good")
    happened(store, "opted_in")
    pump()
    FlowVersion.objects.filter(flow__name="Odd").update(program=[])
    perform()
    assert Effect.objects.get(flow__name="Good").state == "done"
    still.move(seconds=LEASE.total_seconds())
    perform()
    assert not Effect.objects.filter(state="working").exists()


# Crowds ------------------------------------------------------------------------------------------


def test_a_crowd_that_makes_no_sense_keeps_no_other_one_waiting(store: Store) -> None:
    flow = make_flow(store, Wait("w", 1, "days"))
    make_contact(store)
    bad = LetIn(flow, condition={"field": "x", "op": "like", "value": 1}).execute()
    LetIn(flow).execute()
    while let_in():
        pass
    bad.refresh_from_db()
    assert Enrollment.objects.count() == 1
    assert bad.state == "waiting", "it is tried again"


def test_a_crowd_whose_flow_a_newer_software_wrote_waits_for_it(store: Store) -> None:
    flow = make_flow(store, Wait("w", 1, "days"))
    make_contact(store)
    FlowVersion.objects.update(program={**flow.current_version.program, "format": 99})
    LetIn(flow).execute()
    while let_in():
        pass
    assert Intake.objects.get().state == "waiting"


def test_a_move_that_makes_no_sense_keeps_no_other_one_waiting(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smsflow_plugin.engine.moving.AT_ONCE", 0)
    runs = []
    for name in ("Bad", "Good"):
        flow = make_flow(store, Wait("w", 1, "days"), name=name)
        contact = make_contact(store)
        happened(store, "opted_in", phone=contact.phone)
        pump()
        newer_version(flow, goal="order_created")
    for flow in Flow.objects.order_by("pk"):
        runs.append(MovePeople(flow, choices={(flow.versions.get(number=1).pk, ""): Choice.MOVE}).execute())
    Intake.objects.filter(pk=runs[0].pk).update(data={"choices": "all"})
    while move_people():
        pass
    runs[1].refresh_from_db()
    assert runs[1].state == "done"


def test_a_planned_crowd_that_was_held_up_for_days_is_not_let_in_any_more(store: Store, still: TestClock) -> None:
    flow = make_flow(store, Wait("w", 1, "days"), triggers=(Trigger("scheduled", options={"at": NOON.isoformat()}),))
    FlowVersion.objects.update(published_at=NOON - timedelta(days=1))
    make_contact(store)
    watch_lists()
    Flow.objects.update(paused_at=NOON)
    let_in()
    still.move(days=6)
    Flow.objects.update(paused_at=None)
    while let_in():
        pass
    assert not Enrollment.objects.filter(flow=flow).exists()
    assert Intake.objects.get().state == "stopped"


def test_testing_a_draft_publishes_nothing_that_was_planned_before_it_was_published(
    store: Store, still: TestClock
) -> None:
    at = (NOON + timedelta(days=1)).isoformat()
    triggers = [{"type": "schedule", "value": {"at": at, "repeat": "once"}, "id": "t"}]
    flow = forms.make_flow(store, forms.text("A"), triggers=triggers)
    contact = make_contact(store)
    still.at = NOON - timedelta(minutes=5)
    StartTestRun(flow, contact_ids=[contact.pk], pace=1).execute()
    still.at = NOON + timedelta(days=2)
    forms.publish(flow)
    watch_lists()
    assert not Intake.objects.exists(), "the planned time was a day before anybody published the flow"


# Turns -------------------------------------------------------------------------------------------


def test_moving_people_to_a_new_version_gives_nobody_an_earlier_turn(store: Store, still: TestClock) -> None:
    flow = make_flow(store, Wait("w", 1, "minutes"), throttle=Throttle(1, "hour"))
    for n in range(3):
        contact = make_contact(store, phone=f"+1202555012{n}")
        happened(store, "opted_in", phone=contact.phone)
    pump()
    turns = list(Enrollment.objects.order_by("pk").values_list("entered_at", flat=True))
    flow = newer_version(flow, goal="order_created")
    old = flow.versions.get(number=1)
    MovePeople(flow, choices={(old.pk, ""): Choice.MOVE}).execute()
    pump()
    begun = [run.entered_at for run in Enrollment.objects.order_by("pk") if run.state.get("reached_at")]
    assert turns == [NOON + timedelta(hours=n) for n in range(3)]
    assert begun == [NOON]
    still.move(hours=1)
    pump()
    assert (
        Enrollment.objects.exclude(state__reached_at=None).count()
        + Enrollment.objects.exclude(status="waiting").count()
        >= 2
    )


# What was asked for by runs that are taken out ----------------------------------------------------


def asked_for_an_email(store: Store) -> Enrollment:
    make_contact(store, phone=ADA, email="ada@example.com", email_consent="granted")
    make_flow(store, Email("e", {"": "Hi"}, {"": "Hello"}), Wait("w", 1, "days"))
    happened(store, "opted_in")
    pump()
    return Enrollment.objects.get()


def test_who_is_taken_out_gets_no_email_of_the_flow_that_is_still_queued(store: Store, recorder: Recorder) -> None:
    TakeOut(asked_for_an_email(store)).execute()
    perform()
    assert not recorder.jobs
    assert Effect.objects.get().state == "failed"


def test_who_leaves_with_an_old_version_gets_no_email_of_it_that_is_still_queued(
    store: Store, recorder: Recorder
) -> None:
    run = asked_for_an_email(store)
    flow = newer_version(run.flow, goal="order_created")
    MovePeople(flow, choices={(run.version_id, ""): Choice.LEAVE}).execute()
    perform()
    assert not recorder.jobs


def test_a_flow_that_is_off_sends_no_email_that_is_still_queued(store: Store, recorder: Recorder) -> None:
    asked_for_an_email(store)
    Flow.objects.update(live=False)
    perform()
    assert not recorder.jobs
    assert Effect.objects.get().state == "failed"


def test_a_stopped_test_run_sends_no_text_that_is_still_queued(store: Store) -> None:
    flow = forms.publish(forms.make_flow(store, forms.text("A"), forms.pause("W")))
    contact = make_contact(store)
    StartTestRun(flow, contact_ids=[contact.pk], pace=1).execute()
    advance()
    assert Message.objects.get().state == "queued"
    StopTestRuns(flow).execute()
    assert Message.objects.get().state == "cancelled"


# Locks -------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_publishing_holds_the_flow_and_its_people_in_no_common_transaction(
    store: Store, still: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # advance holds people and may wait for the flow: who holds the flow must not wait for people
    flow = forms.publish(forms.make_flow(store, forms.text("A"), forms.pause("W")))
    forms.enter(flow)
    revision = flow.get_latest_revision_as_object()
    revision.steps = [forms.text("A"), forms.pause("W", 2)]
    revision.save_revision(clean=False)
    ines = signed_in(person("Ines", (store, STORE_ADMIN)))
    data = answers(flow, ines)
    inside: list[int] = []
    real = moving._batch

    def watched(move: Intake, limit: int) -> int:
        inside.append(len(connection.savepoint_ids))
        return real(move, limit)

    monkeypatch.setattr(moving, "_batch", watched)
    ines.post(url("publish", flow.pk), data)
    assert inside == [0]
    assert Enrollment.objects.get().version == Flow.objects.get().current_version


def test_flows_are_taken_in_the_same_order_by_all_pumps(store: Store) -> None:
    made = [make_flow(store, Wait("w", 1, "days"), trigger="scheduled", name=name).pk for name in "ABC"]
    Flow.objects.filter(pk=made[0]).update(name="Changed")  # PostgreSQL puts it behind the others
    assert [flow.pk for flow in live_flows(("scheduled",), NOON)] == made
