"""All versions of a flow: listed, compared and restored."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.flows.publishing import forms_of
from smsflow_plugin.models import Flow, FlowVersion
from tests.flows.people import COPYWRITER, STORE_ADMIN, person
from tests.flows.test_editor import signed_in, url
from tests.versions.flows import enter, make_flow, pause, publish, text

pytestmark = pytest.mark.django_db

A, B, C, W = text("A"), text("B"), text("C"), pause("W")


@pytest.fixture
def ines(store: Any, still: Any) -> Client:
    return signed_in(person("Ines", (store, STORE_ADMIN)))


@pytest.fixture
def flow(store: Any, ines: Client) -> Flow:
    flow = publish(make_flow(store, A, W, B))
    enter(flow)
    return publish(flow, A, pause("W", 3), text("B", "Something else."), C)


def test_versions_are_listed_with_who_made_them_and_who_is_inside(flow: Flow, ines: Client) -> None:
    listed = ines.get(url("versions", flow.pk)).context["versions"]
    assert [(each.version.number, each.people, each.running) for each in listed] == [(2, 0, True), (1, 1, False)]


def test_each_version_knows_the_revision_that_it_was_made_of(flow: Flow) -> None:
    made_of = forms_of(FlowVersion.objects.filter(flow=flow))
    old, new = (made_of[version.pk].as_object() for version in flow.versions.order_by("number"))
    assert [len(old.steps), len(new.steps)] == [3, 4]
    assert forms_of([]) == {}


def test_two_versions_are_compared_in_words(flow: Flow, ines: Client) -> None:
    old, new = flow.versions.order_by("number")
    response = ines.get(url("compare", flow.pk), {"old": old.pk, "new": new.pk})
    labels = {step.step: step.labels for step in response.context["steps"]}
    assert labels == {"A": (), "W": ("Another time",), "B": ("Other words",), "C": ("Added",)}
    page = response.content.decode()
    assert "<del>1 day</del>" in page
    assert "3 days" in page


def test_the_draft_is_compared_with_what_runs(flow: Flow, ines: Client) -> None:
    draft = flow.get_latest_revision_as_object()
    draft.steps = [A, C]
    draft.exits = ["order_created"]
    draft.save_revision(clean=False)
    response = ines.get(url("compare", flow.pk))
    labels = {step.step: step.labels for step in response.context["steps"]}
    assert labels == {"A": (), "W": ("Removed",), "B": ("Removed",), "C": ()}
    assert response.context["other"] == ["what makes people leave"]


def test_a_draft_that_cannot_run_says_so_instead(flow: Flow, ines: Client) -> None:
    draft = flow.get_latest_revision_as_object()
    draft.steps = [text("A", "")]
    draft.save_revision(clean=False)
    assert "cannot be compared" in ines.get(url("compare", flow.pk)).content.decode()


def test_a_version_is_restored_as_a_draft_and_published_again(flow: Flow, ines: Client) -> None:
    first = flow.versions.get(number=1)
    revision = forms_of([first])[first.pk]
    restore = url("revisions_revert", flow.pk, revision.pk)
    assert restore in ines.get(url("versions", flow.pk)).content.decode()
    page = ines.get(restore)
    assert page.status_code == 200
    assert "previous version" in page.content.decode()
    assert [child.id for child in page.context["form"].instance.steps] == ["A", "W", "B"]


def test_wagtail_s_own_comparison_of_revisions_works(flow: Flow, ines: Client) -> None:
    a, b = flow.revisions.order_by("pk")[:2]
    response = ines.get(url("revisions_compare", flow.pk, a.pk, b.pk))
    assert response.status_code == 200
    assert "Something else." in response.content.decode()


def test_versions_of_other_flows_and_stores_are_not_there(
    flow: Flow, store: Any, danish_store: Any, ines: Client
) -> None:
    other = publish(make_flow(store, A))
    response = ines.get(url("compare", flow.pk), {"old": other.current_version_id})
    assert response.status_code == 404
    stranger = signed_in(person("Stella", (danish_store, STORE_ADMIN)))
    assert [stranger.get(url(view, flow.pk)).status_code for view in ("versions", "compare")] == [404, 404]


def test_who_may_not_change_restores_nothing(flow: Flow) -> None:
    viewer = signed_in(person("Vera", (flow.store, ("view_store", "view_flow"))))
    assert "revisions" not in viewer.get(url("versions", flow.pk)).content.decode()
    writer = signed_in(person("Carl", (flow.store, COPYWRITER)))
    assert "Restore" in writer.get(url("versions", flow.pk)).content.decode()


def test_the_number_of_queries_does_not_depend_on_the_number_of_versions(flow: Flow, ines: Client) -> None:
    ines.get(url("versions", flow.pk))
    with CaptureQueriesContext(connection) as few:
        ines.get(url("versions", flow.pk))
    for number in range(5):
        flow = publish(flow, A, pause("W", number + 10), B)
    with CaptureQueriesContext(connection) as many:
        response = ines.get(url("versions", flow.pk))
    assert len(response.context["versions"]) == 7
    assert len(few) == len(many)
