"""Registers the rules with Wagtail. Called once, from ``wagtail_hooks``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail import hooks
from wagtail.admin import messages
from wagtail.snippets.action_menu import PublishMenuItem
from wagtail.snippets.models import register_snippet

from smsflow_plugin.admin_panels.governance.pages import home_url
from smsflow_plugin.admin_panels.governance.viewset import PolicyViewSet
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.models import Policy

LOG_ACTIONS = {
    "smsflow.press_panic": (gettext_lazy("Stop all texts"), gettext_lazy("All texts stopped")),
    "smsflow.release_panic": (gettext_lazy("Let texts go again"), gettext_lazy("Texts go again")),
}


def register() -> None:
    """Register the snippet and the hooks that guard it."""
    register_snippet(PolicyViewSet)
    hooks.register("register_log_actions", register_log_actions)
    hooks.register("construct_snippet_action_menu", match_buttons_to_policy)
    hooks.register("before_delete_snippet", keep_policies)


def register_log_actions(actions: Any) -> None:
    for action, (label, message) in LOG_ACTIONS.items():
        actions.register_action(action, label, message)


def match_buttons_to_policy(menu_items: list[Any], request: HttpRequest, context: dict[str, Any]) -> None:
    """Offer to publish where the user's role allows it, and never to unpublish: rules are replaced by others."""
    if context["model"] is not Policy:
        return
    policy = context.get("instance")
    menu_items[:] = [item for item in menu_items if item.name not in ("action-publish", "action-unpublish")]
    if policy is not None and may(request.user, "publish", policy) and not context.get("locked_for_user"):
        menu_items.append(_Publish(order=30))


class _Publish(PublishMenuItem):  # type: ignore[misc]
    def is_shown(self, context: dict[str, Any]) -> bool:
        return True


def keep_policies(request: HttpRequest, instances: Iterable[Any]) -> HttpResponse | None:
    """Refuse to delete rules: each store has its own for as long as it is there."""
    policy = next((instance for instance in instances if isinstance(instance, Policy)), None)
    if policy is None:
        return None
    messages.error(request, _("The rules of a store cannot be deleted."))
    return redirect(home_url(request.user, policy))
