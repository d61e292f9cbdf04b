"""What the experiments of a store have come to: who was exposed, and what they did afterwards, whatever became of the
text (intention to treat).

An order counts for everybody who was exposed at most ``Store.attribution_days`` before it, whether or not a link was
clicked: each arm is asked the same. Cancelled orders do not count, and refunds are taken off.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.core.cache import cache
from django.db.models import Count, F, Max, Min, Q
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.utils.translation import gettext as _

from smsflow_plugin import clock
from smsflow_plugin.attribution.models import Exposure
from smsflow_plugin.attribution.orders import CREATED, KINDS, Fact, Order, order_of
from smsflow_plugin.engine.trials import HELD, SENT, arm_of_way, copy_experiment, quarter_of, split_experiment
from smsflow_plugin.flows.models import Flow, FlowVersion
from smsflow_plugin.flows.program import VARIANTS, Program, Send, Split
from smsflow_plugin.governance.effective import rules_of
from smsflow_plugin.measurement import statistics
from smsflow_plugin.measurement.judging import BARS, Arm, Bars, Judgement, judge
from smsflow_plugin.measurement.verdicts import verdict, warnings
from smsflow_plugin.stores.models import Store

#: Holdouts of flows run for as long as somebody wants to know; those of a store for a quarter, which has 92 days.
HOLDOUT_BARS = replace(BARS, longest=366)
STORE_BARS = replace(BARS, longest=92)
#: To read what so many people did takes seconds: it is done once in so many, and nothing is decided by minutes.
MANY, KEPT_FOR = 10_000, 600
#: What is heard of an order after it was placed, however late.
_LATER = tuple(kind for kind in KINDS if kind != CREATED)


class Kind(StrEnum):
    COPY = "copy"
    WAYS = "ways"
    HOLDOUT = "holdout"


@dataclass(frozen=True, slots=True)
class Design:
    """``weights`` are the arms with their shares, the one to compare with first; empty where nobody knows any more."""

    kind: Kind
    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Experiment:
    """Something that is tried, or was: a ``Design`` and what it has come to.

    ``flow_id`` is 0, and ``flow`` empty, of a holdout of the whole store. ``running``: a live flow still tries it.
    """

    name: str
    kind: Kind
    flow_id: int
    flow: str
    step: str
    began: datetime
    last: datetime
    people: int
    weights: Mapping[str, float]
    running: bool

    @property
    def is_holdout(self) -> bool:
        return self.kind is Kind.HOLDOUT

    @property
    def bars(self) -> Bars:
        if not self.is_holdout:
            return BARS
        return STORE_BARS if self.is_of_store else HOLDOUT_BARS

    @property
    def is_of_store(self) -> bool:
        return self.name.startswith("store:")


@dataclass(frozen=True, slots=True)
class Result:
    """An experiment with its figures and what may be said of them, in sentences. ``counted_at`` may be a while ago."""

    experiment: Experiment
    judgement: Judgement
    verdict: str
    warnings: Sequence[str]
    counted_at: datetime

    @property
    def is_kept(self) -> bool:
        """Whether it is not counted anew at each look."""
        return self.experiment.people >= MANY


def experiments(store: Store) -> list[Experiment]:
    """Return everything that was tried in ``store``, the newest first. Five queries."""
    rows = list(
        Exposure.objects.filter(store=store)
        .order_by()
        .values_list("experiment", "step")
        .annotate(flow=Max("flow_id"), began=Min("at"), last=Max("at"), people=Count("pk"))
    )
    flows = {flow.pk: flow for flow in Flow.objects.filter(store=store, pk__in={row[2] for row in rows})}
    known = _designs(flows.values())
    percent = rules_of([store], keep=False)[store.pk].rules.holdout
    current = f"store:{quarter_of(clock.now(), store.timezone)}@{percent}"
    found = [
        Experiment(
            name,
            design.kind,
            flow.pk if flow else 0,
            flow.name if flow else "",
            step,
            began,
            last,
            people,
            design.weights,
            running or name == current,
        )
        for name, step, flow_id, began, last, people in rows
        for flow in [None if name.startswith("store:") else flows.get(flow_id)]
        for design, running in [known.get(name) or (_unknown(name, step), False)]
    ]
    return sorted(found, key=lambda each: (each.began, each.name), reverse=True)


def _unknown(name: str, step: str) -> Design:
    """Return what the name alone says of an experiment that no version knows."""
    return Design(Kind.WAYS, {}) if step else _holdout(name)


def _holdout(name: str) -> Design:
    percent = int(name.rpartition("@")[2])
    return Design(Kind.HOLDOUT, {HELD: percent, SENT: 100 - percent})


def _designs(flows: Iterable[Flow]) -> dict[str, tuple[Design, bool]]:
    """Return every experiment that some version of these flows tries, and whether the live one does."""
    current = {flow.pk: flow.current_version_id if flow.live else None for flow in flows}
    found: dict[str, tuple[Design, bool]] = {}
    versions = FlowVersion.objects.filter(flow_id__in=list(current)).order_by("number")
    for pk, flow_id, data in versions.values_list("pk", "flow_id", "program"):
        try:
            program = Program.from_json(data)
        except (ValueError, TypeError, KeyError):
            continue  # of a newer SMSFlow
        for name, design in designs_of(flow_id, program):
            found[name] = design, pk == current[flow_id]
    return found


def designs_of(flow_id: int, program: Program) -> Iterator[tuple[str, Design]]:
    """Yield the experiments of a program with their names."""
    if program.holdout:
        name = f"flow:{flow_id}@{program.holdout}"
        yield name, _holdout(name)
    for each in program.instructions:
        if isinstance(each, Send) and each.variants:
            arms = VARIANTS[: len(each.weights)]
            yield copy_experiment(flow_id, each), Design(Kind.COPY, dict(zip(arms, each.weights, strict=True)))
        elif isinstance(each, Split):
            weights = {arm_of_way(place): weight for place, weight in enumerate(each.weights)}
            yield split_experiment(flow_id, each), Design(Kind.WAYS, weights)


# Figures -----------------------------------------------------------------------------------------


@dataclass
class _Count:
    """What the people of one arm have done. ``spent`` is what each of those who ordered has left in the shop."""

    exposed: int = 0
    opted_out: int = 0
    clicked: int = 0
    orders: int = 0
    spent: list[float] = field(default_factory=list)


def result(store: Store, experiment: Experiment, now: datetime) -> Result:
    """Return what an experiment has come to. Four queries; only people who ordered are read one by one.

    Of ``MANY`` people it is what they had done when somebody last asked, within ``KEPT_FOR`` seconds.
    """
    bars = experiment.bars
    end = min(now if experiment.running else experiment.last, experiment.began + timedelta(days=bars.longest))
    counted_at, arms = _counted(store, experiment, end, now)
    days = (end - experiment.began).days
    judgement = judge(arms, days, bars, running=experiment.running)
    return Result(experiment, judgement, verdict(judgement), warnings(judgement), counted_at)


def _counted(store: Store, experiment: Experiment, end: datetime, now: datetime) -> tuple[datetime, list[Arm]]:
    """Return the arms and when they were counted."""
    if experiment.people < MANY:
        return now, _arms(experiment, _counts(store, experiment, end))
    key = f"smsflow:experiment:{store.pk}:{store.attribution_days}:{experiment.name}"
    kept: tuple[datetime, list[Arm]] | None = cache.get(key)
    if kept is None:
        kept = now, _arms(experiment, _counts(store, experiment, end))
        cache.set(key, kept, KEPT_FOR)
    return kept


def _counts(store: Store, experiment: Experiment, end: datetime) -> dict[str, _Count]:
    window = timedelta(days=store.attribution_days)
    exposed = Exposure.objects.filter(store=store, experiment=experiment.name, at__lte=end).order_by()
    counts: dict[str, _Count] = defaultdict(_Count)
    for arm, people in exposed.values_list("arm").annotate(Count("pk")):
        counts[arm].exposed = people
    until = F("at") + window
    opted_out = exposed.filter(
        contact__events__kind="opted_out",
        contact__events__occurred_at__gte=F("at"),
        contact__events__occurred_at__lt=until,
    )
    for arm, people in opted_out.values_list("arm").annotate(Count("contact_id", distinct=True)):
        counts[arm].opted_out = people
    texts: dict[str, Any] = {"contact__messages__flow_id": F("flow_id")} if experiment.flow_id else {}
    if experiment.kind is Kind.COPY:
        texts["contact__messages__step"] = experiment.step
    clicked = exposed.filter(
        contact__messages__clicked_at__gte=F("at"), contact__messages__clicked_at__lt=until, **texts
    )
    for arm, people in clicked.values_list("arm").annotate(Count("contact_id", distinct=True)):
        counts[arm].clicked = people
    for (arm, _contact), bought in _orders(store, exposed, window).items():
        counts[arm].orders += len(bought)
        counts[arm].spent.append(float(sum(order.revenue for order in bought if order.currency == store.currency)))
    return counts


def _orders(store: Store, exposed: Any, window: timedelta) -> dict[tuple[str, int], list[Order]]:
    """Return the orders of everybody who placed some in the window after they were exposed, by arm and person.

    An order that was placed before and paid for afterwards is none of them: what made the difference came too late.
    """
    order = KeyTransform("order", "contact__events__data")
    rows = (
        exposed.filter(
            Q(contact__events__kind=CREATED, contact__events__occurred_at__lt=F("at") + window)
            | Q(contact__events__kind__in=_LATER),
            contact__events__occurred_at__gte=F("at"),
        )
        .annotate(**{name: KeyTextTransform(name, order) for name in ("total", "currency", "refunded")})
        .values_list(
            "arm",
            "contact_id",
            "contact__events__subject",
            "contact__events__key",
            "contact__events__pk",
            "contact__events__kind",
            "contact__events__occurred_at",
            "total",
            "currency",
            "refunded",
        )
    )
    facts: dict[tuple[str, int], dict[str, list[Fact]]] = defaultdict(lambda: defaultdict(list))
    for arm, contact, subject, key, pk, kind, at, *amounts in rows:
        facts[arm, contact][subject or key].append(Fact(pk, kind, at, contact, *amounts))
    found: dict[tuple[str, int], list[Order]] = defaultdict(list)
    for person, own in facts.items():
        for about in own.values():
            placed = order_of(about, store.currency)
            if placed and not placed.cancelled:
                found[person].append(placed)
    return found


def _arms(experiment: Experiment, counts: Mapping[str, _Count]) -> list[Arm]:
    """Return the arms in their order. One big order decides nothing: all arms are cut off at the same height."""
    # what nobody knows the design of is taken as it fell
    weights = dict(experiment.weights) or {name: count.exposed for name, count in sorted(counts.items())}
    for name in sorted(counts.keys() - weights.keys()):
        weights[name] = 0
    spent = [value for count in counts.values() for value in count.spent]
    cap = statistics.quantile(spent, 0.99) if spent else 0.0
    found = []
    for name, weight in weights.items():
        count = counts.get(name) or _Count()
        revenue = statistics.moments([min(value, cap) for value in count.spent], count.exposed - len(count.spent))
        found.append(
            Arm(name, weight, count.exposed, len(count.spent), count.orders, count.clicked, count.opted_out, revenue)
        )
    return found


def title(experiment: Experiment) -> str:
    """Return what an experiment is called for people."""
    if experiment.is_of_store:
        period = experiment.name.partition(":")[2].partition("@")[0]
        return _("Holdout of the store, %(period)s") % {"period": period}
    if experiment.is_holdout:
        return _("Holdout of “%(flow)s”") % {"flow": experiment.flow}
    return _("“%(flow)s”: a step that tries variants") % {"flow": experiment.flow}
