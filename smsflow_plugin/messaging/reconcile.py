"""The reconcile pump: finds out what became of gateway calls that were cut off.

Gateways know no idempotency key: a call made again is a second text. So the gateway is
asked for the call by our reference, and only what it never got goes back into the queue. Nobody needs to be asked
about calls that a worker had only prepared when it died.
What nobody can find out is parked: a person says what became of it (``messaging.parked``).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from smsflow_plugin import bulk, clock
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.messaging.connections import Gateways
from smsflow_plugin.messaging.gateway import CannotSearch, Gateway, GatewayUnavailable
from smsflow_plugin.messaging.models import Batch, Message
from smsflow_plugin.messaging.settling import Trouble, accept, give_back, take_back

logger = logging.getLogger(__name__)

#: Calls that are looked into at a time: each is a request.
LIMIT = 20

#: The longest time between two questions about one call.
LONGEST_WAIT = timedelta(hours=1)

#: How long a gateway is asked that does not answer, and one that cannot be asked: its reports may still say it.
PARK_AFTER, PARK_UNSEARCHABLE_AFTER = timedelta(hours=24), timedelta(hours=1)

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
    batches, returned = _claim(limit)
    gateways = Gateways({batch.connection_id for batch in batches})
    silent: dict[int, str] = {}
    lost: dict[int, str] = {}
    for batch in batches:
        # one question without an answer is enough: its timeout is time of other stores
        if batch.connection_id not in silent:
            try:
                _look_up(batch, gateways[batch.connection_id])
                continue
            except CannotSearch as error:
                if clock.now() - batch.started_at >= PARK_UNSEARCHABLE_AFTER:
                    lost[batch.pk] = str(error)
                continue
            except GatewayUnavailable as error:
                logger.info("The gateway cannot be asked for the call %s: %s", batch.reference, error)
                silent[batch.connection_id] = str(error)
            except Exception as error:
                logger.exception("Asking for the call %s failed in an unforeseen way.", batch.reference)
                silent[batch.connection_id] = type(error).__name__
        if clock.now() - batch.started_at >= PARK_AFTER:
            lost[batch.pk] = silent[batch.connection_id]
    _park(lost)
    return len(batches) + returned


@transaction.atomic
def _claim(limit: int) -> tuple[list[Open], int]:
    """Note that we ask now, so that nobody else does, and return what to ask for.

    Calls that were never made go back at once; then comes how many these are. Whoever prepared them and is alive all
    the same finds them taken away (``leave``).
    """
    now = clock.now()
    grace = timedelta(seconds=smsflow_settings.RECONCILE_AFTER)
    rows = (
        Batch.objects.filter(state=Batch.State.SENDING, started_at__lte=now - grace)
        .order_by("started_at")
        .select_for_update(skip_locked=True)
        .values_list("pk", "connection_id", "reference", "started_at", "asked_at", "waits")
    )
    due, unmade = [], []
    for pk, connection_id, reference, started_at, asked_at, waits in rows:
        if waits:
            unmade.append(pk)
        elif _due(started_at, asked_at, grace, now) and len(due) < limit:
            due.append(Open(pk, connection_id, str(reference), started_at))
    if due:
        Batch.objects.filter(pk__in=[batch.pk for batch in due]).update(asked_at=now)
    if unmade:
        take_back(unmade, now)
    return due, len(unmade)


def _due(started_at: datetime, asked_at: datetime | None, grace: timedelta, now: datetime) -> bool:
    """Each question waits as long as all before it took together, an hour at most."""
    if asked_at is None:
        return True
    return now - asked_at >= min(max(asked_at - started_at, grace), LONGEST_WAIT)


def _look_up(batch: Open, gateway: Gateway) -> None:
    """Ask for one call and write the answer down.

    :raises GatewayUnavailable: if there was none.
    """
    provider_id = gateway.find(batch.reference, since=batch.started_at - CLOCK_SKEW)
    _settle(batch, provider_id)


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


@transaction.atomic
def _park(lost: dict[int, str]) -> None:
    """Leave these calls, with what the gateway said last, to a person; unless a report was faster.

    Their texts stay as they are: they may be on people's phones, and are never sent again by themselves.
    """
    if not lost:
        return
    open_still = Batch.objects.filter(pk__in=lost, state=Batch.State.SENDING).order_by("pk").select_for_update()
    ids = list(open_still.values_list("pk", flat=True))
    bulk.update(Batch, ("state", "detail"), [(pk, Batch.State.PARKED.value, lost[pk][:500]) for pk in ids])
    Message.objects.filter(batch_id__in=ids, state=Message.State.SENDING).update(reason=Trouble.PARKED)
