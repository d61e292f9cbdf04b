"""The store wall in Wagtail's workflows. Their tasks let groups decide that may be of the whole site.

Wagtail's screens ask the task alone who may decide about a page, so the wall stands where the decision is written down.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db.models.signals import pre_save
from wagtail.models import Page, TaskState

from smsflow_plugin.landing.permissions import StorePageTester

_DECIDED = (TaskState.STATUS_APPROVED, TaskState.STATUS_REJECTED)


def guard_decisions() -> None:
    """Ask before anything is approved or rejected; tasks may have kinds of states of their own."""
    for model in apps.get_models():
        if issubclass(model, TaskState):
            pre_save.connect(_refuse_strangers, sender=model, dispatch_uid=f"smsflow_landing_{model._meta.label_lower}")


def is_outside(user: Any, page: Any) -> bool:
    """Return whether the store wall is between ``user`` and ``page``; it is around landing pages only."""
    tester = page.permissions_for_user(user) if isinstance(page, Page) else None
    return isinstance(tester, StorePageTester) and tester.outside


def _refuse_strangers(sender: type[TaskState], instance: TaskState, **kwargs: Any) -> None:
    """Let nobody decide about a page of a store in which they make no landing pages.

    :raises PermissionDenied: then the decision is not saved.
    """
    if instance.status not in _DECIDED or instance.finished_by is None:
        return
    # it is the moment of the decision that counts, not what is saved of it later on
    decides = TaskState.objects.filter(pk=instance.pk, status=TaskState.STATUS_IN_PROGRESS).exists()
    if decides and is_outside(instance.finished_by, instance.workflow_state.content_object):
        raise PermissionDenied
