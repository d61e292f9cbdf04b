"""Who has to confirm by text before they get any: by the country of the number. Pure.

Data with its source; not legal advice. As of November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass

AUTOMATIC, SINGLE, DOUBLE = "", "single", "double"


@dataclass(frozen=True, slots=True)
class DoubleOptIn:
    """``forced``: no form may do without. Else a form may ask for a single opt-in, and loses what ``why`` says."""

    forced: bool
    why: str
    source: str


double_opt_in_countries: dict[str, DoubleOptIn] = {
    "DE": DoubleOptIn(True, "The courts take no other proof of consent.", "UWG §7, §7a; ihk.de/osnabrueck"),
    "AT": DoubleOptIn(True, "The courts take no other proof of consent.", "TKG 2021 §174; to be checked"),
    "US": DoubleOptIn(
        False, "Carriers let cart reminders go to people only who have confirmed by text.", "CTIA; chatitive; attentive"
    ),
    "PR": DoubleOptIn(
        False, "Carriers let cart reminders go to people only who have confirmed by text.", "as in the US"
    ),
}


def needs_confirmation(level: str, *, number_country: str, store_country: str) -> bool:
    """Return whether somebody with a number of ``number_country`` must confirm.

    ``level`` is the form's. The stricter of the number's country and the store's decides: a store in
    Germany has to prove consent there, wherever its customers bought their phones.
    """
    rules = [rule for country in (number_country, store_country) if (rule := double_opt_in_countries.get(country))]
    if level == DOUBLE or any(rule.forced for rule in rules):
        return True
    return level != SINGLE and bool(rules)
