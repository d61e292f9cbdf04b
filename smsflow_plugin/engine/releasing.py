"""What has to be done when somebody lets a store, or the whole site, go on after the panic switch was pressed."""

from __future__ import annotations

from datetime import datetime

from smsflow_plugin.governance.rules import Reason
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.nudge import nudge

#: Whoever was held up by the switch.
HELD = ("let_in", "enroll_by_date", "watch_lists", "tell_stock", "advance", "perform", "dispatch")


def let_texts_go(store_id: int | None, now: datetime) -> int:
    """Let texts go at once that the last gate had put off because of the switch; None: those of all stores.

    Call it in the transaction that releases the stop. People need nothing: they are due since they were due.
    """
    held = Message.objects.filter(state=Message.State.QUEUED, reason=Reason.PANIC.value, not_before__gt=now)
    if store_id is not None:
        held = held.filter(store_id=store_id)
    return held.update(not_before=now, reason="")


def nudge_all() -> None:
    """Let every pump look that the switch has held up."""
    for pump in HELD:
        nudge(pump)
