"""Saving a flow as a file, and making a draft of one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views import View
from django.views.generic import FormView
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.log_actions import log

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.flows.pages import FlowPage, page_url
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.flows.portable import MOST_BYTES, CannotImport, ImportFlow, export_flow, read_file
from smsflow_plugin.models import Flow, Store

#: Problems of a file that are told at once.
TOLD = 10


class ExportView(FlowPage, View):
    """Answers with the file, and notes who took it."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        content = export_flow(self.object)
        log(instance=self.object, action="smsflow.export", user=request.user, timestamp=clock.now())
        response = JsonResponse(content, json_dumps_params={"indent": 2, "ensure_ascii": False})
        name = slugify(self.object.name) or f"flow-{self.object.pk}"
        response["Content-Disposition"] = f'attachment; filename="{name}.json"'
        return response


def stores_for(user: Any) -> list[Store]:
    """Return the stores in which ``user`` may add flows."""
    stores = Store.objects.visible_to(user).order_by("name")
    return [store for store in stores if may(user, "add", Flow(store=store))]


class ImportForm(forms.Form):
    """A file, and the store that gets the draft."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("A flow that was exported here or on another site of SMSFlow."),
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
    )
    store = forms.ModelChoiceField(label=gettext_lazy("Store"), queryset=Store.objects.none(), empty_label=None)

    def __init__(self, *args: Any, stores: list[Store], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["store"].queryset = Store.objects.filter(pk__in=[store.pk for store in stores]).order_by("name")  # type: ignore[attr-defined]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(_("The file is too large for a flow."))
        try:
            return read_file(file.read())
        except CannotImport as refusal:
            raise forms.ValidationError(str(refusal)) from refusal


class ImportView(WagtailAdminTemplateMixin, FormView):  # type: ignore[misc]
    """For people who may add flows to at least one store."""

    form_class = ImportForm
    page_title = gettext_lazy("Import a flow")
    header_icon = "upload"
    template_name = "smsflow/flows/import.html"
    index_url_name = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.stores = stores_for(request.user)
        if not self.stores:
            raise PermissionDenied
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "stores": self.stores}

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        flows = {"url": reverse(self.index_url_name), "label": _("Flows")}
        return [*super().get_breadcrumbs_items(), flows, {"url": "", "label": self.get_page_title()}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(list_url=reverse(self.index_url_name), **kwargs)

    def form_valid(self, form: ImportForm) -> HttpResponse:
        cleaned = form.cleaned_data
        imported = ImportFlow(cleaned["store"], self.request.user, data=cleaned["file"]).execute()
        words = {"flow": imported.flow, "store": cleaned["store"]}
        messages.success(self.request, format_html("{}", _("“%(flow)s” was added to %(store)s as a draft.") % words))
        if imported.problems:
            self._tell(imported.problems)
        return redirect(page_url("edit", imported.flow))

    def _tell(self, problems: list[str]) -> None:
        more = len(problems) - TOLD
        lines = format_html_join("", "<li>{}</li>", ((problem,) for problem in problems[:TOLD]))
        rest = ngettext("And %(count)d more.", "And %(count)d more.", more) % {"count": more} if more > 0 else ""
        messages.warning(
            self.request, format_html("{}<ul>{}</ul>{}", _("Not everything in the file fits here:"), lines, rest)
        )
