"""From what senders texts may come in a country, and what must stand in them: data with its sources. Pure.

The table is ``country_rules.toml``. Countries that are not in it are treated with the most care.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files


class Sender(StrEnum):
    LONG_CODE = "long code"
    TOLL_FREE = "toll-free"
    SHORT_CODE = "short code"
    ALPHANUMERIC = "alphanumeric"


class OptOut(StrEnum):
    """In which marketing texts the words for opting out must stand."""

    EVERY = "every"
    FIRST = "first"


@dataclass(frozen=True, slots=True)
class CountryRules:
    """``known`` says whether the country is in the table. ``blocked`` says why nothing should be sent there."""

    country: str
    senders: frozenset[Sender]
    replies: frozenset[Sender]
    brand: bool = True
    opt_out: OptOut = OptOut.EVERY
    blocked: str = ""
    source: str = ""
    known: bool = True


#: North American toll-free numbers.
_TOLL_FREE = ("+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888")
#: French mobile numbers, which carry no texts of applications.
_FRENCH_MOBILE = ("+336", "+337")


class Misfit(StrEnum):
    """Why a sender does not suit a country."""

    BLOCKED = "blocked"
    KIND = "kind"
    FRENCH_LONG_CODE = "french_long_code"
    NO_REPLIES = "no_replies"


def sender_kind(sender: str) -> Sender:
    """Return what kind of sender a number or name is."""
    digits = sender.strip().removeprefix("+")
    if not digits.isdecimal():
        return Sender.ALPHANUMERIC
    if len(digits) <= 6:
        return Sender.SHORT_CODE
    return Sender.TOLL_FREE if f"+{digits}".startswith(_TOLL_FREE) else Sender.LONG_CODE


def rules_of(country: str) -> CountryRules:
    """Return the rules of a country by its two letters."""
    country = country.upper()
    found = _rules().get(country)
    return found or CountryRules(country, frozenset(Sender), frozenset(Sender) - {Sender.ALPHANUMERIC}, known=False)


def as_of() -> date:
    """Return the day on which the table was last gone through."""
    return date.fromisoformat(str(_table()["as_of"]))


def misfit(sender: str, country: str) -> Misfit | None:
    """Return why texts from ``sender`` do not suit ``country``; None if they do, or if nobody knows."""
    rules, kind = rules_of(country), sender_kind(sender)
    if rules.blocked:
        return Misfit.BLOCKED
    if rules.country == "FR" and sender.replace(" ", "").startswith(_FRENCH_MOBILE):
        return Misfit.FRENCH_LONG_CODE
    if kind not in rules.senders:
        return Misfit.KIND
    return None if kind in rules.replies else Misfit.NO_REPLIES


@lru_cache(maxsize=1)
def _table() -> Mapping[str, object]:
    return tomllib.loads(files(__package__).joinpath("country_rules.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _rules() -> Mapping[str, CountryRules]:
    return {country: _read(country, row) for country, row in _table().items() if isinstance(row, dict)}


def _read(country: str, row: dict[str, object]) -> CountryRules:
    def kinds(name: str) -> frozenset[Sender]:
        values = row[name]
        assert isinstance(values, list)
        return frozenset(Sender(value) for value in values)

    return CountryRules(
        country,
        kinds("senders"),
        kinds("replies"),
        brand=bool(row["brand"]),
        opt_out=OptOut(str(row["opt_out"])),
        blocked=str(row.get("blocked", "")),
        source=str(row["source"]),
    )
