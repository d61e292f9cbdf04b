"""Figures by day, of which a page shows several periods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from smsflow_plugin.measurement.figures import Figures, People, Period

Kind = TypeVar("Kind", Figures, People)


def span(*periods: Period | None) -> Period:
    """Return the shortest period that holds all of these."""
    known = [period for period in periods if period is not None]
    return Period(min(period.first for period in known), max(period.last for period in known))


@dataclass(frozen=True, slots=True)
class Days(Generic[Kind]):
    """What was read of some days. ``nothing`` stands for days of which there is none."""

    found: Mapping[date, Kind]
    nothing: Kind

    def of(self, period: Period) -> dict[date, Kind]:
        """Return the days of a period, in order and without gaps."""
        return {day: self.found.get(day, self.nothing) for day in period.days()}

    def sum(self, period: Period) -> Kind:
        sums = self.nothing
        for day in period.days():
            if day in self.found:
                sums += self.found[day]
        return sums
