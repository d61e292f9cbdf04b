"""Where the pages of keywords are found."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import BooleanColumn, Column
from wagtail.admin.viewsets.model import ModelViewSet

from smsflow_plugin.admin_panels.answer_copy import CopyToolsPanel, reply_panels
from smsflow_plugin.admin_panels.keywords.forms import KeywordForm
from smsflow_plugin.admin_panels.keywords.table import KeywordFilterSet, KeywordListView, what_happens
from smsflow_plugin.admin_panels.keywords.try_it import TryItView
from smsflow_plugin.admin_panels.listing import WIDE
from smsflow_plugin.admin_panels.scoping import ScopedViewSetMixin
from smsflow_plugin.models import Keyword

PANELS = [
    MultiFieldPanel(
        [FieldPanel("store"), FieldPanel("words"), FieldPanel("match")],
        heading=gettext_lazy("When somebody texts"),
    ),
    CopyToolsPanel(heading=gettext_lazy("What they get")),
    *reply_panels(),
    MultiFieldPanel(
        [FieldPanel("tag"), FieldPanel("flow"), FieldPanel("tell_staff")],
        heading=gettext_lazy("What happens besides"),
    ),
    MultiFieldPanel(
        [FieldRowPanel([FieldPanel("active"), FieldPanel("position")])],
        heading=gettext_lazy("Order"),
        help_text=gettext_lazy("Of two lines that both fit, the one with the smaller number takes the text."),
    ),
]


class KeywordViewSet(ScopedViewSetMixin, ModelViewSet):  # type: ignore[misc]
    model = Keyword
    name = "smsflow_keywords"
    url_prefix = "smsflow/keywords"
    icon = "comment"
    menu_label = gettext_lazy("Keywords")
    menu_order = 222
    index_view_class = KeywordListView
    index_template_name = "smsflow/keywords/index.html"
    filterset_class = KeywordFilterSet
    copy_view_enabled = False
    add_to_reference_index = False
    # registers the right to view in the form of groups; there is no page for it
    inspect_view_enabled = True
    search_fields = ["words", "tag", "flow__name"]
    search_backend_name = None
    list_per_page = 50
    list_display = [
        "__str__",
        Column("match", label=gettext_lazy("How"), accessor="get_match_display", classname=WIDE),
        Column("what", label=gettext_lazy("What happens"), accessor=what_happens),
        Column("store", label=gettext_lazy("Store"), classname=WIDE),
        BooleanColumn("active", label=gettext_lazy("Active"), classname=WIDE),
    ]

    def get_edit_handler(self) -> Any:
        return ObjectList(PANELS, base_form_class=KeywordForm).bind_to_model(self.model)

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        common: dict[str, Any] = super().get_common_view_kwargs(**kwargs)
        return {**common, "usage_url_name": None, "inspect_url_name": None}

    def get_urlpatterns(self) -> list[URLPattern]:
        kept = [one for one in super().get_urlpatterns() if one.name not in ("inspect", "usage", "usage_results")]
        return [*kept, path("try/", self.construct_view(TryItView), name="try_it")]
