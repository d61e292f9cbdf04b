"""What the experiments of a store have come to: who was exposed, and what they did afterwards, whatever became of the
text (intention to treat).

An order counts for everybody who was exposed at most ``Store.attribution_days`` before it, whether or not a link was
clicked: each arm is asked the same. Cancelled orders do not count, and refunds are taken off.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import connection
from django.db.models import CharField, Count, F, Max, Min, Q, Value
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.utils.translation import gettext as _

from smsflow_plugin import clock
from smsflow_plugin.attribution.models import Exposure
from smsflow_plugin.attribution.orders import CREATED, KINDS, Fact, Order, order_of
from smsflow_plugin.engine.trials import HELD, SENT, arm_of_way, experiment_of, quarter_of
from smsflow_plugin.flows.arm_words import arm_words
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.flows.program import Discount, Program, Send, Wait
from smsflow_plugin.governance.effective import rules_of
from smsflow_plugin.measurement import statistics
from smsflow_plugin.measurement.judging import BARS, Arm, Bars, Judgement, judge
from smsflow_plugin.measurement.models import ExperimentStanding
from smsflow_plugin.measurement.verdicts import verdict, warnings
from smsflow_plugin.stores.models import Store

#: Holdouts of flows run for as long as somebody wants to know; those of a store for a quarter, which has 92 days.
HOLDOUT_BARS = replace(BARS, longest=366)
STORE_BARS = replace(BARS, longest=92)
#: What is heard of an order after it was placed, however late.
_LATER = tuple(kind for kind in KINDS if kind != CREATED)


class Kind(StrEnum):
    COPY = "copy"
    DELAY = "delay"
    OFFER = "offer"
    WAYS = "ways"
    HOLDOUT = "holdout"


#: What a draft can keep one arm of; see ``applying``.
KEEPABLE = (Kind.COPY, Kind.DELAY, Kind.OFFER)


@dataclass(frozen=True, slots=True)
class Design:
    """``weights`` are the arms with their shares, the one to compare with first; empty where nobody knows any more.

    ``words`` say what an arm is, such as "4 hours", where a few words can.
    """

    kind: Kind
    weights: Mapping[str, float]
    words: Mapping[str, str] = field(default_factory=dict)


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
    #: What was counted last, None if it never was.
    standing: ExperimentStanding | None = None
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_holdout(self) -> bool:
        return self.kind is Kind.HOLDOUT

    @property
    def bars(self) -> Bars:
        if not self.is_holdout:
            return BARS
        return STORE_BARS if self.is_of_store else HOLDOUT_BARS

    def end(self, now: datetime) -> datetime:
        """Return until when people who come to it count."""
        return min(now if self.running else self.last, self.began + timedelta(days=self.bars.longest))

    @property
    def is_of_store(self) -> bool:
        return self.name.startswith("store:")


@dataclass(frozen=True, slots=True)
class Result:
    """An experiment with its figures and what may be said of them, in sentences."""

    experiment: Experiment
    judgement: Judgement
    verdict: str
    warnings: Sequence[str]


def experiments(store: Store, anew: Collection[str] = ()) -> list[Experiment]:
    """Return everything that was tried in ``store``, the newest first. Four queries at most, five with its own holdout.

    How many people came to it, and when, is what was counted last, or what stands there now for those that were never
    counted, and for those that are named in ``anew``: only their exposures are read. What is closed stays as it is.
    """
    kept = {row.experiment: row for row in ExperimentStanding.objects.filter(store=store)}
    known_names = {name for name, row in kept.items() if row.closed_at or name not in anew}
    fresh = [name for name in exposed(store.pk) if name not in known_names]
    rows = [
        *((row.experiment, row.step, row.flow_id, row.began, row.last, row.people)
          for name, row in kept.items() if name not in fresh),
        *(
            Exposure.objects.filter(store=store, experiment__in=fresh)
            .order_by()
            .values_list("experiment")
            .annotate(step=Max("step"), flow=Max("flow_id"), began=Min("at"), last=Max("at"), people=Count("pk"))
            if fresh
            else ()
        ),
    ]  # fmt: skip
    names, known = _designs(store, {row[2] for row in rows})
    current = _current_holdout(store, {row[0] for row in rows})
    found = [
        Experiment(
            name,
            design.kind,
            0 if flow is None else flow_id,
            flow or "",
            step,
            began,
            last,
            people,
            design.weights,
            running or name == current,
            kept.get(name),
            words=design.words,
        )
        for name, step, flow_id, began, last, people in rows
        for flow in [None if name.startswith("store:") else names.get(flow_id)]
        for design, running in [known.get(name) or (_unknown(name, step), False)]
    ]
    return sorted(found, key=lambda each: (each.began, each.name), reverse=True)


def exposed(store_id: int) -> list[str]:
    """Return the names of all experiments that anybody in a store came to.

    The index is walked from name to name, so that it does not matter how many people there are: neither database does
    so for a DISTINCT.
    """
    table = connection.ops.quote_name(Exposure._meta.db_table)
    sql = f"""
        WITH RECURSIVE names(name) AS (
            SELECT min(experiment) FROM {table} WHERE store_id = %s
            UNION ALL
            SELECT (SELECT min(experiment) FROM {table} WHERE store_id = %s AND experiment > names.name)
            FROM names WHERE names.name IS NOT NULL
        )
        SELECT name FROM names WHERE name IS NOT NULL
    """  # noqa: S608 - the name of a table of ours
    with connection.cursor() as cursor:
        cursor.execute(sql, [store_id, store_id])
        return [name for (name,) in cursor.fetchall()]


def _unknown(name: str, step: str) -> Design:
    """Return what the name alone says of an experiment that no version knows."""
    return Design(Kind.WAYS, {}) if step else _holdout(name)


def _holdout(name: str) -> Design:
    percent = int(name.rpartition("@")[2])
    return Design(Kind.HOLDOUT, {HELD: percent, SENT: 100 - percent})


def _current_holdout(store: Store, names: Iterable[str]) -> str:
    """Return the name that the store's own holdout has today, "" if none of ``names`` can be it."""
    quarter = f"store:{quarter_of(clock.now(), store.timezone)}@"
    if not any(name.startswith(quarter) for name in names):
        return ""
    return f"{quarter}{rules_of([store], keep=False, standing=False)[store.pk].rules.holdout}"


def _designs(store: Store, flow_ids: Iterable[int]) -> tuple[dict[int, str], dict[str, tuple[Design, bool]]]:
    """Return the names of these flows, and every experiment that some version of them tries: its design, and whether
    the live version tries it."""
    names: dict[int, str] = {}
    found: dict[str, tuple[Design, bool]] = {}
    rows = Flow.objects.filter(store=store, pk__in=flow_ids).order_by("versions__number").values_list(
        "pk", "name", "live", "current_version_id", "versions__pk", "versions__program"
    )  # fmt: skip
    for flow_id, flow, live, current, version, data in rows:
        names[flow_id] = flow
        if data is None:
            continue  # it has no version
        try:
            program = Program.from_json(data)
        except (ValueError, TypeError, KeyError):
            continue  # of a newer SMSFlow
        for name, design in designs_of(flow_id, program):
            # a newer version need not be live: trying out a draft makes one
            is_live = bool(live and version == current) or found.get(name, (design, False))[1]
            found[name] = design, is_live
    return names, found


def designs_of(flow_id: int, program: Program) -> Iterator[tuple[str, Design]]:
    """Yield the experiments of a program with their names."""
    if program.holdout:
        name = f"flow:{flow_id}@{program.holdout}"
        yield name, _holdout(name)
    for each in program.instructions:
        if name := experiment_of(flow_id, each):
            weights: Sequence[int] = getattr(each, "weights", ())
            arms = {arm_of_way(place): weight for place, weight in enumerate(weights)}
            yield name, Design(_KINDS.get(type(each), Kind.WAYS), arms, arm_words(each))


_KINDS = {Send: Kind.COPY, Wait: Kind.DELAY, Discount: Kind.OFFER}


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
    """Count what an experiment has come to. Two queries; only people who ordered are read one by one."""
    end = experiment.end(now)
    counts = _counts(store, experiment, end)
    return judged(experiment, _arms(experiment, counts), (end - experiment.began).days)


def judged(experiment: Experiment, arms: Sequence[Arm], days: int) -> Result:
    """Return what may be said of arms that are counted already."""
    judgement, words = judge(arms, days, experiment.bars, running=experiment.running), experiment.words
    return Result(experiment, judgement, verdict(judgement, words), warnings(judgement, words))


def _counts(store: Store, experiment: Experiment, end: datetime) -> dict[str, _Count]:
    window = timedelta(days=store.attribution_days)
    exposed = Exposure.objects.filter(store=store, experiment=experiment.name, at__lte=end).order_by()
    counts: dict[str, _Count] = defaultdict(_Count)
    until = F("at") + window
    opted_out = exposed.filter(
        contact__events__kind="opted_out",
        contact__events__occurred_at__gte=F("at"),
        contact__events__occurred_at__lt=until,
    )
    texts: dict[str, Any] = {"contact__messages__flow_id": F("flow_id")} if experiment.flow_id else {}
    if experiment.kind is Kind.COPY:
        texts["contact__messages__step"] = experiment.step
    clicked = exposed.filter(
        contact__messages__clicked_at__gte=F("at"), contact__messages__clicked_at__lt=until, **texts
    )
    # nobody is exposed to an experiment twice
    everybody = _by_arm("exposed", exposed, Count("pk"))
    some = [
        _by_arm(what, rows, Count("contact_id", distinct=True))
        for what, rows in (("opted_out", opted_out), ("clicked", clicked))
    ]
    for what, arm, people in everybody.union(*some, all=True):
        setattr(counts[arm], what, people)
    for (arm, _contact), bought in _orders(store, exposed, window).items():
        counts[arm].orders += len(bought)
        counts[arm].spent.append(float(sum(order.revenue for order in bought if order.currency == store.currency)))
    return counts


def _by_arm(what: str, exposed: Any, people: Count) -> Any:
    """Count by arm; ``what`` tells the rows apart once several such counts are read together."""
    return exposed.annotate(what=Value(what, CharField())).values_list("what", "arm").annotate(people=people)


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
    sentence = {
        Kind.DELAY: _("“%(flow)s”: a wait that tries delays"),
        Kind.OFFER: _("“%(flow)s”: a discount that tries offers"),
    }.get(experiment.kind, _("“%(flow)s”: a step that tries variants"))
    return sentence % {"flow": experiment.flow}
