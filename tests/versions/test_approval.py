"""Approval through Wagtail's workflows, by those who may publish in the flow's own store and by nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse
from wagtail.models import TaskState, Workflow, WorkflowContentType, WorkflowTask

from smsflow_plugin.flows.models import StoreApprovalTask
from smsflow_plugin.models import Flow
from tests.flows.people import COPYWRITER, STORE_ADMIN, person
from tests.flows.test_editor import signed_in, url
from tests.versions.flows import enter, make_flow, pause, publish, text

pytestmark = pytest.mark.django_db

A, B, W = text("A"), text("B"), pause("W")


@pytest.fixture
def task(still: Any) -> StoreApprovalTask:
    workflow = Workflow.objects.create(name="Flows")
    task = StoreApprovalTask.objects.create(name="The store says yes")
    WorkflowTask.objects.create(workflow=workflow, task=task, sort_order=1)
    WorkflowContentType.objects.create(workflow=workflow, content_type=ContentType.objects.get_for_model(Flow))
    return task


@pytest.fixture
def people(store: Any, danish_store: Any) -> dict[str, Any]:
    return {
        "Ines": person("Ines", (store, STORE_ADMIN)),
        "Carl": person("Carl", (store, COPYWRITER)),
        "Stella": person("Stella", (danish_store, STORE_ADMIN)),
        "Mia": person("Mia", (danish_store, STORE_ADMIN), (store, COPYWRITER)),
    }


def submitted(flow: Flow, by: Any) -> TaskState:
    flow.get_workflow().start(flow, by)
    return flow.current_workflow_task_state


def action(client: Client, flow: Flow, state: TaskState, name: str = "approve") -> Any:
    return client.post(url("workflow_action", flow.pk, name, state.pk), {"next": "/admin/"})


def test_only_who_may_publish_in_the_store_has_something_to_approve(task: Any, people: Any, store: Any) -> None:
    flow = make_flow(store, A, W, B)
    state = submitted(flow, people["Carl"])
    waiting = {name: list(TaskState.objects.reviewable_by(user)) for name, user in people.items()}
    assert waiting == {"Ines": [state], "Carl": [], "Stella": [], "Mia": []}
    asked = {name: [a for a, _label, _modal in task.get_actions(flow, user)] for name, user in people.items()}
    assert asked == {"Ines": ["reject", "approve", "approve"], "Carl": [], "Stella": [], "Mia": []}
    assert {name: task.user_can_access_editor(flow, user) for name, user in people.items()} == {
        "Ines": True, "Carl": False, "Stella": False, "Mia": False,
    }  # fmt: skip


def test_superusers_approve_everywhere(task: Any, people: Any, store: Any) -> None:
    flow = make_flow(store, A)
    state = submitted(flow, people["Carl"])
    root = get_user_model().objects.create_superuser("Root", "root@example.com", "secret")
    assert list(TaskState.objects.reviewable_by(root)) == [state]
    assert task.get_actions(flow, root)


def test_a_publisher_of_another_store_neither_sees_nor_approves_it(task: Any, people: Any, store: Any) -> None:
    flow = make_flow(store, A, W, B, name="Secret plans")
    state = submitted(flow, people["Carl"])
    for name in ("Stella", "Mia"):
        client = signed_in(people[name])
        assert "Secret plans" not in client.get(reverse("wagtailadmin_home")).content.decode()
        assert "Secret plans" not in client.get(reverse("wagtailadmin_reports:workflow_tasks")).content.decode()
        assert "Secret plans" not in client.get(reverse("wagtailadmin_reports:workflow")).content.decode()
        response = action(client, flow, state)
        assert response.status_code in (302, 404)
    assert action(signed_in(people["Stella"]), flow, state).status_code == 404
    # and not below the screens either
    task.on_action(state, people["Stella"], "approve")
    state.refresh_from_db()
    flow.refresh_from_db()
    assert (state.status, flow.live) == ("in_progress", False)


def test_a_state_of_one_store_is_not_approved_through_the_address_of_another(
    task: Any, people: Any, store: Any, danish_store: Any
) -> None:
    theirs, own = make_flow(store, A), make_flow(danish_store, A)
    state = submitted(theirs, people["Carl"])
    submitted(own, people["Stella"])
    action(signed_in(people["Stella"]), own, state)
    state.refresh_from_db()
    theirs.refresh_from_db()
    assert (state.status, theirs.live) == ("in_progress", False)


def test_approving_publishes_and_those_inside_finish_the_old_version(task: Any, people: Any, store: Any) -> None:
    flow = publish(make_flow(store, A, W, B))
    run = enter(flow)
    draft = flow.get_latest_revision_as_object()
    draft.steps = [A, pause("W", 9), B]
    draft.save_revision(clean=False)
    flow = Flow.objects.get(pk=flow.pk)
    state = submitted(flow, people["Carl"])
    ines = signed_in(people["Ines"])
    assert flow.name in ines.get(reverse("wagtailadmin_home")).content.decode()
    action(ines, flow, state)
    flow.refresh_from_db()
    run.refresh_from_db()
    assert (flow.current_version.number, flow.current_version.published_by) == (2, "Ines")
    assert run.version.number == 1


def test_changes_can_be_requested(task: Any, people: Any, store: Any) -> None:
    flow = make_flow(store, A)
    state = submitted(flow, people["Carl"])
    signed_in(people["Ines"]).post(url("workflow_action", flow.pk, "reject", state.pk), {"comment": "Shorter, please."})
    state.refresh_from_db()
    assert (state.status, state.comment) == ("rejected", "Shorter, please.")


def test_who_cannot_approve_cannot_change_it_while_it_waits(task: Any, people: Any, store: Any) -> None:
    flow = make_flow(store, A)
    submitted(flow, people["Carl"])
    assert task.locked_for_user(flow, people["Carl"])
    assert not task.locked_for_user(flow, people["Ines"])
