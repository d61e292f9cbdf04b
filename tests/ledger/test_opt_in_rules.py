"""How sure a consent must be, by country and by what is sent."""

from __future__ import annotations

import pytest

from smsflow_plugin.audience.opt_in_rules import RULES, is_enough, needed_level, rules_for


@pytest.mark.parametrize(
    ("country", "programme", "level"),
    [
        ("US", "", "single"),
        ("US", "cart", "confirmed"),
        ("us", "cart", "confirmed"),
        ("CA", "cart", "confirmed"),
        ("DE", "", "confirmed"),
        ("DE", "cart", "confirmed"),
        ("DK", "cart", "single"),
        ("", "", "single"),
    ],
)
def test_the_country_and_the_kind_of_text_say_what_it_takes(country: str, programme: str, level: str) -> None:
    assert needed_level(country, programme) == level


def test_a_store_asks_for_more_and_never_for_less() -> None:
    assert needed_level("US", store_asks="confirmed") == "confirmed"
    assert needed_level("DE", store_asks="single") == "confirmed"


def test_no_consent_is_never_enough() -> None:
    assert [is_enough(level, "single") for level in ("", "single", "confirmed")] == [False, True, True]
    assert [is_enough(level, "confirmed") for level in ("", "single", "confirmed")] == [False, False, True]


def test_every_rule_says_what_it_follows() -> None:
    assert all(rule.follows and rule.as_of for rule in RULES)
    assert [rule.country for rule in rules_for("us", "cart")] == ["US"]
