"""What has to be done when somebody lets a store, or the whole site, go on after the panic switch was pressed."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from wagtail.actions import BaseAction
from wagtail.log_actions import log

from smsflow_plugin import clock
from smsflow_plugin.governance.models import PanicStop
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


class ReleasePanic(BaseAction):  # type: ignore[misc]
    """Let texts go again. What has waited goes as the rules allow; what came too late is dropped.

    :param instance: the policy of the store, or of the site.
    """

    action_name = "release_panic"
    # whoever may let rules count may let texts go
    permission_policy_action = "publish"

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> int:
        """Release the switch; return how many stops there were: 0 if nobody has pressed it."""
        self.check(skip_permission_checks=skip_permission_checks)
        now = clock.now()
        released = PanicStop.objects.filter(store_id=self.instance.store_id, released_at=None).update(
            released_at=now, released_by=self.user
        )
        if released:
            log(instance=self.instance, action="smsflow.release_panic", user=self.user, timestamp=now)
            let_texts_go(self.instance.store_id, now)
            nudge_all()
        return released
