"""Who is in a flow: looked at, filtered, taken out and let in by hand."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.admin_panels.flows import people as people_page
from smsflow_plugin.models import Enrollment, Intake, Segment, StoreLogEntry
from tests.factories import make_contact
from tests.flows.people import STORE_ADMIN, person
from tests.flows.test_editor import signed_in, url
from tests.versions.flows import enter, make_flow, pause, publish, text

pytestmark = pytest.mark.django_db

A, B, W, X = text("A"), text("B"), pause("W"), pause("X", 5)
FULL = (*STORE_ADMIN, "view_contact", "view_segment")
LOOKS = ("view_store", "view_flow", "view_contact")


@pytest.fixture
def flow(store: Any, still: Any) -> Any:
    return publish(make_flow(store, A, W, B, X))


@pytest.fixture
def ines(store: Any) -> Client:
    return signed_in(person("Ines", (store, FULL)))


def test_the_page_says_who_stands_where_and_until_when(flow: Any, ines: Client) -> None:
    enter(flow, make_contact(flow.store, first_name="Berta"))
    page = ines.get(url("people", flow.pk)).content.decode()
    assert "Berta Lovelace" in page
    assert "Wait: 1 day" in page
    assert "5 Mar 2026, 11:00" in page


def test_it_can_be_narrowed_to_one_step(flow: Any, ines: Client) -> None:
    early, late = enter(flow), enter(flow)
    Enrollment.objects.filter(pk=late.pk).update(state={**late.state, "at": 3})
    response = ines.get(url("people", flow.pk), {"at": f"{flow.current_version_id}-3"})
    assert [row["run"].pk for row in response.context["rows"]] == [late.pk]
    assert response.context["page_obj"].paginator.count == 1
    everybody = ines.get(url("people", flow.pk), {"at": "nonsense"}).context["rows"]
    assert {row["run"].pk for row in everybody} == {early.pk, late.pk}


def test_many_people_are_shown_in_pages_with_the_same_number_of_queries(
    flow: Any, ines: Client, monkeypatch: Any
) -> None:
    monkeypatch.setattr(people_page, "PAGE", 10)
    enter(flow)
    ines.get(url("people", flow.pk))
    with CaptureQueriesContext(connection) as few:
        ines.get(url("people", flow.pk))
    for _number in range(12):
        enter(flow)
    with CaptureQueriesContext(connection) as many:
        response = ines.get(url("people", flow.pk))
    assert (len(response.context["rows"]), response.context["page_obj"].paginator.num_pages) == (10, 2)
    assert len(few) == len(many)
    assert len(ines.get(url("people", flow.pk), {"p": 2}).context["rows"]) == 3


def test_only_who_may_see_people_sees_them(flow: Any, danish_store: Any) -> None:
    run = enter(flow)
    olga = signed_in(person("Olga", (flow.store, STORE_ADMIN)))
    stranger = signed_in(person("Stella", (danish_store, FULL)))
    for view, args in (("people", ()), ("let_in", ()), ("take_out", (run.pk,))):
        assert olga.get(url(view, flow.pk, *args)).status_code == 302
        assert stranger.get(url(view, flow.pk, *args)).status_code == 404
        assert stranger.post(url(view, flow.pk, *args)).status_code == 404
    viewer = signed_in(person("Vera", (flow.store, LOOKS)))
    page = viewer.get(url("people", flow.pk)).content.decode()
    assert "Take out" not in page
    assert viewer.post(url("take_out", flow.pk, run.pk)).status_code == 302
    run.refresh_from_db()
    assert run.status == "waiting"


def test_somebody_is_taken_out_after_a_question(flow: Any, ines: Client) -> None:
    run = enter(flow)
    assert "gets nothing more of this flow" in ines.get(url("take_out", flow.pk, run.pk)).content.decode()
    ines.post(url("take_out", flow.pk, run.pk))
    run.refresh_from_db()
    assert (run.status, run.exit_reason) == ("exited", "taken_out")


def test_a_run_of_another_flow_is_not_found_under_this_one(flow: Any, store: Any, ines: Client) -> None:
    other = publish(make_flow(store, A, W, name="Other"))
    assert ines.post(url("take_out", flow.pk, enter(other).pk)).status_code == 404


# Letting in ------------------------------------------------------------------------------------


def let_in(client: Client, flow: Any, **values: Any) -> Any:
    return client.post(url("let_in", flow.pk), {"who": "people", "apply_audience": "on", **values})


def test_people_are_let_in_by_number_and_address_however_they_are_written(flow: Any, ines: Client) -> None:
    ada = make_contact(flow.store, phone="+12025550111")
    bob = make_contact(flow.store, phone=None, email="bob@example.com")
    response = let_in(ines, flow, numbers="(202) 555-0111, BOB@example.com\n+12025550999")
    assert response.status_code == 302
    intake = Intake.objects.get()
    assert (intake.contact_ids, intake.apply_audience, intake.created_by) == (sorted([ada.pk, bob.pk]), True, "Ines")
    page = ines.get(response.url).content.decode()
    assert "2 people are let in now." in page
    assert "1 is not known to the store: +12025550999." in page


def test_people_of_another_store_are_not_known(flow: Any, danish_store: Any, ines: Client) -> None:
    theirs = make_contact(danish_store, phone="+4520123456")
    response = let_in(ines, flow, numbers="+4520123456")
    assert "The store knows none of these people: +4520123456." in response.content.decode()
    response = let_in(ines, flow, found=[theirs.pk])
    assert response.status_code == 200
    assert not Intake.objects.exists()


def test_people_found_by_a_search_are_let_in(flow: Any, ines: Client) -> None:
    berta = make_contact(flow.store, first_name="Berta")
    make_contact(flow.store, first_name="Carla")
    page = ines.get(url("let_in", flow.pk), {"q": "berta love"}).content.decode()
    assert "Berta" in page
    assert "Carla" not in page
    let_in(ines, flow, found=[berta.pk], apply_audience="", again="on")
    intake = Intake.objects.get()
    assert (intake.contact_ids, intake.apply_audience, intake.data["again"]) == ([berta.pk], False, True)


def test_people_who_are_ticked_stay_ticked_until_the_rest_of_the_form_is_right(
    flow: Any, danish_store: Any, ines: Client
) -> None:
    berta = make_contact(flow.store, first_name="Berta")
    make_contact(flow.store, first_name="Carla")
    page = let_in(ines, flow, who="segment", found=[berta.pk]).content.decode()
    assert "Choose a segment." in page
    assert "Berta" in page
    assert "checked" in page[page.index(f'value="{berta.pk}"') :].split(">")[0]
    assert "Carla" not in page
    theirs = make_contact(danish_store, phone="+4520123456", first_name="Dagmar")
    for nobody in (theirs.pk, "9" * 25, "x"):
        page = let_in(ines, flow, found=[nobody]).content.decode()
        assert f"{nobody} is not one of the available choices." in page or f"“{nobody}” is not a valid value." in page
        assert "Dagmar" not in page


def test_a_segment_is_let_in(flow: Any, danish_store: Any, ines: Client) -> None:
    rules = [{"type": "tag", "value": {"tag": "vip"}, "id": "1"}]
    segment = Segment.objects.create(store=flow.store, name="VIPs", rules=rules)
    theirs = Segment.objects.create(store=danish_store, name="Theirs", rules=rules)
    assert "Theirs" not in ines.get(url("let_in", flow.pk)).content.decode()
    assert let_in(ines, flow, who="segment", segment=theirs.pk).status_code == 200
    assert let_in(ines, flow, who="segment").status_code == 200
    assert let_in(ines, flow, who="segment", segment=segment.pk).status_code == 302
    intake = Intake.objects.get()
    assert intake.contact_ids is None
    assert "vip" in str(intake.condition)


def test_everybody_who_matches_is_let_in(flow: Any, ines: Client) -> None:
    let_in(ines, flow, who="everybody")
    assert (Intake.objects.get().contact_ids, Intake.objects.get().condition) == (None, None)
    assert StoreLogEntry.objects.filter(action="smsflow.let_in").count() == 1
    assert "By hand" in ines.get(url("people", flow.pk)).content.decode()


def test_nobody_is_no_answer(flow: Any, ines: Client) -> None:
    assert "Choose somebody, or give a number." in let_in(ines, flow).content.decode()


def test_nobody_is_let_into_a_flow_that_is_not_live(store: Any, still: Any, ines: Client) -> None:
    draft = make_flow(store, A)
    response = let_in(ines, draft, who="everybody")
    assert response.url == url("edit", draft.pk)
    assert not Intake.objects.exists()
