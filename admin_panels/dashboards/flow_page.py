"""What one flow does: its steps, its diagram as a funnel, its versions, its targets, and what it did before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.widgets.button import HeaderButton

from smsflow_plugin.admin_panels.dashboards import by_day, cards, columns
from smsflow_plugin.admin_panels.dashboards.baseline import baseline_table
from smsflow_plugin.admin_panels.dashboards.pages import OneFiguresPage
from smsflow_plugin.admin_panels.dashboards.reading import Days, span
from smsflow_plugin.admin_panels.dashboards.tables import Table
from smsflow_plugin.admin_panels.flows.diagram import render_diagram
from smsflow_plugin.admin_panels.flows.viewset import FlowViewSet
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.flows.chart import TITLES, plain_copy, summary
from smsflow_plugin.flows.outline import OutlineStep, outline, walk
from smsflow_plugin.flows.program import Discount, Wait
from smsflow_plugin.measurement import figure_words as words
from smsflow_plugin.measurement.baselines import (
    BASELINE_DAYS,
    Comparison,
    Figure,
    baseline_of,
    of_flow,
    total,
    within,
)
from smsflow_plugin.measurement.figures import Figures, days_in, parts_in, summed, together
from smsflow_plugin.measurement.rates import Part
from smsflow_plugin.measurement.targets import Held, held_to, targets_of
from smsflow_plugin.models import Flow, FlowVersion, Store
from smsflow_plugin.stores.changes import clock_of

STEPS = columns.with_name(gettext_lazy("Step"), (*columns.TEXTS, columns.COST, columns.TIME_TO_CLICK))
VERSIONS = columns.with_name(gettext_lazy("Version"), columns.TEXTS)


class FlowFiguresPage(OneFiguresPage):
    template_name = "smsflow/dashboards/flow.html"
    model = Flow
    read_along = ("store",)

    @property
    def flow(self) -> Flow:
        flow: Flow = self.permission_policy.instance
        return flow

    @property
    def store(self) -> Store:
        store: Store = self.flow.store
        return store

    def way(self) -> list[dict[str, Any]]:
        url = f"{reverse('smsflow_figures:store', args=[self.store.pk])}?{self.chosen.query}"
        return [{"url": url, "label": str(self.store.name)}]

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        if not may(self.request.user, "change", self.flow):
            return []
        url = reverse(FlowViewSet().get_url_name("edit"), args=[self.flow.pk])
        return [HeaderButton(_("Edit the flow"), url=url, icon_name="edit")]

    @cached_property
    def outline(self) -> list[OutlineStep]:
        return list(walk(outline(self.flow.steps)))

    @cached_property
    def read(self) -> list[dict[Any, Any]]:
        """Everything that the page reads of figures, with one query."""
        store, period = self.flow.store_id, self.chosen.period
        everything = span(period, self.chosen.before, baseline_of(period))
        return together(days_in(store, everything, self.flow.pk), parts_in(store, self.flow.pk, period))

    @cached_property
    def days(self) -> Days[Figures]:
        return Days(self.read[0], Figures())

    @cached_property
    def found(self) -> dict[str, dict[str, Figures]]:
        """The figures by step and, below it, by variant."""
        found: dict[str, dict[str, Figures]] = {}
        for (_version, step, variant), figures in sorted(self.read[1].items()):
            variants = found.setdefault(step, {})
            variants[variant] = variants.get(variant, Figures()) + figures
        return found

    @cached_property
    def by_step(self) -> dict[str, Figures]:
        return {step: total(variants.values()) for step, variants in self.found.items()}

    @cached_property
    def versions(self) -> list[FlowVersion]:
        return list(FlowVersion.objects.filter(flow=self.flow).only("number", "published_at").order_by("-number"))

    @cached_property
    def steps(self) -> Table:
        return Table("steps", _("Steps"), STEPS, list(self._steps()), query=self.chosen.query)

    def _steps(self) -> Iterator[columns.Row]:
        """Yield the texts in the order of the form, each with its variants below it; then those that are gone."""
        known = {step.id: step for step in self.outline}
        texts = [step.id for step in self.outline if step.kind == "send" or step.id in self.found]
        gone = sorted(set(self.found) - set(known) - {""})
        for step in (*texts, *gone):
            name = _step_name(known[step]) if step in known else _("A step that is gone")
            yield columns.Row(name, self.by_step.get(step, Figures()), self.currency)
            variants = {name: figures for name, figures in self.found.get(step, {}).items() if name}
            for variant, figures in variants.items():
                words_of_it = _("Variant %(variant)s") % {"variant": variant}
                yield columns.Row(words_of_it, figures, self.currency, under=True)

    def tried(self) -> list[str]:
        """Return the waits and discounts of what runs that try something: no text shows what these do."""
        version = self.flow.current_version
        if version is None:
            return []
        try:
            instructions = version.compiled.instructions
        except (ValueError, TypeError, KeyError):
            return []  # of a newer SMSFlow
        return [
            _("%(step)s: %(summary)s") % {"step": TITLES[each.op], "summary": summary(each)}
            for each in instructions
            if isinstance(each, Wait | Discount) and each.variants
        ]

    @cached_property
    def held(self) -> list[Held]:
        """The figures that have a target, of the days that are shown."""
        return held_to(targets_of(self.flow), within(self.days.found, self.chosen.period))

    @cached_property
    def beside(self) -> dict[Figure, Comparison]:
        """What the flow does beside its own four weeks before."""
        return of_flow(self.days.found, self.chosen.period)

    @cached_property
    def baseline(self) -> Table:
        before = self.days.sum(baseline_of(self.chosen.period))
        return baseline_table(self.beside, self.held, self.now, before, self.currency, self.chosen.query)

    @cached_property
    def version_table(self) -> Table:
        found: dict[int, Figures] = summed(self.read[1], 0)
        rows = [
            columns.Row(str(version.number), found[version.pk], self.currency)
            for version in self.versions
            if version.pk in found
        ]
        return Table("versions", _("Versions"), VERSIONS, rows, query=self.chosen.query)

    @cached_property
    def marks(self) -> dict[date, str]:
        """The days on which a version began to run."""
        zone = clock_of(self.flow.store.timezone)
        days: dict[date, int] = {}
        for version in self.versions:
            day = version.published_at.astimezone(zone).date()
            days[day] = max(days.get(day, 0), version.number)
        return {day: _("Version %(number)d") % {"number": number} for day, number in days.items()}

    @cached_property
    def charts(self) -> list[by_day.Chart]:
        return self.texts_and_revenue(self.marks)

    def tables(self) -> Iterator[Table]:
        yield self.steps
        yield self.baseline
        yield self.version_table
        yield from (chart.table for chart in self.charts)

    def funnel(self) -> dict[str, str]:
        """Return what stands at the foot of each box of the diagram, by its step; "" is where people enter."""
        feet = {step: self._foot(figures) for step, figures in self.by_step.items() if step and figures.sent}
        people = self.by_step.get("", Figures())
        if people.entered:
            feet[""] = _("%(entered)s in, %(finished)s finished") % {
                "entered": words.short_count(people.entered),
                "finished": words.short_count(people.finished),
            }
        return feet

    def _foot(self, figures: Figures) -> str:
        clicks = Part(figures.clicked, figures.delivered)
        return " · ".join(
            (
                _("%(count)s sent") % {"count": words.short_count(figures.sent)},
                words.percent(clicks.rate) if clicks.speaks else words.short_count(figures.clicked),
                words.short_money(round(float(figures.revenue)), self.currency),
            )
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        now, then = self.now, self.then
        return super().get_context_data(
            flow=self.flow,
            live=self.flow.live,
            targets=[
                cards.target(held, self.beside[held.figure].before, BASELINE_DAYS, self.currency) for held in self.held
            ],
            cards=[
                cards.texts_sent(now, then),
                cards.revenue(now, then, self.currency),
                cards.per_text(now, then, self.currency),
                cards.orders(now, then, self.currency),
                cards.delivered(now, then),
                cards.clicks(now, then),
                cards.answers(now, then),
                cards.opt_outs(now, then),
                cards.spend(now, then, self.currency),
            ],
            steps=self.steps,
            tried=self.tried(),
            experiments_url=f"{reverse('smsflow_experiments:index')}?store={self.flow.store_id}",
            baseline=self.baseline,
            versions=self.version_table,
            diagram=render_diagram(self.flow, feet=self.funnel()),
            **kwargs,
        )


def _step_name(step: OutlineStep) -> str:
    line = Truncator(" ".join(plain_copy(step.summary).split())).chars(60)
    return f"{step.number}. {step.label}" + (f": {line}" if line else "")
