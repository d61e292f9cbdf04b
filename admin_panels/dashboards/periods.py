"""Which days a page shows, as its address says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.measurement.figures import Period, last_days

PRESETS = (7, 28, 90)
DEFAULT = 28
LONGEST = 366


class DatesForm(forms.Form):
    """Own days, both among them."""

    first = forms.DateField(label=gettext_lazy("From"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
    last = forms.DateField(label=gettext_lazy("To"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and last < first:
            raise forms.ValidationError(_("The last day is before the first."))
        if first and last and (last - first).days >= LONGEST:
            raise forms.ValidationError(_("Choose at most %(days)d days.") % {"days": LONGEST})
        if first and first < date(2000, 1, 1):
            raise forms.ValidationError(_("There were no texts yet."))
        return cleaned


@dataclass(frozen=True, slots=True)
class Chosen:
    """The days that are shown; ``preset`` is how many they are if nobody chose them one by one."""

    period: Period
    preset: int | None
    compares: bool
    form: DatesForm = field(repr=False)

    @property
    def before(self) -> Period | None:
        """The days to compare with, None if nobody wants to."""
        return self.period.before() if self.compares else None

    @property
    def query(self) -> str:
        """The address's part that leads to these days."""
        return self._query(self.compares)

    @property
    def other_query(self) -> str:
        """The same days, with the comparison if it is missing and without it if not."""
        return self._query(not self.compares)

    def presets(self) -> list[tuple[int, str, bool]]:
        """Return (days, address, whether they are shown) of each choice."""
        rest = {} if self.compares else {"compare": "0"}
        return [(days, "?" + urlencode({"days": days, **rest}), days == self.preset) for days in PRESETS]

    def _query(self, compares: bool) -> str:
        days: dict[str, Any] = (
            {"days": self.preset}
            if self.preset
            else {"first": self.period.first.isoformat(), "last": self.period.last.isoformat()}
        )
        return urlencode(days if compares else {**days, "compare": "0"})


def chosen(asked: Mapping[str, str], today: date) -> Chosen:
    """Return the days that somebody asks for; the last four weeks if they cannot be understood."""
    compares = asked.get("compare") != "0"
    if asked.get("first") or asked.get("last"):
        form = DatesForm(asked)
        if form.is_valid():
            return Chosen(Period(form.cleaned_data["first"], form.cleaned_data["last"]), None, compares, form)
        return Chosen(last_days(DEFAULT, today), DEFAULT, compares, form)
    wanted = asked.get("days", "")
    days = int(wanted) if wanted in map(str, PRESETS) else DEFAULT
    period = last_days(days, today)
    return Chosen(period, days, compares, DatesForm(initial={"first": period.first, "last": period.last}))
