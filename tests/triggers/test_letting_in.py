"""Crowds: by hand, at a planned time, and those who come into a segment."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.engine.facts import Programs
from smsflow_plugin.engine.intake import let_in
from smsflow_plugin.engine.letting_in import CannotLetIn, LetIn
from smsflow_plugin.engine.lists import watch_lists
from smsflow_plugin.flows.program import Reentry, Trigger
from smsflow_plugin.models import Contact, Decision, Enrollment, Event, Flow, Intake, Segment, SegmentMember, Store
from tests.conftest import NOON, TestClock
from tests.factories import make_contact
from tests.triggers.helpers import make_flow, told

pytestmark = pytest.mark.django_db

OPTED_IN = Trigger("opted_in")


def let_everybody_in(limit: int | None = None) -> int:
    rounds = 0
    while let_in(limit):
        rounds += 1
    return rounds


def inside(flow: Flow) -> set[int]:
    return set(Enrollment.objects.filter(flow=flow).values_list("contact_id", flat=True))


def segment_of(store: Store, tag: str) -> Segment:
    rules = [{"type": "tag", "value": {"tag": tag}, "id": str(uuid.uuid4())}]
    return Segment.objects.create(store=store, name=f"Those with {tag}", rules=json.dumps(rules))


def test_everybody_who_matches_is_let_in_batch_by_batch(store: Store, danish_store: Store) -> None:
    flow = make_flow(store, OPTED_IN, audience={"tag": "vip"})
    vips = {make_contact(store, tags=["vip"]).pk for _ in range(5)}
    make_contact(store)
    make_contact(danish_store, tags=["vip"])
    intake = LetIn(flow).execute()
    assert let_in(2) == 2
    intake.refresh_from_db()
    assert (intake.total, intake.seen, intake.entered, intake.state) == (5, 2, 2, "waiting")
    let_everybody_in(2)
    intake.refresh_from_db()
    assert (intake.seen, intake.entered, intake.state, intake.finished_at) == (5, 5, "done", NOON)
    assert inside(flow) == vips
    event = Event.objects.filter(kind="entered_by_hand").first()
    assert event is not None
    assert event.data["flow"] == flow.pk


def test_a_worker_that_dies_half_way_leaves_nobody_half_let_in(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = make_flow(store, OPTED_IN)
    people = {make_contact(store).pk for _ in range(5)}
    intake = LetIn(flow).execute()
    let_in(2)
    real = Intake.save

    def die(self: Intake, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Intake, "save", die)
    with pytest.raises(KeyboardInterrupt):
        let_in(2)
    monkeypatch.setattr(Intake, "save", real)
    assert len(inside(flow)) == 2
    let_everybody_in(2)
    intake.refresh_from_db()
    assert inside(flow) == people
    assert Event.objects.filter(kind="entered_by_hand").count() == 5
    assert intake.entered == 5


def test_people_who_are_chosen_by_name_enter_although_the_audience_leaves_them_out(store: Store) -> None:
    flow = make_flow(store, OPTED_IN, audience={"tag": "vip"})
    ada, eve = make_contact(store), make_contact(store)
    LetIn(flow, contacts=[ada]).execute()
    let_everybody_in()
    assert inside(flow) == set()
    assert Decision.objects.get().reason == "audience"
    LetIn(flow, contacts=[eve.pk], apply_audience=False).execute()
    let_everybody_in()
    assert inside(flow) == {eve.pk}


def test_who_was_in_the_flow_before_enters_again_only_when_asked(store: Store) -> None:
    flow = make_flow(store, OPTED_IN, reentry=Reentry("never"))
    ada = make_contact(store)
    for again, runs in ((False, 1), (False, 1), (True, 2)):
        Enrollment.objects.update(status="finished", wake_at=None)
        LetIn(flow, contacts=[ada], again=again).execute()
        let_everybody_in()
        assert Enrollment.objects.count() == runs


def test_a_test_run_goes_at_its_own_pace_and_is_for_people_by_name(store: Store) -> None:
    flow = make_flow(store, OPTED_IN)
    ada = make_contact(store)
    LetIn(flow, contacts=[ada], test_pace=60).execute()
    let_everybody_in()
    assert Enrollment.objects.get().test_pace == 60
    with pytest.raises(CannotLetIn, match="test run"):
        LetIn(flow, test_pace=60).execute()


def test_people_of_another_store_cannot_be_let_in(store: Store, danish_store: Store) -> None:
    flow = make_flow(store, OPTED_IN)
    stranger = make_contact(danish_store)
    with pytest.raises(CannotLetIn, match="belong"):
        LetIn(flow, contacts=[stranger]).execute()


def test_who_may_not_publish_the_flow_lets_nobody_in(store: Store) -> None:
    flow = make_flow(store, OPTED_IN)
    nobody = get_user_model().objects.create_user("nobody")
    with pytest.raises(PermissionDenied):
        LetIn(flow, nobody).execute()
    assert not Intake.objects.exists()


def test_a_draft_lets_nobody_in(store: Store) -> None:
    flow = make_flow(store, OPTED_IN)
    flow.live = False
    with pytest.raises(CannotLetIn, match="not live"):
        LetIn(flow).execute()


def test_a_crowd_waits_while_the_flow_is_paused_and_ends_when_it_is_off(store: Store) -> None:
    flow = make_flow(store, OPTED_IN)
    make_contact(store)
    intake = LetIn(flow).execute()
    Flow.objects.update(paused_at=NOON)
    assert let_in() == 0
    Flow.objects.update(live=False, paused_at=None)
    assert let_in() == 0
    intake.refresh_from_db()
    assert (intake.state, inside(flow)) == ("stopped", set())


def test_intakes_of_other_pumps_are_left_alone(store: Store) -> None:
    flow = make_flow(store, OPTED_IN)
    Intake.objects.create(store=store, flow=flow, key="x", kind="moved")
    assert let_in() == 0


def test_an_audience_that_asks_about_the_event_is_asked_of_each(store: Store) -> None:
    condition = {"field": "trigger.by", "op": "eq", "value": "anna"}
    flow = make_flow(store, OPTED_IN, audience=condition)
    ada = make_contact(store)
    anna = get_user_model().objects.create_superuser("anna")
    LetIn(flow, anna).execute()
    let_everybody_in()
    assert inside(flow) == {ada.pk}


def test_the_number_of_statements_does_not_grow_with_the_crowd(store: Store) -> None:
    flow = make_flow(store, OPTED_IN)
    counted = []
    for people in (2, 60):
        LetIn(flow, contacts=[make_contact(store) for _ in range(people)]).execute()
        Programs._kept.clear()
        with CaptureQueriesContext(connection) as queries:
            assert let_in(100) == people
        counted.append(len(queries))
    assert counted[0] == counted[1]


def planned(at: str, repeat: str = "once") -> Trigger:
    return Trigger("scheduled", options={"at": at, "repeat": repeat})


def test_a_planned_run_lets_in_whoever_matches_then(store: Store, still: TestClock) -> None:
    flow = make_flow(store, planned("2026-03-05T10:00"), audience={"tag": "vip"})
    vip = make_contact(store, tags=["vip"])
    make_contact(store)
    assert watch_lists() == 0
    still.at = NOON + timedelta(hours=23)
    assert (watch_lists(), watch_lists()) == (1, 0)
    let_everybody_in()
    assert inside(flow) == {vip.pk} == set(told("scheduled"))


def test_a_daily_plan_runs_once_a_day_and_makes_up_for_nothing_old(store: Store, still: TestClock) -> None:
    make_flow(store, planned("2026-03-01T15:00:00+00:00", "daily"), published_at=NOON - timedelta(days=1))
    assert (watch_lists(), watch_lists()) == (1, 0)
    still.move(days=5)
    assert (watch_lists(), watch_lists()) == (1, 0)
    keys = Intake.objects.order_by("pk").values_list("key", flat=True)
    assert [key.rpartition(":")[2] for key in keys] == ["20260304T150000", "20260309T140000"], "at ten in New York"


def test_a_plan_that_was_over_when_the_flow_was_published_does_not_run(store: Store) -> None:
    make_flow(store, planned("2026-03-04T14:00:00+00:00"), published_at=NOON)
    make_flow(store, planned("2026-03-04T15:30:00+00:00"), published_at=NOON)
    assert watch_lists() == 1, "half an hour late is no reason to send nothing"


def test_who_comes_into_a_segment_starts_the_flow_and_who_was_there_does_not(store: Store, still: TestClock) -> None:
    segment = segment_of(store, "vip")
    flow = make_flow(store, Trigger("segment_entered", options={"segment": segment.pk}))
    old, new = make_contact(store, tags=["vip"]), make_contact(store)
    assert watch_lists() == 0
    assert [member.contact_id for member in SegmentMember.objects.all()] == [old.pk]
    Contact.objects.filter(pk=new.pk).update(tags=["VIP"])
    assert watch_lists() == 0, "a look every five minutes is enough"
    still.move(minutes=5)
    assert watch_lists() == 1
    assert inside(flow) == {new.pk}
    assert Event.objects.get().data == {"flow": flow.pk, "segment": segment.pk, "segment_name": "Those with vip"}
    Contact.objects.filter(pk=new.pk).update(tags=[])
    still.move(minutes=5)
    assert watch_lists() == 0
    Contact.objects.filter(pk=new.pk).update(tags=["vip"])
    still.move(minutes=5)
    assert watch_lists() == 1, "who left and came back has come in again"


def test_after_a_long_time_without_a_look_nobody_has_just_come_in(store: Store, still: TestClock) -> None:
    segment = segment_of(store, "vip")
    make_flow(store, Trigger("segment_entered", options={"segment": segment.pk}))
    watch_lists()
    make_contact(store, tags=["vip"])
    still.move(days=3)
    assert watch_lists() == 0
    assert SegmentMember.objects.count() == 1


def test_a_segment_of_another_store_starts_nothing(store: Store, danish_store: Store, still: TestClock) -> None:
    segment = segment_of(danish_store, "vip")
    make_flow(store, Trigger("segment_entered", options={"segment": segment.pk}))
    watch_lists()
    make_contact(danish_store, tags=["vip"])
    still.move(minutes=5)
    assert watch_lists() == 0
    assert not Enrollment.objects.exists()
