"""The purge pump: takes away what is personal when its time is over. Rows stay, for they are counted.

Each kind is walked once a night in the order of its keys, and blanked in batches. Nothing that a
waiting run may still ask for is touched, and no opt-out ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from smsflow_plugin import clock
from smsflow_plugin.audience import ledger
from smsflow_plugin.audience.ledger import Opening, ledger_opened
from smsflow_plugin.audience.models import ConsentRecord, Contact
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.conversations.models import Thread, ThreadNote
from smsflow_plugin.engine.models import Effect, Enrollment
from smsflow_plugin.events.models import Delivery, Event
from smsflow_plugin.governance.ledger import Decision
from smsflow_plugin.links.models import Click, Link
from smsflow_plugin.messaging.models import Message, TestNumber
from smsflow_plugin.stores.models import Store

#: For how many days each kind is kept. ``SMSFLOW["RETENTION"]`` overrides them; None means for ever.
PERIODS: Mapping[str, int | None] = {
    "deliveries": 30,
    "parked": 180,
    "messages": 365,
    "conversations": 365,
    "notes": 365,
    "events": 730,
    "decisions": 730,
    "effects": 90,
    "grants": 5 * 365 + 1,
    "codes": 1,
    "clicks": 90,
    "links": 30,
    "attempts": 90,
    "exposures": 365,
}

BATCH = 1_000

Rows = QuerySet[Any, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """What is purged: ``find`` returns the rows that are older than a moment, ``blank`` takes away what is personal."""

    find: Callable[[datetime], Rows]
    blank: Callable[[Rows, datetime], int]


def periods() -> dict[str, int | None]:
    """Return how many days each kind is kept.

    :raises ValueError: if the setting names a kind that there is not.
    """
    given = smsflow_settings.RETENTION
    if unknown := sorted(set(given) - set(PERIODS)):
        raise ValueError(f"SMSFLOW['RETENTION'] names {', '.join(unknown)}; there are {', '.join(PERIODS)}.")
    return {**PERIODS, **given}


def due(kinds: Mapping[str, Kind] | None = None) -> dict[str, int]:
    """Return how many rows of each kind a purge would blank now. ``kinds``: those of rooms above as well."""
    return {name: rows.count() for name, _kind, rows in _due(clock.now(), kinds)}


def purge(kinds: Mapping[str, Kind] | None = None) -> dict[str, int]:
    """Blank whatever is due, batch by batch, each in a transaction of its own; return how many rows of each kind."""
    now = clock.now()
    return {name: sum(_batches(kind, rows, now)) for name, kind, rows in _due(now, kinds)}


def _due(now: datetime, kinds: Mapping[str, Kind] | None) -> Iterator[tuple[str, Kind, Rows]]:
    days = periods()
    for name, kind in (kinds or KINDS).items():
        kept = days[name]
        if kept is not None:
            yield name, kind, kind.find(now - timedelta(days=kept))


def _batches(kind: Kind, rows: Rows, now: datetime) -> Iterator[int]:
    last = 0
    while ids := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        last = ids[-1]
        with transaction.atomic():
            # asked again: somebody may have begun to need it
            yield kind.blank(rows.model._default_manager.filter(pk__in=rows.filter(pk__in=ids).values("pk")), now)


# What is due, and how it is blanked ------------------------------------------------------------


def _deliveries(before: datetime) -> Rows:
    read = (Delivery.State.DONE, Delivery.State.IGNORED)
    return Delivery.objects.filter(state__in=read, received_at__lt=before).exclude(body=b"")


def _parked(before: datetime) -> Rows:
    return Delivery.objects.filter(state=Delivery.State.PARKED, received_at__lt=before).exclude(body=b"")


def _blank_deliveries(rows: Rows, now: datetime) -> int:
    return int(rows.update(body=b"", headers={}))


def _messages(before: datetime) -> Rows:
    going = (Message.State.QUEUED, Message.State.SENDING)
    return Message.objects.filter(queued_at__lt=before).exclude(state__in=going).exclude(body="")


def _blank_messages(rows: Rows, now: datetime) -> int:
    return int(rows.update(body="", slots=[]))


def _conversations(before: datetime) -> Rows:
    return Thread.objects.filter(last_at__lt=before).exclude(last_words="")


def _blank_conversations(rows: Rows, now: datetime) -> int:
    return int(rows.update(last_words=""))


def _notes(before: datetime) -> Rows:
    return ThreadNote.objects.filter(at__lt=before).exclude(body="")


def _blank_notes(rows: Rows, now: datetime) -> int:
    return int(rows.update(body=""))


def _events(before: datetime) -> Rows:
    waiting = Enrollment.objects.filter(contact_id=OuterRef("contact_id"), status=Enrollment.Status.WAITING)
    return Event.objects.filter(~Exists(waiting), occurred_at__lt=before).exclude(data={})


def _blank_events(rows: Rows, now: datetime) -> int:
    return int(rows.update(data={}))


def _decisions(before: datetime) -> Rows:
    return Decision.objects.filter(at__lt=before).exclude(notes=[])


def _blank_decisions(rows: Rows, now: datetime) -> int:
    return int(rows.update(notes=[]))


def _effects(before: datetime) -> Rows:
    waiting = Enrollment.objects.filter(pk=OuterRef("enrollment_id"), status=Enrollment.Status.WAITING)
    done = Effect.objects.filter(state__in=(Effect.State.DONE, Effect.State.FAILED), created_at__lt=before)
    return done.filter(~Exists(waiting)).exclude(payload={}, result__isnull=True)


def _blank_effects(rows: Rows, now: datetime) -> int:
    return int(rows.update(payload={}, result=None))


def _grants(before: datetime) -> Rows:
    """What somebody agreed to so long ago, if it has not been used since. Never a refusal."""
    unused = Q(contact__last_texted_at__isnull=True) | Q(contact__last_texted_at__lt=before)
    asked = (ConsentRecord.Action.GRANTED, ConsentRecord.Action.PENDING)
    return ConsentRecord.objects.filter(unused, action__in=asked, effective_at__lt=before, erased_at__isnull=True)


def _blank_grants(rows: Rows, now: datetime) -> int:
    """Take the proof away, and with it the consent that could not be proved any more."""
    ids = dict(rows.values_list("pk", "contact_id"))
    locked = Contact.objects.filter(pk__in=set(ids.values())).order_by("pk").select_for_update()
    contacts = {contact.pk: contact for contact in locked}
    records = ConsentRecord.objects.filter(pk__in=ids)
    for store in Store.objects.filter(pk__in={contact.store_id for contact in contacts.values()}).order_by("pk"):
        with ledger_opened(Opening.RETENTION, store):
            ledger.redact(records.filter(store=store), now)
    proved = ConsentRecord.objects.filter(
        contact_id=OuterRef("pk"), action=ConsentRecord.Action.GRANTED, erased_at__isnull=True
    )
    Contact.objects.filter(~Exists(proved), pk__in=contacts, marketing_consent=Contact.Consent.GRANTED).update(
        marketing_consent=Contact.Consent.UNKNOWN, opt_in_level="", consent_marks={}, consent_changed_at=None
    )
    return len(ids)


def _codes(before: datetime) -> Rows:
    return TestNumber.objects.filter(code_sent_at__lt=before).exclude(code_hash="")


def _blank_codes(rows: Rows, now: datetime) -> int:
    return int(rows.update(code_hash=""))


def _clicks(before: datetime) -> Rows:
    return Click.objects.filter(at__lt=before).exclude(user_agent="")


def _blank_clicks(rows: Rows, now: datetime) -> int:
    """Leave when, by whom or what, and why it was taken for that: figures are counted anew from it."""
    return int(rows.update(user_agent=""))


def _links(before: datetime) -> Rows:
    """Those that have run out so long ago: they lead to the shop's home, and never again to where they did."""
    return Link.objects.filter(expires_at__lt=before).exclude(target="")


def _blank_links(rows: Rows, now: datetime) -> int:
    return int(rows.update(target=""))


KINDS: Mapping[str, Kind] = {
    "deliveries": Kind(_deliveries, _blank_deliveries),
    "parked": Kind(_parked, _blank_deliveries),
    "messages": Kind(_messages, _blank_messages),
    "conversations": Kind(_conversations, _blank_conversations),
    "notes": Kind(_notes, _blank_notes),
    "events": Kind(_events, _blank_events),
    "decisions": Kind(_decisions, _blank_decisions),
    "effects": Kind(_effects, _blank_effects),
    "grants": Kind(_grants, _blank_grants),
    "codes": Kind(_codes, _blank_codes),
    "clicks": Kind(_clicks, _blank_clicks),
    "links": Kind(_links, _blank_links),
}
