"""Pausing a flow and letting it go on; and what unpublishing would do to its people."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import conditional_escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView
from wagtail.admin import messages
from wagtail.snippets.views.snippets import UnpublishView

from smsflow_plugin.admin_panels.breakers import open_trip, trip_url
from smsflow_plugin.admin_panels.flows.pages import FlowPage, page_url
from smsflow_plugin.engine.pausing import OpenFlow, PauseFlow, ResumeFlow
from smsflow_plugin.models import Enrollment, Flow


def people_in(flow: Flow) -> int:
    """Return how many people are in the flow now."""
    return Enrollment.objects.filter(flow=flow, status=Enrollment.Status.WAITING).count()


class PauseView(FlowPage, FormView):  # type: ignore[type-arg]
    """Says what pausing means, and does it."""

    form_class = forms.Form
    page_title = gettext_lazy("Pause")
    header_icon = "time"
    template_name = "smsflow/flows/pause.html"
    resuming = False

    def allowed(self) -> bool:
        return self.may("publish")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(resuming=self.resuming, people=people_in(self.object), **kwargs)

    def form_valid(self, form: forms.Form) -> HttpResponse:
        PauseFlow(self.object, self.request.user).execute()
        messages.success(self.request, conditional_escape(_("“%(flow)s” is paused.") % {"flow": self.object}))
        return redirect(self.flow_url)


class ResumeView(PauseView):
    """Says what resuming means, and does it."""

    page_title = gettext_lazy("Resume")
    header_icon = "play"
    resuming = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # what a breaker holds is decided on where its numbers stand
        if self.allowed() and (trip := open_trip(request.user, self.object)):
            return redirect(trip_url(trip))
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: forms.Form) -> HttpResponse:
        ResumeFlow(self.object, self.request.user).execute()
        messages.success(self.request, conditional_escape(_("“%(flow)s” goes on.") % {"flow": self.object}))
        return redirect(self.flow_url)


class OpenView(PauseView):
    """Says what opening a closed flow means, and does it."""

    page_title = gettext_lazy("Let people enter")
    header_icon = "login"
    template_name = "smsflow/flows/open.html"

    def form_valid(self, form: forms.Form) -> HttpResponse:
        OpenFlow(self.object, self.request.user).execute()
        messages.success(self.request, conditional_escape(_("People enter “%(flow)s” again.") % {"flow": self.object}))
        return redirect(self.flow_url)


class FlowUnpublishView(UnpublishView):  # type: ignore[misc]
    """Says how many people leave with it."""

    template_name = "smsflow/flows/unpublish.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if (lock := self.object.get_lock()) and lock.for_user(request.user):
            messages.error(request, lock.get_message(request.user))
            return redirect(page_url("edit", self.object))
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(people=people_in(self.object), flow=self.object, **kwargs)
