"""Whose clock counts: every time zone that a person may be in. Pure: no Django.

A phone number says little: people move and keep it, and its prefix names an exchange,
not a home. So where it is not known better, all zones of the state count.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberType,
    number_type,
    parse,
    region_code_for_number,
)
from phonenumbers.geocoder import description_for_number
from phonenumbers.timezone import time_zones_for_number

from smsflow_plugin.audience.regions import zones_of_country, zones_of_place, zones_of_province

#: More zones than this and a phone number tells nothing about the place.
FEW_OF_A_NUMBER = 4
#: More zones than this and a store's own zone is the better guess for people of its own country.
FEW_OF_A_COUNTRY = 4

_OF_A_PLACE = (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


@dataclass(frozen=True, slots=True)
class Zones:
    """The names of all zones that count, at least one, and where they were taken from:

    "contact", "province", "phone", "country" or "store".
    """

    names: tuple[str, ...]
    source: str


@lru_cache(maxsize=50_000)
def candidate_zones(phone: str | None, *, timezone: str, country: str, province: str, store_timezone: str) -> Zones:
    """Return the zones that a person may be in, by what is known best of them.

    ``phone`` is E.164. ``timezone`` is the person's own, which alone counts when it is known.
    """
    if _exists(timezone):
        return Zones((timezone,), "contact")
    of_province = zones_of_province(country, province)
    if of_province:
        return Zones(of_province, "province")
    number = _parsed(phone)
    of_number = _zones_of_number(number) if number else ()
    if of_number:
        return Zones(of_number, "phone")
    if not country and number:
        country = region_code_for_number(number) or ""
    of_country = zones_of_country(country)
    # a store's zone stands in for people of its own country only: elsewhere it would be plainly wrong
    if of_country and (len(of_country) <= FEW_OF_A_COUNTRY or store_timezone not in of_country):
        return Zones(of_country, "country")
    return Zones((store_timezone if _exists(store_timezone) else "UTC",), "store")


def _zones_of_number(number: PhoneNumber) -> tuple[str, ...]:
    if number_type(number) not in _OF_A_PLACE:
        return ()
    names = tuple(name for name in time_zones_for_number(number) if _exists(name))
    if len(names) > FEW_OF_A_NUMBER:
        return ()
    if number.country_code == 1:
        # the library's answer for one exchange is often that of the state's other half
        names = tuple(dict.fromkeys((*zones_of_place(description_for_number(number, "en")), *names)))
    return names


def _parsed(phone: str | None) -> PhoneNumber | None:
    try:
        return parse(phone) if phone else None
    except NumberParseException:
        return None


def _exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
