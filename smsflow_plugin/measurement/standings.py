"""Keeps what experiments have come to, so that pages need not count: counted by the worker, or when somebody asks.

What is kept are the figures of the arms. What may be said of them is judged when it is read, by the same functions that
judge what was just counted: there is one judgement, and it is in the reader's language.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from smsflow_plugin import clock
from smsflow_plugin.measurement.experiments import Experiment, Result, experiments, judged, result
from smsflow_plugin.measurement.judging import Arm
from smsflow_plugin.measurement.models import ExperimentStanding
from smsflow_plugin.measurement.statistics import Moments
from smsflow_plugin.stores.models import Store

logger = logging.getLogger(__name__)

#: So old a standing gets before it is counted again; with more than ``MANY`` people counting is worth a day.
COUNT_EVERY = timedelta(minutes=50)
COUNT_MANY_EVERY = timedelta(hours=20)
MANY = 20_000
#: For so long after the last order that counts something may still be heard of it: a refund, a cancellation.
LATE = timedelta(days=14)


def standing(experiment: Experiment) -> Result | None:
    """Return what was counted last, None if nothing was. No query."""
    row = experiment.standing
    if row is None:
        return None
    return judged(experiment, arms_of(row), row.days)


def arms_of(row: ExperimentStanding) -> list[Arm]:
    """Return the arms as they were counted."""
    return [_arm(each) for each in row.figures]


def is_due(store: Store, experiment: Experiment, now: datetime) -> bool:
    """Return whether there may be more to count than when it was counted last."""
    row = experiment.standing
    if row is None:
        return True
    if row.closed_at:
        return False
    every = COUNT_MANY_EVERY if row.people > MANY else COUNT_EVERY
    if bool(row.running) != experiment.running:
        return True
    return bool(now - row.counted_at >= every) and not _is_settled(store, experiment)


def settled_at(store: Store, end: datetime) -> datetime:
    """Return from when on nothing is heard any more of what people did who came to it until ``end``."""
    return end + timedelta(days=store.attribution_days) + LATE


def _is_settled(store: Store, experiment: Experiment) -> bool:
    """Return whether it was counted after everything that counts had happened."""
    row = experiment.standing
    assert row is not None
    counted_at: datetime = row.counted_at
    return counted_at >= settled_at(store, experiment.end(counted_at))


def count(store: Store, experiment: Experiment, now: datetime | None = None) -> tuple[Result, ExperimentStanding]:
    """Count an experiment and keep it; return what it has come to. What is closed is not counted: nothing is left."""
    now = now or clock.now()
    row = experiment.standing
    if row is not None and row.closed_at and (found := standing(experiment)):
        return found, row
    if row is not None and _is_settled(store, experiment) and (known := standing(experiment)):
        # what people did may be blanked by now: its figures are the right ones, whether or not it still runs
        found_now = {"last": experiment.last, "people": experiment.people, "running": experiment.running}
        ExperimentStanding.objects.filter(pk=row.pk).update(**found_now)
        row.refresh_from_db()
        return known, row
    found = result(store, experiment, now)
    values = {
        "flow_id": experiment.flow_id,
        "step": experiment.step,
        "began": experiment.began,
        "last": experiment.last,
        "people": experiment.people,
        "running": experiment.running,
        "days": found.judgement.days,
        "figures": [_as_json(arm) for arm in found.judgement.arms],
        "counted_at": now,
    }
    row, created = ExperimentStanding.objects.get_or_create(store=store, experiment=experiment.name, defaults=values)
    # the purge may have begun meanwhile: what was kept before is right then, and this is not
    if not created and ExperimentStanding.objects.filter(pk=row.pk, closed_at=None).update(**values):
        row.refresh_from_db()
    return found, row


def count_due(store: Store) -> Iterator[tuple[Result, ExperimentStanding]]:
    """Count the experiments of a store that are due, and yield them. One that fails is passed over, and logged."""
    now = clock.now()
    due = [each.name for each in experiments(store) if is_due(store, each, now)]
    if not due:
        return
    for experiment in experiments(store, due):
        if experiment.name in due:
            try:
                counted = count(store, experiment, now)
            except Exception:
                logger.exception("The experiment %s of store %s cannot be counted.", experiment.name, store.pk)
                continue
            yield counted


def _as_json(arm: Arm) -> dict[str, Any]:
    revenue = [arm.revenue.n, arm.revenue.mean, arm.revenue.variance]
    names = ("name", "weight", "exposed", "converted", "orders", "clicked", "opted_out")
    return {**{name: getattr(arm, name) for name in names}, "revenue": revenue}


def _arm(data: dict[str, Any]) -> Arm:
    n, mean, variance = data["revenue"]
    return Arm(**{**data, "revenue": Moments(n, float(mean), float(variance))})
