"""A line of the menu that says how many rows wait for the user to decide."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import ngettext
from wagtail.admin.menu import MenuItem
from wagtail.permissions import policy_registry


class WaitingMenuItem(MenuItem):  # type: ignore[misc]
    """``state`` is that of the rows of ``model`` that wait. Shown to those who may see or change them; one query."""

    model: ClassVar[type[Model]]
    state: ClassVar[str]

    def is_shown(self, request: HttpRequest) -> bool:
        policy = policy_registry.get_by_type(self.model)
        return bool(policy.user_has_any_permission(request.user, ["view", "change"]))

    def render_component(self, request: HttpRequest) -> Any:
        component = super().render_component(request)
        rows: Any = self.model._default_manager
        waiting = rows.visible_to(request.user).filter(state=self.state).count()
        if waiting:
            text = ngettext("%(label)s (%(count)d waits)", "%(label)s (%(count)d wait)", waiting)
            component.label = text % {"label": self.label, "count": waiting}
        return component
