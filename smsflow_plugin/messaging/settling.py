"""Writes down what came of a gateway call. Each call is settled in a short transaction of its own.

Messages that are in a batch are changed only by whoever holds the batch's row. A
message keeps its batch when it goes back into the queue: if a report turns up after
all, the text is known to have gone and is not sent again.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import F

from smsflow_plugin.messaging.gateway import Accepted, Outcome, RateLimited, Rejected, Unknown
from smsflow_plugin.messaging.models import Batch, Message
from smsflow_plugin.stores.models import Connection

#: A connection that can send nothing is tried again after this time.
BLOCKED_FOR = timedelta(minutes=5)

#: The longest rest that a gateway may order; a wrong clock on its side must not silence a store.
LONGEST_REST = timedelta(minutes=15)

#: The key in ``Connection.settings`` under which a pause stands: {"until": ISO time, "reason": text}.
PAUSE = "pause"


class Trouble(StrEnum):
    """Why a text failed or is back in the queue, as stored in ``Message.reason``. Never rename one."""

    #: The gateway refused this very text.
    REJECTED = "rejected"
    #: The gateway refused a call that this text was part of; it is tried in a smaller one.
    SPLIT = "split"
    #: The gateway takes nothing from this connection: credentials, credit, settings.
    BLOCKED = "gateway_blocked"
    #: The gateway asked for a pause.
    RATE_LIMITED = "rate_limited"
    #: The call was cut off, and the gateway never got it.
    NOT_TAKEN = "not_taken"
    #: Something in the row is beyond what this software knows; it is looked at again later.
    UNREADABLE = "unreadable"


@transaction.atomic
def settle(batch_id: int, outcome: Outcome, now: datetime) -> Batch.State | None:
    """Write down the outcome of a call and return what became of the batch; None if it is gone."""
    batch = Batch.objects.select_for_update().filter(pk=batch_id).first()
    if batch is None:
        return None
    match outcome:
        case Accepted(provider_id):
            accept([batch_id], now, provider_id=provider_id)
            return Batch.State.ACCEPTED
        case _ if batch.state != Batch.State.SENDING:
            return Batch.State(batch.state)  # a report or reconcile was faster, and knows better
        case Unknown(detail):
            Batch.objects.filter(pk=batch_id).update(detail=detail)
            return Batch.State.SENDING
        case RateLimited(retry_after):
            until = now + min(timedelta(seconds=max(1.0, retry_after)), LONGEST_REST)
            _pause(batch.connection_id, until, "The gateway asks for a pause.")
            give_back(batch_id, now, Trouble.RATE_LIMITED, not_before=until)
            return Batch.State.RETURNED
        case Rejected(detail=detail, fatal=True):
            _pause(batch.connection_id, now + BLOCKED_FOR, detail)
            give_back(batch_id, now, Trouble.BLOCKED, not_before=now + BLOCKED_FOR, detail=detail)
            return Batch.State.RETURNED
        case Rejected():
            return _rejected(batch, outcome, now)
    raise AssertionError(f"Not an outcome: {outcome!r}")


def _rejected(batch: Batch, outcome: Rejected, now: datetime) -> Batch.State:
    """Fail those who are to blame; the others get another call.

    If nobody is named, the texts go back and the next call carries half as many
    (dispatch looks at the size of the refused one), until the culprit is alone.
    """
    sending = Message.objects.filter(batch=batch, state=Message.State.SENDING)
    culprits = sending.filter(to__in=outcome.recipients) if batch.size > 1 else sending
    failed = culprits.update(state=Message.State.FAILED, reason=Trouble.REJECTED, finished_at=now)
    # the others of a call with named culprits may go together again
    state = Batch.State.RETURNED if failed and batch.size > 1 else Batch.State.REJECTED
    give_back(batch.pk, now, Trouble.SPLIT, detail=outcome.detail, state=state)
    return state


def accept(batch_ids: Collection[int], now: datetime, *, provider_id: str | None = None) -> int:
    """Note that the gateway has these calls; return how many texts that makes accepted.

    Never moves a text back, and catches those that were already put back into the queue.
    The caller holds the batches.
    """
    values: dict[str, Any] = {"provider_id": provider_id} if provider_id else {}
    Batch.objects.filter(pk__in=batch_ids).update(state=Batch.State.ACCEPTED, finished_at=now, detail="", **values)
    on_the_way = Message.objects.filter(batch_id__in=batch_ids, state__in=(Message.State.SENDING, Message.State.QUEUED))
    return on_the_way.update(state=Message.State.ACCEPTED, accepted_at=now, reason="")


def give_back(
    batch_id: int,
    now: datetime,
    trouble: Trouble,
    *,
    not_before: datetime | None = None,
    detail: str = "",
    state: Batch.State = Batch.State.RETURNED,
) -> int:
    """Put what the call still carries back into the queue and close it. The caller holds the batch."""
    Batch.objects.filter(pk=batch_id).update(state=state, finished_at=now, detail=detail)
    return Message.objects.filter(batch_id=batch_id, state=Message.State.SENDING).update(
        state=Message.State.QUEUED, reason=trouble, attempts=F("attempts") + 1, not_before=not_before or now
    )


@transaction.atomic
def take_back(batch_ids: Collection[int], now: datetime) -> int:
    """Put the texts of calls that were never made back into the queue, as they were; return how many.

    Calls that reconcile asks for meanwhile are left to it.
    """
    ours = Batch.objects.filter(pk__in=batch_ids, state=Batch.State.SENDING, asked_at=None).order_by("pk")
    ids = list(ours.select_for_update().values_list("pk", flat=True))
    Batch.objects.filter(pk__in=ids).update(state=Batch.State.RETURNED, finished_at=now)
    return Message.objects.filter(batch_id__in=ids, state=Message.State.SENDING).update(
        state=Message.State.QUEUED, reason=""
    )


def _pause(connection_id: int, until: datetime, reason: str) -> None:
    """Let the connection rest: dispatch claims nothing for it until then, and smsflow_doctor tells why."""
    connection = Connection.objects.select_for_update().defer("secrets").get(pk=connection_id)
    settings = connection.settings if isinstance(connection.settings, dict) else {}
    connection.settings = {**settings, PAUSE: {"until": until.isoformat(), "reason": reason}}
    connection.save(update_fields=["settings"])


def paused_until(settings: dict[str, Any]) -> datetime | None:
    """Return until when a connection with these settings rests, if it was ever told to."""
    try:
        until = datetime.fromisoformat(settings[PAUSE]["until"])
    except (KeyError, TypeError, ValueError):
        return None
    # one without a zone was not written by us, and cannot be compared
    return until if until.tzinfo else None
