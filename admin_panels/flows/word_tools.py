"""Registers what belongs to writing copy: the counters' addresses, the snippets, the right to change words only."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from wagtail import hooks

from smsflow_plugin.admin_panels.flows.copy_views import CopyToolsViewSet
from smsflow_plugin.admin_panels.flows.snippets import SnippetViewSet
from smsflow_plugin.admin_panels.flows.test_send import TestSendViewSet
from smsflow_plugin.models import CopySnippet, StoreLogEntry, TestNumber

LOG_ACTIONS = {
    "smsflow.add_test_number": (_("Add test number"), _("Test number added")),
    "smsflow.verify_test_number": (_("Verify test number"), _("Test number verified")),
    "smsflow.remove_test_number": (_("Remove test number"), _("Test number removed")),
}


def register() -> None:
    hooks.register("register_admin_viewset", viewsets)
    hooks.register("register_log_actions", register_log_actions)
    hooks.register("register_permissions", permissions)


def viewsets() -> list[object]:
    return [CopyToolsViewSet(), SnippetViewSet(), TestSendViewSet()]


def permissions() -> QuerySet[Permission]:
    """Offer the right in Wagtail's form of groups, next to the flow's other rights."""
    return Permission.objects.filter(content_type__app_label="smsflow", codename="reword_flow")


def register_log_actions(actions: Any) -> None:
    # by type only: Wagtail's site history would show every store's names to everybody
    for model in (CopySnippet, TestNumber):
        actions.log_entry_models_by_type.register(model, value=StoreLogEntry)
    for action, (label, message) in LOG_ACTIONS.items():
        actions.register_action(action, label, message)
