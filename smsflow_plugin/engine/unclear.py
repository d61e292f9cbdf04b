"""Texts that may be opt-outs: the queue for staff, and what settles them without.

Two statements at most for a batch, and none where nobody has ever been unclear.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from smsflow_plugin import bulk
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.engine.inbound import Received
from smsflow_plugin.events.inbox import shortened
from smsflow_plugin.events.kinds import Keyword
from smsflow_plugin.events.models import ReplyReview

#: Words of the person's own that leave nothing to be asked.
_CLEAR = (Keyword.STOP, Keyword.START)

_COLUMNS = ("store_id", "contact_id", "key", "body", "because", "language", "received_at")


def weigh(texts: Sequence[tuple[int, Received]], contacts: Mapping[int, Contact], now: datetime) -> None:
    """Queue what is unclear, close what has become clear, and mark the contacts in memory.

    ``texts`` are (contact id, text) pairs, after consent has been applied to the locked ``contacts``.
    """
    said = _clear_words(texts, now)
    rows = [
        (
            contact.store_id, pk, shortened(f"inbound:{text.inbound.external_id}", 255), text.inbound.body,
            text.because[:200], contact.language, min(text.inbound.at, now),
        )
        for pk, text in texts
        for contact in [contacts[pk]]
        if text.keyword is Keyword.UNCLEAR and not _settled(contact, min(text.inbound.at, now), said.get(pk))
    ]  # fmt: skip
    # a text that was delivered twice has been read already, and perhaps decided
    for pk, at in bulk.insert(ReplyReview, _COLUMNS, rows, returning=("contact_id", "received_at")):
        contact = contacts[pk]
        contact.doubtful_at = max(at, contact.doubtful_at or at)
    waiting = {pk for pk, contact in contacts.items() if contact.doubtful_at}
    _close({pk for pk in waiting if pk in said or _opted_out(contacts[pk])}, contacts, said, now)


def _clear_words(texts: Sequence[tuple[int, Received]], now: datetime) -> dict[int, datetime]:
    said: dict[int, datetime] = {}
    for pk, text in texts:
        if text.keyword in _CLEAR:
            at = min(text.inbound.at, now)
            said[pk] = max(at, said.get(pk, at))
    return said


def _settled(contact: Contact, at: datetime, said: datetime | None) -> bool:
    """Whether the person has been clear since, or gets nothing anyway."""
    if _opted_out(contact) or (said is not None and said >= at):
        return True
    newest = contact.consent_changed_at
    return contact.consent_source == "keyword" and newest is not None and newest > at


def _opted_out(contact: Contact) -> bool:
    return contact.service_consent == Contact.Consent.REVOKED


def _close(ids: Collection[int], contacts: Mapping[int, Contact], said: Mapping[int, datetime], now: datetime) -> None:
    if not ids:
        return
    open_reviews = ReplyReview.objects.filter(contact_id__in=ids, state=ReplyReview.State.OPEN).order_by("pk")
    left: dict[int, list[datetime]] = {pk: [] for pk in ids}
    closed = []
    for pk, contact_id, at in open_reviews.values_list("pk", "contact_id", "received_at"):
        if _opted_out(contacts[contact_id]):
            closed.append((pk, ReplyReview.State.STOP.value, now))
        elif said[contact_id] >= at:
            closed.append((pk, ReplyReview.State.KEEP.value, now))
        else:
            left[contact_id].append(at)
    bulk.update(ReplyReview, ("state", "decided_at"), closed)
    for contact_id, times in left.items():
        contacts[contact_id].doubtful_at = max(times, default=None)
