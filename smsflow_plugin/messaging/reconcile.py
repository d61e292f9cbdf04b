"""The reconcile pump: finds out what became of gateway calls that were cut off.

Gateways know no idempotency key: a call made again is a second text. So the gateway is
asked for the call by our reference, and only what it never got goes back into the queue.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from smsflow_plugin import clock
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.messaging.connections import Gateways
from smsflow_plugin.messaging.gateway import Gateway, GatewayUnavailable
from smsflow_plugin.messaging.models import Batch
from smsflow_plugin.messaging.settling import Trouble, accept, give_back

logger = logging.getLogger(__name__)

#: Calls that are looked into at a time: each is a request.
LIMIT = 20

#: The longest time between two questions about one call.
LONGEST_WAIT = timedelta(hours=1)

#: The gateway's clock may be behind ours by so much.
CLOCK_SKEW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Open:
    """A call of which nobody knows whether it was taken."""

    pk: int
    connection_id: int
    reference: str
    started_at: datetime


def reconcile(limit: int = LIMIT) -> int:
    """Ask for cut-off calls that are due to be asked for; return how many were."""
    batches = _claim(limit)
    gateways = Gateways({batch.connection_id for batch in batches})
    silent: set[int] = set()
    for batch in batches:
        # one question without an answer is enough: its timeout is time of other stores
        if batch.connection_id not in silent and not _look_up(batch, gateways[batch.connection_id]):
            silent.add(batch.connection_id)
    return len(batches)


@transaction.atomic
def _claim(limit: int) -> list[Open]:
    """Note that we ask now, so that nobody else does, and return what to ask for."""
    now = clock.now()
    grace = timedelta(seconds=smsflow_settings.RECONCILE_AFTER)
    rows = (
        Batch.objects.filter(state=Batch.State.SENDING, started_at__lte=now - grace)
        .order_by("started_at")
        .select_for_update(skip_locked=True)
        .values_list("pk", "connection_id", "reference", "started_at", "asked_at")
    )
    due = [
        Open(pk, connection_id, str(reference), started_at)
        for pk, connection_id, reference, started_at, asked_at in rows
        if _due(started_at, asked_at, grace, now)
    ][:limit]
    if due:
        Batch.objects.filter(pk__in=[batch.pk for batch in due]).update(asked_at=now)
    return due


def _due(started_at: datetime, asked_at: datetime | None, grace: timedelta, now: datetime) -> bool:
    """Each question waits as long as all before it took together, an hour at most."""
    if asked_at is None:
        return True
    return now - asked_at >= min(max(asked_at - started_at, grace), LONGEST_WAIT)


def _look_up(batch: Open, gateway: Gateway) -> bool:
    """Ask for one call and write the answer down; return whether there was one."""
    try:
        provider_id = gateway.find(batch.reference, since=batch.started_at - CLOCK_SKEW)
    except GatewayUnavailable as error:
        logger.info("The gateway cannot be asked for the call %s: %s", batch.reference, error)
        return False
    except Exception:
        logger.exception("Asking for the call %s failed in an unforeseen way.", batch.reference)
        return False
    _settle(batch, provider_id)
    return True


@transaction.atomic
def _settle(batch: Open, provider_id: str | None) -> None:
    """Write down the answer, unless a report or the call itself was faster."""
    now = clock.now()
    still_open = Batch.objects.filter(pk=batch.pk, state=Batch.State.SENDING)
    if not still_open.select_for_update().exists():
        return
    if provider_id:
        accept([batch.pk], now, provider_id=provider_id)
    else:
        give_back(batch.pk, now, Trouble.NOT_TAKEN, detail="The gateway never got this call.")
