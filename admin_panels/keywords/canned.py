"""Words that staff uses often, ready to be put into an answer."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.panels import FieldPanel, FieldRowPanel, ObjectList
from wagtail.admin.ui.tables import Column
from wagtail.admin.viewsets.model import ModelViewSet

from smsflow_plugin.admin_panels.answer_copy import CopyToolsPanel, copy_problem
from smsflow_plugin.admin_panels.listing import WIDE, ListView, StoreFilterSet
from smsflow_plugin.admin_panels.scoping import ScopedViewSetMixin, StoreScopedForm
from smsflow_plugin.flows.copy_block import MAX_COPY, CopyWidget
from smsflow_plugin.flows.copy_blocks import LANGUAGE_CHOICES
from smsflow_plugin.models import CannedReply

LANGUAGES = dict(LANGUAGE_CHOICES)


class CannedReplyForm(StoreScopedForm):
    body = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=MAX_COPY,
        widget=CopyWidget({"rows": 4}),
        help_text=gettext_lazy("The names in it are filled in before staff sees it, and it can be changed then."),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        required=False,
        choices=[("", gettext_lazy("Any")), *LANGUAGE_CHOICES],
        help_text=gettext_lazy("Offered first for people who read this language."),
    )

    def clean_body(self) -> str:
        body: str = self.cleaned_data["body"]
        if problem := copy_problem(body):
            raise problem
        return body

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        store = cleaned.get("store") or (self.instance.store if self.instance.store_id else None)
        name, language = cleaned.get("name"), cleaned.get("language", "")
        if store and name:
            # the store is not on the form once the reply is there, so Django leaves the constraint out
            twins = CannedReply.objects.filter(store=store, name=name, language=language)
            if twins.exclude(pk=self.instance.pk).exists():
                self.add_error("name", _("There is a reply of this name in this language already."))
        return cleaned


class CannedReplyFilterSet(StoreFilterSet):
    class Meta:
        model = CannedReply
        fields = ["store"]


class CannedReplyListView(ListView):
    any_permission_required = ["add", "change", "delete", "view"]
    select_related = ("store",)
    default_ordering = ("name", "pk")


class CannedReplyViewSet(ScopedViewSetMixin, ModelViewSet):  # type: ignore[misc]
    model = CannedReply
    name = "smsflow_canned_replies"
    url_prefix = "smsflow/canned-replies"
    icon = "openquote"
    menu_label = gettext_lazy("Canned replies")
    menu_order = 223
    index_view_class = CannedReplyListView
    filterset_class = CannedReplyFilterSet
    copy_view_enabled = False
    add_to_reference_index = False
    # registers the right to view in the form of groups; there is no page for it
    inspect_view_enabled = True
    search_fields = ["name", "body"]
    search_backend_name = None
    list_display = [
        "name",
        Column("body", label=gettext_lazy("Text"), accessor=lambda reply: reply.body[:80], classname=WIDE),
        Column(
            "language",
            label=gettext_lazy("Language"),
            accessor=lambda reply: LANGUAGES.get(reply.language, reply.language or gettext_lazy("Any")),
        ),
        Column("store", label=gettext_lazy("Store"), classname=WIDE),
    ]
    panels = [
        FieldPanel("store"),
        FieldRowPanel([FieldPanel("name"), FieldPanel("language")]),
        FieldPanel("body"),
        CopyToolsPanel("smsflow/keywords/canned_help.html", heading=gettext_lazy("How it is used")),
    ]

    def get_edit_handler(self) -> Any:
        return ObjectList(self.panels, base_form_class=CannedReplyForm).bind_to_model(self.model)

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        common: dict[str, Any] = super().get_common_view_kwargs(**kwargs)
        return {**common, "usage_url_name": None, "inspect_url_name": None}

    def get_urlpatterns(self) -> list[URLPattern]:
        return [one for one in super().get_urlpatterns() if one.name not in ("inspect", "usage", "usage_results")]
