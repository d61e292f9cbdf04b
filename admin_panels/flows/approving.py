"""Approving a flow that cannot run: it is told, not an error of the server."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from wagtail.admin import messages

from smsflow_plugin.admin_panels.flows.pages import page_url
from smsflow_plugin.flows.problems import CannotCompile
from smsflow_plugin.models import Flow


class TellsWhatCannotRunMixin:
    """For views from which a workflow publishes: the draft that it approves may have been left half finished."""

    object: Flow

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        except CannotCompile as refusal:
            words = {"flow": self.object, "problems": refusal}
            messages.error(request, _("“%(flow)s” was not published. %(problems)s") % words)
            return redirect(page_url("edit", self.object))
        return response
