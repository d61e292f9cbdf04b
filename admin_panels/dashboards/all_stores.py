"""The figures of all stores that somebody works for, side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.dashboards import columns
from smsflow_plugin.admin_panels.dashboards.pages import FiguresPage, may_see_some, own_stores
from smsflow_plugin.admin_panels.dashboards.reading import total
from smsflow_plugin.admin_panels.dashboards.tables import Cell, Column, Table, changed, counted, named, paid
from smsflow_plugin.measurement import figure_words as words
from smsflow_plugin.measurement.figures import Figures, People, of_stores, people
from smsflow_plugin.models import Store


@dataclass(frozen=True, slots=True)
class StoreRow:
    """``before`` is None if nobody compares. ``sums`` is money of several currencies, on the line of the totals."""

    name: str
    url: str
    currency: str
    figures: Figures
    people: People
    before: Figures | None
    revenues: tuple[tuple[str, Decimal], ...] = ()
    costs: tuple[tuple[str, Decimal], ...] = ()


def _money(row: StoreRow, amount: Decimal | None, sums: tuple[tuple[str, Decimal], ...]) -> Cell:
    if len(sums) < 2:
        return paid(amount, row.currency)
    # nobody can add dollars to kroner
    return Cell(" + ".join(words.money(each, currency) for currency, each in sums), {"": None})


def _per_text(row: StoreRow) -> Cell:
    if len(row.revenues) > 1:
        return Cell(words.NONE, {"": None})
    return paid(row.figures.revenue_per_text, row.currency)


def _revenue_change(row: StoreRow) -> Cell:
    if len(row.revenues) > 1 or row.before is None:
        return Cell(words.NONE, {"": None})
    return changed(row.figures.revenue, row.before.revenue)


COLUMNS = [
    Column("name", gettext_lazy("Store"), lambda row: named(row.name, row.url), number=False, falls=False),
    columns.SENT,
    Column(
        "sent_change",
        gettext_lazy("Change of texts"),
        lambda row: changed(row.figures.sent, row.before and row.before.sent),
    ),
    Column("revenue", gettext_lazy("Revenue"), lambda row: _money(row, row.figures.revenue, row.revenues)),
    Column("revenue_change", gettext_lazy("Change of revenue"), _revenue_change),
    Column("per_text", gettext_lazy("Per text"), _per_text),
    columns.CLICKED,
    columns.OPTED_OUT,
    columns.ORDERS,
    Column("cost", gettext_lazy("Cost"), lambda row: _money(row, row.figures.cost, row.costs)),
    Column("growth", gettext_lazy("List growth"), lambda row: counted(row.people.growth)),
]


class AllStoresPage(FiguresPage):
    """One line for each store. Who works for one store only is led to its page."""

    template_name = "smsflow/dashboards/stores.html"
    page_title = gettext_lazy("Figures")
    page_subtitle = gettext_lazy("All stores")
    ordered_by = [column.name for column in COLUMNS]

    def allowed(self) -> bool:
        return may_see_some(self.request.user)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        here = {"url": "", "label": self.get_page_title(), "sublabel": self.get_page_subtitle()}
        return [*self.breadcrumbs_items, here]

    @cached_property
    def stores(self) -> list[Store]:
        return own_stores(self.request.user)

    @property
    def today(self) -> date:
        # the stores' clocks differ; their days are their own
        return clock.now().astimezone(UTC).date()

    @property
    def about(self) -> str:
        return _("Stores")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if len(self.stores) == 1:
            return redirect(reverse("smsflow_figures:store", args=[self.stores[0].pk]))
        return super().get(request, *args, **kwargs)

    @cached_property
    def table(self) -> Table:
        period, before = self.chosen.period, self.chosen.before
        ids = [store.pk for store in self.stores]
        now, lists = of_stores(ids, period), people(ids, period)
        then = None if before is None else of_stores(ids, before)
        rows = [
            StoreRow(
                str(store.name),
                f"{reverse('smsflow_figures:store', args=[store.pk])}?{self.chosen.query}",
                str(store.currency),
                now[store.pk],
                lists[store.pk],
                None if then is None else then[store.pk],
            )
            for store in self.stores
        ]
        everything = all_together(rows) if len(rows) > 1 else None
        return Table(
            "stores",
            _("Stores"),
            COLUMNS,
            rows,
            everything,
            self.ordering,
            self.chosen.query,
            _("There is no store yet."),
        )

    def tables(self) -> Iterator[Table]:
        yield self.table

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        several = len({store.currency for store in self.stores}) > 1
        return super().get_context_data(table=self.table, several_currencies=several, **kwargs)


def all_together(rows: list[StoreRow]) -> StoreRow:
    """Return the line of the totals: counts are added up, money by its currency."""
    revenues: dict[str, Decimal] = defaultdict(Decimal)
    costs: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        revenues[row.currency] += row.figures.revenue
        costs[row.currency] += row.figures.cost
    before = [row.before for row in rows if row.before is not None]
    lists = People()
    for row in rows:
        lists += row.people
    return StoreRow(
        _("All stores"),
        "",
        rows[0].currency,
        total(row.figures for row in rows),
        lists,
        total(before) if before else None,
        tuple(sorted(revenues.items())),
        tuple(sorted(costs.items())),
    )
