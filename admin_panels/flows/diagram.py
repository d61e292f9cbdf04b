"""A flow's diagram: an SVG drawn on the server, with live numbers; and the page that shows nothing else."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any

from django.db.models import Count
from django.template import TemplateDoesNotExist
from django.template.loader import get_template, render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.flows.objects import OfOneFlow
from smsflow_plugin.engine.facts import Programs
from smsflow_plugin.flows.chart import (
    form_chart,
    kind_label,
    problem_marks,
    program_chart,
    start_step,
    with_feet,
    words_of,
)
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.layout import Step, every_step, lay_out
from smsflow_plugin.flows.outline import outline
from smsflow_plugin.flows.problems import CannotCompile
from smsflow_plugin.flows.program import Program
from smsflow_plugin.messaging.gate import OF_TESTS
from smsflow_plugin.models import Enrollment, Flow, Message

#: The days that texts are counted for.
PERIOD_DAYS = 30

_SENT = (Message.State.SENDING, Message.State.ACCEPTED, Message.State.DELIVERED)
_FAILED = (Message.State.FAILED, Message.State.EXPIRED)


@dataclass
class Numbers:
    """Live numbers, by the id of the step. Test runs count nowhere."""

    here: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    sent: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    failed: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def feet(self) -> dict[str, str]:
        """Return them in words."""
        return {step: " · ".join(self._words(step)) for step in {*self.here, *self.sent, *self.failed}}

    def _words(self, step: str) -> Iterator[str]:
        if here := self.here.get(step):
            yield ngettext("%(count)d here now", "%(count)d here now", here) % {"count": here}
        if sent := self.sent.get(step):
            yield ngettext("%(count)d sent", "%(count)d sent", sent) % {"count": sent}
        if failed := self.failed.get(step):
            yield ngettext("%(count)d failed", "%(count)d failed", failed) % {"count": failed}


def numbers_of(flow: Flow) -> Numbers:
    """Count who stands where, and the texts of 30 days: three queries, however many people there are."""
    numbers = Numbers()
    if flow.pk is None:
        return numbers
    real = Enrollment.objects.filter(flow_id=flow.pk, test_pace__isnull=True)
    places = list(
        real.filter(status=Enrollment.Status.WAITING)
        .order_by()
        .values_list("version_id", "state__at")
        .annotate(people=Count("pk"))
    )
    programs = Programs.load(version for version, _at, _people in places)
    for version, at, people in places:
        program = programs.get(version)
        if program is not None and isinstance(at, int) and at < len(program.instructions):
            numbers.here[program.instructions[at].step] += people
    since = clock.now() - timedelta(days=PERIOD_DAYS)
    texts = Message.objects.filter(flow_id=flow.pk, queued_at__gte=since, state__in=(*_SENT, *_FAILED)).exclude(
        purpose__in=OF_TESTS
    )
    for step, state, count in texts.order_by().values_list("step", "state").annotate(count=Count("pk")):
        (numbers.sent if state in _SENT else numbers.failed)[step] += count
    return numbers


def render_diagram(
    source: Flow | Program,
    *,
    numbers: Numbers | None = None,
    feet: Mapping[str, str] | None = None,
    link: str | None = None,
    here: str = "",
    path: tuple[str, ...] = (),
) -> SafeString:
    """Return the diagram of a flow (its form as it is, saved or not) or of a program, as HTML.

    ``feet`` are other numbers than the live ones, in words, by the step; "" is the box at the top.
    ``link``: the page with the form; its boxes then lead to their blocks. ``here`` is the step at
    which somebody stands, ``path`` the steps that they came through.
    """
    start, steps, problems = chart_of(source)
    marks = dict(problem_marks(problems))
    for step_id in path:
        marks[step_id] = (*marks.get(step_id, ()), "passed")
    if here:
        marks[here] = (*marks.get(here, ()), "here")
    if feet is None:
        feet = numbers.feet() if numbers else {}
    else:
        start = replace(start, foot=feet.get("", ""))
    steps = with_feet(steps, feet, marks)
    drawing = lay_out(start, steps)
    icons = {step.icon for step in (start, *every_step(steps)) if step.icon}
    context = {
        "drawing": drawing,
        "problems": problems,
        "icons": [icon for name in sorted(icons) if (icon := _icon(name))],
        "link": link,
        "empty": not steps,
    }
    return SafeString(render_to_string("smsflow/diagram/diagram.html", context))


def chart_of(source: Flow | Program) -> tuple[Step, tuple[Step, ...], tuple[Any, ...]]:
    """Return the first box, the others, and what keeps the form from compiling."""
    if isinstance(source, Program):
        return start_step(source, ()), program_chart(source), ()
    tree = outline(source.steps)
    triggers = _triggers(source)
    try:
        program = compile_flow(source)
    except CannotCompile as refusal:
        return start_step(None, triggers), form_chart(tree), refusal.problems
    return start_step(program, triggers), program_chart(program, words_of(tree)), ()


def _triggers(flow: Flow) -> list[str]:
    """Return what starts the flow, as its form says it."""
    return [_trigger(child) for child in flow.triggers or ()]


def _trigger(child: Any) -> str:
    if child.block_type == "event":
        return kind_label(child.value.get("kind") or "…")
    if not isinstance(child.value, Mapping):  # of an app that is not installed any more
        return str(child.block.label)
    details = (child.value.get(name) for name in ("words", "tag", "name", "custom", "days"))
    detail = next((str(value) for value in details if value), "")
    return f"{child.block.label}: {detail}" if detail else str(child.block.label)


@lru_cache(maxsize=100)
def _icon(name: str) -> tuple[str, str, str] | None:
    """Return (name, view box, shapes) of one of the admin's icons: a preview has no sprite of them."""
    for folder in ("wagtailadmin", "smsflow"):
        try:
            source = get_template(f"{folder}/icons/{name}.svg").render()
        except TemplateDoesNotExist:
            continue
        found = re.search(r"<svg([^>]*)>(.*)</svg>", source, re.S)
        box = re.search(r'viewBox="([^"]*)"', found[1]) if found else None
        if found and box:
            return name, box[1], mark_safe(found[2])  # noqa: S308 - a template of the admin
    return None


class DiagramView(OfOneFlow, WagtailAdminTemplateMixin, TemplateView):  # type: ignore[misc]
    """The diagram over the whole width: of the draft, or of what is live."""

    template_name = "smsflow/diagram/page.html"
    page_title = gettext_lazy("Diagram")
    header_icon = "list-ul"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shows_live = self.request.GET.get("version") == "live" and self.flow.live
        source: Flow = self.flow if shows_live else self.flow.get_latest_revision_as_object()
        return super().get_context_data(
            flow=self.flow,
            shows_live=shows_live,
            diagram=render_diagram(source, numbers=numbers_of(self.flow), link=self.edit_url),
            days=PERIOD_DAYS,
            **self.links(),
            **kwargs,
        )
