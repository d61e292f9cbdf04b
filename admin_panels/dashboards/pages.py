"""What the pages with figures have in common: who may see them, which days, and their tables as files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.permissions import policy_registry

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.dashboards import by_day
from smsflow_plugin.admin_panels.dashboards.periods import Chosen, chosen
from smsflow_plugin.admin_panels.dashboards.reading import Days
from smsflow_plugin.admin_panels.dashboards.tables import KINDS, Table
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.measurement.figures import Figures
from smsflow_plugin.models import Flow, FlowStat, Store
from smsflow_plugin.stores.changes import clock_of


def may_see_some(user: Any) -> bool:
    """Return whether ``user`` may see the figures of any store."""
    return bool(policy_registry.get_by_type(FlowStat).user_has_any_permission(user, ["view"]))


def may_see(user: Any, store_id: int | None) -> bool:
    """Return whether ``user`` may see the figures of a store."""
    return may(user, "view", FlowStat(store_id=store_id))


def own_stores(user: Any) -> list[Store]:
    """Return the stores whose figures ``user`` may see."""
    rows: Any = Store.objects.visible_to(user)
    return [store for store in rows.order_by("name") if may_see(user, store.pk)]


def flow_figures_url(flow: Flow) -> str:
    return reverse("smsflow_figures:flow", args=[flow.pk])


def today_of(store: Store) -> date:
    return clock.now().astimezone(clock_of(store.timezone)).date()


class FiguresPage(WagtailAdminTemplateMixin, TemplateView):  # type: ignore[misc]
    """A page with figures of some days. Build it with the viewset's ``construct_view``."""

    http_method_names = ["get", "head", "options"]
    header_icon = "smsflow-figures"
    #: Of which rows an address speaks: the wall finds them by it.
    model: type[Model] = FlowStat
    request: HttpRequest
    #: The order of the page's first table.
    default_ordering = "-revenue"
    ordered_by: Sequence[str] = ()

    def allowed(self) -> bool:
        raise NotImplementedError

    @property
    def today(self) -> date:
        raise NotImplementedError

    @property
    def about(self) -> str:
        """What the figures are of: names the files."""
        raise NotImplementedError

    def tables(self) -> Iterable[Table]:
        """Return every table of the page."""
        raise NotImplementedError

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.allowed():
            raise PermissionDenied
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        kind = request.GET.get("export", "")
        if kind not in KINDS:
            return super().get(request, *args, **kwargs)
        table = next((one for one in self.tables() if one.name == request.GET.get("table")), None)
        if table is None:
            raise Http404
        period = self.chosen.period
        return table.as_spreadsheet(kind, f"{slugify(self.about)}-{table.name}-{period.first}-{period.last}")

    @cached_property
    def chosen(self) -> Chosen:
        return chosen(self.request.GET, self.today)

    @cached_property
    def ordering(self) -> str:
        asked: str = self.request.GET.get("ordering", "")
        return asked if asked.removeprefix("-") in self.ordered_by else self.default_ordering

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [*self.breadcrumbs_items, {"url": reverse("smsflow_figures:index"), "label": _("Figures")}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**{"chosen": self.chosen, "before": self.chosen.before, **kwargs})


class OneFiguresPage(FiguresPage):
    """Figures of one store or one of its flows: whichever the address names, and the wall has let through."""

    page_title = gettext_lazy("Figures")
    #: Set by the view's wall, which has found the object among those that the user may see.
    permission_policy: Any

    @property
    def store(self) -> Store:
        raise NotImplementedError

    @cached_property
    def days(self) -> Days[Figures]:
        raise NotImplementedError

    @property
    def charts(self) -> Sequence[by_day.Chart]:
        raise NotImplementedError

    def allowed(self) -> bool:
        return may_see(self.request.user, self.store.pk)

    @property
    def today(self) -> date:
        return today_of(self.store)

    @property
    def about(self) -> str:
        return str(self.permission_policy.instance.name)

    @property
    def currency(self) -> str:
        return str(self.store.currency)

    def get_page_subtitle(self) -> str:
        return self.about

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        here = {"url": "", "label": self.about, "sublabel": self.get_page_title()}
        return [*super().get_breadcrumbs_items(), *self.way(), here]

    def way(self) -> list[dict[str, Any]]:
        """Return the breadcrumbs between all figures and these."""
        return []

    def texts_and_revenue(self, marks: Mapping[date, str] | None = None) -> list[by_day.Chart]:
        """Return the charts that both pages have."""
        period, before, query = self.chosen.period, self.chosen.before, self.chosen.query
        now = self.days.of(period)
        then = None if before is None else self.days.of(before)
        return [
            by_day.of_texts(now, then, query, marks),
            by_day.of_revenue(now, then, query, self.currency, marks),
        ]

    @cached_property
    def now(self) -> Figures:
        return self.days.sum(self.chosen.period)

    @cached_property
    def then(self) -> Figures | None:
        """What is compared with, None if nobody wants to."""
        return None if self.chosen.before is None else self.days.sum(self.chosen.before)

    @property
    def empty(self) -> bool:
        return self.now == Figures() and self.then in (None, Figures())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**{"store": self.store, "empty": self.empty, "charts": self.charts, **kwargs})
