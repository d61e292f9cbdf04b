"""The table that holds a flow's figures beside its own four weeks before, and beside its targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.admin_panels.dashboards.cards import MARKS
from smsflow_plugin.admin_panels.dashboards.tables import CURRENCY, SPANNED, Cell, Column, Table, named, said
from smsflow_plugin.measurement import baseline_words
from smsflow_plugin.measurement import figure_words as words
from smsflow_plugin.measurement.baselines import BASELINE_DAYS, Change, Comparison, Figure, trials
from smsflow_plugin.measurement.figures import Figures
from smsflow_plugin.measurement.rates import ENOUGH
from smsflow_plugin.measurement.targets import Held


@dataclass(frozen=True, slots=True)
class _Row:
    of: Comparison
    held: Held | None
    money: str
    #: Of how many texts the figure is, in these days and before.
    texts: tuple[int, int]

    @property
    def currency(self) -> str:
        """What files say of the row: only one of the figures is money."""
        return self.money if self.of.figure is Figure.REVENUE else ""


def _amount(row: _Row, amount: float | None, texts: int) -> Cell:
    if texts < ENOUGH and row.of.figure is not Figure.REVENUE:
        return Cell(words.NONE, {"": None}, note=_("Not enough data"))
    raw = None if amount is None else round(amount, 6)
    return Cell(baseline_words.value(row.of.figure, amount, row.money), {"": raw})


def _change(row: _Row) -> Cell:
    told = baseline_words.note(row.of, row.money)
    interval = row.of.interval
    raw: dict[str, Any] = {
        "": told,
        "_from": round(interval.low, 6) if interval else None,
        "_to": round(interval.high, 6) if interval else None,
    }
    return Cell(told, raw, mark="bad" if row.of.change is Change.WORSE else "")


def _target(row: _Row) -> Cell:
    if row.held is None:
        return Cell(words.NONE, {"": None})
    return Cell(baseline_words.target(row.held, row.money), {"": round(row.held.target, 6)})


def _standing(row: _Row) -> Cell:
    if row.held is None:
        return said("")
    return said(baseline_words.standing(row.held), mark=MARKS[row.held.standing])


COLUMNS = [
    Column("figure", gettext_lazy("Figure"), lambda row: named(str(baseline_words.NAMES[row.of.figure])), number=False),
    Column("now", gettext_lazy("These days"), lambda row: _amount(row, row.of.now, row.texts[0])),
    Column(
        "before",
        format_lazy(gettext_lazy("{days} days before"), days=BASELINE_DAYS),
        lambda row: _amount(row, row.of.before, row.texts[1]),
    ),
    Column("change", gettext_lazy("Change"), _change, SPANNED, number=False),
    Column("target", gettext_lazy("Target"), _target),
    Column("standing", gettext_lazy("Reached?"), _standing, number=False),
    CURRENCY,
]


def baseline_table(
    beside: Mapping[Figure, Comparison],
    held: Sequence[Held],
    now: Figures,
    before: Figures,
    currency: str,
    query: str,
) -> Table:
    """Return the table. ``now`` and ``before`` are what all the days come to."""
    targets = {one.figure: one for one in held}
    rows = [
        _Row(of, targets.get(figure), currency, (trials(figure, now), trials(figure, before)))
        for figure, of in beside.items()
    ]
    return Table("baseline", _("Baseline and targets"), COLUMNS, rows, query=query)
