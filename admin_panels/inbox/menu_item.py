"""The lines of the menu that say how many conversations wait: the inbox's, and the one that leads to it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from wagtail.admin.menu import MenuItem, SubmenuMenuItem
from wagtail.admin.staticfiles import versioned_static
from wagtail.permissions import policy_registry

from smsflow_plugin.admin_panels.waiting import waiting
from smsflow_plugin.models import Thread


class InboxMenuItem(MenuItem):  # type: ignore[misc]
    """Shown to those who may see conversations. ``inbox-badge.js`` keeps the number true."""

    def is_shown(self, request: HttpRequest) -> bool:
        return may_see(request.user)

    def render_component(self, request: HttpRequest) -> Any:
        component = super().render_component(request)
        # a dictionary of its own: menu items live as long as the process
        component.attrs = {**component.attrs, **badge(request, self.label)}
        return component


class GroupMenuItem(SubmenuMenuItem):  # type: ignore[misc]
    """Bears the number as well: the inbox's own line is seen only when this one is open."""

    def render_component(self, request: HttpRequest) -> Any:
        component = super().render_component(request)
        if may_see(request.user):
            component.attrs = {**component.attrs, **badge(request, self.label)}
        return component


def badge(request: HttpRequest, label: Any) -> dict[str, Any]:
    """Return the attributes that put the number onto a line of the menu."""
    return {
        "data-controller": "smsflow-badge",
        "data-smsflow-badge-url-value": reverse("smsflow_inbox:count"),
        "data-smsflow-badge-waiting-value": waiting(request).of(Thread),
        "data-smsflow-badge-label-value": _("%(label)s (%(count)s)") % {"label": label, "count": "{count}"},
    }


def may_see(user: Any) -> bool:
    return bool(policy_registry.get_by_type(Thread).user_has_any_permission(user, ["view", "change"]))


def badge_script() -> SafeString:
    """Return the script for every page of the admin."""
    return format_html('<script src="{}"></script>', versioned_static("smsflow/inbox-badge.js"))


def badge_style() -> SafeString:
    return format_html('<link rel="stylesheet" href="{}">', versioned_static("smsflow/inbox-badge.css"))
