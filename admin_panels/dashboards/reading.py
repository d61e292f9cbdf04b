"""What the pages read, in few queries: several periods at once, and everything of a flow's steps in one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import reduce
from operator import add
from typing import Any

from django.db.models import Sum

from smsflow_plugin.measurement.figures import COUNTERS, Figures, People, Period, by_day, figures_of, people_by_day
from smsflow_plugin.measurement.models import FlowStat


def span(*periods: Period | None) -> Period:
    """Return the shortest period that holds all of these."""
    known = [period for period in periods if period is not None]
    return Period(min(period.first for period in known), max(period.last for period in known))


class Days:
    """The figures of a store, or of one of its flows, by day: one query for all the periods that somebody asks for."""

    def __init__(self, store_id: int, *periods: Period | None, flow_id: int | None = None) -> None:
        self._found: Mapping[date, Figures] = by_day(store_id, span(*periods), flow_id)

    def of(self, period: Period) -> dict[date, Figures]:
        return {day: self._found[day] for day in period.days()}

    def sum(self, period: Period | None) -> Figures | None:
        return None if period is None else total(self.of(period).values())


class PeopleDays:
    """The same for what happened in a store apart from its texts."""

    def __init__(self, store_id: int, *periods: Period | None) -> None:
        self._found: Mapping[date, People] = people_by_day(store_id, span(*periods))

    def of(self, period: Period) -> dict[date, People]:
        return {day: self._found[day] for day in period.days()}

    def sum(self, period: Period | None) -> People | None:
        return None if period is None else reduce(add, self.of(period).values(), People())


def total(figures: Any) -> Figures:
    return reduce(add, figures, Figures())


def by_step_and_variant(store_id: int, flow_id: int, period: Period) -> dict[str, dict[str, Figures]]:
    """Return a flow's figures by step and, below it, by variant. One query, however many steps there are."""
    rows = (
        FlowStat.objects.filter(store_id=store_id, flow_id=flow_id, day__range=(period.first, period.last))
        .order_by("step", "variant")
        .values("step", "variant")
        .annotate(**{f"sum_{name}": Sum(name) for name in COUNTERS})
    )
    found: dict[str, dict[str, Figures]] = {}
    for row in rows:
        found.setdefault(row["step"], {})[row["variant"]] = figures_of(row)
    return found
