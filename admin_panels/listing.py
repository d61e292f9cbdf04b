"""What the lists have in common."""

from __future__ import annotations

import re
from typing import Any

import django_filters
from django.contrib.admin.utils import quote
from django.db.models import Model, QuerySet
from django.forms import Media
from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import number_format
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.admin_url_finder import ModelAdminURLFinder
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.paginator import WagtailPaginator
from wagtail.admin.ui.tables import Column
from wagtail.admin.views import generic
from wagtail.admin.viewsets.model import ModelViewSet

from smsflow_plugin.admin_panels.scoping import ScopedViewSetMixin
from smsflow_plugin.models import Flow, Store

#: A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

#: Columns that a phone has no room for.
WIDE = "smsflow-wide"

#: Rows in memory while a list is exported.
EXPORT_CHUNK = 2000

#: What somebody seeks who certainly seeks a phone number. Digits alone may as well be a code or an order.
NUMBER = re.compile(r"\+\d[\d\s().-]{4,}")

#: So many rows of a list can be paged through, a hundred pages of most. Exports have them all.
MOST = 3000


def csv_safe(value: Any) -> str:
    """Return ``value`` as text that no spreadsheet runs. For words of customers, not for phone numbers."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


class LimitedPaginator(WagtailPaginator):  # type: ignore[misc]
    """Counts no further than ``MOST``: to count two million texts takes longer than all the rest of their page."""

    @cached_property
    def _counted(self) -> int:
        rows = self.object_list
        return int(rows.order_by()[: MOST + 1].count() if isinstance(rows, QuerySet) else super().count)

    @cached_property
    def count(self) -> int:
        return min(self._counted, MOST)

    @property
    def has_more(self) -> bool:
        """Whether there are rows that no page shows."""
        return self._counted > MOST

    @property
    def items_count_label(self) -> str:
        if not self.has_more:
            return str(super().items_count_label)
        names = {"number": number_format(MOST, force_grouping=True), "things": self.verbose_name_plural}
        return gettext("More than %(number)s %(things)s. Filter or search to see the others") % names


class ListView(generic.IndexView):  # type: ignore[misc]
    """A list whose links ask for the right in the row's own store."""

    paginator_class = LimitedPaginator
    results_template_name = "smsflow/results.html"
    #: Related objects that the columns show.
    select_related: tuple[str, ...] = ()
    #: Large columns that the list does not show.
    defer: tuple[str, ...] = ()

    def get_base_queryset(self) -> QuerySet[Any]:
        queryset: QuerySet[Any] = super().get_base_queryset()
        return queryset.select_related(*self.select_related).defer(*self.defer)

    def get_edit_url(self, instance: Model) -> str | None:
        if self.edit_url_name and self.user_has_permission_for_instance("change", instance):
            return reverse(self.edit_url_name, args=(quote(instance.pk),))
        return None

    def get_list_more_buttons(self, instance: Model) -> list[Any]:
        # the title leads where the only entry of the menu would
        return []

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        context["media"] += Media(css={"all": ["smsflow/admin.css"]})
        return context

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if self.is_export:
            return self._export(request.GET["export"])
        return super().get(request, *args, **kwargs)

    def _export(self, kind: str) -> StreamingHttpResponse | FileResponse:
        # an export is the whole list: it is read in chunks, and nothing of the page is built for it
        rows = self.get_queryset()
        iterator = _Rows(rows)
        response: StreamingHttpResponse | FileResponse = self.as_spreadsheet(iterator, kind)
        return response


class _Rows:
    """A queryset that is read in chunks. Exports ask it for its model and for its rows."""

    def __init__(self, queryset: QuerySet[Any]) -> None:
        self.model = queryset.model
        self._queryset = queryset

    def __iter__(self) -> Any:
        return self._queryset.iterator(chunk_size=EXPORT_CHUNK)


class TimeColumn(Column):  # type: ignore[misc]
    """A time on the clock of the row's store. "Two hours ago" would be by a clock that a simulation may have left."""

    cell_template_name = "smsflow/time_cell.html"


class InspectURLFinder(ModelAdminURLFinder):  # type: ignore[misc]
    """Leads to the page on which an object is looked at, for those who may."""

    def get_edit_url(self, instance: Model) -> str | None:
        if self.user and not type(instance).objects.visible_to(self.user).filter(pk=instance.pk).exists():  # type: ignore[attr-defined]
            return None
        url: str = self.construct_edit_url(instance)
        return url


class ReadOnlyViewSet(ScopedViewSetMixin, ModelViewSet):  # type: ignore[misc]
    """Rows that the pumps write: looked at, searched and exported, never added or edited by hand."""

    inspect_view_enabled = True
    copy_view_enabled = False
    add_to_reference_index = False
    list_per_page = 30
    #: Search asks the database: an index of every text would be a second copy of it.
    search_backend_name = None

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        absent = ("add_url_name", "edit_url_name", "delete_url_name", "history_url_name", "usage_url_name")
        common: dict[str, Any] = super().get_common_view_kwargs(**{**dict.fromkeys(absent), **kwargs})
        return common

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            path("", self.index_view, name="index"),
            path("results/", self.index_results_view, name="index_results"),
            path("<int:pk>/", self.inspect_view, name="inspect"),
        ]

    @property
    def url_finder_class(self) -> type[ModelAdminURLFinder]:
        return type("URLFinder", (InspectURLFinder,), {"edit_url_name": self.get_url_name("inspect")})


def own_stores(request: HttpRequest) -> QuerySet[Any]:
    return Store.objects.visible_to(request.user).order_by("name")


def own_flows(request: HttpRequest) -> QuerySet[Any]:
    return Flow.objects.visible_to(request.user).only("name", "store_id").order_by("name")


class StoreFilterSet(WagtailFilterSet):  # type: ignore[misc]
    """Offers the user's own stores, and no choice where there is only one."""

    store = django_filters.ModelChoiceFilter(queryset=own_stores, label=_("Store"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.request is not None and len(own_stores(self.request)[:2]) < 2:
            del self.filters["store"]
