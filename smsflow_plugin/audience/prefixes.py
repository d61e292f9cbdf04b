"""What the first digits of a phone number or a postcode say about the place, read from the tables beside it. Pure.

A number's area code names the place where it was given out; people move and keep it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

#: How long "+1" with an area code and a number is.
_NORTH_AMERICAN = len("+12025550123")


@dataclass(frozen=True, slots=True)
class AreaCode:
    """The country, its states or provinces, and the zone of most people there when it is not that of the state."""

    country: str
    regions: tuple[str, ...]
    zone: str = ""


def area_code(phone: str) -> AreaCode | None:
    """Return what the area code of an E.164 number of the USA or Canada says; None for any other number."""
    if not phone.startswith("+1") or len(phone) != _NORTH_AMERICAN:
        return None
    return area_codes().get(phone[2:5])


@lru_cache(maxsize=1)
def area_codes() -> dict[str, AreaCode]:
    """Return all area codes of the USA and Canada that belong to a place."""
    data = _table("area_codes.toml")
    likely = {code: zone for zone, codes in data.pop("likely").items() for code in codes.split()}
    found: dict[str, AreaCode] = {}
    for country, regions in data.items():
        for region, codes in regions.items():
            for code in codes.split():
                others = found[code].regions if code in found else ()
                found[code] = AreaCode(country, (*others, region), likely.get(code, ""))
    return found


def state_of_postcode(country: str, postcode: str) -> str:
    """Return the state, province or department of a postcode; empty when the table does not tell."""
    return _by_postcode(country, "states", postcode)


def zone_of_postcode(country: str, postcode: str) -> str:
    """Return the zone of a part of a split state that lies in this zone for sure; else empty."""
    return _by_postcode(country, "zones", postcode)


def _by_postcode(country: str, kind: str, postcode: str) -> str:
    """The longest prefix in the table wins."""
    table = _postcodes().get((country, kind))
    if not table:
        return ""
    start = postcode.strip().upper()
    return next((table[start[:end]] for end in range(min(len(start), 5), 0, -1) if start[:end] in table), "")


@lru_cache(maxsize=1)
def _postcodes() -> dict[tuple[str, str], dict[str, str]]:
    return {
        (country, kind): {prefix: name for name, ranges in table.items() for prefix in _spelt_out(ranges)}
        for country, kinds in _table("postcodes.toml").items()
        for kind, table in kinds.items()
    }


def _spelt_out(ranges: str) -> Iterator[str]:
    """Yield "060", "061", "062" and "064" of "060-062 064"."""
    for part in ranges.split():
        first, _dash, last = part.partition("-")
        if not last:
            yield first
            continue
        for number in range(int(first), int(last) + 1):
            yield f"{number:0{len(first)}}"


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads((files(__package__) / name).read_text(encoding="utf-8"))
