"""The editor for who may change the words of a flow and nothing else.

One form with every text, keyed by the ids of its blocks. The structure is not on the
form, so nothing that is posted can change it; drafts, history, preview and workflow are
Wagtail's own. Who may change the whole flow may use it too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.views.generic import IndexView
from wagtail.admin.views.generic.history import HistoryView, WorkflowHistoryDetailView, WorkflowHistoryView
from wagtail.admin.widgets.button import Button
from wagtail.snippets.views.snippets import EditView, PreviewOnEditView, PreviewRevisionView, RevisionsCompareView

from smsflow_plugin.admin_panels.flows.copy_situation import raw
from smsflow_plugin.admin_panels.flows.copy_widget import tools_for_flow
from smsflow_plugin.admin_panels.flows.words_labels import step_heading, words_label
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.copy_block import MAX_COPY, CopyWidget
from smsflow_plugin.flows.copy_blocks import MAX_EMAIL
from smsflow_plugin.flows.problems import CannotCompile
from smsflow_plugin.flows.texts import Words, with_words, words_of
from smsflow_plugin.models import Flow

MAX_SUBJECT = 200
REWORD = "reword"


class FlowWordsForm(WagtailAdminModelForm):  # type: ignore[misc]
    """A field for each text of the flow. What is posted under any other name is not looked at."""

    class Meta(WagtailAdminModelForm.Meta):
        model = Flow
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.words = {f"words-{words.key}": words for words in words_of(raw(self.instance.steps))}
        for name, words in self.words.items():
            self.fields[name] = _field(words)
            if self._is_absent(name):
                self.fields[name].required = False

    def defer_required_fields(self) -> None:
        if not self.is_deferred_validation:
            super().defer_required_fields()
            for name in self.words:
                self.fields[name].required = False

    def restore_required_fields(self) -> None:
        super().restore_required_fields()
        for name, words in self.words.items():
            self.fields[name].required = words.required and not self._is_absent(name)

    @property
    def groups(self) -> list[dict[str, Any]]:
        """The fields by step, for the template."""
        groups: list[dict[str, Any]] = []
        for name, words in self.words.items():
            if not groups or groups[-1]["step"] != words.step:
                groups.append({"step": words.step, "heading": step_heading(words), "fields": []})
            groups[-1]["fields"].append(self[name])
        return groups

    def _post_clean(self) -> None:
        super()._post_clean()
        changes = {}
        for name, words in self.words.items():
            if not self._is_absent(name) and name in self.cleaned_data:
                changes[words.key] = _kept_or_new(words.text, self.cleaned_data[name])
        steps = with_words(raw(self.instance.steps), changes)
        self.instance.steps = Flow._meta.get_field("steps").stream_block.to_python(steps)
        if not self.is_deferred_validation and not self.errors:
            self._compile()

    def _is_absent(self, name: str) -> bool:
        """Return whether the text came into the flow after the page was opened: it keeps its words."""
        return self.is_bound and name not in self.data

    def _compile(self) -> None:
        try:
            compile_flow(self.instance)
        except CannotCompile as refusal:
            for problem in refusal.problems:
                self.add_error(None, str(problem))


def _field(words: Words) -> forms.Field:
    widget: forms.Widget = CopyWidget({"rows": 3}, kind="mail" if words.is_mail else "text", language=words.language)
    limit = MAX_EMAIL if words.is_mail else MAX_COPY
    if words.field == "subject":
        widget, limit = forms.TextInput(), MAX_SUBJECT
    return forms.CharField(
        label=words_label(words), initial=words.text, required=words.required, max_length=limit, widget=widget
    )


def _kept_or_new(before: str, after: str) -> str:
    """Return ``after``, or ``before`` if only the ends of lines differ: browsers send them in their own way."""
    plain = after.replace("\r\n", "\n")
    return before if before.replace("\r\n", "\n").strip() == plain.strip() else plain


class RewordsMixin:
    """Asks for the right to change words; who may change the flow has it too."""

    permission_required: str | None = REWORD

    def user_has_permission(self, permission: str) -> bool:
        has: Callable[[str], bool] = super().user_has_permission  # type: ignore[misc]
        return has(permission) or (permission == REWORD and has("change"))

    def user_has_permission_for_instance(self, permission: str, instance: Any) -> bool:
        has: Callable[[str, Any], bool] = super().user_has_permission_for_instance  # type: ignore[misc]
        return has(permission, instance) or (permission == REWORD and has("change", instance))


class ReadsMixin:
    """Opens what shows the past of a flow to who may only change its words."""

    request: HttpRequest

    def user_has_permission(self, permission: str) -> bool:
        has: Callable[[str], bool] = super().user_has_permission  # type: ignore[misc]
        return has(permission) or (permission == "change" and has(REWORD))

    def user_has_any_permission(self, permissions: Any) -> bool:
        return bool(super().user_has_any_permission([*permissions, REWORD]))  # type: ignore[misc]


class LinksToWordsMixin:
    """Leads from the list to the words, as far as the person may go."""

    words_url_name = ""
    request: HttpRequest

    def get_edit_url(self, instance: Flow) -> str | None:
        if self.words_url_name and not may(self.request.user, "change", instance):
            return self._words_url(instance) if may(self.request.user, REWORD, instance) else None
        url: str | None = super().get_edit_url(instance)  # type: ignore[misc]
        return url

    def get_list_more_buttons(self, instance: Flow) -> list[Any]:
        buttons: list[Any] = super().get_list_more_buttons(instance)  # type: ignore[misc]
        if may(self.request.user, "change", instance):
            url = self._words_url(instance)
            buttons.append(Button(_("Edit words only"), url=url, icon_name="pilcrow", priority=15))
        return buttons

    def _words_url(self, instance: Flow) -> str:
        return reverse(self.words_url_name, args=[instance.pk])


class FlowWordsView(RewordsMixin, EditView):  # type: ignore[misc]
    template_name = "smsflow/flows/words.html"
    form_class = FlowWordsForm
    page_title = gettext_lazy("Words")
    whole_url_name = ""
    delete_url_name = None
    copy_url_name = None

    @cached_property
    def may_change_all(self) -> bool:
        return may(self.request.user, "change", self.object)

    def get_editing_sessions(self) -> Any:
        # Wagtail's pings ask for the right to change the whole flow, and would fail every few seconds
        return super().get_editing_sessions() if self.may_change_all else None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["tools"] = tools_for_flow(self.request, self.object)
        if self.may_change_all and self.whole_url_name:
            context["whole_url"] = reverse(self.whole_url_name, args=[self.object.pk])
        return context


class WordsPreviewView(RewordsMixin, PreviewOnEditView):  # type: ignore[misc]
    form_class = FlowWordsForm


#: Views about the past, which words have too.
READ_VIEWS = (HistoryView, WorkflowHistoryView, WorkflowHistoryDetailView, PreviewRevisionView, RevisionsCompareView)


class WordsViewSetMixin:
    """Adds the words to the viewset of flows. Put first among its bases."""

    def construct_view(self, view_class: Any, **kwargs: Any) -> Any:
        if issubclass(view_class, READ_VIEWS):
            view_class = type(view_class.__name__, (ReadsMixin, view_class), {})
        elif issubclass(view_class, IndexView):
            view_class = type(view_class.__name__, (LinksToWordsMixin, view_class), {})
            kwargs["words_url_name"] = self.get_url_name("words")  # type: ignore[attr-defined]
        return super().construct_view(view_class, **kwargs)  # type: ignore[misc]

    @property
    def edit_view(self) -> Any:
        """The editor; who may change words only comes to the words, wherever the link was."""
        edit = super().edit_view  # type: ignore[misc]
        words_url_name = self.get_url_name("words")  # type: ignore[attr-defined]

        def edit_or_reword(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method == "GET" and request.user.is_authenticated:
                flow = Flow.objects.visible_to(request.user).filter(pk=kwargs["pk"]).first()
                if flow and not may(request.user, "change", flow) and may(request.user, REWORD, flow):
                    return redirect(reverse(words_url_name, args=[flow.pk]))
            response: HttpResponse = edit(request, *args, **kwargs)
            return response

        return edit_or_reword

    def get_urlpatterns(self) -> list[URLPattern]:
        url_name: Callable[[str], str] = self.get_url_name  # type: ignore[attr-defined]
        edit_kwargs: dict[str, Any] = self.get_edit_view_kwargs()  # type: ignore[attr-defined]
        names = {
            "edit_url_name": url_name("words"),
            "preview_url_name": url_name("words_preview"),
            "whole_url_name": url_name("edit"),
            "delete_url_name": None,
            "copy_url_name": None,
        }
        view_kwargs = {**edit_kwargs, **names, "panel": None, "form_class": FlowWordsForm}
        view_kwargs["template_name"] = FlowWordsView.template_name
        words = self.construct_view(FlowWordsView, **view_kwargs)
        preview = self.construct_view(WordsPreviewView, form_class=FlowWordsForm)
        own = [
            path("words/<int:pk>/", words, name="words"),
            path("words/<int:pk>/preview/", preview, name="words_preview"),
        ]
        # the list stays first: the menu leads to the first of them
        return [*super().get_urlpatterns(), *own]  # type: ignore[misc]
