"""The table of the law as it is shipped, and what it says about a place. Pure.

An administrator adds rows of their own, which can only close more: a time is open when every row is open.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from smsflow_plugin.audience.places import Place
from smsflow_plugin.audience.regions import US_TERRITORIES, name_of_region
from smsflow_plugin.governance.law.days_off import holiday
from smsflow_plugin.governance.law.row import DEFAULT, PRACTICE, LawRow, read_row
from smsflow_plugin.governance.windows import WHOLE_DAY, Piece, Week, Window, as_time, seconds

_FILES = {"united_states.toml": "US", "countries.toml": ""}


class LawCap(NamedTuple):
    """At most ``limit`` marketing texts in any ``window``."""

    limit: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class LawOfDay:
    """What the law leaves open in a place on a day: the rows in force, and their common window.

    ``window``: None when it is closed all day; as a closing time, ``time.max`` is midnight at the end of the day.
    ``holiday``: the public holiday, whether or not a row closes on it.
    """

    place: Place
    on: date
    rows: tuple[LawRow, ...]
    window: Window | None
    holiday: str = ""


@lru_cache(maxsize=1)
def shipped_rows() -> tuple[LawRow, ...]:
    """Return every row of the files, those of the USA first."""
    return tuple(
        read_row({"label": name_of_region(data["country"], data["region"]), **data}) for data in _entries("row")
    )


@lru_cache(maxsize=4096)
def rows_about(
    country: str, region: str, practice: bool = True, stricter: tuple[LawRow, ...] = ()
) -> tuple[LawRow, ...]:
    """Return the rows that bind the people of a place, whenever they are in force; those of the administrator last.

    Countries without a row of their own have that for all others. What consent lifts binds nobody, as
    nobody gets marketing without it.
    """
    country, region = _as_state(country, region)
    binding = [row for row in shipped_rows() if row.kind != DEFAULT and not row.lifted_by_consent]
    known = bool(country) and any(row.country == country for row in binding)
    shipped = (row for row in binding if bool(row.country) == known and row.is_about(country, region))
    return (
        *(row for row in shipped if practice or row.kind != PRACTICE),
        *(row for row in stricter if row.is_about(country, region)),
    )


def open_piece(rows: Iterable[LawRow], on: date, holiday: str) -> Piece | None:
    """Return when all of these rows are open on a day; None if that is never. Without any row all day is open."""
    opens, closes = 0, WHOLE_DAY
    for row in rows:
        if not row.in_force(on):
            continue
        window = None if holiday and row.holidays_off else row.window(on)
        if window is None:
            return None
        opens, closes = max(opens, seconds(window[0])), min(closes, seconds(window[1]))
    return (opens, closes) if opens < closes else None


def describe(place: Place, on: date, *, practice: bool = True, stricter: tuple[LawRow, ...] = ()) -> LawOfDay:
    """Return what the law says about a day in a place, as data for a sentence. A row's own clock is left aside."""
    rows = tuple(row for row in rows_about(place.country, place.region, practice, stricter) if row.in_force(on))
    day_off = holiday(*_as_state(place.country, place.region), on)
    piece = open_piece(rows, on, day_off)
    return LawOfDay(place, on, rows, piece and (as_time(piece[0]), as_time(piece[1])), day_off)


def narrows(row: LawRow, on: date) -> bool:
    """Return whether a row closes anything from ``on`` that the law leaves open in one of the row's places.

    A row that does not is no mistake; it only has no effect as long as the law is what it is.
    """
    on = max(on, row.since or on)
    days = [on + timedelta(days=day) for day in range(len(row.week))]
    for country, region in _places_of(row):
        shipped = rows_about(country, region)
        if row.holidays_off and not any(one.holidays_off and one.in_force(on) for one in shipped):
            return True
        if any(open_piece((*shipped, row), day, "") != open_piece(shipped, day, "") for day in days):
            return True
    return False


def _places_of(row: LawRow) -> set[tuple[str, str]]:
    """Return the place of a row, and every place within it that has a law of its own."""
    places = {(one.country, one.region) for one in shipped_rows() if one.kind != DEFAULT}
    return {(row.country, row.region), *(place for place in places if row.is_about(*place))}


def default_week(country: str) -> Week:
    """Return the window that is proposed to a new store of this country."""
    country, _region = _as_state(country, "")
    proposed = {row.country: row.week for row in shipped_rows() if row.kind == DEFAULT}
    return proposed.get(country, proposed[""])


@lru_cache(maxsize=512)
def law_caps(country: str, region: str) -> LawCap | None:
    """Return how many marketing texts the law of a place allows in what time; None if it names no number."""
    place = _as_state(country, region)
    for data in _entries("cap"):
        if (data["country"], data["region"]) == place:
            return LawCap(data["limit"], timedelta(hours=data["hours"]))
    return None


@lru_cache(maxsize=512)
def law_blocks(country: str) -> str | None:
    """Return why people of a country get no marketing at all, as a code ("registered_templates"); None if they may."""
    return next((data["reason"] for data in _entries("blocked") if data["country"] == country.upper()), None)


def _entries(kind: str) -> Iterator[dict[str, Any]]:
    """Yield the entries of all files, one for each place: some name several at once."""
    for name, country in _FILES.items():
        for data in _file(name).get(kind, ()):
            regions = data.get("regions", [""])
            countries = data.get("countries", {data.get("country", country): data.get("label", "")})
            rest = {key: value for key, value in data.items() if key not in ("regions", "countries", "label")}
            for code, label in countries.items():
                for region in regions:
                    yield {**rest, "country": code, "region": region, **({"label": label} if label else {})}


@lru_cache(maxsize=len(_FILES))
def _file(name: str) -> dict[str, Any]:
    return tomllib.loads((files(__package__) / name).read_text(encoding="utf-8"))


def _as_state(country: str, region: str) -> tuple[str, str]:
    """Territories of the USA are its states, whichever way they are written."""
    return ("US", country) if country in US_TERRITORIES else (country, region)
