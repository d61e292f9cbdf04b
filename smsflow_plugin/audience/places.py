"""Where a person may be: every place that something is known for, and how it is known. Pure: no Django.

A text goes out only when it is a decent and lawful hour in all of them, so each thing that is known adds its places:

* a zone that was captured (in the browser, at the checkout), and the address, by state and postcode
* the area code of a number of the USA or Canada: all zones of its state, as people move within it
* the zones that the phonenumbers library names for the number, if they are few
* the zones of the country, when nothing closer is known in it; the store's own zone, when nothing is known at all

Numbers that belong to no place (toll-free, premium, personal) say nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from zoneinfo import ZoneInfo

from phonenumbers import NumberParseException, PhoneNumberType, number_type, parse, region_code_for_number
from phonenumbers.timezone import time_zones_for_number

from smsflow_plugin.audience.prefixes import area_code, state_of_postcode, zone_of_postcode
from smsflow_plugin.audience.regions import (
    US_TERRITORIES,
    clocks_of_country,
    country_of_zone,
    present_name,
    zones_of_country,
    zones_of_province,
)

#: More zones than this and a phone number tells nothing about the place.
FEW_OF_A_NUMBER = 4

_OF_A_PLACE = (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


@dataclass(frozen=True, slots=True)
class Place:
    """One candidate for where a person may be.

    ``zone`` is the name of a time zone that exists. ``country`` is ISO 3166 alpha-2, ``region``
    the code of a state or province ("TX"); empty where unknown.
    ``source``: "captured", "address", "area_code", "split_state" (another zone of the same state),
    "number" (what the phonenumbers library says), "country" or "store".
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
    """Return every place where a person may be, the most likely first; never none.

    ``phone`` is E.164, ``timezone`` was captured from the person's own device. A ``timezone_source``
    of "store" says that it was not: then it says nothing about the person.
    """
    country, region = _of_address(country, province, postcode)
    captured = _captured(timezone, country, region) if timezone_source != "store" else None
    # browsers that hide where they are say UTC
    here = (captured,) if captured and captured.country else ()
    address = tuple(_in_region(country, region, postcode))
    number = tuple(_of_number(phone))
    if not any(place.country == country for place in (*here, *address, *number)):
        address = tuple(replace(place, region=region) for place in _of_country(country, store_timezone))
    found = _without_repeats((*here, *address, *number)) or _far_from(phone, store_timezone)
    return found or (captured or _of_store(store_timezone, store_country),)


def exists(zone: str) -> bool:
    """Return whether there is a time zone of this name."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):  # unknown, malformed, or a folder such as "America"
        return False
    return True


def _of_address(country: str, province: str, postcode: str) -> tuple[str, str]:
    """Return the country and the state of an address; territories of the USA become its states."""
    country, region = country.strip().upper(), province.strip().upper()
    if country in US_TERRITORIES:
        return "US", country
    region = region.removeprefix(f"{country}-")
    return country, region or state_of_postcode(country, postcode)


def _in_region(country: str, region: str, postcode: str, zone: str = "", source: str = "address") -> Iterator[Place]:
    """Yield all zones of a state, ``zone`` first; the postcode may name the only one."""
    zones = zones_of_province(country, region)
    of_postcode = zone_of_postcode(country, postcode) if postcode else ""
    if of_postcode in zones:
        zones = (of_postcode,)
    elif zone in zones:
        zones = (zone, *(other for other in zones if other != zone))
    for position, name in enumerate(zones):
        yield Place(name, country, region, "split_state" if position else source)


def _captured(zone: str, country: str, region: str) -> Place | None:
    """A captured zone of the address's own state says that the person is at home; any other that they are away."""
    if not exists(zone):
        return None
    zone = present_name(zone)
    of_region = zones_of_province(country, region)
    if zone in of_region or (not of_region and country and country_of_zone(zone) == country):
        return Place(zone, country, region, "captured")
    return _in_its_country(zone, country_of_zone(zone), "captured")


def _of_number(phone: str | None) -> Iterator[Place]:
    """Yield the states of the area code, and what the library says on top."""
    if not phone:
        return
    zones = set()
    code = area_code(phone)
    if code:
        for region in code.regions:
            for place in _in_region(code.country, region, "", code.zone, "area_code"):
                zones.add(place.zone)
                yield place
    # the library knows no more of a number than its exchange, of which there are few
    country, names = _of_library(f"{phone[:8]}0000" if code else phone)
    if len(names) <= FEW_OF_A_NUMBER:
        # the library's answer for one exchange is often the state's other half: it adds to it, and never counts alone
        yield from (_in_its_country(name, country, "number") for name in names if name not in zones)


@lru_cache(maxsize=16_384)
def _of_library(phone: str) -> tuple[str, tuple[str, ...]]:
    """Return the country and the zones that the library names for a number; nothing if it belongs to no place."""
    try:
        number = parse(phone)
    except NumberParseException:
        return "", ()
    kind = number_type(number)
    country = region_code_for_number(number) or ""
    if kind == PhoneNumberType.UNKNOWN:  # given out since the library was made, or by nobody
        return country, clocks_of_country(country)
    if kind not in _OF_A_PLACE:
        return "", ()
    names = tuple(name for name in time_zones_for_number(number) if exists(name))
    # British numbers are said to be of the Channel Islands as well
    own = tuple(name for name in names if name in zones_of_country(country))
    return country, own or names


def _of_country(country: str, store_timezone: str) -> tuple[Place, ...]:
    """Return the clocks of a whole country; in a wide one people are likely where the store is."""
    zones = clocks_of_country(country)
    if len(zones) > 1 and store_timezone in zones_of_country(country):
        zones = (store_timezone, *(zone for zone in zones if zone != store_timezone))
    return tuple(_in_its_country(zone, country, "country") for zone in zones)


def _far_from(phone: str | None, store_timezone: str) -> tuple[Place, ...]:
    """Return the zones of the number's country, however many, when nothing else is known."""
    return _of_country(_of_library(phone)[0], store_timezone) if phone else ()


def _of_store(timezone: str, country: str) -> Place:
    zone = timezone if exists(timezone) else "UTC"
    return _in_its_country(zone, country.upper() or country_of_zone(present_name(zone)), "store")


def _in_its_country(zone: str, country: str, source: str) -> Place:
    return Place(zone, "US", country, source) if country in US_TERRITORIES else Place(zone, country, "", source)


def _without_repeats(places: Iterable[Place]) -> tuple[Place, ...]:
    """Return each zone of a state once, with its best source."""
    found: dict[tuple[str, str, str], Place] = {}
    for place in places:
        found.setdefault((place.zone, place.country, place.region), place)
    return tuple(found.values())
