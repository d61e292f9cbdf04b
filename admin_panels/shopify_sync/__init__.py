"""What was missed of a shop and what became of it, and the import of its history."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail import hooks

from smsflow_plugin.admin_panels.shopify_sync.viewset import ShopifySyncViewSet

__all__ = ["ShopifySyncViewSet", "register"]

LOG_ACTIONS = {
    "smsflow.compare_shop": (_("Compare with the shop"), _("Compared with the shop")),
    "smsflow.import_history": (_("Import history"), _("Import of the shop's history started")),
    "smsflow.cancel_import": (_("Cancel import"), _("Import of the shop's history cancelled")),
    "smsflow.resume_import": (_("Go on with import"), _("Import of the shop's history goes on")),
}


def register() -> None:
    hooks.register("register_log_actions", register_log_actions)


def register_log_actions(actions: Any) -> None:
    for action, (label, message) in LOG_ACTIONS.items():
        actions.register_action(action, label, message)
