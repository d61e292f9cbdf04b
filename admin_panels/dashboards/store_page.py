"""What a store's texts are worth, at a glance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.functional import cached_property
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.admin_panels.dashboards import by_day, cards, columns
from smsflow_plugin.admin_panels.dashboards.attention import Missing, needs_attention, sees_all
from smsflow_plugin.admin_panels.dashboards.pages import OneFiguresPage, flow_figures_url
from smsflow_plugin.admin_panels.dashboards.reading import Days, span
from smsflow_plugin.admin_panels.dashboards.tables import Cell, Column, Table, said
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.admin_panels.waiting import waiting
from smsflow_plugin.measurement import baseline_words
from smsflow_plugin.measurement.baselines import total, within
from smsflow_plugin.measurement.figures import (
    Figures,
    People,
    days_in,
    flow_days_in,
    flows_in,
    people_days_in,
    together,
)
from smsflow_plugin.measurement.targets import (
    LISTED,
    TARGET_DAYS,
    Held,
    Standing,
    days_for,
    held_to,
    missed,
    targets_of,
)
from smsflow_plugin.models import Flow, Store


def _standing(held: tuple[Held, ...]) -> Cell:
    """Return how a flow stands to its targets: those that it misses by name."""
    if not held:
        return said("–")
    if found := missed(held):
        names = ", ".join(str(baseline_words.NAMES[one.figure]) for one in found)
        return said(_("Missed: %(figures)s") % {"figures": names}, mark="bad")
    if any(one.standing is Standing.OPEN for one in held):
        return said(_("Cannot be told yet"))
    return said(_("Reached"))


TARGETS = Column(
    "targets",
    format_lazy(gettext_lazy("Targets, last {days} days"), days=TARGET_DAYS),
    lambda row: _standing(row.held),
    number=False,
    ordered=False,
)
COLUMNS = columns.with_name(gettext_lazy("Flow"), (TARGETS, *columns.ALL))


class StoreFiguresPage(OneFiguresPage):
    """Cards, charts by day, the flows, and what waits for somebody."""

    template_name = "smsflow/dashboards/store.html"
    ordered_by = [column.name for column in COLUMNS if column.ordered and column.shown]
    model = Store

    @property
    def store(self) -> Store:
        store: Store = self.permission_policy.instance
        return store

    @cached_property
    def flows(self) -> Mapping[int, Flow]:
        """The store's flows, without their steps."""
        return Flow.objects.filter(store=self.store).only("name", *LISTED).in_bulk()

    @cached_property
    def read(self) -> list[dict[Any, Any]]:
        """Everything that the page reads of figures, with one query."""
        store, period = self.store.pk, self.chosen.period
        everything = span(period, self.chosen.before)
        aiming = [pk for pk, flow in self.flows.items() if targets_of(flow)]
        return together(
            days_in(store, everything),
            people_days_in(store, everything),
            flows_in(store, period),
            flow_days_in(store, days_for(self.today), aiming),
        )

    @cached_property
    def days(self) -> Days[Figures]:
        return Days(self.read[0], Figures())

    @cached_property
    def people(self) -> Days[People]:
        return Days(self.read[1], People())

    @cached_property
    def held(self) -> dict[int, tuple[Held, ...]]:
        """The figures that have a target, by flow."""
        period = days_for(self.today)
        by_flow: dict[int, dict[Any, Figures]] = {}
        for (pk, day), figures in self.read[3].items():
            by_flow.setdefault(pk, {})[day] = figures
        return {
            pk: tuple(held_to(targets, within(by_flow.get(pk, {}), period)))
            for pk, flow in self.flows.items()
            if (targets := targets_of(flow))
        }

    @cached_property
    def flow_table(self) -> Table:
        found: dict[int, Figures] = self.read[2]
        rows = [self._row(pk, self.flows.get(pk), figures) for pk, figures in found.items()]
        everything = columns.Row(_("All texts"), total(found.values()), self.currency)
        return Table(
            "flows",
            _("Flows"),
            [column for column in COLUMNS if column is not TARGETS or self.held],
            rows,
            total=everything if len(rows) > 1 else None,
            ordering=self.ordering,
            query=self.chosen.query,
        )

    def _row(self, pk: int, flow: Flow | None, figures: Figures) -> columns.Row:
        if flow is not None:
            held = self.held.get(pk, ())
            url = f"{flow_figures_url(flow)}?{self.chosen.query}"
            return columns.Row(str(flow.name), figures, self.currency, url, held=held)
        name = _("A flow that is gone") if pk else _("Answers, tests and texts of staff")
        return columns.Row(name, figures, self.currency)

    @cached_property
    def charts(self) -> list[by_day.Chart]:
        growth = by_day.of_growth(self.people.of(self.chosen.period), self.chosen.query)
        return [*self.texts_and_revenue(), growth]

    def tables(self) -> Iterator[Table]:
        yield self.flow_table
        yield from (chart.table for chart in self.charts)

    def missing(self) -> Iterator[Missing]:
        """Yield the targets that live flows clearly miss."""
        for pk, held in self.held.items():
            if (found := missed(held)) and self.flows[pk].state == Flow.State.LIVE:
                yield Missing(self.flows[pk], found)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        period, before, currency, now, then = (
            self.chosen.period, self.chosen.before, self.currency, self.now, self.then,
        )  # fmt: skip
        people = self.people.sum(period)
        people_then = None if before is None else self.people.sum(before)
        user = self.request.user
        return super().get_context_data(
            empty=self.empty and people == People(),
            cards=[
                cards.texts_sent(now, then),
                cards.revenue(now, then, currency),
                cards.per_text(now, then, currency),
                cards.clicks(now, then),
                cards.growth(people, people_then),
                cards.opt_outs(now, then),
                cards.spend(now, then, currency),
            ],
            flows=self.flow_table,
            may_add=may(user, "add", Flow(store=self.store)),
            items=needs_attention(user, self.store, waiting(self.request), self.missing()),
            sees_all=sees_all(user, self.store),
            **kwargs,
        )
