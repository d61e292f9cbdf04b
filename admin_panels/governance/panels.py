"""Parts of the page that show something instead of asking for it."""

from __future__ import annotations

from typing import Any

from django.urls import NoReverseMatch, reverse
from wagtail.admin.panels import Panel

from smsflow_plugin.admin_panels.governance.best_time import best_time
from smsflow_plugin.admin_panels.governance.figures import breaker_states, usage


class _StorePanel(Panel):  # type: ignore[misc]
    """Shown for a store, not for the site."""

    class BoundPanel(Panel.BoundPanel):  # type: ignore[misc]
        def is_shown(self) -> bool:
            return self.instance.store_id is not None


class UsagePanel(_StorePanel):
    """What texts have cost today and this month, against the budgets."""

    class BoundPanel(_StorePanel.BoundPanel):
        template_name = "smsflow/governance/usage.html"

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            store, rules = self.instance.store, self.form.states.now.rules
            context.update(usage=usage(store), currency=store.currency, rules=rules)
            return context


class BestTimePanel(_StorePanel):
    """At which part of the day people click, and what texts make of it."""

    class BoundPanel(_StorePanel.BoundPanel):
        template_name = "smsflow/governance/best_time.html"

        class Media:
            css = {"all": ["smsflow/dashboards.css"]}

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            context["best_time"] = best_time(self.instance.store)
            return context


class BreakersPanel(_StorePanel):
    """The flows that a breaker has stopped."""

    class BoundPanel(_StorePanel.BoundPanel):
        template_name = "smsflow/governance/breakers.html"

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            context["stopped"] = breaker_states(self.instance.store)
            return context


class SuppressionPanel(_StorePanel):
    """The way to the list of numbers that get nothing."""

    class BoundPanel(_StorePanel.BoundPanel):
        template_name = "smsflow/governance/suppression.html"

        def is_shown(self) -> bool:
            return bool(super().is_shown() and suppression_url())

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            context["url"] = suppression_url()
            return context


def suppression_url() -> str:
    """Return where the suppression list is found; empty where a site has none."""
    try:
        return reverse("smsflow_suppression:index")
    except NoReverseMatch:
        return ""
