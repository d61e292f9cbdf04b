"""The last moment before a gateway call: who has said no since their text was claimed is left out of it, and so is
whom an earlier try has reached after all.

Whoever says no waits for the calls that hold a text to them (``hold_calls``), and whoever makes a call holds
its batch while looking. So either the call leaves without them, or it had left before they said no.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.db.models import BooleanField, Case, Q, Value, When

from smsflow_plugin.audience.models import Contact
from smsflow_plugin.governance.panic import stands_for
from smsflow_plugin.governance.rules import Reason
from smsflow_plugin.messaging.changed import note_texts
from smsflow_plugin.messaging.grouping import Group
from smsflow_plugin.messaging.models import Batch, Message

_NO = Contact.Consent.REVOKED
_MARKETING = Message.Class.MARKETING

#: What may no longer go, by what the person says now.
_WITHDRAWN = (
    Q(message_class=Message.Class.SERVICE, contact__service_consent=_NO)
    | Q(message_class=Message.Class.OPTIN, contact__marketing_consent=_NO)
    | (Q(message_class=_MARKETING) & ~Q(contact__marketing_consent=Contact.Consent.GRANTED))
)
_DOUBTFUL = Q(message_class__in=(_MARKETING, Message.Class.OPTIN), contact__doubtful_at__isnull=False)
_SAID_NO = Case(When(_WITHDRAWN, then=Value(True)), default=Value(False), output_field=BooleanField())


@transaction.atomic
def leave(batch_id: int, group: Group, now: datetime) -> Group | None:
    """Let a call go: return it without those who may not be texted any more.

    None means that it must not be made: reconcile has given it up meanwhile, somebody has pressed the panic switch, or
    nobody is left in it. From here on the time that reconcile waits counts anew.
    """
    ours = Batch.objects.filter(pk=batch_id, state=Batch.State.SENDING, asked_at=None)
    # asked in the same statement: what the switch finds free has left, whatever is pressed later
    free = ours if group.answers else ours.filter(~stands_for())
    if not free.update(started_at=now, waits=False):
        return None
    carried = Message.objects.filter(batch_id=batch_id)
    sending = carried.filter(state=Message.State.SENDING)
    # a report on an earlier call may have said meanwhile that a text has arrived after all
    settled = ~Q(state=Message.State.SENDING)
    withdrawn = Q(contact__isnull=False) & (_WITHDRAWN | _DOUBTFUL)
    found = list(carried.filter(settled | withdrawn).values_list("pk", _SAID_NO, "state"))
    said_no = {pk: is_no for pk, is_no, state in found if state == Message.State.SENDING}
    for reason, is_no in ((Reason.OPTED_OUT, True), (Reason.UNCLEAR_REPLY, False)):
        ids = [pk for pk, own in said_no.items() if own is is_no]
        if ids:
            note_texts(sending.filter(pk__in=ids))
            sending.filter(pk__in=ids).update(state=Message.State.CANCELLED, reason=reason.value, finished_at=now)
    out = {pk for pk, _is_no, _state in found}
    if not out:
        return group
    left = _without(group, out)
    if left is None:
        ours.update(state=Batch.State.RETURNED, finished_at=now)
    return left


def _without(group: Group, out: Collection[int]) -> Group | None:
    texts = tuple(text for text in group.texts if text.pk not in out)
    if not texts:
        return None
    numbers = {text.to for text in texts}
    parameters = {to: values for to, values in group.parameters.items() if to in numbers}
    return replace(group, texts=texts, parameters=parameters)


def hold_calls(contact_ids: Collection[int]) -> None:
    """Wait for every call that is about to leave with a text to these contacts, and keep it back until we commit."""
    claimed = Message.objects.filter(contact_id__in=contact_ids, state=Message.State.SENDING).values("batch_id")
    # reading them is what locks them
    list(
        Batch.objects.filter(pk__in=claimed, state=Batch.State.SENDING)
        .order_by("pk")
        .select_for_update()
        .values_list("pk", flat=True)
    )
