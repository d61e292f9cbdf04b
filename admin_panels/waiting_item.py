"""A line of the menu that says how many rows wait for the user to decide."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import ngettext
from wagtail.admin.menu import MenuItem
from wagtail.permissions import policy_registry

from smsflow_plugin.admin_panels.waiting import waiting


class WaitingMenuItem(MenuItem):  # type: ignore[misc]
    """Counts the rows of ``model`` that wait, see ``waiting``. Shown to those who may see or change them."""

    model: ClassVar[type[Model]]

    def is_shown(self, request: HttpRequest) -> bool:
        policy = policy_registry.get_by_type(self.model)
        return bool(policy.user_has_any_permission(request.user, ["view", "change"]))

    def render_component(self, request: HttpRequest) -> Any:
        component = super().render_component(request)
        count = waiting(request).of(self.model)
        if count:
            text = ngettext("%(label)s (%(count)d waits)", "%(label)s (%(count)d wait)", count)
            component.label = text % {"label": self.label, "count": count}
        return component
