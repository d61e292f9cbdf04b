"""What a made-up store came to, added up in plain Python: nothing here is asked of the database."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from smsflow_plugin.measurement.figures import COUNTERS, Figures, People, Period
from smsflow_plugin.models import Flow, Store

#: What a row of the truth is about, beside its day.
KEY = ("flow_id", "version_id", "step", "variant")


@dataclass
class Trial:
    """An experiment: ``lift`` is by how much the share of people who order truly differs between the last and the
    first arm. ``arms`` counts people (exposed, converted, clicked, opted_out) and their orders."""

    lift: float
    arms: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


@dataclass
class Truth:
    """Amounts have the names of ``Figures`` and ``People``. ``texts`` says how many were written, tests among them."""

    store: Store
    period: Period
    flows: dict[str, Flow] = field(default_factory=dict)
    trials: dict[str, Trial] = field(default_factory=dict)
    rows: dict[tuple[Any, ...], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    happened: dict[date, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    texts: int = 0

    def __post_init__(self) -> None:
        self.zone = ZoneInfo(self.store.timezone)

    def day_of(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def add(self, key: tuple[Any, ...], at: datetime, **amounts: Any) -> None:
        """Add to what the texts of ``key`` came to on the day of ``at``."""
        self.rows[self.day_of(at), *key].update(amounts)

    def note(self, at: datetime, **amounts: Any) -> None:
        """Add to what happened in the store."""
        self.happened[self.day_of(at)].update(amounts)

    def by(self, column: str, **only: Any) -> dict[Any, Figures]:
        """Return the figures of the period by "day" or one of ``KEY``, of the rows that ``only`` names."""
        sums: dict[Any, Counter[str]] = defaultdict(Counter)
        for (day, *key), amounts in self.rows.items():
            row = {"day": day, **dict(zip(KEY, key, strict=True))}
            if self.period.first <= day <= self.period.last and all(row[name] == only[name] for name in only):
                sums[row[column]].update(amounts)
        return {value: Figures(**dict[str, Any](amounts)) for value, amounts in sums.items() if any(amounts.values())}

    def all(self, **only: Any) -> Figures:
        sums: Counter[str] = Counter()
        for figures in self.by("day", **only).values():
            sums.update({name: getattr(figures, name) for name in COUNTERS})
        return Figures(**dict[str, Any](sums))

    def people(self) -> People:
        sums: Counter[str] = Counter()
        for day, amounts in self.happened.items():
            if self.period.first <= day <= self.period.last:
                sums.update(amounts)
        return People(**dict[str, Any](sums))
