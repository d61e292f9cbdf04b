"""How sure a consent must be, by country and by what is sent: single or confirmed. Data, and pure.

A store may ask for more than this, and never for less. Not legal advice: each rule names what it
follows, and as of when.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from smsflow_plugin.audience.consent import CONFIRMED, SINGLE

#: The programme of reminders of a cart that was left.
CART = "cart"

#: What everybody may use where no rule says anything.
DEFAULT = SINGLE


@dataclass(frozen=True, slots=True)
class OptInRule:
    """A rule of one country; ``programme`` empty is for all of its marketing texts."""

    country: str
    programme: str
    level: str
    follows: str
    as_of: date


RULES: tuple[OptInRule, ...] = (
    OptInRule(
        "US",
        CART,
        CONFIRMED,
        "Carriers' abandoned-cart rule (T-Mobile 2020, toll-free verification)",
        date(2026, 11, 1),
    ),
    OptInRule("CA", CART, CONFIRMED, "Toll-free verification, as in the US", date(2026, 11, 1)),
    OptInRule("DE", "", CONFIRMED, "UWG § 7: a double opt-in is the standard of proof", date(2026, 11, 1)),
)


def needed_level(country: str, programme: str = "", *, store_asks: str = SINGLE) -> str:
    """Return the level that a marketing text needs to somebody in ``country`` (two letters)."""
    if CONFIRMED in (DEFAULT, store_asks):
        return CONFIRMED
    levels = {rule.level for rule in rules_for(country, programme)}
    return CONFIRMED if CONFIRMED in levels else SINGLE


def rules_for(country: str, programme: str = "") -> tuple[OptInRule, ...]:
    """Return the rules that speak, for whoever asks why."""
    return tuple(rule for rule in RULES if rule.country == country.upper() and rule.programme in ("", programme))


def is_enough(level: str, needed: str) -> bool:
    """Return whether a consent of ``level`` ("" is none) will do."""
    return level == CONFIRMED or (level == SINGLE and needed == SINGLE)
