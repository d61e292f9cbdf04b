"""The number that somebody types into a form: read strictly, as a text that goes nowhere helps nobody. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

#: What no person carries in a pocket. Of many countries nobody can tell mobile from fixed: those stay.
_REFUSED = {
    PhoneNumberType.FIXED_LINE: "landline",
    PhoneNumberType.PREMIUM_RATE: "special",
    PhoneNumberType.SHARED_COST: "special",
    PhoneNumberType.TOLL_FREE: "special",
    PhoneNumberType.UAN: "special",
    PhoneNumberType.PAGER: "special",
    PhoneNumberType.VOICEMAIL: "special",
    PhoneNumberType.PERSONAL_NUMBER: "special",
}
#: Satellites and numbers of no country: "001" in the library.
_NO_COUNTRY = "001"
LONGEST = 40


class NotUsable(ValueError):
    """Nobody can be texted at what was typed. The message is the key of a sentence in ``page_words``."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number that can get texts. ``region`` is that of the number itself: +44 7911 123456 is Guernsey."""

    e164: str
    region: str
    dial_code: int

    @property
    def prefix(self) -> str:
        """The number without its last four digits: whoever pumps texts rents numbers by the block."""
        return self.e164[:-4]


def read_number(text: str, country: str) -> Number:
    """Return the number; without a prefix it is one of ``country``.

    :raises NotUsable: with what is wrong with it.
    """
    text = text.strip()
    if not text:
        raise NotUsable("number_missing")
    if len(text) > LONGEST or re.search(r"[A-Za-z]", text):
        raise NotUsable("number_wrong")
    try:
        number = phonenumbers.parse(text, country.upper() or None)
    except phonenumbers.NumberParseException:
        raise NotUsable("number_wrong") from None
    region = phonenumbers.region_code_for_number(number)
    if number.extension or not phonenumbers.is_valid_number(number) or not region or region == _NO_COUNTRY:
        raise NotUsable("number_wrong")
    refused = _REFUSED.get(phonenumbers.number_type(number))
    if refused:
        raise NotUsable(f"number_{refused}")
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return Number(e164, region, number.country_code or 0)


def dial_prefix(country: str) -> str:
    """Return the prefix of a country ("+45"); there is always one, if only "+"."""
    return f"+{phonenumbers.country_code_for_region(country.upper()) or ''}"


def masked(e164: str) -> str:
    """Return what may be shown of a number to whoever holds its link."""
    return f"•••• {e164[-2:]}"
