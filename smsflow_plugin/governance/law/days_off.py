"""Public holidays of a place, by the holidays library. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

from holidays import country_holidays


def holiday(country: str, region: str, on: date) -> str:
    """Return the name of the public holiday in this state or country; empty when it is none, or not known.

    A region that the library does not know has its country's holidays.
    """
    return _of_year(country, region, on.year).get(on, "") if country else ""


@lru_cache(maxsize=4096)
def _of_year(country: str, region: str, year: int) -> Mapping[date, str]:
    try:
        found = country_holidays(country, subdiv=region or None, years=year, language="en_US")
    except NotImplementedError:
        return _of_year(country, "", year) if region else {}
    # as plain values: the library would go on to work out every year that is asked for
    return {day: str(name) for day, name in found.items()}
