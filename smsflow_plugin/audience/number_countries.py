"""Which country a phone number is of: what a text to it costs goes by that. Pure: no Django.

Parsing a number takes longer than everything else that a pump does for a text, so most are told by their prefix.
"""

from __future__ import annotations

from functools import lru_cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, NumberParseException, parse, region_code_for_number

#: In North America the first three digits after the 1 say which country it is.
_NORTH_AMERICA = "+1"
_AREA_CODE = 5
#: Where countries share a prefix (+44: Great Britain, Jersey, …), so many characters tell them apart.
_ENOUGH = 9
_NO_COUNTRY = "001"


def country_of(number: str) -> str:
    """Return the country of an E.164 number as ISO 3166 alpha-2, "" if it is of none or not known."""
    if number.startswith(_NORTH_AMERICA):
        return _by_prefix(number[:_AREA_CODE], len(number)) or _by_prefix(number, 0)
    return _alone(number[:4]) or _by_prefix(number[:_ENOUGH], len(number)) or _by_prefix(number, 0)


@lru_cache(maxsize=2_000)
def _alone(start: str) -> str:
    """Return the country of a prefix that it shares with no other, "" if there is none."""
    for digits in (3, 2, 1):
        code = start[1 : 1 + digits]
        regions = COUNTRY_CODE_TO_REGION_CODE.get(int(code)) if code.isdecimal() else None
        if regions:
            return regions[0] if len(regions) == 1 and regions[0] != _NO_COUNTRY else ""
    return ""


@lru_cache(maxsize=20_000)
def _by_prefix(start: str, length: int) -> str:
    """Return the country of the numbers that begin so; ``length`` 0 says that ``start`` is the whole number."""
    try:
        number = parse(start.ljust(length, "2"))
    except NumberParseException:
        return ""
    region = region_code_for_number(number)
    return region if region and region != _NO_COUNTRY else ""
