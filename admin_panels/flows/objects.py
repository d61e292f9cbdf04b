"""What the pages about one flow have in common that are not Wagtail's own."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from smsflow_plugin.models import Flow


class OfOneFlow:
    """Finds the flow among those that the user may see; what belongs to another store is a 404."""

    request: HttpRequest
    flow: Flow
    list_url_name = ""
    edit_url_name = ""
    diagram_url_name = ""
    test_url_name = ""
    stop_url_name = ""

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)  # type: ignore[misc]
        if not request.user.is_authenticated:
            return
        flow = Flow.objects.visible_to(request.user).select_related("store").filter(pk=kwargs["pk"]).first()
        if flow is None:
            raise Http404
        self.flow = flow

    @property
    def edit_url(self) -> str:
        return reverse(self.edit_url_name, args=[self.flow.pk])

    def links(self) -> dict[str, str]:
        """Return the addresses of the flow's pages."""
        return {
            "edit_url": self.edit_url,
            "diagram_url": reverse(self.diagram_url_name, args=[self.flow.pk]),
            "test_url": reverse(self.test_url_name, args=[self.flow.pk]),
        }

    def get_page_subtitle(self) -> str:
        return str(self.flow)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *super().get_breadcrumbs_items(),  # type: ignore[misc]
            {"url": reverse(self.list_url_name), "label": _("Flows")},
            {"url": self.edit_url, "label": str(self.flow)},
            {"url": "", "label": self.get_page_title(), "sublabel": str(self.flow)},  # type: ignore[attr-defined]
        ]
