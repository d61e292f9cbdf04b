"""Numbers that a store must not text, whoever gives them to it again. Only their keyed hashes are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.log_actions import get_active_log_context

from smsflow_plugin import bulk, clock
from smsflow_plugin.audience.consent import GRANTED
from smsflow_plugin.audience.phone_keys import hash_phone, key_id, phone_hashes
from smsflow_plugin.stores.models import Store, StoreLogEntry
from smsflow_plugin.stores.querysets import StoreScopedQuerySet


class Suppression(models.Model):
    """A number that gets no texts of a store. (store, hash) is unique."""

    class Reason(models.TextChoices):
        ERASED = "erased", _("Erased on request")
        OPTED_OUT_ELSEWHERE = "opted_out_elsewhere", _("Opted out elsewhere")
        LANDLINE = "landline", _("Landline")
        INVALID = "invalid", _("Not a number that can be texted")
        UNREACHABLE = "unreachable", _("Could not be reached again and again")
        BLOCKED_BY_CARRIER = "blocked_by_carrier", _("Blocked by the carrier")
        BY_HAND = "by_hand", _("Added by hand")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="suppressions", verbose_name=_("store"))
    phone_hash = models.CharField(max_length=64)
    #: Which key made the hash: without that key nobody finds the number any more.
    key_id = models.CharField(max_length=16)
    #: The last digits, for the eye. Empty after an erasure.
    last4 = models.CharField(_("ends with"), max_length=4, blank=True)
    reason = models.CharField(_("reason"), max_length=20, choices=Reason.choices, default=Reason.BY_HAND)
    source = models.CharField(_("source"), max_length=40, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("added at"), default=clock.now)
    created_by = models.CharField(_("added by"), max_length=150, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("suppressed number")
        verbose_name_plural = _("suppressed numbers")
        constraints = [models.UniqueConstraint(fields=["store", "phone_hash"], name="smsflow_suppression_number")]
        indexes = [models.Index(fields=["store", "created_at"], name="smsflow_suppression_list")]

    def __str__(self) -> str:
        return f"••• {self.last4 or '••••'}"


#: What a person undoes by agreeing again in their own words. What a network or staff has found out stays.
LIFTED_BY_OWN_WORDS = (Suppression.Reason.ERASED, Suppression.Reason.OPTED_OUT_ELSEWHERE)


class Numbered(Protocol):
    """A contact, as far as this list asks."""

    @property
    def pk(self) -> int: ...
    @property
    def store_id(self) -> int: ...
    @property
    def phone(self) -> Any: ...


class Said(Protocol):
    """A statement about consent, as far as this list asks; see ``audience.ledger.Statement``."""

    @property
    def contact(self) -> Any: ...
    @property
    def consent(self) -> Any: ...


def suppressed(contacts: Iterable[Numbered]) -> dict[int, str]:
    """Return why these contacts must not be texted, by their ids; one query, whatever their number."""
    numbers = {contact.pk: (contact.store_id, str(contact.phone)) for contact in contacts if contact.phone}
    reasons = suppressed_numbers(set(numbers.values()))
    return {pk: reasons[number] for pk, number in numbers.items() if number in reasons}


def suppressed_numbers(numbers: Collection[tuple[int, str]]) -> dict[tuple[int, str], str]:
    """The same for (store id, E.164 number) pairs."""
    found = _entries(numbers)
    return {number: reason for number, (_pk, reason, _at) in found.items()}


def suppress(
    numbers: Sequence[tuple[int, str]], reason: str, *, source: str = "", note: str = "", by: str = "", now: datetime
) -> int:
    """Put (store id, E.164 number) pairs on the list and return how many are new; those on it stay as they are."""
    known = _entries(numbers)
    key, erased = key_id(), reason == Suppression.Reason.ERASED
    rows = [
        (
            store,
            hash_phone(phone),
            key,
            "" if erased else phone[-4:],
            str(reason),
            source[:40],
            note[:200],
            by[:150],
            now,
        )
        for store, phone in dict.fromkeys(numbers)
        if (store, phone) not in known
    ]
    return bulk.insert(Suppression, _COLUMNS, rows)


_COLUMNS = ("store_id", "phone_hash", "key_id", "last4", "reason", "source", "note", "created_by", "created_at")


def suppress_erased(store_id: int, phone: str, now: datetime) -> None:
    """Put the number of somebody who is erased on the list, or make of its entry one that shows no digit of it."""
    reason = Suppression.Reason.ERASED
    known = [pk for pk, _reason, _at in _entries([(store_id, phone)]).values()]
    Suppression.objects.filter(pk__in=known).update(reason=reason, last4="", note="", created_at=now)
    suppress([(store_id, phone)], reason, source="erasure", now=now)


def lift(statements: Iterable[Said], now: datetime) -> None:
    """Take numbers off the list whose people have agreed since, in their own words."""
    agreed: dict[tuple[int, str], Said] = {}
    for one in statements:
        if one.consent.action == GRANTED and one.consent.own_words and one.contact.phone:
            agreed[one.contact.store_id, str(one.contact.phone)] = one
    gone = {
        number: pk
        for number, (pk, reason, at) in _entries(agreed).items()
        if reason in LIFTED_BY_OWN_WORDS and agreed[number].consent.effective_at > at
    }
    if not gone:
        return
    Suppression.objects.filter(pk__in=gone.values()).delete()
    content_type = ContentType.objects.get_for_model(type(agreed[next(iter(gone))].contact))
    StoreLogEntry.objects.bulk_create(
        StoreLogEntry(
            content_type=content_type,
            object_id=str(agreed[number].contact.pk),
            store_id=number[0],
            label=str(agreed[number].contact)[:255],
            action="smsflow.unsuppress",
            timestamp=now,
            uuid=get_active_log_context().uuid,
            data={"source": agreed[number].consent.source},
        )
        for number in gone
    )


#: What is disproved by a text from the number itself, if nobody but a gateway has said so.
DISPROVED = (Suppression.Reason.INVALID, Suppression.Reason.LANDLINE, Suppression.Reason.UNREACHABLE)


def lift_learned(numbers: Collection[tuple[int, str]], source: str, now: datetime) -> int:
    """Take (store id, E.164 number) pairs off the list that ``source`` put there as dead; return how many."""
    ids = [pk for pk, reason, _at in _entries(numbers).values() if reason in DISPROVED]
    if not ids:
        return 0
    wrong = Suppression.objects.filter(pk__in=ids, source=source)
    rows = list(wrong.values_list("pk", "store_id", "reason", "last4"))
    content_type = ContentType.objects.get_for_model(Suppression)
    StoreLogEntry.objects.bulk_create(
        StoreLogEntry(
            content_type=content_type,
            object_id=str(pk),
            store_id=store_id,
            label=f"••• {last4}",
            action="smsflow.unsuppress",
            timestamp=now,
            uuid=get_active_log_context().uuid,
            data={"reason": reason, "source": "wrote"},
        )
        for pk, store_id, reason, last4 in rows
    )
    Suppression.objects.filter(pk__in=[row[0] for row in rows]).delete()
    return len(rows)


def _entries(numbers: Iterable[tuple[int, str]]) -> dict[tuple[int, str], tuple[int, str, datetime]]:
    """Return (id, reason, since when) of those of the numbers that are on the list."""
    by_hash = {(store, one): (store, phone) for store, phone in numbers for one in phone_hashes(phone)}
    if not by_hash:
        return {}
    rows = Suppression.objects.filter(
        store_id__in={store for store, _hash in by_hash}, phone_hash__in={one for _store, one in by_hash}
    ).values_list("store_id", "phone_hash", "pk", "reason", "created_at")
    return {by_hash[store, one]: (pk, reason, at) for store, one, pk, reason, at in rows if (store, one) in by_hash}
