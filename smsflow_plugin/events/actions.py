"""What people do with deliveries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from wagtail.actions import BaseAction
from wagtail.log_actions import get_active_log_context

from smsflow_plugin import clock
from smsflow_plugin.events.models import Delivery
from smsflow_plugin.nudge import nudge
from smsflow_plugin.stores.models import StoreLogEntry


class ReplayDelivery(BaseAction):  # type: ignore[misc]
    """Put a parked delivery back into the inbox, to be read again.

    Reading a delivery twice does no harm: every fact has a unique key.
    """

    action_name = "replay"
    permission_policy_action = "change"

    def execute(self, skip_permission_checks: bool = False) -> Delivery:
        """Replay the delivery; one that is not parked stays as it is."""
        self.check(skip_permission_checks=skip_permission_checks)
        replay([self.instance.pk], self.user)
        self.instance.refresh_from_db(fields=["state", "reason", "processed_at"])
        delivery: Delivery = self.instance
        return delivery


@transaction.atomic
def replay(ids: Iterable[int], user: Any) -> int:
    """Put those of the deliveries that are parked back into the inbox; return how many were.

    The caller has checked what ``user`` may do. The number of statements does not
    depend on the number of deliveries.
    """
    parked = list(
        Delivery.objects.filter(pk__in=list(ids), state=Delivery.State.PARKED)
        .order_by("pk")
        .select_for_update()
        .defer("body", "headers")
    )
    if not parked:
        return 0
    now = clock.now()
    content_type = ContentType.objects.get_for_model(Delivery)
    StoreLogEntry.objects.bulk_create(
        StoreLogEntry(
            content_type=content_type,
            object_id=str(delivery.pk),
            store_id=delivery.store_id,
            label=str(delivery),
            action="smsflow.replay",
            timestamp=now,
            user=user,
            uuid=get_active_log_context().uuid,
            data={"reason": delivery.reason},
        )
        for delivery in parked
    )
    nudge("ingest")
    return Delivery.objects.filter(pk__in=[delivery.pk for delivery in parked]).update(
        state=Delivery.State.PENDING, reason="", processed_at=None
    )
