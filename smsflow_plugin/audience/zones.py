"""The names of all time zones that a person may be in, for those who need no more of a place. Pure: no Django."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from smsflow_plugin.audience.places import candidate_places


@dataclass(frozen=True, slots=True)
class Zones:
    """The names of all zones that count, at least one and the most likely first, and how the first one is known."""

    names: tuple[str, ...]
    source: str


@lru_cache(maxsize=50_000)
def candidate_zones(phone: str | None, *, timezone: str, country: str, province: str, store_timezone: str) -> Zones:
    """Return the zones of ``candidate_places``, each once."""
    places = candidate_places(
        phone, timezone=timezone, country=country, province=province, store_timezone=store_timezone
    )
    return Zones(tuple(dict.fromkeys(place.zone for place in places)), places[0].source)
