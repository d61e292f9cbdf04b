"""The dispatch pump: takes queued texts through the last gate and hands them to gateways.

Between two commits: messages become ``sending`` together with their batch, whose
reference is ours; then comes the call, outside of any transaction; then its outcome is
written down. A crash anywhere in between leaves ``sending``, which ``reconcile`` clears up.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Min, Q, QuerySet

from smsflow_plugin import bulk, clock
from smsflow_plugin.audience.number_countries import country_of
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.governance import ledger
from smsflow_plugin.governance.panic import stands_for
from smsflow_plugin.governance.rules import Decision, Reason, Verdict
from smsflow_plugin.governance.sends import Leaving
from smsflow_plugin.messaging import places_taken
from smsflow_plugin.messaging.connections import Gateways
from smsflow_plugin.messaging.failed import tell
from smsflow_plugin.messaging.gate import Gate, Queued
from smsflow_plugin.messaging.gateway import Gateway, OutboundText, Outcome, RateLimited, Rejected, Unknown
from smsflow_plugin.messaging.grouping import Group, Outgoing, group
from smsflow_plugin.messaging.leaving import leave
from smsflow_plugin.messaging.models import Batch, Message
from smsflow_plugin.messaging.pacing import URGENT, Pacing, slow_down
from smsflow_plugin.messaging.pictures import carries_pictures
from smsflow_plugin.messaging.routes import Lane, Routes, routes
from smsflow_plugin.messaging.settling import WITHOUT_PICTURE, Trouble, settle, take_back
from smsflow_plugin.stores.changes import days_among, note

logger = logging.getLogger(__name__)

#: As many as the largest call takes, so that one text to very many people fills its calls.
CLAIM_AT_LEAST = 1000

#: How long what the gate said holds. Calls that were not made by then are taken back and asked
#: about anew: the person may have written STOP, or it may have become night.
FRESH_FOR = timedelta(seconds=30)

#: How long a connection rests whose call was cut off, so that its timeouts take no time of other stores.
REST_AFTER_CUT = 15.0

#: So often it is asked whether somebody waits for an answer, while calls are made.
LOOK_AROUND = timedelta(seconds=1)

#: What a gateway can take for a number. Whether anybody has it, only the network knows.
E164 = re.compile(r"\+[1-9][0-9]{6,14}")

#: When a text is looked at again that cannot be decided on.
RETRY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class DispatchResult:
    """What one batch came to: messages, counted by what became of the calls that they were in.

    ``cut_off`` are in calls that may or may not have been taken. ``next_at`` is
    when the next queued text may go; None while there may be more right now.
    """

    taken: int = 0
    accepted: int = 0
    rejected: int = 0
    returned: int = 0
    cut_off: int = 0
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A batch that is committed and waits for its call. ``limit`` is what its number may send in a second."""

    batch_id: int
    reference: str
    gateway: Gateway
    group: Group
    lane: Lane
    limit: Decimal | None = None
    #: (store, day) on which its texts were queued.
    days: frozenset[tuple[int, date]] = frozenset()


@dataclass
class Claimed:
    taken: int = 0
    calls: list[Call] = field(default_factory=list)
    #: What leaves later than it was queued, by contact.
    late: dict[int, list[Leaving]] = field(default_factory=dict)
    next_at: datetime | None = None


def dispatch(limit: int | None = None) -> DispatchResult:
    """Send one batch of queued texts."""
    claimed = _claim(limit or max(smsflow_settings.BATCH_SIZE, CLAIM_AT_LEAST))
    places_taken.move(claimed.late)
    counts: Counter[Batch.State] = Counter()
    resting: dict[int, Outcome] = {}
    decided_at = looked_at = clock.now()
    for position, call in enumerate(claimed.calls):
        now = clock.now()
        overtaken = False
        if call.group.marketing and now - looked_at > LOOK_AROUND:
            looked_at, overtaken = now, _somebody_waits(decided_at, now)
        if overtaken or now - decided_at > FRESH_FOR:
            counts[Batch.State.RETURNED] += take_back([late.batch_id for late in claimed.calls[position:]], now)
            break
        state = _make(call, resting)
        if state is not None:
            counts[state] += len(call.group.texts)
    return DispatchResult(
        taken=claimed.taken,
        accepted=counts[Batch.State.ACCEPTED],
        rejected=counts[Batch.State.REJECTED],
        returned=counts[Batch.State.RETURNED],
        cut_off=counts[Batch.State.SENDING],
        next_at=claimed.next_at,
    )


def _somebody_waits(since: datetime, now: datetime) -> bool:
    """Return whether something was queued since that goes before promotions: it does not wait for their calls."""
    news = Message.objects.filter(state=Message.State.QUEUED, queued_at__gt=since, not_before__lte=now)
    return news.filter(message_class__in=URGENT).exists()


@transaction.atomic
def _claim(limit: int) -> Claimed:
    now = clock.now()
    ways = routes(now)
    pacing = Pacing(ways, now)
    queued = Message.objects.filter(ways.texts_of(ways.ready()), state=Message.State.QUEUED)
    queued = _not_stopped(_not_paused(queued, ways.store_ids))
    due = queued.filter(not_before__lte=now)
    messages = [
        Queued(*row)
        for row in pacing.turn(due)
        .order_by("priority", "not_before", "pk")
        .select_for_update(skip_locked=True)
        .values_list(*Queued.__dataclass_fields__)[:limit]
    ]
    claimed = Claimed()
    if messages:
        claimed.taken, claimed.calls = _write(messages, ways, pacing, now)
        leaving = {text.pk for call in claimed.calls for text in call.group.texts}
        claimed.late = places_taken.late((message for message in messages if message.pk in leaving), now)
    if len(messages) < limit:
        waiting = queued.filter(not_before__gt=now).aggregate(at=Min("not_before"))["at"]
        claimed.next_at = min((at for at in (waiting, pacing.next_at(due), *ways.resting_until) if at), default=None)
    return claimed


def _not_paused(queued: QuerySet[Message], store_ids: Iterable[int]) -> QuerySet[Message]:
    """Leave out the texts of paused flows: they stay in the queue, and take nobody's place in the batch."""
    flows = Flow.objects.filter(store_id__in=list(store_ids), live=True, paused_at__isnull=False)
    paused = list(flows.values_list("pk", flat=True))
    return queued.filter(Q(flow__isnull=True) | ~Q(flow__in=paused)) if paused else queued


def _not_stopped(queued: QuerySet[Message]) -> QuerySet[Message]:
    """Leave out what the panic switch holds, which is everything but the answers to STOP and HELP."""
    return queued.filter(Q(message_class=Message.Class.REPLY.value) | ~stands_for())


def _write(messages: Sequence[Queued], ways: Routes, pacing: Pacing, now: datetime) -> tuple[int, list[Call]]:
    """Decide on the claimed messages, as far as their numbers can take them, the most important first.

    Batches and messages are written in one statement each. Returns how many were decided on, and the calls.
    """
    gate = Gate(messages, now)
    limits = _limits(messages)
    going: list[Outgoing] = []
    rows: list[tuple[Any, ...]] = []
    said: list[tuple[Any, ...]] = []
    for message in messages:
        if not E164.fullmatch(message.to):
            # alone: a gateway refuses a whole call for it
            rows.append(
                (
                    message.pk,
                    Message.State.FAILED.value,
                    Trouble.BAD_NUMBER.value,
                    message.batch_id,
                    message.not_before,
                    now,
                )
            )
            continue
        lane = ways.lane(message.store_id, message.sender)
        if not pacing.takes(lane, message.message_class):
            continue  # it stays where it stands in the queue
        try:
            decision = gate.ask(message)
        except Exception:
            # one row that makes no sense must not stop all texts of all stores
            logger.exception("Message %s cannot be decided on and is put off.", message.pk)
            rows.append((message.pk, "queued", Trouble.UNREADABLE.value, message.batch_id, now + RETRY, None))
            continue
        if decision.allowed:
            pacing.give(lane)
            going.append(_outgoing(message, lane, limits.get(message.batch_id)))
        else:
            rows.append(_held(message, decision, now))
            if not _said_before(message, decision):
                said.append(gate.ledger_row(message, decision))
    claimed = {message.pk: message for message in messages}
    calls = _open_batches(going, claimed, ways, pacing, gate.zones, now)
    rows.extend(
        (text.pk, Message.State.SENDING.value, "", call.batch_id, claimed[text.pk].not_before, None)
        for call in calls
        for text in call.group.texts
    )
    bulk.update(Message, ("state", "reason", "batch_id", "not_before", "finished_at"), rows)
    tell([pk for pk, state, *_rest in rows if state == Message.State.FAILED], now)
    pacing.write()
    ledger.write(said)
    ended = [claimed[pk] for pk, *_columns, finished_at in rows if finished_at is not None]
    note([*((one.store_id, one.queued_at) for one in ended), *((row[0], now) for row in said)], gate.zones)
    return len(rows), calls


def _said_before(message: Queued, decision: Decision) -> bool:
    """Return whether the gate gave the same answer last time: a night of tries is one decision."""
    return decision.verdict is Verdict.DEFER and message.reason == decision.reason


def _limits(messages: Sequence[Queued]) -> dict[int | None, int]:
    """Return with how many others a text may go whose last call was refused as a whole: half as many."""
    tried = {message.batch_id for message in messages if message.batch_id}
    if not tried:
        return {}
    refused = Batch.objects.filter(pk__in=tried, state=Batch.State.REJECTED).values_list("pk", "size")
    return {pk: (size + 1) // 2 for pk, size in refused}


def _outgoing(message: Queued, lane: Lane, limit: int | None) -> Outgoing:
    try:
        slots = tuple((int(start), int(end)) for start, end in message.slots)
    except (TypeError, ValueError):
        slots = ()  # they only save calls: without them the text goes as it stands
    return Outgoing(
        message.pk, lane.connection_id, message.sender, message.to, message.body, slots, message.expires_at, limit,
        answers=message.message_class == Message.Class.REPLY, channel=lane.channel,
        marketing=message.message_class == Message.Class.MARKETING, media_url=message.media_url,
    )  # fmt: skip


def _held(message: Queued, decision: Decision, now: datetime) -> tuple[Any, ...]:
    """Return the row of a message that does not go now."""
    if decision.verdict is Verdict.DEFER:
        state, not_before, finished_at = Message.State.QUEUED, decision.until, None
    elif decision.reason is Reason.STALE:
        state, not_before, finished_at = Message.State.EXPIRED, message.not_before, now
    else:
        state, not_before, finished_at = Message.State.CANCELLED, message.not_before, now
    return message.pk, state.value, decision.reason.value, message.batch_id, not_before, finished_at


def _open_batches(
    going: Sequence[Outgoing],
    claimed: dict[int, Queued],
    ways: Routes,
    pacing: Pacing,
    zones: dict[int, str],
    now: datetime,
) -> list[Call]:
    gateways = Gateways({text.connection_id for text in going})
    bare = {text.pk for text in going if text.media_url and not _carries_pictures(text, gateways)}
    made = group(
        (replace(text, media_url="") if text.pk in bare else text for text in going),
        lambda connection_id: gateways[connection_id].max_recipients,
        lambda connection_id: gateways[connection_id].capabilities.parameters,
    )
    groups = {uuid.uuid4(): own for own in made}
    columns = ("reference", "store_id", "connection_id", "size", "started_at", "detail", "waits")
    rows = [
        (reference, claimed[own.texts[0].pk].store_id, own.connection_id, len(own.texts), now, _note(own, bare), True)
        for reference, own in groups.items()
    ]
    ids = dict(bulk.insert(Batch, columns, rows, returning=("reference", "id")))
    calls = []
    for reference, own in groups.items():
        lane = ways.lane(claimed[own.texts[0].pk].store_id, own.sender)
        gateway = gateways[own.connection_id]
        days = days_among(((claimed[text.pk].store_id, claimed[text.pk].queued_at) for text in own.texts), zones)
        calls.append(Call(ids[reference], str(reference), gateway, own, lane, pacing.limits.get(lane), frozenset(days)))
    return calls


def _carries_pictures(text: Outgoing, gateways: Gateways) -> bool:
    can = carries_pictures(text.channel, country_of(text.to))
    return can and gateways[text.connection_id].capabilities.media


def _note(made: Group, bare: Collection[int]) -> str:
    return WITHOUT_PICTURE if any(text.pk in bare for text in made.texts) else ""


def _make(call: Call, resting: dict[int, Outcome]) -> Batch.State | None:
    """Make one call and settle it; return what became of the batch, or None if it was not ours any more.

    ``resting`` holds the connections that have just said that they take nothing now.
    """
    connection_id = call.group.connection_id
    outcome = resting.get(connection_id)
    if outcome is None:
        # the calls before this one may have taken long
        leaving = leave(call.batch_id, call.group, clock.now())
        if leaving is None:
            return Batch.State.RETURNED if take_back([call.batch_id], clock.now()) else None
        outcome = _send(replace(call, group=leaving))
        if isinstance(outcome, RateLimited) and outcome.too_fast:
            slow_down(call.lane, call.limit, clock.now())
        if isinstance(outcome, RateLimited) or (isinstance(outcome, Rejected) and outcome.fatal):
            resting[connection_id] = outcome
        elif isinstance(outcome, Unknown):
            resting[connection_id] = RateLimited(REST_AFTER_CUT, too_fast=False)
    return settle(call.batch_id, outcome, clock.now(), days=call.days)


def _send(call: Call) -> Outcome:
    text = OutboundText(
        reference=call.reference,
        sender=call.group.sender,
        body=call.group.body,
        recipients=call.group.recipients,
        parameters=call.group.parameters,
        expires_at=call.group.expires_at,
        channel=call.group.channel,
        marketing=call.group.marketing,
        media_url=call.group.media_url,
    )
    try:
        return call.gateway.send(text)
    except Exception as error:
        # a gateway should not raise; if it does, nobody knows how far the call got
        logger.exception("The gateway call %s failed in an unforeseen way.", call.reference)
        return Unknown(f"{type(error).__name__}: {error}")
