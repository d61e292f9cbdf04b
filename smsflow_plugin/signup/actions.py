"""What staff change about sign-ups, apart from the form's plain fields."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from wagtail.actions import BaseAction
from wagtail.log_actions import log
from wagtail.permissions import policy_registry

from smsflow_plugin import clock
from smsflow_plugin.signup.models import OptInForm, OptInPause


class ResumeSignUps(BaseAction):  # type: ignore[misc]
    """Let numbers be asked again that were stopped because hardly anybody confirmed.

    :param instance: a form of the store.
    :param pause: which numbers.
    """

    action_name = "resume_sign_ups"
    permission_policy_action = "change"

    def __init__(self, instance: OptInForm, user: Any = None, *, pause: OptInPause) -> None:
        super().__init__(instance, user=user)
        self.pause = pause

    def user_has_permission(self) -> bool:
        policy = policy_registry.get_by_type(OptInForm)
        return bool(policy.user_has_permission_for_instance(self.user, "change", self.instance))

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> OptInPause:
        """Resume. From now on only who is asked from now on counts."""
        self.check(skip_permission_checks=skip_permission_checks)
        pause = OptInPause.objects.select_for_update().get(pk=self.pause.pk, store_id=self.instance.store_id)
        if pause.resumed_at is None:
            pause.resumed_at = clock.now()
            pause.resumed_by = self.user.get_username() if self.user else ""
            pause.save(update_fields=["resumed_at", "resumed_by"])
            log(
                instance=self.instance,
                action="smsflow.resume_sign_ups",
                user=self.user,
                timestamp=pause.resumed_at,
                data={"kind": pause.kind, "value": pause.value},
            )
        return pause
