"""The numbers under which the ledger keeps its words: two bytes instead of ten, in millions of rows. Pure.

Rows are kept for ever, so a number is never used again and never changes: new words come at the end
of their table. A word that nobody uses any more stays where it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

#: No word at all: of an entry that was refused before there was a text, say.
NOTHING = 0


def _numbered(*words: str) -> Mapping[str, int]:
    return MappingProxyType({"": NOTHING, **{word: number for number, word in enumerate(words, start=1)}})


VERDICTS = _numbered("allow", "defer", "skip")

#: Everything above it was not sent, or not yet: what the report of these counts.
ALLOW = VERDICTS["allow"]

CLASSES = _numbered("marketing", "service", "optin", "reply")

REASONS = _numbered(
    "allowed",
    "no_phone",
    "no_consent",
    "opted_out",
    "quiet_hours",
    "cap_day",
    "cap_week",
    "minimum_gap",
    "stale",
    "audience",
    "missing_data",
    "store_off",
    "flow_off",
    "never_open",
    "reentry",
    "too_late",
    "flow_paused",
    "flow_full",
    "handed_over",
    "chain",
    "cap_hour",
    "cap_month",
    "cap_law",
    "look_ahead",
    "panic",
    "suppressed",
    "unclear_reply",
    "preference",
    "preference_week",
    "recent_buyer",
    "open_case",
    "in_other_flow",
    "converted",
    "cart_rule",
    "cart_opt_in",
    "country",
    "budget",
    "price",
    "incentive",
    "same_run",
    "outrun",
    "holdout",
)
