"""The figures of all stores that somebody works for, side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
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
from smsflow_plugin.admin_panels.dashboards.pages import FiguresPage, may_see_some, own_stores, today_of
from smsflow_plugin.admin_panels.dashboards.tables import Cell, Column, Table, changed, counted, named, paid
from smsflow_plugin.measurement import figure_words as words
from smsflow_plugin.measurement.baselines import total
from smsflow_plugin.measurement.figures import Figures, People, Period, last_days, people_in, stores_in, together
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


def _currency(row: StoreRow) -> Cell:
    return named("" if len(row.revenues) > 1 else row.currency)


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
    Column("cost", gettext_lazy("Cost"), lambda row: _money(row, row.figures.spend, row.costs)),
    Column("growth", gettext_lazy("List growth"), lambda row: counted(row.people.growth)),
    Column("currency", gettext_lazy("Currency"), _currency, number=False, shown=False),
]


class AllStoresPage(FiguresPage):
    """One line for each store. Who works for one store only is led to its page."""

    template_name = "smsflow/dashboards/stores.html"
    page_title = gettext_lazy("Figures")
    page_subtitle = gettext_lazy("All stores")
    ordered_by = [column.name for column in COLUMNS if column.shown]

    def allowed(self) -> bool:
        return may_see_some(self.request.user)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        here = {"url": "", "label": self.get_page_title(), "sublabel": self.get_page_subtitle()}
        return [*self.breadcrumbs_items, here]

    @cached_property
    def stores(self) -> list[Store]:
        return own_stores(self.request.user)

    @cached_property
    def today(self) -> date:
        """The last day that is over in any of the stores: of what goes on, nothing can be compared."""
        return max(map(_yesterday_of, self.stores), default=clock.now().date())

    @cached_property
    def periods(self) -> dict[int, Period]:
        """The days of each store, on its own clock. Stores in which none of them is over have none."""
        found = {}
        for store in self.stores:
            last = _yesterday_of(store)
            own = self.chosen.period
            period = last_days(self.chosen.preset, last) if self.chosen.preset else _until(own, last)
            if period is not None:
                found[store.pk] = period
        return found

    @property
    def about(self) -> str:
        return _("Stores")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if len(self.stores) == 1:
            return redirect(reverse("smsflow_figures:store", args=[self.stores[0].pk]))
        return super().get(request, *args, **kwargs)

    @cached_property
    def table(self) -> Table:
        befores = {pk: period.before() for pk, period in self.periods.items()} if self.chosen.compares else {}
        now, lists, then = together(stores_in(self.periods), people_in(self.periods), stores_in(befores))
        rows = [
            StoreRow(
                str(store.name),
                self._url(store),
                str(store.currency),
                now.get(store.pk, Figures()),
                lists.get(store.pk, People()),
                then.get(store.pk, Figures()) if self.chosen.compares else None,
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

    def _url(self, store: Store) -> str:
        """Return the address of the store's page with the same days, so that it says the same figures."""
        url, query = reverse("smsflow_figures:store", args=[store.pk]), self.chosen.query
        if (period := self.periods.get(store.pk)) and self.chosen.preset:
            query = replace(self.chosen, period=period, preset=None).query
        return f"{url}?{query}"

    def tables(self) -> Iterator[Table]:
        yield self.table

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        several = len({store.currency for store in self.stores}) > 1
        return super().get_context_data(table=self.table, several_currencies=several, **kwargs)


def _yesterday_of(store: Store) -> date:
    return today_of(store) - timedelta(days=1)


def _until(period: Period, last: date) -> Period | None:
    """Return the days of a period that are over, None if none is."""
    return Period(period.first, min(period.last, last)) if period.first <= last else None


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
