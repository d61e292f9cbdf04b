"""Which time zones the states of the USA and the provinces of Canada lie in, and every country's zones. Pure."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

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
_BY_COUNTRY = {"US": US_STATES, "CA": CA_PROVINCES}
_CODES = {entry[0]: (country, code) for country, table in _BY_COUNTRY.items() for code, entry in table.items()}
_CODES["British Colombia"] = ("CA", "BC")  # so spelt in phonenumbers


def zones_of_province(country: str, province: str) -> tuple[str, ...]:
    """Return the zones of a state or province by its code; none when it is not known."""
    return _BY_COUNTRY.get(country.upper(), {}).get(province.upper(), ())[1:]


def zones_of_place(description: str) -> tuple[str, ...]:
    """Return the zones of the state in "Gary, IN" or "Indiana": all of them, wherever in it the place lies.

    The library names some area codes after several provinces: "Nova Scotia/Prince Edward Island".
    """
    found: dict[str, None] = {}
    for state in description.rpartition(", ")[2].split("/"):
        country, code = _CODES.get(state, ("", state))
        for table in (_BY_COUNTRY[country],) if country else _BY_COUNTRY.values():
            found.update(dict.fromkeys(table.get(code, ())[1:]))
    return tuple(found)


def zones_of_country(country: str) -> tuple[str, ...]:
    """Return the zones of a country by its code; none when it is not known."""
    return _zone_table().get(country.upper(), ())


@lru_cache(maxsize=1)
def _zone_table() -> dict[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _coordinates, name = line.split("\t")[:3]
            table[country] = (*table.get(country, ()), name)
    return table
