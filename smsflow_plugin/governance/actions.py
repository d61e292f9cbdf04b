"""The panic switch: stops all texts of a store, or of the whole site. ``engine.releasing`` lets them go again."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from wagtail.actions import BaseAction
from wagtail.log_actions import log

from smsflow_plugin import clock
from smsflow_plugin.governance.models import PanicStop, Policy


class PressPanic(BaseAction):  # type: ignore[misc]
    """Stop every text that has not left yet, until somebody releases the switch.

    :param instance: the policy of the store, or of the site.
    :param reason: why, for the others who see it.
    """

    action_name = "press_panic"
    permission_policy_action = "change"

    def __init__(self, instance: Policy, user: Any = None, *, reason: str = "") -> None:
        super().__init__(instance, user=user)
        self.reason = reason.strip()[:200]

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> PanicStop:
        """Press the switch; of two who press at once the first one counts, and both find it pressed."""
        self.check(skip_permission_checks=skip_permission_checks)
        now = clock.now()
        stop, pressed = PanicStop.objects.get_or_create(
            store_id=self.instance.store_id,
            released_at=None,
            defaults={"reason": self.reason, "stopped_at": now, "stopped_by": self.user},
        )
        if pressed:
            log(
                instance=self.instance,
                action="smsflow.press_panic",
                user=self.user,
                timestamp=now,
                data={"reason": self.reason},
            )
        return stop
