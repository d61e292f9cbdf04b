"""An allowed text tells how near it came to the limits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from smsflow_plugin.audience.places import Place
from smsflow_plugin.governance.measured import measured
from smsflow_plugin.governance.policy import Cap, PolicyRules
from smsflow_plugin.governance.rules import Intent, MessageClass, Planned, Recipient, Sent
from tests.conftest import NOON

RULES = PolicyRules(caps=(Cap(2, "day"), Cap(5, "week"), Cap(1, "month", "flow", "7")))
MARKETING = Intent(MessageClass.MARKETING, flow=1)


def person(*hours_ago: float, **values: Any) -> Recipient:
    sends = tuple(Sent(NOON - timedelta(hours=hours), 1) for hours in sorted(hours_ago, reverse=True))
    return Recipient(True, "granted", "unknown", (Place("UTC"),), sends=sends, **values)


@pytest.mark.parametrize(
    ("hours_ago", "note"),
    [
        ((), {"used": 0, "limit": 2, "per": "day"}),
        ((3,), {"used": 1, "limit": 2, "per": "day"}),
        ((30, 50, 70, 90), {"used": 4, "limit": 5, "per": "week"}),
        ((24,), {"used": 0, "limit": 2, "per": "day"}),
    ],
)
def test_the_tightest_cap_is_noted(hours_ago: tuple[float, ...], note: dict[str, Any]) -> None:
    assert measured(MARKETING, RULES, person(*hours_ago), NOON) == (note,)


def test_a_cap_of_the_flow_counts_for_its_own_texts_only() -> None:
    own = Intent(MessageClass.MARKETING, flow=7)
    assert measured(own, RULES, person(), NOON) == (
        {"used": 0, "limit": 1, "per": "month", "scope": "flow", "of": "7"},
    )


def test_what_other_flows_plan_is_noted() -> None:
    planned = (Planned(NOON, 1), Planned(NOON, 2))
    assert measured(MARKETING, RULES, person(planned=planned), NOON)[-1] == {"planned": 2}


@pytest.mark.parametrize(
    "intent", [Intent(MessageClass.SERVICE), Intent(MessageClass.OPTIN), Intent(MessageClass.MARKETING, answers=NOON)]
)
def test_what_no_cap_counts_has_nothing_to_note(intent: Intent) -> None:
    assert measured(intent, RULES, person(1), NOON) == ()
