"""Phone numbers as people write them."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.integrations.shopify.phones import to_e164


@pytest.mark.parametrize(
    ("written", "countries", "number"),
    [
        ("+1 202 555 0143", ("DK",), "+12025550143"),
        ("(202) 555-0143", ("US",), "+12025550143"),
        ("20 00 00 12", ("DK",), "+4520000012"),
        ("0045 20 00 00 12", ("DK",), "+4520000012"),
        ("4520000012", ("DK",), "+4520000012"),
        # the address's country comes first, the store's second
        ("20 00 00 12", ("US", "DK"), "+4520000012"),
        ("20 00 00 12", ("dk",), "+4520000012"),
        ("+44 7700 900123", ("US",), "+447700900123"),
    ],
)
def test_numbers_become_e164(written: str, countries: tuple[str, ...], number: str) -> None:
    assert to_e164(written, *countries) == number


@pytest.mark.parametrize(
    "written",
    [
        "",
        "555-555-SHIP",
        "555-555-5555",
        "123-123-1234",
        "20 00 00 12",
        "call me",
        "+1 202 555 0143 ext. 5",
        "+1 202 555 0143x5",
        "+1202555",
        "+999 123 456 789",
        "1" * 60,
        "+",
    ],
)
def test_what_cannot_be_texted_is_no_number(written: str) -> None:
    assert to_e164(written, "US") is None


def test_a_number_without_a_prefix_needs_a_country() -> None:
    assert to_e164("(202) 555-0143") is None
    assert to_e164("+12025550143") == "+12025550143"


@given(st.text(max_size=60), st.sampled_from(["US", "DK", "", "??"]))
def test_anything_written_is_either_a_number_or_none(written: str, country: str) -> None:
    number = to_e164(written, country)
    assert number is None or phonenumbers.is_possible_number(phonenumbers.parse(number))
    assert number is None or to_e164(number) == number
