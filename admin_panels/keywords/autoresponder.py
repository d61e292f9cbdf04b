"""What a store answers to texts that nothing else has taken: one form for each store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.dates import WEEKDAYS
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.panels import FieldPanel, ObjectList
from wagtail.admin.ui.tables import BooleanColumn, Column
from wagtail.admin.views.generic import EditView
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.permissions import policy_registry

from smsflow_plugin.admin_panels.answer_copy import MAIN, REPLY_FIELDS, CopyToolsPanel, ReplyFormMixin, reply_panels
from smsflow_plugin.admin_panels.listing import WIDE, ListView, StoreFilterSet, own_stores
from smsflow_plugin.admin_panels.scoping import ScopedViewSetMixin, StoreScopedForm
from smsflow_plugin.models import Autoresponder

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class RawHours(list[tuple[str, str]]):
    """Seven days as they were typed in."""


class HoursWidget(forms.Widget):
    """A line of two times for each day; both empty: nobody is there."""

    template_name = "smsflow/keywords/hours.html"

    def __init__(self) -> None:
        super().__init__()
        self.failed: dict[int, str] = {}

    def value_from_datadict(self, data: Any, files: Any, name: str) -> RawHours:
        return RawHours((data.get(f"{name}-{day}-from", ""), data.get(f"{name}-{day}-until", "")) for day in DAYS)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}-{DAYS[0]}-from" not in data

    def id_for_label(self, id_: str, index: Any = None) -> str:
        return ""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        typed = value if isinstance(value, RawHours) else [_times(value, day) for day in DAYS]
        context["days"] = [
            {
                "code": day,
                "name": WEEKDAYS[number],
                "opens": typed[number][0],
                "closes": typed[number][1],
                "error": self.failed.get(number, ""),
            }
            for number, day in enumerate(DAYS)
        ]
        return context


def _times(value: Any, day: str) -> tuple[str, str]:
    span = value.get(day) if isinstance(value, Mapping) else None
    return (str(span[0]), str(span[1])) if isinstance(span, (list, tuple)) and len(span) == 2 else ("", "")


class HoursField(forms.Field):
    """Hours by day, as the autoresponder keeps them: ``{"mon": ["09:00", "17:00"]}``."""

    widget = HoursWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def clean(self, value: Any) -> dict[str, list[str]]:
        if not isinstance(value, RawHours):
            return dict(value or {})
        self.widget.failed = {}
        hours = {}
        for number, (opens, closes) in enumerate(value):
            if not opens and not closes:
                continue
            try:
                times = [f"{time.fromisoformat(text):%H:%M}" for text in (opens, closes)]
            except ValueError:
                self.widget.failed[number] = _("Write two times, or none.")
                continue
            if times[0] == times[1]:
                self.widget.failed[number] = _("The end must be another time than the beginning.")
            hours[DAYS[number]] = times
        if self.widget.failed:
            raise ValidationError(_("Look at the days that are marked."))
        return hours

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.clean(data) != (initial or {}))
        except ValidationError:
            return True


class AutoresponderForm(ReplyFormMixin, StoreScopedForm):
    office_hours = HoursField(
        label=gettext_lazy("Office hours"),
        help_text=gettext_lazy(
            "By the store's clock. Within them nothing is answered by itself, as somebody is there. "
            "Leave them all empty to answer at any time; hours that end before they begin go on past midnight."
        ),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("active") and not str(cleaned.get(MAIN) or "").strip() and MAIN not in self.errors:
            self.add_error(MAIN, _("Write the answer before it is switched on."))
        return cleaned


AutoresponderForm = type("AutoresponderForm", (AutoresponderForm,), dict(REPLY_FIELDS))  # type: ignore[misc]


class AutoresponderFilterSet(StoreFilterSet):
    class Meta:
        model = Autoresponder
        fields = ["store"]


class AutoresponderListView(ListView):
    """One line for each store. They are made when somebody looks: a store that has none has one that is off."""

    any_permission_required = ["change", "view"]
    select_related = ("store",)
    default_ordering = ("store__name", "pk")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        rows = make_missing(request)
        if len(rows) == 1 and self.user_has_permission("change") and not self.is_export:
            return redirect(reverse("smsflow_autoresponders:edit", args=[rows[0]]))
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response


def make_missing(request: HttpRequest) -> list[int]:
    """Make the row of each store in which the user may change it; return the ids of those they may change."""
    policy = policy_registry.get_by_type(Autoresponder)
    stores = [
        store
        for store in own_stores(request)
        if policy.user_has_permission_for_instance(request.user, "change", Autoresponder(store=store))
    ]
    known = set(Autoresponder.objects.filter(store__in=stores).values_list("store_id", flat=True))
    missing = [Autoresponder(store=store) for store in stores if store.pk not in known]
    if missing:
        Autoresponder.objects.bulk_create(missing, ignore_conflicts=True)
    return list(Autoresponder.objects.filter(store__in=stores).values_list("pk", flat=True))


class AutoresponderEditView(EditView):  # type: ignore[misc]
    def get_success_url(self) -> str:
        url: str = self.get_edit_url()
        return url

    def get_success_buttons(self) -> list[Any]:
        return []

    @cached_property
    def can_delete(self) -> bool:
        return False


class AutoresponderViewSet(ScopedViewSetMixin, ModelViewSet):  # type: ignore[misc]
    model = Autoresponder
    name = "smsflow_autoresponders"
    url_prefix = "smsflow/autoresponder"
    icon = "mail"
    menu_label = gettext_lazy("Autoresponder")
    # reached from the keywords and from the store
    add_to_admin_menu = False
    index_view_class = AutoresponderListView
    edit_view_class = AutoresponderEditView
    filterset_class = AutoresponderFilterSet
    copy_view_enabled = False
    add_to_reference_index = False
    inspect_view_enabled = True
    search_backend_name = None
    search_fields = ["store__name"]
    list_display = [
        "store",
        BooleanColumn("active", label=gettext_lazy("Active")),
        Column(
            "reply",
            label=gettext_lazy("Answer"),
            classname=WIDE,
            accessor=lambda one: str((one.reply or {}).get("") or "–")[:80],
        ),
    ]
    panels = [
        FieldPanel(
            "active", help_text=gettext_lazy("At most one answer to a person in 24 hours, and none to a machine.")
        ),
        CopyToolsPanel("smsflow/keywords/autoresponder_help.html", heading=gettext_lazy("What it does")),
        *reply_panels(),
        FieldPanel("office_hours"),
    ]

    def get_edit_handler(self) -> Any:
        return ObjectList(self.panels, base_form_class=AutoresponderForm).bind_to_model(self.model)

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        absent = ("add_url_name", "delete_url_name", "usage_url_name", "inspect_url_name")
        common: dict[str, Any] = super().get_common_view_kwargs(**kwargs)
        return {**common, **dict.fromkeys(absent)}

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            path("", self.index_view, name="index"),
            path("results/", self.index_results_view, name="index_results"),
            path("edit/<int:pk>/", self.edit_view, name="edit"),
            path("history/<int:pk>/", self.history_view, name="history"),
            path("history-results/<int:pk>/", self.history_results_view, name="history_results"),
        ]
