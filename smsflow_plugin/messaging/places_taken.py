"""Texts that wait in the queue: they keep their place in caps, and it moves to where they leave.

A text takes its place when it is queued. One that leaves hours later, after an outage or behind a slow number, would
else stand beside texts that were allowed meanwhile: two within minutes, or three on a day of two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import transaction

from smsflow_plugin import bulk
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.governance import sends
from smsflow_plugin.governance.sends import Leaving
from smsflow_plugin.messaging.gate import ANSWER, LONGEST_IN_QUEUE, TEST_ANSWER, Queued
from smsflow_plugin.messaging.models import Message

#: A text that leaves within this time of being queued stands where it belongs.
LATE = timedelta(seconds=10)

_MARKETING = Message.Class.MARKETING
_PLACELESS = (ANSWER, TEST_ANSWER)


def waiting_texts(contact_ids: Collection[int], now: datetime) -> dict[int, list[Leaving]]:
    """Return the texts to these people that are on their way and have not left: they leave now at the earliest."""
    rows = Message.objects.filter(
        contact_id__in=contact_ids,
        queued_at__gt=now - LONGEST_IN_QUEUE[_MARKETING],
        state__in=(Message.State.QUEUED, Message.State.SENDING),
        message_class=_MARKETING,
    ).exclude(purpose__in=_PLACELESS)
    found: dict[int, list[Leaving]] = defaultdict(list)
    columns = ("contact_id", "queued_at", "flow_id", "not_before")
    for contact_id, queued_at, flow_id, not_before in rows.order_by("queued_at", "pk").values_list(*columns):
        if contact_id is not None and queued_at < now:
            found[contact_id].append(Leaving(queued_at, flow_id or 0, max(not_before, now)))
    return found


def late(messages: Iterable[Queued], now: datetime) -> dict[int, list[Leaving]]:
    """Return those of ``messages`` that leave later than where their places are, by contact."""
    found: dict[int, list[Leaving]] = defaultdict(list)
    for text in messages:
        takes_a_place = text.message_class == _MARKETING and text.purpose not in _PLACELESS
        if text.contact_id is not None and takes_a_place and now - text.queued_at > LATE:
            found[text.contact_id].append(Leaving(text.queued_at, text.flow_id or 0, now))
    return found


def move(leaving: dict[int, list[Leaving]]) -> None:
    """Move the places of texts that leave now. Two statements, none if all of them stand where they belong.

    A transaction of its own, before the calls: whoever decides about a person holds the contact and waits for texts
    (``outbox.cancel_queued``), so nobody may hold texts and wait for the contact.
    """
    if leaving:
        _move(leaving)


@transaction.atomic
def _move(leaving: dict[int, list[Leaving]]) -> None:
    rows = []
    people = Contact.objects.filter(pk__in=leaving).order_by("pk").select_for_update()
    for pk, recent in people.values_list("pk", "recent_sends"):
        try:
            known = sends.read(recent)
        except (TypeError, ValueError):
            continue  # what nobody can read is told of when the person is due
        rows.append((pk, [sends.row(sent) for sent in sends.moved(known, leaving[pk])]))
    bulk.update(Contact, ("recent_sends",), rows)
