"""The tests of a store that are conclusive, for the list of what needs attention: by what was counted last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.utils.translation import gettext as _

from smsflow_plugin import clock
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.measurement.judging import State, judge
from smsflow_plugin.measurement.models import ExperimentStanding
from smsflow_plugin.measurement.standings import arms_of
from smsflow_plugin.measurement.verdicts import verdict, warnings
from smsflow_plugin.measurement.winners import Outcome, design_of, is_tried, outcome_words
from smsflow_plugin.stores.models import Store

#: For so long it is told that a rule has ended a test.
KEPT_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Conclusive:
    """``experiment`` is its name, as its page is asked for it."""

    experiment: str
    words: str


def conclusive_tests(store: Store) -> Iterator[Conclusive]:
    """Yield those that a live flow still tries, and those whose winner was kept of late. Two queries, one without any.

    Whoever has published only one wording has seen to it: what is no longer tried is not told.
    """
    since = clock.now() - KEPT_FOR
    of_late = Q(running=True) | Q(outcome=Outcome.KEPT, decided_at__gte=since)
    standings = ExperimentStanding.objects.filter(of_late, store=store).exclude(outcome="")
    rows = list(standings.order_by("-decided_at", "pk"))
    if not rows:
        return
    flows = Flow.objects.filter(store=store, pk__in={row.flow_id for row in rows}).select_related("current_version")
    found = flows.in_bulk()
    for row in rows:
        flow = found.get(row.flow_id)
        if flow is None:
            continue
        kept = row.outcome == Outcome.KEPT
        if (row.decided_at is not None and row.decided_at >= since) if kept else is_tried(flow, row.experiment):
            yield Conclusive(row.experiment, _words(flow, row))


def _words(flow: Flow, row: ExperimentStanding) -> str:
    judgement = judge(arms_of(row), row.days)
    design = design_of(flow, row.experiment)
    words = design.words if design else {}
    said = [verdict(judgement, words)] if judgement.state is State.CONCLUSIVE else []
    said += [*warnings(judgement, words), outcome_words(row.outcome, row.arm, row.reason)]
    return _("“%(flow)s”: %(words)s") % {"flow": flow, "words": " ".join(each for each in said if each)}
