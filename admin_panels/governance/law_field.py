"""Rows that are stricter than the law, as a store admin writes them: a place, its hours, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import time
from functools import lru_cache
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.governance.rows import RawRows, RowsField, RowsWidget
from smsflow_plugin.audience.regions import STATES_OF, US_TERRITORIES, names_of_countries
from smsflow_plugin.governance.law.row import LawRow, RowError, read_row
from smsflow_plugin.governance.law.table import narrows
from smsflow_plugin.governance.windows import DAYS, SUNDAY, Window, write_window
from smsflow_plugin.measurement.law_words import place_words
from smsflow_plugin.measurement.week_words import ALL_DAY

#: Days that one row can be about, by the name of the choice.
SPANS: Mapping[str, frozenset[int]] = {
    "daily": frozenset(range(7)),
    "weekdays": frozenset(range(5)),
    "workdays": frozenset(range(6)),
    "weekend": frozenset((5, 6)),
    **{name: frozenset((day,)) for day, name in enumerate(DAYS)},
}
_SPAN_WORDS = {
    "daily": gettext_lazy("every day"),
    "weekdays": gettext_lazy("Monday to Friday"),
    "workdays": gettext_lazy("Monday to Saturday"),
    "weekend": gettext_lazy("Saturday and Sunday"),
    **{name: WEEKDAYS[day] for day, name in enumerate(DAYS)},
}
#: What the page does not ask for, and a row may still hold; it is kept as it is.
_KEPT = ("label", "note", "as_of", "until", "clock", "confidence")


@lru_cache(maxsize=1)
def _countries() -> list[tuple[str, str]]:
    # the law takes the territories of the USA for its states, and there they are offered
    named = ((code, name) for code, name in names_of_countries().items() if code not in US_TERRITORIES)
    return sorted(named, key=lambda choice: choice[1])


def place_choices() -> list[tuple[Any, Any]]:
    """Return every place that a row can be about: "US-TX", "FR", and "" for everywhere."""
    states = [
        (place_words(country), [(f"{country}-{code}", name) for code, (name, *_zones) in regions.items()])
        for country, regions in STATES_OF.items()
    ]
    return [("", _("everywhere")), (_("Countries"), _countries()), *states]


class LawRowForm(forms.Form):
    """One row. Empty times are open: what is not said here is as the law says."""

    #: The row's fields stand with their names: there are too many to be told apart without.
    tells_fields = True

    place = forms.ChoiceField(label=gettext_lazy("Place"), required=False)
    days = forms.ChoiceField(label=gettext_lazy("Days"), choices=list(_SPAN_WORDS.items()), initial="daily")
    opens = forms.TimeField(label=gettext_lazy("From"), required=False, widget=forms.TimeInput(attrs={"type": "time"}))
    closes = forms.TimeField(
        label=gettext_lazy("Until"), required=False, widget=forms.TimeInput(attrs={"type": "time"})
    )
    source = forms.CharField(label=gettext_lazy("Reason or source"), required=False, max_length=200)
    since = forms.DateField(
        label=gettext_lazy("Valid from"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"invalid": gettext_lazy("Write a date.")},
    )
    closed = forms.BooleanField(label=gettext_lazy("closed on these days"), required=False)
    no_sundays = forms.BooleanField(label=gettext_lazy("not on Sundays"), required=False)
    no_holidays = forms.BooleanField(label=gettext_lazy("not on public holidays"), required=False)
    kept = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = place_choices()
        for name in ("opens", "closes"):
            self.fields[name].error_messages["invalid"] = _("Write a time, such as 09:00.")

    def clean_kept(self) -> dict[str, Any]:
        try:
            kept = json.loads(self.cleaned_data["kept"] or "{}")
        except ValueError:
            kept = None
        if not isinstance(kept, dict):
            raise ValidationError(_("This cannot be read."))
        return {name: kept[name] for name in _KEPT if isinstance(kept.get(name), str)}

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if self.errors:
            return cleaned
        data = self._as_data(cleaned)
        try:
            row = read_row(data)
        except RowError as error:
            for problem in error.problems:
                self._tell(problem.field, problem.code)
            return cleaned
        if set(row.week) == {ALL_DAY} and not row.holidays_off:
            self.add_error("opens", _("Say what is closed: write hours, or tick a box."))
        return {**cleaned, "row": data}

    def _as_data(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        opens, closes = cleaned["opens"] or time(0), cleaned["closes"] or time(0)
        until = "24:00" if closes == time(0) else f"{closes:%H:%M}"
        hours = "closed" if cleaned["closed"] else f"{opens:%H:%M}-{until}"
        span = SPANS[cleaned["days"]]
        week = [hours if day in span else write_window(ALL_DAY) for day in range(len(DAYS))]
        if cleaned["no_sundays"]:
            week[SUNDAY] = "closed"
        country, _dash, region = cleaned["place"].partition("-")
        data = {**dict(zip(DAYS, week, strict=True)), "country": country, "region": region, **cleaned["kept"]}
        data |= {"source": cleaned["source"]} if cleaned["source"] else {}
        data |= {"since": cleaned["since"].isoformat()} if cleaned["since"] else {}
        return {**data, "holidays": "closed"} if cleaned["no_holidays"] else data

    def _tell(self, name: str, code: str) -> None:
        if code in ("past_midnight", "no_window"):
            if "closes" not in self.errors:
                self.add_error("closes", _("The end must come after the beginning, on the same day."))
        elif code == "not_after_since":
            self.add_error("since", _("This row ends before that day."))
        else:
            self.add_error(None, _("This cannot be read."))

    @property
    def remark(self) -> str:
        """What is to be said of a row that is no mistake and changes nothing."""
        row = self._row()
        if row is None or narrows(row, clock.now().date()):
            return ""
        return _("The law is as strict already: this row changes nothing.")

    def _row(self) -> LawRow | None:
        if not self.is_bound:
            data = self.initial.get("row")
        elif self.is_valid():
            data = self.cleaned_data["row"]
        else:
            data = None
        return read_row(data) if data else None


class LawField(RowsField):
    """Rows as ``governance.law.row.read_row`` reads them."""

    def __init__(self, **kwargs: Any) -> None:
        widget = LawWidget(
            LawRowForm, add_label=gettext_lazy("Add a row"), remove_label=gettext_lazy("Remove row %(number)s")
        )
        super().__init__(make_form=LawRowForm, widget=widget, **kwargs)

    def row_of(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        row: dict[str, Any] = cleaned["row"]
        return row

    def check(self, rows: list[forms.Form]) -> None:
        known: list[dict[str, Any]] = []
        for row in rows:
            if row.cleaned_data["row"] in known:
                row.add_error("place", _("This row is there already."))
            known.append(row.cleaned_data["row"])


class LawWidget(RowsWidget):
    """Shows what is stored as rows that the page can ask for: a row whose days differ becomes several."""

    def forms_of(self, name: str, value: Any) -> list[forms.Form]:
        if isinstance(value, list) and not isinstance(value, RawRows):
            value = [initial for row in value for initial in initials_of(row)]
        return super().forms_of(name, value)


def initials_of(data: Any) -> Iterator[dict[str, Any]]:
    """Yield what the form shows for one stored row. Rows bind together, so several say the same as one."""
    try:
        row = read_row(data)
    except (RowError, TypeError, ValueError, AttributeError):
        return
    no_sundays = row.week[SUNDAY] is None and any(row.week)
    kept = {name: data[name] for name in _KEPT if data.get(name)}
    common = {
        "row": data,
        "place": f"{row.country}-{row.region}" if row.region else row.country,
        "source": row.source,
        "since": row.since,
        "kept": json.dumps(kept) if kept else "",
    }
    first = {**common, "no_sundays": no_sundays, "no_holidays": row.holidays_off}
    for span, window in _spans(row, no_sundays):
        yield {**first, "days": span, **_times(window)}
        first = common


def _times(window: Window | None) -> dict[str, Any]:
    if window is None:
        return {"closed": True}
    opens, closes = window
    # where a row leaves a day open to its end, nothing is shown: it says nothing about it
    return {
        "opens": f"{opens:%H:%M}" if opens != time(0) else None,
        "closes": f"{closes:%H:%M}" if closes != time.max else None,
    }


def _spans(row: LawRow, no_sundays: bool) -> list[tuple[str, Window | None]]:
    """Return the choices of days that have a window, the fewest that say it all."""
    found: list[tuple[str, Window | None]] = []
    for window in dict.fromkeys(row.week):
        days = {day for day, held in enumerate(row.week) if held == window}
        days -= {SUNDAY} if no_sundays else set()
        if not days or window == ALL_DAY:
            continue
        # a Sunday that is closed anyway may be named with the others
        choices = [name for name, span in SPANS.items() if span == days or (no_sundays and span == days | {SUNDAY})]
        found += [(choices[0], window)] if choices else [(DAYS[day], window) for day in sorted(days)]
    return found or [("daily", ALL_DAY)]
