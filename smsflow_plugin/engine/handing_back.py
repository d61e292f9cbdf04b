"""The pump that ends what only time ends: people go back to the flows, and snoozed conversations come up again."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest

from smsflow_plugin import bulk, clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.conversations.models import Thread, ThreadNote
from smsflow_plugin.engine.pausing import wake


@transaction.atomic
def hand_back(limit: int | None = None) -> int:
    """Handle one batch of threads whose time has come; return how many. The statements do not grow with them."""
    now = clock.now()
    due = Q(hand_back_at__lte=now) | Q(state=Thread.State.SNOOZED, snoozed_until__lte=now)
    people = Contact.objects.filter(pk__in=Thread.objects.filter(due).values("contact_id"))
    ids = list(
        people.order_by("pk")
        .select_for_update(skip_locked=True, of=("self",))
        .values_list("pk", flat=True)[: limit or smsflow_settings.BATCH_SIZE]
    )
    if not ids:
        return 0
    # read anew under the lock: somebody may have written meanwhile
    own = Thread.objects.filter(contact_id__in=ids)
    own.filter(state=Thread.State.SNOOZED, snoozed_until__lte=now).update(
        state=Thread.State.OPEN, snoozed_until=None, unread=Greatest(F("unread"), 1)
    )
    over = list(
        own.filter(hand_back_at__lte=now)
        .order_by("pk")
        .values_list("pk", "store_id", "contact_id", "contact__handed_over_at")
    )
    if over:
        Thread.objects.filter(pk__in=[pk for pk, *_rest in over]).update(hand_back_at=None)
        back = [row for row in over if row[3] is not None]
        contacts = Contact.objects.filter(pk__in=[contact_id for _pk, _store, contact_id, _at in back])
        contacts.update(handed_over_at=None, handed_over_note="")
        wake(contacts)
        notes = [(store_id, pk, ThreadNote.Kind.HANDED_BACK.value, now) for pk, store_id, *_rest in back]
        bulk.insert(ThreadNote, ("store_id", "thread_id", "kind", "at"), notes)
    return len(ids)
