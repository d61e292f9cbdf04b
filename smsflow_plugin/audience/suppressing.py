"""What people do with the suppression list: put numbers on it, and take one off for a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from wagtail.actions import BaseAction
from wagtail.log_actions import log
from wagtail.permissions import policy_registry

from smsflow_plugin import clock
from smsflow_plugin.audience.suppression import Suppression, suppress
from smsflow_plugin.stores.models import Store

#: Numbers in one statement.
CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Suppressed:
    """How many numbers are new on the list, and how many were on it."""

    added: int
    known: int


class SuppressNumbers(BaseAction):  # type: ignore[misc]
    """Put numbers on a store's suppression list. Texts that are queued to them stop at the last gate.

    :param instance: the store.
    :param numbers: E.164.
    """

    action_name = "suppress"
    permission_policy_action = "add"

    def __init__(
        self,
        instance: Store,
        user: Any = None,
        *,
        numbers: Sequence[str],
        reason: str,
        note: str = "",
        source: str = "",
    ) -> None:
        super().__init__(instance, user=user)
        self.numbers = list(dict.fromkeys(numbers))
        self.reason = reason
        self.note = note.strip()
        self.source = source

    def user_has_permission(self) -> bool:
        policy = policy_registry.get_by_type(Suppression)
        return bool(policy.user_has_permission_for_instance(self.user, "add", Suppression(store=self.instance)))

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> Suppressed:
        """Add the numbers; those that are on the list stay as they are."""
        self.check(skip_permission_checks=skip_permission_checks)
        now = clock.now()
        by = self.user.get_username() if self.user else ""
        added = 0
        for start in range(0, len(self.numbers), CHUNK):
            pairs = [(self.instance.pk, number) for number in self.numbers[start : start + CHUNK]]
            added += suppress(pairs, self.reason, source=self.source, note=self.note, by=by, now=now)
        result = Suppressed(added, len(self.numbers) - added)
        data = {"added": result.added, "known": result.known, "reason": str(self.reason), "note": self.note}
        log(instance=self.instance, action="smsflow.suppress", user=self.user, timestamp=now, data=data)
        return result


class LiftSuppression(BaseAction):  # type: ignore[misc]
    """Take a number off the list.

    :param instance: the entry.
    :param why: kept in the audit log.
    """

    action_name = "unsuppress"
    permission_policy_action = "delete"

    def __init__(self, instance: Suppression, user: Any = None, *, why: str) -> None:
        super().__init__(instance, user=user)
        self.why = why.strip()

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> None:
        """Delete the entry, and log who did it and why."""
        self.check(skip_permission_checks=skip_permission_checks)
        log(
            instance=self.instance,
            action="smsflow.unsuppress",
            user=self.user,
            timestamp=clock.now(),
            data={"reason": self.instance.reason, "why": self.why},
        )
        self.instance.delete()
