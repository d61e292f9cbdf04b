"""Phone numbers as people write them, to E.164. Pure."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumber, PhoneNumberFormat, ValidationResult

#: North America, whose plan is fixed: what phonenumbers does not know there, does not exist.
NANP = 1


def to_e164(text: str, *countries: str) -> str | None:
    """Return the number in E.164, or None if it is no number that can be texted.

    Without a prefix it is read as a number of the first of ``countries`` (two letters)
    where it is one.
    """
    for country in countries or ("",):
        number = _parsed(text, country.upper())
        if number is not None and _can_be_texted(number):
            return phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return None


def _parsed(text: str, country: str) -> PhoneNumber | None:
    # "555-555-SHIP" parses as a number; nobody's phone is written like that
    if not text or len(text) > 40 or re.search(r"[A-Za-z]{3}", text):
        return None
    try:
        return phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        return None


def _can_be_texted(number: PhoneNumber) -> bool:
    if number.extension:
        return False
    if phonenumbers.is_valid_number(number):
        return True
    # elsewhere operators hand out ranges before phonenumbers hears of them
    return number.country_code != NANP and _is_plausible(number)


def _is_plausible(number: PhoneNumber) -> bool:
    """Return whether the number has the length and the shape of its country's numbers."""
    region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    metadata = PhoneMetadata.metadata_for_region(region, None)
    pattern = metadata.general_desc.national_number_pattern if metadata and metadata.general_desc else None
    return (
        phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
        and pattern is not None
        and re.fullmatch(pattern, phonenumbers.national_significant_number(number)) is not None
    )


def why_unusable(text: str) -> str:
    """Return why ``to_e164`` makes no number of ``text``: "letters", "short", "long", "country" or "unknown"."""
    if re.search(r"[A-Za-z]{3}", text):
        return "letters"
    digits = len(re.sub(r"\D", "", text))
    if digits < 7:
        return "short"
    if digits > 15:
        return "long"
    if not text.lstrip().startswith("+"):
        return "country"
    return "unknown"
