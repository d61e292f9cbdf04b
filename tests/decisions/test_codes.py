"""The ledger's numbers mean for ever what they mean today."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from smsflow_plugin.governance import codes
from smsflow_plugin.governance.rules import MessageClass, Reason, Verdict

#: As they were released. Add to the end; never change, remove or reorder one.
RELEASED = [
    "allowed", "no_phone", "no_consent", "opted_out", "quiet_hours", "cap_day", "cap_week", "minimum_gap", "stale",
    "audience", "missing_data", "store_off", "flow_off", "never_open", "reentry", "too_late", "flow_paused",
    "flow_full", "handed_over", "chain", "cap_hour", "cap_month", "cap_law", "look_ahead", "panic", "suppressed",
    "unclear_reply", "preference", "preference_week", "recent_buyer", "open_case", "in_other_flow", "converted",
    "cart_rule", "cart_opt_in", "country", "budget", "price", "incentive", "same_run", "outrun",
]  # fmt: skip


def test_a_reason_keeps_its_number_for_ever() -> None:
    assert [codes.REASONS[word] for word in RELEASED] == list(range(1, len(RELEASED) + 1))
    assert codes.VERDICTS == {"": 0, "allow": 1, "defer": 2, "skip": 3}
    assert codes.CLASSES == {"": 0, "marketing": 1, "service": 2, "optin": 3, "reply": 4}


@pytest.mark.parametrize(
    ("words", "table"), [(Reason, codes.REASONS), (Verdict, codes.VERDICTS), (MessageClass, codes.CLASSES)]
)
def test_every_word_has_a_number_of_its_own(words: Any, table: Any) -> None:
    assert {word.value for word in words} <= table.keys()
    assert len(set(table.values())) == len(table)


def test_the_migration_knew_the_same_numbers() -> None:
    migration = importlib.import_module("smsflow_plugin.migrations.0011_ledger_rows")
    for known, table in (
        (migration.REASONS, codes.REASONS),
        (migration.VERDICTS, codes.VERDICTS),
        (migration.CLASSES, codes.CLASSES),
    ):
        assert {word: number for number, word in enumerate(known)}.items() <= table.items()
