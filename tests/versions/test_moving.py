"""People in older versions: moved, left alone or let go, in a number of statements that does not grow with them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin import clock
from smsflow_plugin.engine import moving
from smsflow_plugin.engine.advance import advance
from smsflow_plugin.engine.intake import let_in
from smsflow_plugin.engine.moving import Choice, MovePeople, Standing, TakeOut, move_people, standings
from smsflow_plugin.models import Contact, Enrollment, Intake, Message, StoreLogEntry
from tests.factories import make_contact
from tests.flows.people import COPYWRITER, STORE_ADMIN, person
from tests.versions.flows import asked, enter, make_flow, pause, publish, text

pytestmark = pytest.mark.django_db

A, B, C, W = text("A"), text("B"), text("C"), pause("W")


@pytest.fixture
def flow(store: Any, still: Any) -> Any:
    return publish(make_flow(store, A, W, B))


def move(flow: Any, **steps: Choice) -> Any:
    """Choose for every older version alike; ``others`` stands for everybody else."""
    versions = {standing.version_id for standing in standings(flow)}
    choices = {(v, "" if step == "others" else step): choice for v in versions for step, choice in steps.items()}
    return MovePeople(flow, choices=choices).execute()


def again(*runs: Enrollment) -> None:
    for run in runs:
        run.refresh_from_db()


def test_who_moves_goes_on_where_they_stood_by_the_new_version(flow: Any, still: Any) -> None:
    run = enter(flow)
    flow = publish(flow, text("A", "New."), W, text("B", "New words."), pause("X", 2), C)
    done = move(flow, others=Choice.MOVE)
    again(run)
    assert (run.version, done.state, done.seen, done.entered) == (flow.current_version, "done", 1, 1)
    assert run.wake_at == still.at + timedelta(days=1), "nobody looks at who waits on as before"
    for _day in range(3):
        still.move(days=1)
        advance()
    assert asked(run) == ["A", "B", "C"]
    assert "New words." in Message.objects.get(step="B").body


def test_who_finishes_the_old_version_does_so(flow: Any, still: Any) -> None:
    run = enter(flow)
    flow = publish(flow, A, W, C)
    assert move(flow, others=Choice.FINISH, W=Choice.FINISH) is None
    still.move(days=1)
    advance()
    assert asked(run) == ["A", "B"]


def test_who_leaves_is_out_at_once_and_what_was_queued_for_them_is_cancelled(flow: Any) -> None:
    run = enter(flow)
    flow = publish(flow, A, pause("W", 3), B)
    move(flow, W=Choice.LEAVE)
    again(run)
    assert (run.status, run.exit_reason, run.wake_at) == ("exited", "version_left", None)
    assert Message.objects.get(enrollment_id=run.pk).state == "cancelled"


def test_a_step_s_own_choice_goes_before_that_for_everybody_else(flow: Any, still: Any) -> None:
    flow = publish(flow, A, W, B, pause("X", 30), C)
    early = enter(flow)
    for _day in range(2):
        still.move(days=1)
        advance()
    late = enter(flow)
    flow = publish(flow, A, pause("W", 2), B, pause("X", 30), C)
    move(flow, W=Choice.LEAVE, others=Choice.MOVE)
    again(early, late)
    assert (early.status, early.version) == ("waiting", flow.current_version)
    assert late.status == "exited"


def test_a_delay_that_became_shorter_ends_at_once_if_it_is_over(flow: Any, still: Any) -> None:
    run = enter(flow)
    still.move(hours=20)
    flow = publish(flow, A, pause("W", 12, "hours"), B)
    move(flow, W=Choice.MOVE)
    advance()
    assert asked(run) == ["A", "B"]


def test_who_stood_at_a_step_that_is_gone_goes_on_behind_it_or_is_through(flow: Any) -> None:
    run = enter(flow)
    gone = publish(flow, A, C)
    move(gone, W=Choice.MOVE)
    advance()
    assert asked(run) == ["A", "C"]
    other = enter(publish(gone, A, W, B))
    move(publish(gone, A), W=Choice.MOVE)
    again(other)
    assert (other.status, asked(other)) == ("finished", ["A"])


def test_people_of_several_old_versions_all_come_along(flow: Any) -> None:
    first = enter(flow)
    flow = publish(flow, A, W, B, C)
    second = enter(flow)
    flow = publish(flow, A, W, C)
    versions = {standing.version_id for standing in standings(flow)}
    assert len(versions) == 2
    move(flow, others=Choice.MOVE)
    again(first, second)
    assert first.version == second.version == flow.current_version


def test_a_run_that_cannot_be_read_stays_and_stops_nobody(flow: Any) -> None:
    broken, sound = enter(flow), enter(flow)
    Enrollment.objects.filter(pk=broken.pk).update(state={"at": 1, "reached_at": "yesterday"})
    flow = publish(flow, A, W, C)
    move(flow, others=Choice.MOVE)
    again(broken, sound)
    assert (broken.version == flow.current_version, sound.version == flow.current_version) == (False, True)


def test_where_people_stand_is_counted_with_one_query(flow: Any, django_assert_num_queries: Any) -> None:
    enter(flow)
    enter(flow)
    with django_assert_num_queries(1):
        assert standings(flow) == [Standing(flow.current_version_id, 1, 2)]


def _crowd(flow: Any, size: int) -> None:
    people = Contact.objects.bulk_create(
        [
            Contact(store=flow.store, phone=f"+1303555{n:04d}", wake_at=clock.now() + timedelta(days=1))
            for n in range(size)
        ]
    )
    state = {"at": 1, "reached_at": clock.now().isoformat(), "waiting_until": None, "visits": {"A": 1}, "sent": 1}
    Enrollment.objects.bulk_create(
        [
            Enrollment(
                store=flow.store, flow=flow, version=flow.current_version, contact=one, state=state,
                wake_at=clock.now() + timedelta(days=1),
            )
            for one in people
        ]
    )  # fmt: skip


def test_the_number_of_statements_does_not_depend_on_how_many_are_moved(flow: Any) -> None:
    counts = []
    for size in (2, 400):
        Enrollment.objects.all().delete()
        Contact.objects.all().delete()
        _crowd(flow, size)
        flow = publish(flow, A, pause("W", size), B)
        with CaptureQueriesContext(connection) as queries:
            assert move(flow, W=Choice.MOVE).entered == size
        counts.append(len(queries))
    assert counts[0] == counts[1] < 23


def test_a_large_crowd_follows_by_the_pump_and_shows_how_far_it_is(flow: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(moving, "BATCH", 10)
    monkeypatch.setattr(moving, "AT_ONCE", 20)
    _crowd(flow, 45)
    flow = publish(flow, A, pause("W", 5), B)
    crowd = move(flow, W=Choice.MOVE)
    assert (crowd.state, crowd.seen, crowd.total) == ("waiting", 20, 45)
    assert let_in() == 0, "it is no crowd to be let in"
    while move_people(10):
        pass
    crowd.refresh_from_db()
    assert (crowd.state, crowd.seen, crowd.entered) == ("done", 45, 45)
    assert not Enrollment.objects.exclude(version=flow.current_version).exists()


def test_a_later_publishing_takes_the_place_of_a_move_that_is_not_through(flow: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(moving, "AT_ONCE", 0)
    _crowd(flow, 5)
    flow = publish(flow, A, pause("W", 5), B)
    first = move(flow, W=Choice.MOVE)
    flow = publish(flow, A, pause("W", 7), B)
    move(flow, others=Choice.FINISH)
    first.refresh_from_db()
    assert first.state == Intake.State.STOPPED
    assert move_people() == 0
    assert not Enrollment.objects.filter(version=flow.current_version).exists()


def test_moving_needs_the_right_to_publish_in_the_flow_s_own_store(flow: Any, danish_store: Any) -> None:
    enter(flow)
    flow = publish(flow, A, W, C)
    choices = {(standings(flow)[0].version_id, ""): Choice.MOVE}
    for somebody in (person("Carl", (flow.store, COPYWRITER)), person("Stella", (danish_store, STORE_ADMIN))):
        with pytest.raises(Exception, match="permission"):
            MovePeople(flow, somebody, choices=choices).execute()
    MovePeople(flow, person("Ines", (flow.store, STORE_ADMIN)), choices=choices).execute()
    entry = StoreLogEntry.objects.get(action="smsflow.move_people")
    assert (entry.user.username, entry.data["people"], entry.store) == ("Ines", 1, flow.store)


def test_somebody_who_is_taken_out_gets_nothing_more(flow: Any, still: Any) -> None:
    run, other = enter(flow), enter(flow, make_contact(flow.store))
    ines = person("Ines", (flow.store, STORE_ADMIN))
    assert TakeOut(run, ines).execute() is True
    assert TakeOut(run, ines).execute() is False
    still.move(days=1)
    advance()
    again(run)
    assert (run.status, run.exit_reason, asked(run)) == ("exited", "taken_out", ["A"])
    assert Message.objects.get(enrollment_id=run.pk).state == "cancelled"
    assert asked(other) == ["A", "B"]
    assert StoreLogEntry.objects.get(action="smsflow.take_out").data["contact"] == run.contact_id
