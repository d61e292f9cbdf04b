"""What may happen to texts that are still in the queue."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from smsflow_plugin import clock
from smsflow_plugin.messaging.changed import note_texts
from smsflow_plugin.messaging.leaving import hold_calls
from smsflow_plugin.messaging.models import Message


@transaction.atomic
def cancel_queued(
    contact_ids: Collection[int], reason: str, *, keep_classes: Collection[str] = (Message.Class.REPLY,)
) -> int:
    """Cancel the queued texts to these contacts and return how many there were.

    ``keep_classes`` stay queued: the answer to STOP is itself a text. What dispatch has claimed
    already is left out of its call if that has not left yet (``messaging.leaving``).
    """
    if not contact_ids:
        return 0
    # locked in the order of ids, as everywhere, so that nobody waits for us while we wait for them
    ids = list(
        Message.objects.filter(contact_id__in=contact_ids, state=Message.State.QUEUED)
        .exclude(message_class__in=keep_classes)
        .order_by("pk")
        .select_for_update()
        .values_list("pk", flat=True)
    )
    if ids:
        note_texts(Message.objects.filter(pk__in=ids))
    cancelled = Message.objects.filter(pk__in=ids, state=Message.State.QUEUED).update(
        state=Message.State.CANCELLED, reason=reason, finished_at=clock.now()
    )
    hold_calls(contact_ids)
    return cancelled
