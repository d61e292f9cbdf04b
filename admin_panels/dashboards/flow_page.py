"""What one flow does: its steps, its diagram as a funnel, its versions, and what it did before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin.widgets.button import HeaderButton

from smsflow_plugin.admin_panels.dashboards import by_day, cards, columns
from smsflow_plugin.admin_panels.dashboards.pages import FiguresPage, may_see, today_of
from smsflow_plugin.admin_panels.dashboards.periods import back_to
from smsflow_plugin.admin_panels.dashboards.reading import Days, by_step_and_variant, total
from smsflow_plugin.admin_panels.dashboards.tables import Table
from smsflow_plugin.admin_panels.flows.diagram import render_diagram
from smsflow_plugin.admin_panels.flows.viewset import FlowViewSet
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.flows.chart import TITLES, plain_copy, summary
from smsflow_plugin.flows.outline import OutlineStep, outline, walk
from smsflow_plugin.flows.program import Discount, Wait
from smsflow_plugin.measurement import figure_words as words
from smsflow_plugin.measurement.figures import Figures, by_version
from smsflow_plugin.measurement.rates import Part
from smsflow_plugin.models import Flow, FlowVersion
from smsflow_plugin.stores.changes import clock_of

#: The days before, to which these are held.
BASELINE_DAYS = 28

STEPS = columns.with_name(gettext_lazy("Step"), (*columns.TEXTS, columns.COST, columns.TIME_TO_CLICK))
VERSIONS = columns.with_name(gettext_lazy("Version"), columns.TEXTS)
BASELINE = columns.with_name(gettext_lazy("Days"), (*columns.TEXTS, columns.COST))


class FlowFiguresPage(FiguresPage):
    template_name = "smsflow/dashboards/flow.html"
    page_title = gettext_lazy("Figures")
    model = Flow
    permission_policy: Any

    @property
    def flow(self) -> Flow:
        # the view's wall has found it among those that the user may see
        flow: Flow = self.permission_policy.instance
        return flow

    def allowed(self) -> bool:
        return may_see(self.request.user, self.flow.store_id)

    @property
    def today(self) -> date:
        return today_of(self.flow.store)

    @property
    def about(self) -> str:
        return str(self.flow.name)

    @property
    def currency(self) -> str:
        return str(self.flow.store.currency)

    def get_page_subtitle(self) -> str:
        return str(self.flow.name)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        store = self.flow.store
        url = f"{reverse('smsflow_figures:store', args=[store.pk])}?{self.chosen.query}"
        return [
            *super().get_breadcrumbs_items(),
            {"url": url, "label": str(store.name)},
            {"url": "", "label": str(self.flow.name), "sublabel": self.get_page_title()},
        ]

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
    def days(self) -> Days:
        period = self.chosen.period
        baseline = back_to(period, BASELINE_DAYS)
        return Days(self.flow.store_id, period, self.chosen.before, baseline, flow_id=self.flow.pk)

    @cached_property
    def found(self) -> dict[str, dict[str, Figures]]:
        return by_step_and_variant(self.flow.store_id, self.flow.pk, self.chosen.period)

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
    def baseline(self) -> Table:
        period, before = self.chosen.period, self.chosen.before
        rows = [columns.Row(_("These days"), self.days.sum(period) or Figures(), self.currency)]
        earlier = back_to(period, BASELINE_DAYS)
        if before is not None and before != earlier:
            words_of_it = ngettext("The day before", "The %(days)d days before", len(before)) % {"days": len(before)}
            rows.append(columns.Row(words_of_it, self.days.sum(before) or Figures(), self.currency))
        words_of_it = _("Baseline: the %(days)d days before") % {"days": BASELINE_DAYS}
        rows.append(columns.Row(words_of_it, self.days.sum(earlier) or Figures(), self.currency))
        return Table("baseline", _("Baseline"), BASELINE, rows, query=self.chosen.query)

    @cached_property
    def version_table(self) -> Table:
        found = by_version(self.flow.store_id, self.flow.pk, self.chosen.period)
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
        period, before, query = self.chosen.period, self.chosen.before, self.chosen.query
        now = self.days.of(period)
        then = None if before is None else self.days.of(before)
        return [
            by_day.of_texts(now, then, query, self.marks),
            by_day.of_revenue(now, then, query, self.currency, self.marks),
        ]

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
        now, then = self.days.sum(self.chosen.period) or Figures(), self.days.sum(self.chosen.before)
        return super().get_context_data(
            flow=self.flow,
            store=self.flow.store,
            empty=now == Figures() and then in (None, Figures()),
            live=self.flow.live,
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
            charts=self.charts,
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
