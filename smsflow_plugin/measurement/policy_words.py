"""A version of the rules in words: each setting with its value, where it came from, and what it is today."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.flows.models import Flow
from smsflow_plugin.governance.effective import StoreRules, rules_of
from smsflow_plugin.governance.law.row import read_row
from smsflow_plugin.governance.layers import to_json
from smsflow_plugin.governance.models import Policy, PolicyVersion
from smsflow_plugin.governance.policy import SETTINGS, Level
from smsflow_plugin.measurement.law_words import rows_words
from smsflow_plugin.measurement.noting import SPANS, STAGES
from smsflow_plugin.measurement.setting_words import setting_label

LEVELS: Mapping[str, str | Promise] = {
    Level.BUILT_IN: gettext_lazy("Built in"),
    Level.SITE: gettext_lazy("The whole site"),
    Level.STORE: gettext_lazy("This store"),
    Level.FLOW: gettext_lazy("The flow"),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it was. ``today`` is empty unless it is another now."""

    name: str
    label: str
    value: str
    level: str
    today: str = ""


def settings_of(version: PolicyVersion) -> list[Setting]:
    """Return every setting of a version in words, beside those that hold for its store today. Few queries."""
    today = rules_of([version.store], keep=False)[version.store_id]
    return compared(version.rules, version.origin, today, _flow_names(version))


def compared(
    then: Mapping[str, Any], origin: Mapping[str, str], today: StoreRules, flows: Mapping[int, str]
) -> list[Setting]:
    """Return the settings of ``then`` (``governance.layers.to_json``) with those of ``today`` that are others."""
    now = to_json(today.rules)
    found = []
    for name in SETTINGS:
        if name not in then:
            continue  # a rule that did not exist then
        own = words(name, then[name], flows)
        other = words(name, now.get(name), flows)
        level = LEVELS.get(origin.get(name, ""), "")
        found.append(Setting(name, label(name), own, str(level), "" if then[name] == now.get(name) else other))
    return found


def _flow_names(version: PolicyVersion) -> dict[int, str]:
    return dict(Flow.objects.filter(store_id=version.store_id).values_list("pk", "name"))


def label(name: str) -> str:
    """Return what the panel calls a setting."""
    return setting_label(name) if name in SETTINGS else name


def words(name: str, value: Any, flows: Mapping[int, str]) -> str:
    """Return the value of a setting, as plain JSON, in words."""
    if name == "caps":
        return "; ".join(_cap(cap, flows) for cap in value or ()) or _("none")
    if name == "exclusive_flows":
        return ", ".join(flows.get(pk, f"#{pk}") for pk in value or ()) or _("none")
    tell = _VALUES.get(name)
    if tell is not None:
        return tell(value)
    if value is None:
        return _("no limit")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(str, value)) or _("none")
    return str(value)


def _week(days: Any) -> str:
    """Return the hours of a week, days that are alike in one: "Mon–Fri 09:00–20:00, Sat, Sun closed"."""
    spans: list[tuple[list[int], str]] = []
    for day, window in enumerate(days or ()):
        hours = f"{window[0][:5]}–{window[1][:5]}" if window else _("closed")
        if spans and spans[-1][1] == hours:
            spans[-1][0].append(day)
        else:
            spans.append(([day], hours))
    return ", ".join(f"{_days(own)} {hours}" for own, hours in spans) or _("always")


def _days(days: list[int]) -> str:
    first, last = str(WEEKDAYS_ABBR[days[0]]), str(WEEKDAYS_ABBR[days[-1]])
    return first if len(days) == 1 else f"{first}–{last}"


def _cap(cap: Mapping[str, Any], flows: Mapping[int, str]) -> str:
    values = {"limit": cap.get("limit"), "span": SPANS.get(str(cap.get("window")), cap.get("window"))}
    sentence = _("%(limit)s texts %(span)s") % values
    match cap.get("scope"):
        case "flow":
            of = str(cap.get("of"))
            return _("%(cap)s of “%(flow)s”") % {
                "cap": sentence,
                "flow": flows.get(int(of), f"#{of}") if of.isdecimal() else of,
            }
        case "stage":
            return _("%(cap)s about %(stage)s") % {
                "cap": sentence,
                "stage": STAGES.get(str(cap.get("of")), cap.get("of")),
            }
        case "priority":
            return _("%(cap)s of the class %(priority)s") % {"cap": sentence, "priority": cap.get("of")}
    return sentence


def _blocked(value: Any) -> str:
    return str(dict(Policy.Blocked.choices).get(value, value))


def _rows(rows: Any) -> str:
    """Return rows that are stricter than the law."""
    return rows_words(read_row(row) for row in rows or ())


_VALUES: Mapping[str, Callable[[Any], str]] = {"week": _week, "when_blocked": _blocked, "stricter_law": _rows}
