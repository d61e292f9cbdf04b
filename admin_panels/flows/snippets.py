"""Words that several flows share: listed, edited, and never taken away from a flow that uses them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin import messages
from wagtail.admin.panels import FieldPanel, HelpPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import Column
from wagtail.admin.views.generic import CreateView, DeleteView, EditView
from wagtail.admin.viewsets.model import ModelViewSet

from smsflow_plugin.admin_panels.flows.copy_situation import Situation
from smsflow_plugin.admin_panels.flows.copy_widget import copy_tools
from smsflow_plugin.admin_panels.listing import WIDE, ListView, StoreFilterSet
from smsflow_plugin.admin_panels.scoping import ScopedViewSetMixin, StoreScopedForm, may
from smsflow_plugin.flows.copy_block import CopyWidget
from smsflow_plugin.flows.copy_blocks import LANGUAGE_CHOICES
from smsflow_plugin.flows.snippet_uses import Use, uses_of
from smsflow_plugin.messaging.liquid_environment import CopyError, compile_copy
from smsflow_plugin.models import CopySnippet, Flow

MAX_SNIPPET = 500


class SnippetForm(StoreScopedForm):
    """The words in every language, and a check that they are copy."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for language, _label in LANGUAGE_CHOICES:
            if field := self.fields.get(_field_name(language)):
                field.initial = (self.instance.translations or {}).get(language, "")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        for name in ("text", *(_field_name(language) for language, _label in LANGUAGE_CHOICES)):
            if name in cleaned and (wrong := _wrong(cleaned[name])):
                self.add_error(name, wrong)
        if self.instance.pk and "name" in self.changed_data and uses_of([self.original])[self.instance.pk]:
            self.add_error("name", _("Flows call the snippet by this name, so it cannot change."))
        if "name" in cleaned and (self.instance.pk or "store" in cleaned):
            self._check_unique(cleaned)
        return cleaned

    @cached_property
    def original(self) -> CopySnippet:
        return CopySnippet.objects.get(pk=self.instance.pk)

    def _check_unique(self, cleaned: dict[str, Any]) -> None:
        # the store is not on the form once the snippet is there, so Django leaves the constraint out
        store = cleaned.get("store") or self.instance.store
        if CopySnippet.objects.filter(store=store, name=cleaned["name"]).exclude(pk=self.instance.pk).exists():
            self.add_error("name", _("There is a snippet of this name already."))

    def _post_clean(self) -> None:
        super()._post_clean()
        texts = {language: self.cleaned_data.get(_field_name(language)) for language, _label in LANGUAGE_CHOICES}
        self.instance.translations = {language: text for language, text in texts.items() if text}


def _wrong(text: str) -> ValidationError | None:
    try:
        compile_copy(text)
    except CopyError as error:
        return ValidationError(
            _("Line %(line)d, column %(column)d: %(message)s")
            % {"line": error.line, "column": error.column, "message": error.message}
            if error.line
            else error.message
        )
    return None


def _field_name(language: str) -> str:
    return f"text_{language}"


def _text_field(language: str = "", **options: Any) -> forms.CharField:
    return forms.CharField(
        max_length=MAX_SNIPPET, widget=CopyWidget({"rows": 2}, kind="snippet", language=language), **options
    )


# one declared field for each language: panels know only what a form's class declares
SnippetForm = type(  # type: ignore[misc]
    "SnippetForm",
    (SnippetForm,),
    {
        "text": _text_field(label=gettext_lazy("Text"), help_text=gettext_lazy("For everybody without a translation.")),
        **{_field_name(code): _text_field(code, required=False, label=label) for code, label in LANGUAGE_CHOICES},
    },
)


class ToolsPanel(HelpPanel):  # type: ignore[misc]
    """How to use the snippet, where it is used, and the settings of the counters."""

    def __init__(self, template: str = "smsflow/flows/snippet_help.html", **kwargs: Any) -> None:
        super().__init__(template=template, **kwargs)

    class BoundPanel(HelpPanel.BoundPanel):  # type: ignore[misc]
        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            snippet = self.instance
            store = snippet.store if snippet.store_id else None
            context["tools"] = copy_tools(self.request, Situation(store, marketing=False))
            context["call"] = f"{{% render '{snippet.name or 'name'}' %}}"
            context["uses"] = [
                {"use": use, "url": _flow_url(use.flow) if _may_open(self.request, use.flow) else ""}
                for use in (uses_of([snippet])[snippet.pk] if snippet.pk else ())
            ]
            return context


class SnippetListView(ListView):
    any_permission_required = ["add", "change", "view"]
    select_related = ("store",)
    default_ordering = "name"

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        uses = uses_of(context["object_list"])
        for snippet in context["object_list"]:
            snippet.uses = uses[snippet.pk]
        return context


class SnippetCreateView(CreateView):  # type: ignore[misc]
    pass


class SnippetEditView(EditView):  # type: ignore[misc]
    def get_success_url(self) -> str:
        url: str = self.get_edit_url()
        return url

    def get_success_buttons(self) -> list[Any]:
        return []

    def form_valid(self, form: Any) -> HttpResponse:
        changed = bool(form.changed_data)
        response: HttpResponse = super().form_valid(form)
        live = [use for use in uses_of([self.object])[self.object.pk] if use.live]
        if changed and live:
            messages.warning(self.request, _stale(self.request, live))
        return response


class SnippetDeleteView(DeleteView):  # type: ignore[misc]
    """Refuses while a flow uses the snippet: its next publication would fail."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        uses = uses_of([self.object])[self.object.pk]
        if uses and self.user_has_permission("delete"):
            messages.error(
                request,
                _("“%(snippet)s” is used by %(flows)s, so it cannot be deleted.")
                % {"snippet": self.object, "flows": ", ".join(f"“{use.flow}”" for use in uses)},
            )
            return redirect(reverse(SnippetViewSet().get_url_name("edit"), args=[self.object.pk]))
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response


def _stale(request: HttpRequest, uses: list[Use]) -> str:
    sentence = ngettext(
        "A live flow goes on with the old words until it is published again:",
        "%(count)d live flows go on with the old words until they are published again:",
        len(uses),
    ) % {"count": len(uses)}
    flows = format_html_join(
        ", ",
        "{}",
        (
            (
                format_html('<a href="{}">{}</a>', _flow_url(use.flow), use.flow)
                if _may_open(request, use.flow)
                else use.flow,
            )
            for use in uses
        ),
    )
    return format_html("{} {}", sentence, flows)


def _flow_url(flow: Flow) -> str:
    return reverse(flow.snippet_viewset.get_url_name("edit"), args=[flow.pk])


def _may_open(request: HttpRequest, flow: Flow) -> bool:
    return may(request.user, "change", flow) or may(request.user, "reword", flow)


def _use_count(snippet: CopySnippet) -> str:
    count = len(getattr(snippet, "uses", ()))
    return ngettext("%(count)d flow", "%(count)d flows", count) % {"count": count}


class SnippetFilterSet(StoreFilterSet):
    class Meta:
        model = CopySnippet
        fields = ["store"]


class SnippetViewSet(ScopedViewSetMixin, ModelViewSet):  # type: ignore[misc]
    model = CopySnippet
    name = "smsflow_snippets"
    url_prefix = "smsflow/snippets"
    icon = "snippet"
    menu_label = gettext_lazy("Snippets of text")
    menu_name = "smsflow-snippets"
    menu_hook = "register_smsflow_menu_item"
    menu_order = 215
    add_to_admin_menu = True
    add_to_reference_index = False
    copy_view_enabled = False
    index_view_class = SnippetListView
    add_view_class = SnippetCreateView
    edit_view_class = SnippetEditView
    delete_view_class = SnippetDeleteView
    filterset_class = SnippetFilterSet
    search_backend_name = None
    search_fields = ["name", "text"]
    list_display = [
        "name",
        Column("text", label=gettext_lazy("Text"), classname=WIDE, accessor=lambda snippet: snippet.text[:80]),
        Column("store", label=gettext_lazy("Store"), classname=WIDE),
        Column("uses", label=gettext_lazy("Used in"), accessor=_use_count),
    ]
    panels = [
        ToolsPanel(heading=gettext_lazy("How to use it")),
        FieldPanel("store"),
        FieldPanel("name"),
        FieldPanel("text"),
        MultiFieldPanel(
            [FieldPanel(_field_name(language)) for language, _label in LANGUAGE_CHOICES],
            heading=gettext_lazy("In other languages"),
            classname="collapsed",
        ),
    ]

    def get_edit_handler(self) -> Any:
        return ObjectList(self.panels, base_form_class=SnippetForm).bind_to_model(self.model)

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        common: dict[str, Any] = super().get_common_view_kwargs(**kwargs)
        return {**common, "usage_url_name": None, "inspect_url_name": None}
