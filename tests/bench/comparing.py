"""Compares what the project counted of a made-up year with its truth: every figure, not the sums alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from smsflow_plugin import clock
from smsflow_plugin.measurement.experiments import experiments, result
from smsflow_plugin.measurement.figures import Figures, people
from smsflow_plugin.models import Message
from tests.bench.truth import Truth
from tests.measurement.readings import by_day, by_flow, by_step, by_variant, by_version, of_stores


def differences(year: Truth) -> list[str]:
    """Return the names of figures that are not what they are in truth: none, if all is well."""
    return [name for name, found, true in (*_figures(year), *_experiments(year)) if found != true]


def _figures(year: Truth) -> Iterator[tuple[str, Any, Any]]:
    store, period = year.store.pk, year.period
    yield "texts", Message.objects.filter(store=year.store).count(), year.texts
    yield "the store", of_stores([store], period)[store], year.all()
    yield "flows", by_flow(store, period), year.by("flow_id")
    yield "days", by_day(store, period), _each_day(year)
    yield "what happened", people([store], period)[store], year.people()
    for name, flow in year.flows.items():
        own = {"flow_id": flow.pk}
        yield f"days of {name}", by_day(store, period, flow.pk), _each_day(year, **own)
        yield f"steps of {name}", by_step(store, flow.pk, period), year.by("step", **own)
        yield f"versions of {name}", by_version(store, flow.pk, period), year.by("version_id", **own)
        for step in ("s1", "s3"):
            found = by_variant(store, flow.pk, step, period)
            yield f"variants of {name} {step}", found, year.by("variant", step=step, **own)


def _each_day(year: Truth, **only: Any) -> dict[Any, Figures]:
    days = year.by("day", **only)
    return {day: days.get(day, Figures()) for day in year.period.days()}


def _experiments(year: Truth) -> Iterator[tuple[str, Any, Any]]:
    found = {each.name: each for each in experiments(year.store)}
    yield "experiments", set(found), set(year.trials)
    for name in found.keys() & year.trials.keys():
        trial = year.trials[name]
        judgement = result(year.store, found[name], clock.now()).judgement
        counted = {
            arm.name: {
                "exposed": arm.exposed, "converted": arm.converted, "orders": arm.orders, "clicked": arm.clicked,
                "opted_out": arm.opted_out,
            }
            for arm in judgement.arms
        }  # fmt: skip
        yield f"arms of {name}", counted, trial.arms
        # none of a handful of people
        for comparison in judgement.comparisons:
            interval = comparison.rate.interval
            yield f"whether the interval of {name} holds its true lift", interval.low < trial.lift < interval.high, True
