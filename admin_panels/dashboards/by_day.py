"""The charts of a page, each with the table behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from operator import attrgetter
from typing import Any

from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from smsflow_plugin.admin_panels.dashboards.charts import Drawing, Series
from smsflow_plugin.admin_panels.dashboards.tables import CURRENCY, Column, Table, counted, on_day, paid
from smsflow_plugin.measurement import figure_words as words
from smsflow_plugin.measurement.figures import Figures, People


@dataclass(frozen=True, slots=True)
class Chart:
    """``legend`` has (look, words) of each series."""

    name: str
    title: str
    svg: SafeString
    legend: Sequence[tuple[str, str]]
    table: Table


@dataclass(frozen=True, slots=True)
class _Day:
    day: date
    values: tuple[Any, ...]
    currency: str = ""


DAY = Column("day", _("Day"), lambda row: on_day(row.day), number=False)


def of_texts(
    now: Mapping[date, Figures],
    before: Mapping[date, Figures] | None,
    query: str,
    marks: Mapping[date, str] | None = None,
) -> Chart:
    return _compared("texts", _("Texts sent"), attrgetter("sent"), now, before, query, None, marks or {})


def of_revenue(
    now: Mapping[date, Figures],
    before: Mapping[date, Figures] | None,
    query: str,
    currency: str,
    marks: Mapping[date, str] | None = None,
) -> Chart:
    return _compared("revenue", _("Revenue credited"), attrgetter("revenue"), now, before, query, currency, marks or {})


def of_growth(now: Mapping[date, People], query: str) -> Chart:
    """Return the chart of a list's growth: those who came above the axis, those who left below."""
    days = list(now)
    series = [
        Series(_("Opted in"), [now[day].opted_in for day in days], "good"),
        Series(_("Opted out"), [-now[day].opted_out for day in days], "bad"),
    ]
    title = _title(_("List growth"), days)
    drawing = Drawing("growth", title, days, series, lambda value: words.count(abs(int(value))), _axis(None), {})
    rows = [_Day(day, (one.opted_in, one.opted_out, one.growth)) for day, one in now.items()]
    columns = [
        DAY,
        _column("opted_in", _("Opted in"), 0, None),
        _column("opted_out", _("Opted out"), 1, None),
        _column("growth", _("List growth"), 2, None),
    ]
    table = Table("growth-by-day", _("List growth"), columns, rows, query=query)
    return Chart("growth", _("List growth"), drawing.bars(), [(one.look, one.label) for one in series], table)


def _compared(
    name: str,
    label: str,
    pick: Callable[[Figures], Any],
    now: Mapping[date, Figures],
    before: Mapping[date, Figures] | None,
    query: str,
    currency: str | None,
    marks: Mapping[date, str],
) -> Chart:
    days = list(now)
    values = [pick(one) for one in now.values()]
    series = [Series(label, [float(value) for value in values])]
    columns = [DAY, _column(name, label, 0, currency)]
    rows = [_Day(day, (value,), currency or "") for day, value in zip(days, values, strict=True)]
    if before is not None:
        earlier = [pick(one) for one in before.values()]
        series.append(Series(_("The days before"), [float(value) for value in earlier], "before"))
        columns.append(_column("before", _("The days before"), 1, currency))
        rows = [replace(row, values=(*row.values, was)) for row, was in zip(rows, earlier, strict=True)]
    if currency is not None:
        columns.append(CURRENCY)
    say = (lambda value: words.count(int(value))) if currency is None else (lambda value: words.money(value, currency))
    drawing = Drawing(name, _title(label, days), days, series, say, _axis(currency), marks)
    table = Table(f"{name}-by-day", label, columns, rows, query=query)
    return Chart(name, label, drawing.lines(), [(one.look, one.label) for one in series], table)


def _axis(currency: str | None) -> Callable[[float], str]:
    if currency is None:
        return words.short_count
    return lambda value: words.short_money(value, currency)


def _column(name: str, label: str, place: int, currency: str | None) -> Column:
    if currency is None:
        return Column(name, label, lambda row: counted(row.values[place]))
    return Column(name, label, lambda row: paid(row.values[place], currency))


def _title(label: str, days: Sequence[date]) -> str:
    return _("%(what)s by day, %(first)s to %(last)s. The table below has the numbers.") % {
        "what": label,
        "first": date_format(days[0], "j M Y"),
        "last": date_format(days[-1], "j M Y"),
    }
