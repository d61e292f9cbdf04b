"""Who approves a flow that was submitted: those who may publish in its own store.

``StoreApprovalTask`` is a task of Wagtail's workflows, one for the whole site. Wagtail asks it
about an object and a user; the answers here come from the store's own roles.
"""

from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import CharField, Model, QuerySet
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _
from wagtail.models import Task, TaskState


class ApprovedInStore(Task):  # type: ignore[misc]
    """The logic of ``flows.models.StoreApprovalTask``."""

    class Meta:
        abstract = True

    def start(self, workflow_state: Any, user: Any = None) -> Any:
        """Begin; a lock of somebody who cannot approve would keep those out who can."""
        flow = workflow_state.content_object
        if flow.locked_by and not may_approve(flow.locked_by, flow):
            flow.locked, flow.locked_by, flow.locked_at = False, None, None
            flow.save(update_fields=["locked", "locked_by", "locked_at"])
        return super().start(workflow_state, user=user)

    def user_can_access_editor(self, obj: Model, user: Any) -> bool:
        return may_approve(user, obj)

    def locked_for_user(self, obj: Model, user: Any) -> bool:
        return not may_approve(user, obj)

    def user_can_lock(self, obj: Model, user: Any) -> bool:
        return may_approve(user, obj)

    def user_can_unlock(self, obj: Model, user: Any) -> bool:
        return False

    def get_actions(self, obj: Model, user: Any) -> list[tuple[str, Any, bool]]:
        if not may_approve(user, obj):
            return []
        return [
            ("reject", _("Request changes"), True),
            ("approve", _("Approve"), False),
            ("approve", _("Approve with comment"), True),
        ]

    def on_action(self, task_state: Any, user: Any, action_name: str, **kwargs: Any) -> None:
        """Do what was chosen, if the user may in this store: the last gate, whichever way they came.

        :raises CannotCompile: if it is approved and cannot run; nothing is approved then.
        """
        if may_approve(user, task_state.workflow_state.content_object):
            with transaction.atomic():
                super().on_action(task_state, user, action_name, **kwargs)

    def get_task_states_user_can_moderate(self, user: Any, **kwargs: Any) -> QuerySet[TaskState]:
        """Return what waits for this user: states of flows in the stores where they may publish."""
        from smsflow_plugin.flows.models import Flow

        flows = _publishable(user).annotate(key=Cast("pk", CharField())).values("key")
        states: QuerySet[TaskState] = TaskState.objects.filter(
            task_id=self.pk,
            status=TaskState.STATUS_IN_PROGRESS,
            workflow_state__base_content_type=ContentType.objects.get_for_model(Flow),
            workflow_state__object_id__in=flows,
        )
        return states

    @classmethod
    def get_description(cls) -> str:
        return str(_("Whoever may publish in the flow's own store can approve it."))


def may_approve(user: Any, obj: Any) -> bool:
    """Return whether ``user`` may publish ``obj``, a flow, in its own store."""
    from wagtail.permissions import policy_registry

    from smsflow_plugin.flows.models import Flow

    if not isinstance(obj, Flow):
        return False
    return bool(policy_registry.get_by_type(Flow).user_has_permission_for_instance(user, "publish", obj))


def _publishable(user: Any) -> QuerySet[Any]:
    from wagtail.permissions import policy_registry

    from smsflow_plugin.flows.models import Flow

    return policy_registry.get_by_type(Flow).instances_user_has_any_permission_for(user, ["publish"])
