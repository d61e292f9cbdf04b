"""What a store's texts are worth, at a glance."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.admin_panels.dashboards import by_day, cards, columns
from smsflow_plugin.admin_panels.dashboards.attention import needs_attention
from smsflow_plugin.admin_panels.dashboards.pages import FiguresPage, flow_figures_url, may_see, today_of
from smsflow_plugin.admin_panels.dashboards.reading import Days, PeopleDays, total
from smsflow_plugin.admin_panels.dashboards.tables import Table
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.measurement.figures import Figures, People, by_flow
from smsflow_plugin.models import Flow, Store

COLUMNS = columns.with_name(gettext_lazy("Flow"), columns.ALL)


class StoreFiguresPage(FiguresPage):
    """Cards, charts by day, the flows, and what waits for somebody."""

    template_name = "smsflow/dashboards/store.html"
    page_title = gettext_lazy("Figures")
    ordered_by = [column.name for column in COLUMNS]
    model = Store
    permission_policy: Any

    @property
    def store(self) -> Store:
        # the view's wall has found it among those that the user may see
        store: Store = self.permission_policy.instance
        return store

    def allowed(self) -> bool:
        return may_see(self.request.user, self.store.pk)

    @property
    def today(self) -> date:
        return today_of(self.store)

    @property
    def about(self) -> str:
        return str(self.store.name)

    def get_page_subtitle(self) -> str:
        return str(self.store.name)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        here = {"url": "", "label": str(self.store.name), "sublabel": self.get_page_title()}
        return [*super().get_breadcrumbs_items(), here]

    @cached_property
    def days(self) -> Days:
        return Days(self.store.pk, self.chosen.period, self.chosen.before)

    @cached_property
    def people(self) -> PeopleDays:
        return PeopleDays(self.store.pk, self.chosen.period, self.chosen.before)

    @cached_property
    def flows(self) -> Table:
        found = by_flow(self.store.pk, self.chosen.period)
        flows = Flow.objects.filter(store=self.store, pk__in=found).only("name", "store_id").in_bulk()
        rows = [self._row(pk, flows.get(pk), figures) for pk, figures in found.items()]
        everything = columns.Row(_("All texts"), total(found.values()), self.store.currency)
        return Table(
            "flows",
            _("Flows"),
            COLUMNS,
            rows,
            total=everything if len(rows) > 1 else None,
            ordering=self.ordering,
            query=self.chosen.query,
        )

    def _row(self, pk: int, flow: Flow | None, figures: Figures) -> columns.Row:
        if flow is not None:
            return columns.Row(str(flow.name), figures, self.store.currency, flow_figures_url(flow))
        name = _("A flow that is gone") if pk else _("Answers, tests and texts of staff")
        return columns.Row(name, figures, self.store.currency)

    @cached_property
    def charts(self) -> list[by_day.Chart]:
        period, before, query = self.chosen.period, self.chosen.before, self.chosen.query
        now = self.days.of(period)
        then = None if before is None else self.days.of(before)
        return [
            by_day.of_texts(now, then, query),
            by_day.of_revenue(now, then, query, self.store.currency),
            by_day.of_growth(self.people.of(period), query),
        ]

    def tables(self) -> Iterator[Table]:
        yield self.flows
        yield from (chart.table for chart in self.charts)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        period, before, currency = self.chosen.period, self.chosen.before, self.store.currency
        now, then = self.days.sum(period) or Figures(), self.days.sum(before)
        people, people_then = self.people.sum(period) or People(), self.people.sum(before)
        return super().get_context_data(
            store=self.store,
            empty=now == Figures() and people == People() and then in (None, Figures()),
            cards=[
                cards.texts_sent(now, then),
                cards.revenue(now, then, currency),
                cards.per_text(now, then, currency),
                cards.clicks(now, then),
                cards.growth(people, people_then),
                cards.opt_outs(now, then),
                cards.spend(now, then, currency),
            ],
            charts=self.charts,
            flows=self.flows,
            may_add=may(self.request.user, "add", Flow(store=self.store)),
            items=needs_attention(self.request.user, self.store),
            **kwargs,
        )
