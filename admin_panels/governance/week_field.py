"""The week of hours in which texts may go: a line for each day, drawn beside the law's floor."""

from __future__ import annotations

from datetime import time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from smsflow_plugin.governance.policy import PolicyRules

#: A day as it is stored: ["09:00", "20:00"], or null for a closed one.
Day = list[str] | None


class RawWeek(list[dict[str, Any]]):
    """Seven days as they were typed in."""


def stored(week: Any) -> list[Day]:
    """Return a week of ``PolicyRules`` as it is stored."""
    return [None if day is None else [f"{at:%H:%M}" for at in day] for day in week]


class WeekWidget(forms.Widget):
    """Lines of times. ``above`` is the week that counts while the store sets none of its own."""

    template_name = "smsflow/governance/week.html"

    class Media:
        css = {"all": ["smsflow/governance.css"]}
        js = ["smsflow/governance.js"]

    def __init__(self) -> None:
        super().__init__()
        self.above: list[Day] = stored(PolicyRules().week)
        self.above_words = ""
        self.floors: dict[str, Any] = {}
        self.failed: dict[int, str] = {}

    def value_from_datadict(self, data: Any, files: Any, name: str) -> RawWeek | None:
        if not data.get(f"{name}-own"):
            return None
        return RawWeek(
            {key: data.get(f"{name}-{day}-{key}", "") for key in ("from", "until", "closed")} for day in range(7)
        )

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}-shown" not in data

    def id_for_label(self, id_: str, index: Any = None) -> str:
        return ""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        box = {"data-sms-week-target": "own", "data-action": "sms-week#draw"}
        context.update(
            own=value is not None,
            own_box=forms.CheckboxInput(attrs=box).render(f"{name}-own", value is not None),
            days=[self._line(day, value) for day in range(7)],
            above_words=self.above_words,
            places=list(self.floors),
            floors=self.floors,
            floors_id=f"{name}-floors",
        )
        return context

    def _line(self, day: int, value: Any) -> dict[str, Any]:
        line = {"number": day, "name": WEEKDAYS[day], "error": self.failed.get(day, "")}
        if isinstance(value, RawWeek):
            given = value[day]
            return {**line, "opens": given["from"], "closes": given["until"], "closed": bool(given["closed"])}
        held = (self.above if value is None else value)[day]
        opens, closes = held or ("09:00", "20:00")
        return {**line, "opens": opens, "closes": closes, "closed": held is None}


class WeekField(forms.Field):
    """Seven days, or None for "as above"."""

    widget = WeekWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def clean(self, value: Any) -> list[Day] | None:
        if value is None:
            return None
        if not isinstance(value, RawWeek):
            return list(value)
        self.widget.failed = {}
        week = [self._day(number, day) for number, day in enumerate(value)]
        if self.widget.failed:
            raise ValidationError(_("Look at the days that are marked."))
        return week

    def _day(self, number: int, given: dict[str, Any]) -> Day:
        if given["closed"]:
            return None
        try:
            opens, closes = (time.fromisoformat(given[key]) for key in ("from", "until"))
        except ValueError:
            self.widget.failed[number] = _("Write two times, or mark the day as closed.")
            return None
        if opens == closes:
            self.widget.failed[number] = _("The end must be another time than the beginning.")
            return None
        return [f"{opens:%H:%M}", f"{closes:%H:%M}"]

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.clean(data) != initial)
        except ValidationError:
            return True
