"""Where consent must be confirmed: one table for forms and for the rules that come built in."""

from __future__ import annotations

import pytest

from smsflow_plugin.audience.opt_in_rules import RULES, countries, is_forced, needs_confirmation, rules_for
from smsflow_plugin.governance.policy import PolicyRules


def test_the_built_in_rules_are_those_of_the_table() -> None:
    assert PolicyRules().double_opt_in_countries == countries("") == {"DE", "AT"}
    assert PolicyRules().cart_countries == {"US", "PR", "CA"}
    assert all(needs_confirmation("", number_country=code, store_country="") for code in PolicyRules().cart_countries)


@pytest.mark.parametrize(("country", "forced"), [("DE", True), ("de", True), ("US", False), ("DK", False), ("", False)])
def test_some_countries_leave_a_form_no_choice(country: str, forced: bool) -> None:
    assert is_forced(country) is forced


def test_every_rule_says_what_it_follows() -> None:
    assert all(rule.why and rule.follows and rule.as_of for rule in RULES)
    assert [rule.country for rule in rules_for("us")] == ["US"]
    assert len({(rule.country, rule.programme) for rule in RULES}) == len(RULES)
