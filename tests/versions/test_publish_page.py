"""The page between the editor's button and a live flow."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from smsflow_plugin import clock
from smsflow_plugin.engine.moving import move_people
from smsflow_plugin.models import Flow, FlowVersion, Intake, StoreLogEntry
from tests.factories import make_contact
from tests.flows.people import COPYWRITER, STORE_ADMIN, person
from tests.flows.test_editor import signed_in, url
from tests.versions.flows import enter, make_flow, pause, publish, text

pytestmark = pytest.mark.django_db

A, B, C, W = text("A"), text("B"), text("C"), pause("W")
FULL = (*STORE_ADMIN, "view_contact")


@pytest.fixture
def ines(store: Any, still: Any) -> Client:
    return signed_in(person("Ines", (store, FULL)))


def draft(flow: Flow, *steps: Any) -> Flow:
    flow = Flow.objects.get(pk=flow.pk).get_latest_revision_as_object()
    flow.steps = list(steps)
    flow.save_revision(clean=False)
    return Flow.objects.get(pk=flow.pk)


def answers(flow: Flow, client: Client, **chosen: str) -> dict[str, str]:
    """What a browser posts: the form as it is shown, with other choices where they are given."""
    form = client.get(url("publish", flow.pk)).context["form"]
    data = {name: str(form[name].initial) for name in form.fields}
    for name in form.fields:
        if name.startswith(("at-", "others-")):
            data[name] = chosen.get(name.partition("-")[0], data[name])
    return {**data, **{key: value for key, value in chosen.items() if key in form.fields}}


def test_the_page_says_who_matches_and_publishes(store: Any, danish_store: Any, ines: Client) -> None:
    make_contact(store, first_name="Berta")
    make_contact(danish_store, first_name="Dorte")
    flow = make_flow(store, A, W, B)
    page = ines.get(url("publish", flow.pk)).content.decode()
    assert "<strong>1</strong> person of Sierra Gear matches the audience now." in page
    assert "Berta" in page
    assert "Dorte" not in page
    response = ines.post(url("publish", flow.pk), answers(flow, ines))
    assert response.url == url("edit", flow.pk)
    flow.refresh_from_db()
    assert (flow.live, flow.current_version.number, flow.current_version.published_by) == (True, 1, "Ines")
    assert not Intake.objects.exists()


def test_of_many_who_match_the_first_twenty_are_listed_and_all_are_counted(store: Any, ines: Client) -> None:
    for _number in range(23):
        make_contact(store)
    response = ines.get(url("publish", make_flow(store, A).pk))
    assert (response.context["matching"], len(response.context["listed"])) == (23, 20)


def test_those_who_match_now_are_let_in_too_if_that_is_chosen(store: Any, ines: Client) -> None:
    make_contact(store)
    flow = make_flow(store, A, W, B)
    ines.post(url("publish", flow.pk), answers(flow, ines, who="existing"))
    intake = Intake.objects.get()
    assert (intake.flow, intake.kind, intake.contact_ids, intake.created_by) == (flow, "entered_by_hand", None, "Ines")


def test_who_may_not_see_people_gets_their_number_only_and_lets_nobody_in(store: Any, still: Any) -> None:
    make_contact(store, first_name="Berta")
    flow = make_flow(store, A)
    olga = signed_in(person("Olga", (store, STORE_ADMIN)))
    response = olga.get(url("publish", flow.pk))
    assert "Berta" not in response.content.decode()
    assert response.context["matching"] == 1
    olga.post(url("publish", flow.pk), {**answers(flow, olga), "who": "existing"})
    assert Flow.objects.get(pk=flow.pk).live
    assert not Intake.objects.exists()


def test_what_cannot_run_is_named_and_not_published(store: Any, ines: Client) -> None:
    flow = make_flow(store, text("A", ""))
    response = ines.get(url("publish", flow.pk))
    assert response.context["problems"]
    assert 'type="submit" class="button">Publish' not in response.content.decode()
    ines.post(url("publish", flow.pk), {"revision": flow.latest_revision_id})
    assert not FlowVersion.objects.exists()


def test_each_changed_step_with_people_is_asked_about_with_their_number(store: Any, ines: Client) -> None:
    flow = publish(make_flow(store, A, W, B, pause("X"), C))
    enter(flow)
    enter(flow)
    flow = draft(flow, A, pause("W", 3), text("B", "New."), pause("X"), C)
    response = ines.get(url("publish", flow.pk))
    ((inside, rows),) = response.context["versions"]
    assert (inside.people, [(row.step, row.people, row.words.labels) for row, _field in rows]) == (
        2,
        [("W", 2, ("Another time",))],
    )
    page = response.content.decode()
    assert "The new time is counted from when they came here" in page
    assert "Version 1: 2 people" in page


@pytest.mark.parametrize(
    ("choice", "number", "status"), [("move", 2, "waiting"), ("finish", 1, "waiting"), ("leave", 1, "exited")]
)
def test_each_of_the_three_choices_is_done(store: Any, ines: Client, choice: str, number: int, status: str) -> None:
    flow = publish(make_flow(store, A, W, B))
    run = enter(flow)
    flow = draft(flow, A, pause("W", 3), B)
    response = ines.post(url("publish", flow.pk), answers(flow, ines, at=choice))
    assert response.status_code == 302
    run.refresh_from_db()
    flow.refresh_from_db()
    assert flow.current_version.number == 2
    assert (run.version.number, run.status) == (number, status)


def test_everybody_else_moves_unless_something_else_is_chosen(store: Any, ines: Client) -> None:
    flow = publish(make_flow(store, A, W, B))
    run = enter(flow)
    flow = draft(flow, A, W, text("B", "New."))
    response = ines.get(url("publish", flow.pk))
    ((_inside, rows),) = response.context["versions"]
    assert [(row.words, field.initial) for row, field in rows] == [(None, "move")]
    ines.post(url("publish", flow.pk), answers(flow, ines))
    run.refresh_from_db()
    assert run.version.number == 2


def test_people_of_every_older_version_are_asked_about(store: Any, ines: Client) -> None:
    flow = publish(make_flow(store, A, W, B))
    enter(flow)
    flow = publish(flow, A, W, B, C)
    enter(flow)
    flow = draft(flow, A, W, C)
    versions = ines.get(url("publish", flow.pk)).context["versions"]
    assert [inside.version.number for inside, _rows in versions] == [2, 1]


def test_nothing_is_asked_when_nothing_changes_for_those_inside(store: Any, ines: Client) -> None:
    flow = publish(make_flow(store, A, W, B))
    enter(flow)
    response = ines.get(url("publish", flow.pk))
    assert "Nothing changes for them." in response.content.decode()


def test_a_draft_that_changed_meanwhile_is_shown_once_more(store: Any, ines: Client) -> None:
    flow = make_flow(store, A, W, B)
    seen = answers(flow, ines)
    draft(flow, C)
    response = ines.post(url("publish", flow.pk), seen)
    assert response.status_code == 200
    assert "changed meanwhile" in response.content.decode()
    assert not Flow.objects.get(pk=flow.pk).live
    assert str(response.context["form"]["revision"].value()) != seen["revision"]


def test_a_move_that_cannot_be_written_down_publishes_nothing(store: Any, ines: Client, monkeypatch: Any) -> None:
    flow = publish(make_flow(store, A, W, B))
    enter(flow)
    flow = draft(flow, A, pause("W", 3), B)
    seen = answers(flow, ines)

    def fail(*_args: Any, **_values: Any) -> None:
        raise RuntimeError("The disk is full.")

    monkeypatch.setattr("smsflow_plugin.engine.moving.log", fail)
    with pytest.raises(RuntimeError):
        ines.post(url("publish", flow.pk), seen)
    flow.refresh_from_db()
    assert (flow.current_version.number, FlowVersion.objects.count()) == (1, 1)


def test_a_move_that_stops_half_way_is_gone_on_with_by_the_pump(store: Any, ines: Client, monkeypatch: Any) -> None:
    flow = publish(make_flow(store, A, W, B))
    run = enter(flow)
    flow = draft(flow, A, pause("W", 3), B)
    seen = answers(flow, ines)

    def fail(*_args: Any) -> None:
        raise RuntimeError("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr("smsflow_plugin.engine.moving._write", fail)
        ines.post(url("publish", flow.pk), seen)
    run.refresh_from_db()
    assert run.version.number == 1
    while move_people():
        pass
    run.refresh_from_db()
    assert run.version.number == 2


def test_scheduling_needs_no_page(store: Any, ines: Client, rf: Any) -> None:
    from smsflow_plugin.admin_panels.flows.publish import ask_before_publishing

    flow = make_flow(store, A)
    assert ask_before_publishing(rf.post("/"), flow).url == url("publish", flow.pk)
    flow.go_live_at = clock.system() + timedelta(days=1)
    assert ask_before_publishing(rf.post("/"), flow) is None


def test_a_copywriter_and_a_stranger_do_not_get_here(store: Any, danish_store: Any, still: Any) -> None:
    flow = make_flow(store, A)
    writer = signed_in(person("Carl", (store, COPYWRITER)))
    assert writer.get(url("publish", flow.pk)).status_code == 302
    writer.post(url("publish", flow.pk), {"revision": flow.latest_revision_id})
    stranger = signed_in(person("Stella", (danish_store, FULL)))
    assert stranger.get(url("publish", flow.pk)).status_code == 404
    assert stranger.post(url("publish", flow.pk), {"revision": flow.latest_revision_id}).status_code == 404
    assert not Flow.objects.get(pk=flow.pk).live


def test_the_page_takes_the_same_number_of_queries_however_many_are_inside(store: Any, ines: Client) -> None:
    flow = publish(make_flow(store, A, W, B))
    enter(flow)
    flow = draft(flow, A, pause("W", 3), B)
    ines.get(url("publish", flow.pk))
    with CaptureQueriesContext(connection) as few:
        ines.get(url("publish", flow.pk))
    for _number in range(25):
        enter(flow)
    with CaptureQueriesContext(connection) as many:
        ines.get(url("publish", flow.pk))
    assert len(few) == len(many)


def test_what_was_done_is_in_the_history(store: Any, ines: Client) -> None:
    flow = publish(make_flow(store, A, W, B))
    enter(flow)
    flow = draft(flow, A, pause("W", 3), B)
    ines.post(url("publish", flow.pk), answers(flow, ines))
    page = ines.get(url("history", flow.pk)).content.decode()
    for words in ("Published", "New version", "People of older versions moved or let go"):
        assert words in page
    assert set(StoreLogEntry.objects.values_list("store", flat=True)) == {store.pk}


def test_a_target_makes_no_version_and_asks_nothing_of_the_people_inside(store: Any, ines: Client) -> None:
    flow = publish(make_flow(store, A, W, B))
    enter(flow, make_contact(store))
    changed = Flow.objects.get(pk=flow.pk).get_latest_revision_as_object()
    changed.target_clicks = "12.50"
    changed.save_revision(clean=False)
    assert Flow.objects.get(pk=flow.pk).target_clicks is None, "it counts once it is published"
    form = ines.get(url("publish", flow.pk)).context["form"]
    assert not [name for name in form.fields if name.startswith(("at-", "others-"))]
    ines.post(url("publish", flow.pk), answers(flow, ines))
    flow.refresh_from_db()
    assert (str(flow.target_clicks), flow.current_version.number) == ("12.50", 1)
