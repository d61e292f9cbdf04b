"""Publishing, rewording and approving: locks, drafts that went stale, and forms that cannot run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from wagtail.models import Workflow, WorkflowContentType, WorkflowTask

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.flows.publish import PublishView
from smsflow_plugin.flows.models import StoreApprovalTask
from smsflow_plugin.models import Enrollment, Flow, FlowVersion, Intake
from tests.flows.people import STORE_ADMIN, person
from tests.flows.test_editor import signed_in, url
from tests.versions.flows import enter, make_flow, pause, publish, text

pytestmark = pytest.mark.django_db

A, B, W = text("A"), text("B"), pause("W")
FULL = (*STORE_ADMIN, "reword_flow", "view_contact", "lock_flow", "unlock_flow")


@pytest.fixture
def ines(store: Any) -> Client:
    return signed_in(person("Ines", (store, FULL)))


@pytest.fixture
def root(db: None) -> Any:
    return get_user_model().objects.create_superuser("Root", "root@example.com", "secret")


def lock(flow: Flow, by: Any) -> None:
    Flow.objects.filter(pk=flow.pk).update(locked=True, locked_by=by, locked_at=clock.system())


def test_a_flow_that_somebody_else_has_locked_is_not_published(store: Any, ines: Client, root: Any) -> None:
    flow = make_flow(store, A, W, B)
    lock(flow, root)
    response = ines.post(url("publish", flow.pk), {"revision": flow.latest_revision_id})
    assert response.status_code == 403 or response.url == url("edit", flow.pk)
    flow.refresh_from_db()
    assert not flow.live
    assert not FlowVersion.objects.exists()


def test_a_locked_flow_is_published_by_whoever_locked_it(store: Any, root: Any) -> None:
    flow = make_flow(store, A, W, B)
    lock(flow, root)
    signed_in(root).post(url("publish", flow.pk), {"revision": flow.latest_revision_id, "who": "new"})
    flow.refresh_from_db()
    assert flow.live


def test_people_of_a_locked_flow_are_not_moved(store: Any, ines: Client, root: Any) -> None:
    flow = publish(make_flow(store, A, W, B))
    run = enter(flow)
    draft = flow.get_latest_revision_as_object()
    draft.steps = [A, text("C")]
    draft.save_revision(clean=False)
    lock(flow, root)
    flow.refresh_from_db()
    data = {"revision": flow.latest_revision_id, "who": "new"}
    data |= {f"at-{run.version_id}-{number}": "leave" for number in range(4)} | {f"others-{run.version_id}": "leave"}
    ines.post(url("publish", flow.pk), data)
    run.refresh_from_db()
    assert run.status == Enrollment.Status.WAITING


def test_a_locked_flow_is_not_reworded(store: Any, ines: Client, root: Any) -> None:
    flow = make_flow(store, A)
    lock(flow, root)
    ines.post(url("words", flow.pk), {"words-A.text": "Changed.", "words-A": "Changed."})
    assert Flow.objects.get(pk=flow.pk).latest_revision_id == flow.latest_revision_id


def test_a_locked_flow_is_not_unpublished(store: Any, ines: Client, root: Any) -> None:
    flow = publish(make_flow(store, A, W, B))
    lock(flow, root)
    ines.post(url("unpublish", flow.pk))
    assert Flow.objects.get(pk=flow.pk).live


def test_a_draft_that_changes_while_it_is_published_is_looked_at_again(
    store: Any, ines: Client, monkeypatch: Any
) -> None:
    """Somebody saves between the check of the form and the publication."""
    flow = make_flow(store, A)
    seen = flow.latest_revision_id
    original = PublishView.form_valid

    def slow(self: PublishView, form: Any) -> Any:
        late = Flow.objects.get(pk=flow.pk).get_latest_revision_as_object()
        late.steps = [text("A", "Never seen by who publishes.")]
        late.save_revision(clean=False)
        return original(self, form)

    monkeypatch.setattr(PublishView, "form_valid", slow)
    response = ines.post(url("publish", flow.pk), {"revision": seen, "who": "new"})
    assert response.status_code == 200
    assert "changed meanwhile" in response.content.decode()
    assert not FlowVersion.objects.exists()


def test_what_is_only_scheduled_moves_nobody_and_lets_nobody_in_yet(store: Any, ines: Client) -> None:
    flow = publish(make_flow(store, A, W, B))
    old = publish(flow, A, pause("W", 2), B)  # somebody still stands in version 1
    run = enter(flow, version=FlowVersion.objects.get(flow=flow, number=1))
    draft = Flow.objects.get(pk=flow.pk).get_latest_revision_as_object()
    draft.steps = [A, text("C")]
    draft.go_live_at = clock.system() + timedelta(days=3)
    draft.save_revision(clean=False)
    old.refresh_from_db()
    data = {"revision": old.latest_revision_id, "who": "existing", f"others-{run.version_id}": "leave"}
    data |= {f"at-{run.version_id}-{number}": "leave" for number in range(4)}
    response = ines.post(url("publish", flow.pk), data)
    assert response.status_code == 302
    run.refresh_from_db()
    assert run.status == Enrollment.Status.WAITING
    assert not Intake.objects.exists()


def test_the_page_says_what_could_be_better_about_the_texts(store: Any, ines: Client) -> None:
    flow = make_flow(store, text("A", "Look at https://bit.ly/abc and save."))
    page = ines.get(url("publish", flow.pk)).content.decode()
    assert "Hints about the texts" in page
    assert "bit.ly" in page
    flow = make_flow(store, text("A", "Hello there."), name="Quiet")
    assert "Hints about the texts" not in ines.get(url("publish", flow.pk)).content.decode()


def test_approving_what_cannot_run_says_so_and_approves_nothing(store: Any, still: Any, ines: Client) -> None:
    workflow = Workflow.objects.create(name="Flows")
    task = StoreApprovalTask.objects.create(name="The store says yes")
    WorkflowTask.objects.create(workflow=workflow, task=task, sort_order=1)
    WorkflowContentType.objects.create(workflow=workflow, content_type=ContentType.objects.get_for_model(Flow))
    flow = make_flow(store, text("A", ""))
    flow.get_workflow().start(flow, get_user_model().objects.get(username="Ines"))
    state = flow.current_workflow_task_state
    response = ines.post(url("workflow_action", flow.pk, "approve", state.pk), {"next": "/admin/"})
    assert response.status_code == 302
    flow.refresh_from_db()
    state.refresh_from_db()
    assert (flow.live, state.status) == (False, "in_progress")


def test_a_revision_whose_owner_is_gone_is_published(store: Any, ines: Client) -> None:
    gone = get_user_model().objects.create_user("Gone")
    flow = make_flow(store, A, owner=gone)
    gone.delete()
    ines.post(url("publish", flow.pk), {"revision": flow.latest_revision_id, "who": "new"})
    flow.refresh_from_db()
    assert (flow.live, flow.owner) == (True, None)


def test_a_draft_cannot_bring_back_what_is_not_on_the_form(store: Any, danish_store: Any, still: Any) -> None:
    flow = publish(make_flow(store, A, W, B))
    content = {
        **flow.latest_revision.content, "store": danish_store.pk, "paused_at": still().isoformat(),
        "template": "welcome/1", "current_version": None, "created_at": "2001-01-01T00:00:00Z", "trigger": "bogus",
    }  # fmt: skip
    again = flow.with_content_json(content)
    assert (again.store_id, again.paused_at, again.template) == (store.pk, None, "")
    assert (again.current_version_id, again.created_at) == (flow.current_version_id, flow.created_at)
    again.save()
    assert Flow.objects.get(pk=flow.pk).trigger == "opted_in"
