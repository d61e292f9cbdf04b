"""What failures teach about a number: it goes on the suppression list, with the reason, until somebody lifts it.

A number that the network does not know is believed at once. One that could only not be reached, as a phone that is
switched off, must have failed on several days, and nothing may have come to it or from it in between.

A gateway that calls a large part of a store's people dead at once is mistaken itself, or its account is: it is not
believed, for what is on the list stays there until somebody takes it off.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Sum

from smsflow_plugin.audience.suppression import Suppression, suppress
from smsflow_plugin.events.models import Event
from smsflow_plugin.events.reports import Cause
from smsflow_plugin.messaging.models import Message, SpendDay

logger = logging.getLogger(__name__)

#: Written into the entry, so that people see who has found out.
SOURCE = "gateway"

#: What is believed at once.
_AT_ONCE: Mapping[Cause, Suppression.Reason] = {
    Cause.INVALID: Suppression.Reason.INVALID,
    Cause.LANDLINE: Suppression.Reason.LANDLINE,
    Cause.BLOCKED: Suppression.Reason.BLOCKED_BY_CARRIER,
}

#: Days on which a number must have failed, and how far back they may lie.
FAILED_DAYS, LOOK_BACK = 3, timedelta(days=60)

#: So many numbers of a store are believed to be dead within a day in any case, and this part of its texts of two days.
FEW, LARGEST_PART = 50, 0.2


@dataclass(frozen=True, slots=True)
class Failure:
    """A text that did not arrive for good. ``contact_id`` is None for a text to nobody in particular."""

    store_id: int
    number: str
    cause: Cause
    contact_id: int | None = None
    code: int | None = None


def learn(failures: Iterable[Failure], now: datetime) -> int:
    """Put the numbers on the list of which these failures say enough; return how many are new there.

    The number of statements does not depend on that of the failures. Must run in the transaction that fails the texts.
    """
    wanted: dict[tuple[Suppression.Reason, str], list[tuple[int, str]]] = defaultdict(list)
    doubtful = []
    for failure in failures:
        if reason := _AT_ONCE.get(failure.cause):
            wanted[reason, _note(failure)].append((failure.store_id, failure.number))
        elif failure.cause is Cause.UNREACHABLE and failure.contact_id is not None:
            doubtful.append(failure)
    for failure in _gone(doubtful, now):
        key = Suppression.Reason.UNREACHABLE, _note(failure)
        wanted[key].append((failure.store_id, failure.number))
    doubted = _doubted({number for numbers in wanted.values() for number in numbers}, now)
    return sum(
        suppress(believed, reason, source=SOURCE, note=note, now=now)
        for (reason, note), numbers in sorted(wanted.items())
        if (believed := [number for number in numbers if number[0] not in doubted])
    )


def _doubted(numbers: Collection[tuple[int, str]], now: datetime) -> set[int]:
    """Return the stores of which so many numbers would be put on the list that the gateway cannot be right."""
    new: dict[int, int] = defaultdict(int)
    for store_id, _number in numbers:
        new[store_id] += 1
    if not new:
        return set()
    lately = Suppression.objects.filter(store_id__in=new, source=SOURCE, created_at__gt=now - timedelta(days=1))
    learnt = dict(lately.values_list("store_id").annotate(Count("pk")).order_by())
    days = SpendDay.objects.filter(store_id__in=new, day__gte=(now - timedelta(days=2)).date())
    texts = dict(days.values_list("store_id").annotate(Sum("texts")).order_by())
    found = {
        store_id
        for store_id, count in new.items()
        if learnt.get(store_id, 0) + count > max(FEW, LARGEST_PART * texts.get(store_id, 0))
    }
    for store_id in sorted(found):
        logger.error(
            "The gateway of store %s calls so many numbers dead that it is not believed: look at its account.", store_id
        )
    return found


def _note(failure: Failure) -> str:
    return "" if failure.code is None else f"#{failure.code}"


def _gone(failures: Sequence[Failure], now: datetime) -> list[Failure]:
    """Return those whose numbers have failed on enough days, counting the texts that have just failed."""
    if not failures:
        return []
    ids = {failure.contact_id for failure in failures if failure.contact_id is not None}
    days: dict[tuple[int | None, str], set[date]] = defaultdict(set)
    alive = _signs_of_life(ids, now)
    rows = Message.objects.filter(
        contact_id__in=ids, queued_at__gte=now - LOOK_BACK, state=Message.State.FAILED, reason=Cause.UNREACHABLE.value
    ).values_list("contact_id", "to", "finished_at")
    for contact_id, number, at in rows:
        if at is not None and at > alive.get(contact_id, now - LOOK_BACK):
            days[contact_id, number].add(at.date())
    return [failure for failure in failures if len(days[failure.contact_id, failure.number]) >= FAILED_DAYS]


def _signs_of_life(contact_ids: Collection[int], now: datetime) -> dict[int, datetime]:
    """Return when something last came to these people, or from them."""
    signs: dict[int, datetime] = {}
    since = now - LOOK_BACK
    arrived = Message.objects.filter(
        contact_id__in=contact_ids, queued_at__gte=since, state=Message.State.DELIVERED, finished_at__isnull=False
    ).values_list("contact_id", "finished_at")
    wrote = Event.objects.filter(
        contact_id__in=contact_ids, kind="message_received", occurred_at__gte=since
    ).values_list("contact_id", "occurred_at")
    for contact_id, at in (*arrived, *wrote):
        signs[contact_id] = max(at, signs.get(contact_id, at))
    return signs
