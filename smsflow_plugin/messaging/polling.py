"""The pump ``poll_inbounds``: asks gateways for what people wrote, so that a STOP is found whose callback never came.

What is listed goes into the inbox under the id that its callback has: what came already vanishes there. Each time is
asked about twice at least, because lists lag behind.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import F

from smsflow_plugin import bulk, clock
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.events.inbox import store_deliveries
from smsflow_plugin.messaging.connections import Gateways
from smsflow_plugin.messaging.gateway import Gateway, GatewayUnavailable, Listed
from smsflow_plugin.messaging.models import InboundPoll
from smsflow_plugin.stores.models import Connection, Store

logger = logging.getLogger(__name__)

#: How often a gateway is asked, and for how much of what was read before.
EVERY, OVERLAP = timedelta(hours=1), timedelta(hours=3)

#: After an outage nothing older is asked for: vendors list no more than this, and nobody waits for an answer any more.
LONGEST_AGO = timedelta(days=13)

#: Connections that are asked at a time, and texts that are stored at a time.
LIMIT, CHUNK = 20, 500


@dataclass(frozen=True, slots=True)
class Due:
    """A connection to be asked, and since when."""

    connection_id: int
    store_id: int
    kind: str
    since: datetime


def poll_inbounds(limit: int = LIMIT) -> int:
    """Ask the gateways that are due; return how many were."""
    due = _claim(limit)
    gateways = Gateways({one.connection_id for one in due})
    for one in due:
        gateway = gateways[one.connection_id]
        if gateway.capabilities.lists_inbounds:
            _ask(one, gateway)
    return len(due)


def _ask(one: Due, gateway: Gateway) -> None:
    """Store what the gateway lists. What it lists before it breaks off is kept, and asked for again."""
    started_at = clock.now()
    found = 0
    try:
        for chunk in _chunks(iter(gateway.inbounds(since=one.since))):
            found += store_deliveries(
                one.store_id, one.kind, [(text.external_id, text.topic, text.body) for text in chunk]
            )
    except GatewayUnavailable as error:
        logger.info("The gateway of store %s cannot be asked what people wrote: %s", one.store_id, error)
        return
    except Exception:
        logger.exception("Asking the gateway of store %s what people wrote failed.", one.store_id)
        return
    finally:
        if found:
            # callbacks that did not come are a sign that others do not come either
            logger.warning(
                "%s texts to store %s were found only by asking: check its callback address.", found, one.store_id
            )
            InboundPoll.objects.filter(connection_id=one.connection_id).update(found=F("found") + found)
    InboundPoll.objects.filter(connection_id=one.connection_id).update(read_until=started_at)


def _chunks(texts: Iterator[Listed]) -> Iterator[list[Listed]]:
    while chunk := list(islice(texts, CHUNK)):
        yield chunk


@transaction.atomic
def _claim(limit: int) -> list[Due]:
    """Note that we ask now, so that nobody else does, and return whom to ask since when."""
    now = clock.now()
    connected = Connection.objects.filter(kind__in=list(smsflow_settings.GATEWAYS), store__status=Store.Status.ACTIVE)
    known = InboundPoll.objects.values("connection_id")
    new = connected.exclude(pk__in=known).order_by("pk").values_list("pk", flat=True)[:limit]
    # asked long ago: their turn is now
    bulk.insert(InboundPoll, ("connection_id", "asked_at"), [(pk, now - EVERY) for pk in new])
    polls = (
        InboundPoll.objects.filter(asked_at__lte=now - EVERY, connection__in=connected)
        .order_by("asked_at", "pk")
        .select_for_update(skip_locked=True, of=("self",))
        .values_list(
            "pk", "connection_id", "connection__store_id", "connection__kind", "connection__connected_at", "read_until"
        )[:limit]
    )
    due = []
    ids = []
    for pk, connection_id, store_id, kind, connected_at, read_until in polls:
        # nothing from before we were connected: somebody else may have answered it
        since = max(connected_at, (read_until or now - timedelta(days=1)) - OVERLAP, now - LONGEST_AGO)
        due.append(Due(connection_id, store_id, kind, since))
        ids.append(pk)
    if ids:
        InboundPoll.objects.filter(pk__in=ids).update(asked_at=now)
    return due
