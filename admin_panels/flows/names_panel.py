"""Brings the tools for writing copy onto the page of a flow: counter, hints, names."""

from __future__ import annotations

from typing import Any

from django.forms import Media
from django.urls import reverse
from wagtail.admin.panels import HelpPanel

from smsflow_plugin.admin_panels.flows.copy_widget import tools_for_flow


class NamesPanel(HelpPanel):  # type: ignore[misc]
    """A line of help, and the settings of the counters below the texts."""

    def __init__(self, template: str = "smsflow/flows/names.html", **kwargs: Any) -> None:
        super().__init__(template=template, **kwargs)

    class BoundPanel(HelpPanel.BoundPanel):  # type: ignore[misc]
        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            flow = self.instance
            context["tools"] = tools_for_flow(self.request, flow)
            if flow.pk:
                context["words_url"] = reverse(flow.snippet_viewset.get_url_name("words"), args=[flow.pk])
            return context

        @property
        def media(self) -> Media:
            # an address that names a block, such as a box of the diagram, opens it
            return super().media + Media(js=["smsflow/diagram.js"])
