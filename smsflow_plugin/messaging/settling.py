"""Writes down what came of a gateway call. Each call is settled in a short transaction of its own.

Messages that are in a batch are changed only by whoever holds the batch's row. A
message keeps its batch when it goes back into the queue: if a report turns up after
all, the text is known to have gone and is not sent again.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import Case, F, TextField, Value, When

from smsflow_plugin import bulk
from smsflow_plugin.messaging.changed import days_of, note_texts
from smsflow_plugin.messaging.failed import tell
from smsflow_plugin.messaging.gateway import Accepted, Outcome, RateLimited, Rejected, Unknown
from smsflow_plugin.messaging.learning import Failure, learn
from smsflow_plugin.messaging.models import Batch, FormerCall, Message
from smsflow_plugin.stores.changes import note_days
from smsflow_plugin.stores.models import Connection

#: A connection that can send nothing is tried again after this time.
BLOCKED_FOR = timedelta(minutes=5)

#: The longest rest that a gateway may order; a wrong clock on its side must not silence a store.
LONGEST_REST = timedelta(minutes=15)

#: The key in ``Connection.settings`` under which a pause stands: {"until": ISO time, "reason": text}. Where the
#: connection can send nothing until somebody looks, "blocked_since" says since when.
PAUSE = "pause"

#: A connection that is blocked again within this time was never well: that is one incident.
ONE_INCIDENT = timedelta(hours=1)


#: What a call keeps in its detail that went without the picture of its texts.
WITHOUT_PICTURE = "The picture was left out: this number or its gateway carries none."


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
    #: What it should go to is no number.
    BAD_NUMBER = "bad_number"
    #: The call was cut off, and nobody can find out what became of it: a person has to say.
    PARKED = "parked"
    #: A person has said that a call which was cut off was never made.
    SAID_NOT_SENT = "said_not_sent"
    #: The gateway took it, and reported later that it did not arrive this time.
    TRY_AGAIN = "try_again"
    #: Something in the row is beyond what this software knows; it is looked at again later.
    UNREADABLE = "unreadable"


@transaction.atomic
def settle(
    batch_id: int, outcome: Outcome, now: datetime, *, days: Collection[tuple[int, date]] | None = None
) -> Batch.State | None:
    """Write down the outcome of a call and return what became of the batch; None if it is gone.

    :param days: (store, day) on which its texts were queued, if the caller knows: saves a question.
    """
    batch = Batch.objects.select_for_update().filter(pk=batch_id).first()
    if batch is None:
        return None
    match outcome:
        case Accepted(provider_id):
            accept([batch_id], now, provider_id=provider_id, days=days)
            return Batch.State.ACCEPTED
        case _ if batch.state != Batch.State.SENDING:
            return Batch.State(batch.state)  # a report or reconcile was faster, and knows better
        case Unknown(detail):
            Batch.objects.filter(pk=batch_id).update(detail=detail)
            return Batch.State.SENDING
        case RateLimited(retry_after):
            until = now + min(timedelta(seconds=max(1.0, retry_after)), LONGEST_REST)
            pause(batch.connection_id, until, "The gateway asks for a pause.")
            give_back(batch_id, now, Trouble.RATE_LIMITED, not_before=until)
            return Batch.State.RETURNED
        case Rejected(detail=detail, fatal=True):
            pause(batch.connection_id, now + BLOCKED_FOR, detail, blocked=now)
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
    if outcome.cause and outcome.recipients:
        learn([Failure(batch.store_id, number, outcome.cause) for number in outcome.recipients], now)
    blamed = list(culprits.values_list("pk", flat=True))
    note_texts(Message.objects.filter(pk__in=blamed))
    failed = Message.objects.filter(pk__in=blamed).update(
        state=Message.State.FAILED, reason=Trouble.REJECTED, finished_at=now
    )
    tell(blamed, now)
    # the others of a call with named culprits may go together again
    state = Batch.State.RETURNED if failed and batch.size > 1 else Batch.State.REJECTED
    give_back(batch.pk, now, Trouble.SPLIT, detail=outcome.detail, state=state)
    return state


def accept(
    batch_ids: Collection[int],
    now: datetime,
    *,
    provider_id: str | None = None,
    days: Collection[tuple[int, date]] | None = None,
) -> int:
    """Note that the gateway has these calls; return how many texts that makes accepted.

    Never moves a text back, and catches those that were already put back into the queue.
    The caller holds the batches.
    """
    values: dict[str, Any] = {"provider_id": provider_id} if provider_id else {}
    # what an earlier question left there is answered now
    detail = Case(When(detail=WITHOUT_PICTURE, then=F("detail")), default=Value(""), output_field=TextField())
    Batch.objects.filter(pk__in=batch_ids).update(state=Batch.State.ACCEPTED, finished_at=now, detail=detail, **values)
    on_the_way = Message.objects.filter(batch_id__in=batch_ids, state__in=(Message.State.SENDING, Message.State.QUEUED))
    note_days(days_of(on_the_way) if days is None else days)
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
    """Put what the call still carries back into the queue and close it. The caller holds the batch.

    Where the gateway may have had it all the same, the call is remembered: a late report still finds its texts.
    """
    if trouble in (Trouble.NOT_TAKEN, Trouble.SAID_NOT_SENT):
        carried = Message.objects.filter(batch_id=batch_id, state=Message.State.SENDING).order_by("pk")
        rows = [(pk, batch_id, now) for pk in carried.values_list("pk", flat=True)]
        bulk.insert(FormerCall, ("message_id", "batch_id", "failed_at"), rows)
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


def pause(connection_id: int, until: datetime, reason: str, *, blocked: datetime | None = None) -> None:
    """Let the connection rest: dispatch claims nothing for it until then, and smsflow_doctor tells why.

    A gateway that is blocked stays so until the end of its rest, whatever calls that had left before say meanwhile.

    :param blocked: since when nothing can be sent, until somebody has mended it.
    """
    connection = Connection.objects.select_for_update().defer("secrets").get(pk=connection_id)
    settings = connection.settings if isinstance(connection.settings, dict) else {}
    rests_until = paused_until(settings)
    if blocked is None and blocked_since(settings) and rests_until and rests_until >= until:
        return
    rest = {"until": until.isoformat(), "reason": reason}
    if blocked is not None:
        rest["blocked_since"] = (_same_incident(settings, blocked) or blocked).isoformat()
    connection.settings = {**settings, PAUSE: rest}
    connection.save(update_fields=["settings"])


def _same_incident(settings: dict[str, Any], now: datetime) -> datetime | None:
    """Return since when the connection has been blocked, if it was blocked a short time ago."""
    until, since = paused_until(settings), blocked_since(settings)
    return since if until and since and now - until < ONE_INCIDENT else None


def blocked_since(settings: dict[str, Any]) -> datetime | None:
    """Return since when a connection with these settings is blocked; None if it rests for another reason."""
    return _moment(settings, "blocked_since")


def paused_until(settings: dict[str, Any]) -> datetime | None:
    """Return until when a connection with these settings rests, if it was ever told to."""
    return _moment(settings, "until")


def _moment(settings: dict[str, Any], name: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(settings[PAUSE][name])
    except (KeyError, TypeError, ValueError):
        return None
    # one without a zone was not written by us, and cannot be compared
    return moment if moment.tzinfo else None
