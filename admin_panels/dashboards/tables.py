"""Tables of figures: what a page shows and what a spreadsheet gets come from the same columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import FileResponse, StreamingHttpResponse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.views.mixins import SpreadsheetExportMixin

from smsflow_plugin.admin_panels.listing import csv_safe
from smsflow_plugin.measurement import figure_words as words
from smsflow_plugin.measurement.rates import Part

KINDS = SpreadsheetExportMixin.FORMATS


@dataclass(frozen=True, slots=True)
class Cell:
    """``note`` stands small below ``text``. ``raw`` is what a spreadsheet gets, by the endings of the column."""

    text: str
    raw: Mapping[str, Any]
    order: Any = None
    note: str = ""
    url: str = ""
    #: Belongs to the row above it.
    under: bool = False
    #: "good" or "bad" where somebody is to see it at a glance.
    mark: str = ""


def named(text: str, url: str = "", *, under: bool = False) -> Cell:
    return Cell(text, {"": text}, text.casefold(), url=url, under=under)


def on_day(day: date) -> Cell:
    return Cell(date_format(day, "D j M Y"), {"": day}, day)


def counted(number: int) -> Cell:
    return Cell(words.count(number), {"": number}, number)


def paid(amount: Decimal | None, currency: str) -> Cell:
    raw = amount
    if amount is not None:
        # whole cents where there are some; sums of databases come with more places than they have
        raw = round(amount, 2) if round(amount, 2) == round(amount, 5) else round(amount, 5)
    return Cell(words.money(amount, currency), {"": raw}, amount)


def part_of(part: int, whole: int) -> Cell:
    """Return a count with its rate: the rate and its interval stand below it."""
    known = Part(part, whole)
    interval = known.interval
    raw = {
        "": part,
        "_rate": _rounded(known.rate),
        "_low": _rounded(interval.low) if interval else None,
        "_high": _rounded(interval.high) if interval else None,
    }
    return Cell(words.count(part), raw, part, rate_note(known))


def rate_note(known: Part) -> str:
    if not known.speaks:
        return _("Not enough data")
    rate = words.percent(known.rate)
    return f"{rate} ({words.short_interval(known.interval)})" if known.interval else rate


def said(text: str, note: str = "", mark: str = "") -> Cell:
    """Return words; ``note`` is for the page alone."""
    return Cell(text, {"": text}, text.casefold(), note, mark=mark)


def lasting(seconds: float | None) -> Cell:
    return Cell(words.duration(seconds), {"": None if seconds is None else round(seconds)}, seconds)


def share(ratio: float | None) -> Cell:
    return Cell(words.percent(ratio), {"": _rounded(ratio)}, ratio)


def changed(now: Any, before: Any) -> Cell:
    """Return by how much a figure has changed, in percent."""
    known = now is not None and before and before > 0
    by = float(now) / float(before) - 1 if known else None
    return Cell(words.change(now, before) or words.NONE, {"": _rounded(by)}, by)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


#: Columns of a spreadsheet that one of ours may become, by their endings.
ENDINGS = {
    "": "",
    "_rate": gettext_lazy("rate"),
    "_from": gettext_lazy("at least"),
    "_to": gettext_lazy("at most"),
    "_low": gettext_lazy("rate, at least"),
    "_high": gettext_lazy("rate, at most"),
}
PLAIN, RATED, SPANNED = ("",), ("", "_rate", "_low", "_high"), ("", "_from", "_to")


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    label: Any
    cell: Callable[[Any], Cell]
    endings: tuple[str, ...] = PLAIN
    #: Numbers stand at the end of their column.
    number: bool = True
    #: Which way somebody wants to see it first.
    falls: bool = True
    #: Whether it stands on the page, too; if not, it is for files alone.
    shown: bool = True
    #: Whether the page can be ordered by it.
    ordered: bool = True


#: The currency of a file's money: on the page every amount has its own.
CURRENCY = Column("currency", gettext_lazy("Currency"), lambda row: named(row.currency), number=False, shown=False)


@dataclass(frozen=True, slots=True)
class Head:
    """A column's heading; ``url`` orders by it, ``sorted`` is the value of ``aria-sort``."""

    label: str
    number: bool
    url: str = ""
    sorted: str = ""


@dataclass
class Table:
    """``name`` is how an address asks for it. ``total`` is one more row, at the end."""

    name: str
    caption: Any
    columns: Sequence[Column]
    rows: list[Any]
    total: Any = None
    #: What the columns are ordered by, "-" before it for the largest first; None if nobody can choose.
    ordering: str | None = None
    #: The rest of the address.
    query: str = ""
    empty: Any = field(default=gettext_lazy("Nothing in these days."))

    def __post_init__(self) -> None:
        column = next((one for one in self.columns if one.name == (self.ordering or "").removeprefix("-")), None)
        if column is None:
            return
        known = [row for row in self.rows if column.cell(row).order is not None]
        unknown = [row for row in self.rows if column.cell(row).order is None]
        falls = (self.ordering or "").startswith("-")
        self.rows = [*sorted(known, key=lambda row: column.cell(row).order, reverse=falls), *unknown]

    @property
    def shown(self) -> list[Column]:
        return [column for column in self.columns if column.shown]

    def heads(self) -> Iterator[Head]:
        for column in self.shown:
            label = str(column.label)
            if self.ordering is None or not column.ordered:
                yield Head(label, column.number)
                continue
            now = {column.name: "ascending", f"-{column.name}": "descending"}.get(self.ordering, "")
            falls = now == "ascending" if now else column.falls
            wanted = f"-{column.name}" if falls else column.name
            yield Head(label, column.number, f"?{self.query}&ordering={wanted}#{self.name}", now)

    def lines(self) -> Iterator[list[tuple[Column, Cell]]]:
        return ([(column, column.cell(row)) for column in self.shown] for row in self.rows)

    def foot(self) -> list[tuple[Column, Cell]]:
        return [] if self.total is None else [(column, column.cell(self.total)) for column in self.shown]

    @property
    def export_query(self) -> str:
        ordering = f"&ordering={self.ordering}" if self.ordering else ""
        return f"?{self.query}{ordering}&table={self.name}&export="

    def as_spreadsheet(self, kind: str, filename: str) -> StreamingHttpResponse | FileResponse:
        """Return the table as a file: ``kind`` is one of ``KINDS``."""
        response: StreamingHttpResponse | FileResponse = _Sheet(self, filename).as_spreadsheet(self.rows, kind)
        return response


class _Sheet(SpreadsheetExportMixin):  # type: ignore[misc]
    """Wagtail's own writing of spreadsheets, for rows that are no objects of a model."""

    def __init__(self, table: Table, filename: str) -> None:
        self.table = table
        self.export_filename = filename
        pairs = [(column, ending) for column in table.columns for ending in column.endings]
        self.list_export = [f"{column.name}{ending}" for column, ending in pairs]
        self.export_headings = {
            f"{column.name}{ending}": f"{column.label}, {ENDINGS[ending]}" if ending else str(column.label)
            for column, ending in pairs
        }
        # names are words of people: no spreadsheet may run them
        self.custom_field_preprocess = {column.name: {"csv": csv_safe} for column in table.columns if not column.number}

    def to_row_dict(self, item: Any) -> dict[str, Any]:
        cells = [(column, column.cell(item)) for column in self.table.columns]
        return {f"{column.name}{ending}": cell.raw[ending] for column, cell in cells for ending in column.endings}
