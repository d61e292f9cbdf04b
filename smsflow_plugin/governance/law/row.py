"""One row of the table of the law: when texts may go to the people of a place, and who says so. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from smsflow_plugin.audience.places import exists
from smsflow_plugin.audience.regions import STATES_OF, zones_of_country
from smsflow_plugin.governance.windows import CLOSED, DAYS, Week, Window, check_week, read_window, write_window

#: A statute or a rule of an authority; custom of carriers and senders; what is proposed to a new store
#: and binds nobody; an administrator's own.
LAW, PRACTICE, DEFAULT, OWN = KINDS = ("law", "practice", "default", "own")

CONFIDENCES = ("high", "medium", "low")

#: Names for several days at once, the later ones over the earlier ones.
_SEVERAL = {"daily": DAYS, "weekdays": DAYS[:5], "weekend": DAYS[5:]}

_TEXTS = ("label", "source", "note")
_DATES = ("as_of", "since", "until")


class Problem(NamedTuple):
    """What is wrong with a row: the field, what about it, and the value that was given."""

    field: str
    code: str
    value: str = ""


class RowError(ValueError):
    """A row that cannot be read, with everything that is wrong with it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{problem.field}: {problem.code} {problem.value}".rstrip() for problem in problems))


@dataclass(frozen=True, slots=True)
class LawRow:
    """When texts may go to the people of a place. Rows about one place bind together: all must be open.

    ``country`` empty: everywhere. ``region`` empty: the whole country.
    ``holidays_off``: nothing on the place's public holidays.
    ``since`` and ``until``: from the first day of force up to, not including, the first day without.
    ``clock``: the zone that the row is read in, wherever the person's clock stands; empty: the person's.
    ``lifted_by_consent``: consent to texts lifts the row, so it is told and does not bind.
    """

    country: str
    week: Week
    region: str = ""
    holidays_off: bool = False
    kind: str = OWN
    label: str = ""
    source: str = ""
    as_of: date | None = None
    since: date | None = None
    until: date | None = None
    clock: str = ""
    confidence: str = ""
    note: str = ""
    lifted_by_consent: bool = False

    def __post_init__(self) -> None:
        check_week(self.week)
        if any(window is not None and window[0] > window[1] for window in self.week):
            raise ValueError("A row of the law does not run past midnight.")

    def is_about(self, country: str, region: str) -> bool:
        return self.country in ("", country) and self.region in ("", region)

    def in_force(self, on: date) -> bool:
        return (self.since is None or self.since <= on) and (self.until is None or on < self.until)

    def window(self, on: date) -> Window | None:
        """Return the window of a day that is no holiday."""
        return self.week[on.weekday()]

    def as_data(self) -> dict[str, Any]:
        """Return the row as JSON, for ``read_row``."""
        data: dict[str, Any] = {day: write_window(window) for day, window in zip(DAYS, self.week, strict=True)}
        data |= {"country": self.country, "region": self.region, "kind": self.kind}
        data |= {name: getattr(self, name) for name in (*_TEXTS, "clock", "confidence")}
        data |= {name: at.isoformat() for name in _DATES if (at := getattr(self, name))}
        data["holidays"] = CLOSED if self.holidays_off else "open"
        data["lifted_by_consent"] = self.lifted_by_consent
        return data


def read_row(data: Mapping[str, Any], kind: str = OWN) -> LawRow:
    """Return the row that a form or a table holds, or raise a ``RowError`` that names every problem.

    Windows are texts, "9:00-20:00" or "closed", by ``daily``, ``weekdays``, ``weekend`` and the names
    of days; a day that is not named at all is a problem. ``holidays`` is "closed" or "open".
    """
    problems: list[Problem] = []
    country, region = _place(data, problems)
    row = LawRow(
        country=country,
        region=region,
        week=_week(data, problems),
        holidays_off=_choice(data, "holidays", (CLOSED, "open"), "open", problems) == CLOSED,
        kind=_choice(data, "kind", KINDS, kind, problems),
        clock=_clock(data, problems),
        confidence=_choice(data, "confidence", CONFIDENCES, "", problems),
        lifted_by_consent=bool(data.get("lifted_by_consent", False)),
        label=_text(data, "label"),
        source=_text(data, "source"),
        note=_text(data, "note"),
        as_of=_date(data, "as_of", problems),
        since=_date(data, "since", problems),
        until=_date(data, "until", problems),
    )
    if row.since and row.until and row.since >= row.until:
        problems.append(Problem("until", "not_after_since", row.until.isoformat()))
    if problems:
        raise RowError(tuple(problems))
    return row


def _text(data: Mapping[str, Any], name: str) -> str:
    return str(data.get(name) or "").strip()


def _place(data: Mapping[str, Any], problems: list[Problem]) -> tuple[str, str]:
    country, region = (_text(data, name).upper() for name in ("country", "region"))
    if country and not zones_of_country(country):
        problems.append(Problem("country", "unknown", country))
    elif region and region not in STATES_OF.get(country, {}):
        problems.append(Problem("region", "unknown", region))
    return country, region


def _week(data: Mapping[str, Any], problems: list[Problem]) -> Week:
    windows: dict[str, Window | None] = {}
    for name in (*_SEVERAL, *DAYS):
        text = data.get(name)
        if text is None or text == "":
            continue
        for day in _SEVERAL.get(name, (name,)):
            windows[day] = _window(name, str(text), problems)
    missing = [day for day in DAYS if day not in windows]
    problems.extend(Problem(day, "missing") for day in missing)
    return tuple(windows.get(day) for day in DAYS)


def _window(name: str, text: str, problems: list[Problem]) -> Window | None:
    try:
        window = read_window(text)
    except ValueError:
        window = None
        problem = Problem(name, "no_window", text)
    else:
        if window is None or window[0] < window[1]:
            return window
        window, problem = None, Problem(name, "past_midnight", text)
    if problem not in problems:
        problems.append(problem)
    return window


def _choice(
    data: Mapping[str, Any], name: str, choices: tuple[str, ...], otherwise: str, problems: list[Problem]
) -> str:
    value = str(data.get(name) or otherwise)
    if value and value not in choices:
        problems.append(Problem(name, "unknown", value))
    return value


def _clock(data: Mapping[str, Any], problems: list[Problem]) -> str:
    clock = str(data.get("clock") or "")
    if clock and not exists(clock):
        problems.append(Problem("clock", "unknown", clock))
    return clock


def _date(data: Mapping[str, Any], name: str, problems: list[Problem]) -> date | None:
    value = data.get(name)
    if not value or isinstance(value, date):
        return value or None
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        problems.append(Problem(name, "no_date", str(value)))
        return None
