"""Which time zones the states of the USA, Canada and Australia lie in, and every country's zones. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

_EAST, _CENTRAL, _MOUNTAIN, _PACIFIC = "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"

# State: its name, then its zones, the larger part first. Split states list all of them.
US_STATES: dict[str, tuple[str, ...]] = {
    "AL": ("Alabama", _CENTRAL),
    "AK": ("Alaska", "America/Anchorage", "America/Adak"),
    "AZ": ("Arizona", "America/Phoenix", _MOUNTAIN),
    "AR": ("Arkansas", _CENTRAL),
    "CA": ("California", _PACIFIC),
    "CO": ("Colorado", _MOUNTAIN),
    "CT": ("Connecticut", _EAST),
    "DE": ("Delaware", _EAST),
    "DC": ("Washington D.C.", _EAST),
    "FL": ("Florida", _EAST, _CENTRAL),
    "GA": ("Georgia", _EAST),
    "HI": ("Hawaii", "Pacific/Honolulu"),
    "ID": ("Idaho", "America/Boise", _PACIFIC),
    "IL": ("Illinois", _CENTRAL),
    "IN": ("Indiana", "America/Indiana/Indianapolis", _CENTRAL),
    "IA": ("Iowa", _CENTRAL),
    "KS": ("Kansas", _CENTRAL, _MOUNTAIN),
    "KY": ("Kentucky", _EAST, _CENTRAL),
    "LA": ("Louisiana", _CENTRAL),
    "ME": ("Maine", _EAST),
    "MD": ("Maryland", _EAST),
    "MA": ("Massachusetts", _EAST),
    "MI": ("Michigan", "America/Detroit", _CENTRAL),
    "MN": ("Minnesota", _CENTRAL),
    "MS": ("Mississippi", _CENTRAL),
    "MO": ("Missouri", _CENTRAL),
    "MT": ("Montana", _MOUNTAIN),
    "NE": ("Nebraska", _CENTRAL, _MOUNTAIN),
    "NV": ("Nevada", _PACIFIC, _MOUNTAIN),
    "NH": ("New Hampshire", _EAST),
    "NJ": ("New Jersey", _EAST),
    "NM": ("New Mexico", _MOUNTAIN),
    "NY": ("New York", _EAST),
    "NC": ("North Carolina", _EAST),
    "ND": ("North Dakota", _CENTRAL, _MOUNTAIN),
    "OH": ("Ohio", _EAST),
    "OK": ("Oklahoma", _CENTRAL),
    "OR": ("Oregon", _PACIFIC, _MOUNTAIN),
    "PA": ("Pennsylvania", _EAST),
    "RI": ("Rhode Island", _EAST),
    "SC": ("South Carolina", _EAST),
    "SD": ("South Dakota", _CENTRAL, _MOUNTAIN),
    "TN": ("Tennessee", _CENTRAL, _EAST),
    "TX": ("Texas", _CENTRAL, _MOUNTAIN),
    "UT": ("Utah", _MOUNTAIN),
    "VT": ("Vermont", _EAST),
    "VA": ("Virginia", _EAST),
    "WA": ("Washington State", _PACIFIC),
    "WV": ("West Virginia", _EAST),
    "WI": ("Wisconsin", _CENTRAL),
    "WY": ("Wyoming", _MOUNTAIN),
    "PR": ("Puerto Rico", "America/Puerto_Rico"),
    "VI": ("U.S. Virgin Islands", "America/St_Thomas"),
    "GU": ("Guam", "Pacific/Guam"),
    "MP": ("Northern Mariana Islands", "Pacific/Saipan"),
    "AS": ("American Samoa", "Pacific/Pago_Pago"),
}
CA_PROVINCES: dict[str, tuple[str, ...]] = {
    "AB": ("Alberta", "America/Edmonton"),
    "BC": ("British Columbia", "America/Vancouver", "America/Edmonton"),
    "MB": ("Manitoba", "America/Winnipeg"),
    "NB": ("New Brunswick", "America/Moncton"),
    "NL": ("Newfoundland and Labrador", "America/St_Johns", "America/Halifax"),
    "NS": ("Nova Scotia", "America/Halifax"),
    "NT": ("Northwest Territories", "America/Edmonton"),
    "NU": ("Nunavut", "America/Iqaluit", "America/Rankin_Inlet", "America/Edmonton"),
    "ON": ("Ontario", "America/Toronto", "America/Winnipeg"),
    "PE": ("Prince Edward Island", "America/Halifax"),
    "QC": ("Quebec", "America/Toronto", "America/Halifax"),
    "SK": ("Saskatchewan", "America/Regina", "America/Edmonton"),
    "YT": ("Yukon", "America/Whitehorse"),
}
AU_STATES: dict[str, tuple[str, ...]] = {
    "ACT": ("Australian Capital Territory", "Australia/Sydney"),
    "NSW": ("New South Wales", "Australia/Sydney", "Australia/Broken_Hill", "Australia/Lord_Howe"),
    "NT": ("Northern Territory", "Australia/Darwin"),
    "QLD": ("Queensland", "Australia/Brisbane"),
    "SA": ("South Australia", "Australia/Adelaide"),
    "TAS": ("Tasmania", "Australia/Hobart"),
    "VIC": ("Victoria", "Australia/Melbourne"),
    "WA": ("Western Australia", "Australia/Perth", "Australia/Eucla"),
}
STATES_OF = {"US": US_STATES, "CA": CA_PROVINCES, "AU": AU_STATES}

#: Parts of the USA that have a country code of their own, and the law of the USA.
US_TERRITORIES = frozenset({"PR", "VI", "GU", "MP", "AS"})

#: Where tzdata does not name the zone of most people first.
_MOST_PEOPLE = {
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv",
}

#: Zones count as one clock when they read the same once a week in these years.
_ALIKE_FROM, _ALIKE_WEEKS = datetime(2025, 1, 1, tzinfo=UTC), 13 * 52


def name_of_region(country: str, region: str) -> str:
    """Return the English name of a state or province by its code; empty when it is not known."""
    return STATES_OF.get(country, {}).get(region, ("",))[0]


@lru_cache(maxsize=1)
def names_of_countries() -> dict[str, str]:
    """Return the English name of every country that has a zone, by its code."""
    lines = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8").splitlines()
    names = dict(line.split("\t")[:2] for line in lines if line and not line.startswith("#"))
    # tzdata keeps its names short for lists of zones; people look for these under other ones
    names |= {"US": "United States", "GB": "United Kingdom"}
    return {code: name for code, name in names.items() if zones_of_country(code)}


def zones_of_province(country: str, province: str) -> tuple[str, ...]:
    """Return the zones of a state or province by its code, that of most people first; none when it is not known."""
    return STATES_OF.get(country.upper(), {}).get(province.upper(), ())[1:]


def zones_of_country(country: str) -> tuple[str, ...]:
    """Return the zones of a country by its code; none when it is not known."""
    return _zone_table()[0].get(country.upper(), ())


def country_of_zone(zone: str) -> str:
    """Return the country that a zone belongs to; empty for zones such as UTC."""
    return _zone_table()[1].get(zone, "")


def present_name(zone: str) -> str:
    """Return the name that the tables know for an older one: browsers still say "Asia/Calcutta"."""
    countries, aliases = _zone_table()[1], _aliases()
    while zone not in countries and zone in aliases:
        zone = aliases[zone]
    return zone


@lru_cache(maxsize=512)
def clocks_of_country(country: str) -> tuple[str, ...]:
    """Return a country's zones, that of most people first, without those whose clocks read as one before them."""
    zones = zones_of_country(country)
    first = _MOST_PEOPLE.get(country.upper())
    if first:
        zones = (first, *(zone for zone in zones if zone != first))
    apart: dict[tuple[timedelta | None, ...], str] = {}
    for zone in zones:
        apart.setdefault(_readings(zone), zone)
    return tuple(apart.values())


def _readings(zone: str) -> tuple[timedelta | None, ...]:
    clock = ZoneInfo(zone)
    moments = (_ALIKE_FROM + timedelta(weeks=week) for week in range(_ALIKE_WEEKS))
    return tuple(moment.astimezone(clock).utcoffset() for moment in moments)


@lru_cache(maxsize=1)
def _zone_table() -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    zones: dict[str, tuple[str, ...]] = {}
    countries: dict[str, str] = {}
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _coordinates, name = line.split("\t")[:3]
            zones[country] = (*zones.get(country, ()), name)
            countries[name] = country
    return zones, countries


@lru_cache(maxsize=1)
def _aliases() -> dict[str, str]:
    lines = (files("tzdata") / "zoneinfo" / "tzdata.zi").read_text(encoding="utf-8").splitlines()
    return {alias: name for kind, name, alias in (line.split() for line in lines if line.startswith("L "))}
