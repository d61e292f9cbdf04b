"""What an allowed text was measured against, in a few bytes: how full the tightest cap was, what was planned. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from smsflow_plugin.governance.policy import PolicyRules
from smsflow_plugin.governance.rules import Intent, MessageClass, Recipient


def measured(intent: Intent, rules: PolicyRules, recipient: Recipient, now: datetime) -> tuple[dict[str, Any], ...]:
    """Return the notes of a text that may go at ``now``; ``recipient.sends`` are those before it."""
    if intent.message_class is not MessageClass.MARKETING or intent.answers is not None:
        return ()
    notes = []
    tightest: tuple[int, Any, int] | None = None
    for cap in rules.caps:
        if not cap.counts(intent.flow, intent.priority, intent.stage):
            continue
        start = now - cap.length
        used = sum(
            1 for sent in recipient.sends if sent.at > start and cap.counts(sent.flow, sent.priority, sent.stage)
        )
        left = cap.limit - used
        if tightest is None or left < tightest[0]:
            tightest = left, cap, used
    if tightest is not None:
        _left, cap, used = tightest
        scope = {"scope": str(cap.scope), "of": cap.of} if cap.of else {}
        notes.append({"used": used, "limit": cap.limit, "per": cap.window, **scope})
    if recipient.planned:
        notes.append({"planned": len(recipient.planned)})
    return tuple(notes)
