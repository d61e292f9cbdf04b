"""Where consent must be confirmed by text, by country and by what is sent. Data with its source, and pure.

One table for forms (who is asked to confirm) and for the built-in rules (``governance.policy``: who may get reminders
of a cart). A store may ask for more than this. Not legal advice: each row names what it follows, and as of when.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

#: The programme of reminders of a cart that was left.
CART = "cart"

#: What a form asks for: what the countries need, a single opt-in, a double one.
AUTOMATIC, SINGLE, DOUBLE = "", "single", "double"


@dataclass(frozen=True, slots=True)
class OptInRule:
    """In ``country`` an opt-in counts for ``programme`` (empty: for any marketing) only once it is confirmed."""

    country: str
    programme: str
    why: str
    follows: str
    as_of: date

    @property
    def forced(self) -> bool:
        """Whether no form may do without. Else a form may ask for a single opt-in, and loses the programme."""
        return not self.programme


_PROOF = "The courts take no other proof of consent."
_CARRIERS = "Carriers let cart reminders go to people only who have confirmed by text."

RULES: tuple[OptInRule, ...] = (
    OptInRule("DE", "", _PROOF, "UWG §7, §7a; ihk.de/osnabrueck", date(2026, 11, 1)),
    OptInRule("AT", "", _PROOF, "TKG 2021 §174; to be checked", date(2026, 11, 1)),
    OptInRule(
        "US", CART, _CARRIERS, "Abandoned-cart rule (T-Mobile 2020); CTIA; chatitive; attentive", date(2026, 11, 1)
    ),
    OptInRule("PR", CART, _CARRIERS, "As in the US", date(2026, 11, 1)),
    OptInRule("CA", CART, _CARRIERS, "Toll-free verification, as in the US", date(2026, 11, 1)),
)


def countries(programme: str) -> frozenset[str]:
    """Return where an opt-in for ``programme`` (empty: for any marketing) must be confirmed."""
    return frozenset(rule.country for rule in RULES if rule.programme in ("", programme))


def rules_for(country: str) -> tuple[OptInRule, ...]:
    """Return the rules that speak, for whoever asks why."""
    return tuple(rule for rule in RULES if rule.country == country.upper())


def is_forced(country: str) -> bool:
    """Return whether no form may do without a confirmation in ``country``."""
    return any(rule.forced for rule in rules_for(country))


def needs_confirmation(level: str, *, number_country: str, store_country: str) -> bool:
    """Return whether somebody with a number of ``number_country`` must confirm.

    ``level`` is the form's. The stricter of the number's country and the store's decides: a store in
    Germany has to prove consent there, wherever its customers bought their phones.
    """
    rules = (*rules_for(number_country), *rules_for(store_country))
    if level == DOUBLE or any(rule.forced for rule in rules):
        return True
    return level != SINGLE and bool(rules)
