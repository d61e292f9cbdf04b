"""What people do with the outbox."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from wagtail.actions import BaseAction
from wagtail.log_actions import log

from smsflow_plugin import clock
from smsflow_plugin.integrations.shopify.writes.models import Write
from smsflow_plugin.integrations.shopify.writes.outbox import retry


class RetryWrite(BaseAction):  # type: ignore[misc]
    """Try again what Shopify has refused. What it has by now is not written twice.

    :param instance: the entry.
    """

    action_name = "retry_write"
    permission_policy_action = "change"

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> Write:
        """Put the entry back; one that is not parked stays as it is."""
        self.check(skip_permission_checks=skip_permission_checks)
        if retry([self.instance.pk]):
            connection: Any = self.instance.store.connections.get(kind="shopify")
            log(
                instance=connection, action="smsflow.retry_write", user=self.user, timestamp=clock.now(),
                data={"entry": self.instance.pk, "detail": self.instance.detail},
            )  # fmt: skip
        entry: Write = self.instance
        entry.refresh_from_db()
        return entry
