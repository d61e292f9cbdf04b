"""Levels of rules: a lower one may be tighter, and looser only where the one above allows it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.governance.hours import Window
from smsflow_plugin.governance.policy import (
    OWN_FACTS,
    SETTINGS,
    TIGHTER,
    Cap,
    Effective,
    Layer,
    Level,
    PolicyRules,
    Scope,
    for_flow,
    merge,
)

DAY: Window = (time(9), time(20))
SHORT: Window = (time(10), time(18))
LATE: Window = (time(11), time(21))


def merged(site: Mapping[str, Any], store: Mapping[str, Any], *, free: tuple[str, ...] = ()) -> Effective:
    return merge([Layer(Level.SITE, site, frozenset(free)), Layer(Level.STORE, store)])


def test_what_no_level_sets_is_built_in() -> None:
    effective = merged({}, {})
    assert effective.rules == PolicyRules()
    assert set(effective.origin.values()) == {Level.BUILT_IN}


def test_what_is_built_in_is_a_start_and_no_limit() -> None:
    effective = merged({}, {"minimum_gap": 0, "caps": (Cap(9, "day"),)})
    assert (effective.rules.minimum_gap, effective.rules.caps) == (0, (Cap(9, "day"),))
    assert effective.origin["minimum_gap"] is Level.STORE


@pytest.mark.parametrize(
    ("name", "site", "tighter", "looser"),
    [
        ("minimum_gap", 60, 90, 30),
        ("strict", True, True, False),
        ("budget_day", Decimal(10), Decimal(5), Decimal(20)),
        ("discounts", 2, 1, 3),
        ("discount_days", 30, 60, 7),
        ("recent_buyer_hours", 24, 48, 0),
        ("price_ceiling", Decimal("0.05"), Decimal("0.01"), Decimal("0.10")),
    ],
)
def test_a_store_may_be_tighter_than_the_site_and_not_looser(name: str, site: Any, tighter: Any, looser: Any) -> None:
    assert getattr(merged({name: site}, {name: tighter}).rules, name) == tighter
    refused = merged({name: site}, {name: looser})
    assert getattr(refused.rules, name) == site
    assert refused.origin[name] is Level.SITE
    assert refused.overruled == {name: Level.STORE}
    allowed = merged({name: site}, {name: looser}, free=(name,))
    assert getattr(allowed.rules, name) == looser
    assert (allowed.origin[name], allowed.overruled) == (Level.STORE, {})


def test_hours_are_those_in_which_both_levels_are_open() -> None:
    week = (DAY,) * 6 + (None,)
    effective = merged({"week": week}, {"week": (LATE, SHORT, None, DAY, (time(21), time(23)), DAY, DAY)})
    both = (time(11), time(20))
    assert effective.rules.week == (both, SHORT, None, DAY, None, DAY, None)


def test_hours_past_midnight_are_cut_as_well() -> None:
    night: Window = (time(20), time(2))
    assert merged({"week": (night,) * 7}, {"week": ((time(22), time(3)),) * 7}).rules.week[0] == (time(22), time(2))


def test_of_two_caps_on_the_same_the_lower_one_holds_and_others_stand_beside_each_other() -> None:
    site = (Cap(2, "day"), Cap(5, "week"))
    store = (Cap(3, "day"), Cap(4, "week"), Cap(1, "day", Scope.PRIORITY, "promo"))
    held = (Cap(2, "day"), Cap(4, "week"), Cap(1, "day", Scope.PRIORITY, "promo"))
    assert merged({"caps": site}, {"caps": store}).rules.caps == held
    assert merged({"caps": site}, {"caps": store}, free=("caps",)).rules.caps == (Cap(3, "day"), *held[1:])


def test_nobody_may_loosen_what_was_made_stricter_than_the_law() -> None:
    above, below = ("a",), ("b",)
    effective = merged({"stricter_law": above}, {"stricter_law": below}, free=("stricter_law",))
    assert effective.rules.stricter_law == ("a", "b")


def test_a_flow_adds_its_own_limits() -> None:
    own = (Cap(1, "day", Scope.FLOW, "7"),)
    rules = for_flow(PolicyRules(), {"caps": own, "minimum_gap": 10})
    assert rules.caps == (*PolicyRules().caps, *own)
    assert rules.minimum_gap == 60


_numbers = st.none() | st.integers(0, 5)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "minimum_gap": st.integers(0, 5),
    "strict": st.booleans(),
    "discounts": _numbers,
    "budget_day": _numbers,
    "when_blocked": st.sampled_from(["hold", "stale", "drop"]),
    "cart_countries": st.frozensets(st.sampled_from(["US", "CA"])),
    "caps": st.lists(
        st.builds(Cap, st.integers(0, 4), st.sampled_from(["day", "week"])), max_size=2, unique_by=lambda cap: cap.key
    ).map(tuple),
    "week": st.lists(st.none() | st.sampled_from([DAY, SHORT, LATE]), min_size=7, max_size=7).map(tuple),
}
layers = st.fixed_dictionaries({}, optional=_VALUES)


@given(layers, layers)
def test_what_a_store_says_never_makes_a_setting_looser_than_the_site_has_it(
    site: dict[str, Any], store: dict[str, Any]
) -> None:
    alone, both = merged(site, {}).rules, merged(site, store).rules
    for name in site.keys() - OWN_FACTS:
        held = getattr(both, name)
        if name == "caps" and not site["caps"]:
            continue
        assert TIGHTER[name](getattr(alone, name), held) == held, name


def test_every_setting_of_the_rules_can_be_merged() -> None:
    assert {*SETTINGS, "version"} == set(PolicyRules.__dataclass_fields__)
