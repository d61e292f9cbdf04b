"""Has a shop's subscriptions compared soon. Losing such a nudge costs an hour: then all of them are compared anyway."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from importlib import import_module
from typing import Any

from django.db import transaction

from smsflow_plugin.events.facts import StoreWord
from smsflow_plugin.integrations.shopify.models import Grant

logger = logging.getLogger(__name__)


def compare_soon(connection_id: int) -> None:
    """Make a worker compare the subscriptions of a shop after the current transaction. Never raises."""
    transaction.on_commit(lambda: _enqueue(connection_id))


def flow_changed(*, instance: Any, **kwargs: Any) -> None:
    """A flow of a store came to count, or counts no more: its shop may have to send more, or less."""
    grants = Grant.objects.filter(connection__store=instance.store_id, broken_at=None)
    for connection_id in grants.values_list("connection_id", flat=True):
        compare_soon(connection_id)


def scopes_changed(said: Sequence[tuple[int, StoreWord]], now: datetime) -> None:
    """A merchant has granted more, or less: topics that waited for it can be had now."""
    stores = {store_id for store_id, _word in said}
    grants = Grant.objects.filter(connection__store__in=stores, broken_at=None)
    for connection_id in grants.order_by("pk").values_list("connection_id", flat=True):
        compare_soon(connection_id)


def _enqueue(connection_id: int) -> None:
    try:
        # by name: the tasks stand above everything that asks for them
        import_module("smsflow_plugin.integrations.shopify.tasks").compare_subscriptions(connection_id)
    except Exception:  # the queue may be down in any way
        logger.warning("The queue cannot be reached; subscriptions are compared within the hour.", exc_info=True)
