"""Wagtail's workflows, whose approvers may be of the whole site, end at the store wall."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from wagtail.models import GroupApprovalTask, TaskState, Workflow, WorkflowTask

from smsflow_plugin.models import LandingPage, Store
from tests.admin.people import make_user
from tests.landing.conftest import give_pages, make_folder, make_page


@pytest.fixture
def task(db: None) -> GroupApprovalTask:
    task = GroupApprovalTask.objects.create(name="Somebody says yes")
    task.groups.add(Group.objects.create(name="Approvers"))
    workflow = Workflow.objects.create(name="Pages")
    WorkflowTask.objects.create(workflow=workflow, task=task, sort_order=1)
    return task


def approver(name: str, *stores: Store) -> Client:
    user = make_user(name, "Store admin", *stores)
    user.groups.add(Group.objects.get(name="Approvers"))
    client = Client()
    client.force_login(user)
    return client


def waiting(store: Store) -> LandingPage:
    """A page with a draft that waits for a decision."""
    page = make_page(store, title=f"Offer of {store}")
    page.title = f"Draft of {store}"
    page.save_revision()
    Workflow.objects.get().start(LandingPage.objects.get(pk=page.pk), None)
    return LandingPage.objects.get(pk=page.pk)


def decide(client: Client, page: LandingPage, state: TaskState, how: str) -> Any:
    return client.post(reverse("wagtailadmin_pages:workflow_action", args=(page.pk, how, state.pk)), {"comment": "No."})


@pytest.mark.parametrize("how", ["approve", "reject"])
def test_an_approver_of_another_store_neither_sees_nor_decides(
    shop: Store, tea: Store, task: GroupApprovalTask, how: str
) -> None:
    page = waiting(tea)
    state = page.current_workflow_state.current_task_state
    client = approver("sierra", shop)
    preview = client.get(reverse("wagtailadmin_pages:workflow_preview", args=(page.pk, task.pk)))
    assert b"Draft of" not in preview.content and preview.status_code in (302, 403)
    decide(client, page, state, how)
    state.refresh_from_db()
    assert (state.status, state.finished_by) == ("in_progress", None)
    assert LandingPage.objects.get(pk=page.pk).title == "Offer of Nordic Tea"


def test_nor_through_the_address_of_a_page_of_their_own(shop: Store, tea: Store, task: GroupApprovalTask) -> None:
    own, strange = waiting(shop), waiting(tea)
    state = strange.current_workflow_state.current_task_state
    decide(approver("sierra", shop), own, state, "approve")
    state.refresh_from_db()
    assert state.status == "in_progress"
    assert LandingPage.objects.get(pk=strange.pk).title == "Offer of Nordic Tea"


@pytest.mark.parametrize(("how", "title"), [("approve", "Draft of Sierra Gear"), ("reject", "Offer of Sierra Gear")])
def test_an_approver_of_the_store_sees_the_draft_and_decides(
    shop: Store, task: GroupApprovalTask, how: str, title: str
) -> None:
    page = waiting(shop)
    state = page.current_workflow_state.current_task_state
    client = approver("sierra", shop)
    give_pages(get_user_model().objects.get(username="sierra"), page.get_parent())
    preview = client.get(reverse("wagtailadmin_pages:workflow_preview", args=(page.pk, task.pk)))
    assert b"Draft of Sierra Gear" in preview.content
    decide(client, page, state, how)
    state.refresh_from_db()
    assert state.status == {"approve": "approved", "reject": "rejected"}[how]
    assert LandingPage.objects.get(pk=page.pk).title == title


def test_what_was_decided_stays_savable_when_the_approver_has_left(
    shop: Store, tea: Store, task: GroupApprovalTask
) -> None:
    page = waiting(shop)
    state = page.current_workflow_state.current_task_state
    state.reject(make_user("sierra", "Store admin", shop))
    state.finished_by = make_user("tea", "Store admin", tea)
    state.comment = "Said earlier."
    state.save()
    assert TaskState.objects.get(pk=state.pk).comment == "Said earlier."


def test_superusers_and_folders(shop: Store, tea: Store, task: GroupApprovalTask, admin_user: Any) -> None:
    folder = make_folder(tea)
    folder.save_revision()
    Workflow.objects.get().start(folder, None)
    state = folder.current_workflow_state.current_task_state
    decide(approver("sierra", shop), folder, state, "approve")
    state.refresh_from_db()
    assert state.status == "in_progress"
    state.approve(admin_user)
    assert state.status == "approved"
