"""Where a person may be: the candidates for whose clock and whose law count. Pure: no Django."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Place:
    """One candidate for where a person may be.

    ``zone`` is an IANA name that exists, ``country`` ISO 3166 alpha-2, ``region`` the code of a state or
    province; the last two are empty where they are not known. ``source`` says what it was taken from:
    "address", "captured", "area_code", "split_state", "number", "country" or "store".
    """

    zone: str
    country: str = ""
    region: str = ""
    source: str = ""


@lru_cache(maxsize=50_000)
def candidate_places(
    phone: str | None,
    *,
    timezone: str,
    timezone_source: str = "",
    country: str,
    province: str,
    postcode: str = "",
    store_timezone: str,
    store_country: str = "",
) -> tuple[Place, ...]:
    """Return everywhere where a person may be, the most likely first; never empty."""
    from smsflow_plugin.audience.zones import candidate_zones

    found = candidate_zones(phone, timezone=timezone, country=country, province=province, store_timezone=store_timezone)
    return tuple(Place(name, country, province, found.source) for name in found.names)
