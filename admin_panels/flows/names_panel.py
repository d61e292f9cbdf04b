"""Shows the names that a text may use below the steps of a flow."""

from __future__ import annotations

from typing import Any

from wagtail.admin.panels import HelpPanel

from smsflow_plugin.events.kinds import kind_choices
from smsflow_plugin.flows.names import names_for


class NamesPanel(HelpPanel):  # type: ignore[misc]
    """A table for each trigger: what people and stores always have stands first."""

    def __init__(self, template: str = "smsflow/flows/names.html", **kwargs: Any) -> None:
        super().__init__(template=template, **kwargs)

    class BoundPanel(HelpPanel.BoundPanel):  # type: ignore[misc]
        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            always = names_for("")
            context: dict[str, Any] = super().get_context_data(parent_context)
            context["always"] = always
            context["triggers"] = [
                (label, [name for name in names_for(kind) if name not in always])
                for kind, label in kind_choices(triggers_only=True)
            ]
            return context
