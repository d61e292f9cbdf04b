"""The only hand that writes the ledger of consent, and the one door through which it can be changed.

Whoever writes has locked the contacts, so that each line follows the one before it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import CharField, Model, QuerySet, Value
from django.db.models.functions import Cast, Concat
from wagtail.log_actions import log

from smsflow_plugin import bulk, clock
from smsflow_plugin.audience import ledger_chain, outward
from smsflow_plugin.audience.consent import Consent, ConsentState, apply
from smsflow_plugin.audience.ledger_chain import CONTENT, FACTS
from smsflow_plugin.audience.models import ConsentRecord, Contact, LedgerGuard
from smsflow_plugin.audience.phone_keys import hash_phone
from smsflow_plugin.stores.changes import note

#: What ``take_over`` and ``append`` may change about a contact, for those who write contacts in bulk.
CONTACT_COLUMNS = (
    "marketing_consent", "service_consent", "consent_changed_at", "consent_marks", "opt_in_level", "consent_source",
    "ledger_head",
)  # fmt: skip

#: What a line is checked by.
CHECKED = ("pk", *CONTENT, *FACTS, "disclosure", "salt", "content_hash", "previous_hash", "hash", "erased_at")

_COLUMNS = (*CONTENT, *FACTS, "disclosure", "salt", "content_hash", "previous_hash", "hash")


class AlreadyTold(IntegrityError):
    """Another worker has just written the same statement: run the batch again."""


class Opening(StrEnum):
    """Why lines of the ledger may be changed. Stored in the audit log, so never rename one."""

    ERASURE = "erasure"
    STORE_DELETED = "store_deleted"
    RETENTION = "retention"
    BENCHMARK = "benchmark"


@dataclass(frozen=True, slots=True)
class Statement:
    """Something that a contact, who is locked, has said; ``actor`` is who recorded it for them."""

    contact: Contact
    consent: Consent
    actor: str = ""


def state_of(contact: Contact) -> ConsentState:
    return ConsentState.of(
        contact.marketing_consent, contact.service_consent, contact.consent_changed_at, contact.consent_marks
    )


def take_over(statement: Statement, now: datetime) -> bool:
    """Let the statement change its contact in memory; return whether what they agreed to has changed by it."""
    contact, consent = statement.contact, statement.consent
    old = state_of(contact)
    new = apply(old, consent, now)
    contact.marketing_consent, contact.service_consent, contact.consent_changed_at = new.columns
    contact.consent_marks, contact.opt_in_level = new.marks, new.level
    if new.columns != old.columns:
        contact.consent_source = consent.source[:40]
    return new.columns[:2] != old.columns[:2]


def append(statements: Sequence[Statement], now: datetime) -> None:
    """Write the statements as lines, in one statement of SQL, and note on each contact which is their newest.

    The caller writes the contacts' ``ledger_head``.

    :raises AlreadyTold: if a line of the same key is there; see ``known_keys``.
    """
    if not statements:
        return
    rows = []
    for statement in statements:
        line = _line(statement, now)
        statement.contact.ledger_head = line["hash"]
        rows.append(tuple(line[name] for name in _COLUMNS))
    if bulk.insert(ConsentRecord, _COLUMNS, rows) < len(rows):
        raise AlreadyTold("A statement with the same key is in the ledger already.")
    _note_days(statements)
    outward.consents_said(statements, now)


def _note_days(statements: Sequence[Statement]) -> None:
    """Note the days of these lines, and of what these people said later: what a line changes goes by those before."""
    first = min(statement.consent.effective_at for statement in statements)
    people = {statement.contact.pk for statement in statements}
    lines = ConsentRecord.objects.filter(contact_id__in=people, effective_at__gte=first)
    rows = list(lines.values_list("store_id", "store__timezone", "effective_at"))
    note([(store_id, at) for store_id, _zone, at in rows], {store_id: zone for store_id, zone, _at in rows})


def known_keys(pairs: Collection[tuple[int, str]]) -> set[tuple[int, str]]:
    """Return those of the (store id, key) pairs that the ledger holds already."""
    if not pairs:
        return set()
    rows = ConsentRecord.objects.filter(store_id__in={pk for pk, _key in pairs}, key__in={key for _pk, key in pairs})
    return set(rows.values_list("store_id", "key")) & set(pairs)


def key_of(consent: Consent) -> str:
    """Return the key as it stands in the ledger; the event of a statement has the same one, see ``events.inbox``."""
    key = consent.key
    if len(key) <= 255:
        return key
    return f"{key[:222]}~{sha256(key.encode('utf-8', 'replace')).hexdigest()[:32]}"


def _line(statement: Statement, now: datetime) -> dict[str, Any]:
    contact, consent, proof = statement.contact, statement.consent, statement.consent.proof
    line: dict[str, Any] = {
        "key": key_of(consent),
        "store_id": contact.store_id,
        "contact_id": contact.pk,
        "action": consent.action,
        "scope": consent.scope,
        "source": consent.source[:40],
        "channel": proof.channel,
        "programme": proof.programme[:60],
        "opt_in_level": proof.opt_in_level,
        "effective_at": consent.effective_at.astimezone(UTC),
        "recorded_at": now.astimezone(UTC),
        "phone": str(contact.phone or ""),
        "phone_hash": hash_phone(str(contact.phone or "")),
        "name": contact.name,
        "wording": consent.wording,
        "form": proof.form[:80],
        "form_version": proof.form_version[:64],
        "disclosure": proof.disclosure,
        "disclosure_locale": proof.disclosure_locale[:12],
        "disclosure_hash": ledger_chain.text_hash(proof.disclosure),
        "box_ticked": proof.box_ticked,
        "ip": proof.ip[:45],
        "user_agent": proof.user_agent[:300],
        "source_url": proof.source_url[:500],
        # as it will be read: what JSON does not know must not break the hash
        "evidence": json.loads(json.dumps(dict(consent.evidence), default=str)),
        "actor": statement.actor[:150],
        "salt": secrets.token_hex(8),
        "previous_hash": contact.ledger_head,
    }
    seal(line)
    return line


def seal(line: dict[str, Any]) -> None:
    """Put the hashes of a line into it."""
    line["content_hash"] = ledger_chain.content_hash(line["salt"], line)
    line["hash"] = ledger_chain.line_hash(line["previous_hash"], line["content_hash"], line)


# Changing it -------------------------------------------------------------------------------------


@contextmanager
def ledger_opened(reason: Opening, instance: Model, user: Any = None) -> Iterator[None]:
    """Let this transaction change the ledger until the block ends, and say so in the audit log.

    :param instance: the contact or store that it is about.
    """
    with transaction.atomic():
        log(instance=instance, action="smsflow.open_ledger", user=user, timestamp=clock.now(), data={"reason": reason})
        # pk 0 is nobody: the database commits nothing while the guard stands, see LedgerGuard
        guard = LedgerGuard.objects.create(reason=reason.value, ends_id=0)
        yield
        guard.delete()


def redact(records: QuerySet[ConsentRecord, Any], now: datetime) -> int:
    """Take away for good what says who somebody is; what was said, and the chain, stay. Open the ledger first."""
    blank: dict[str, Any] = dict.fromkeys(CONTENT, "")
    blank.update(evidence={}, key=Concat(Value("erased:"), Cast("pk", CharField())), salt="", erased_at=now)
    return records.filter(erased_at__isnull=True).update(**blank)


# Checking it -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Broken:
    """A chain that does not hold."""

    contact_id: int
    store_id: int
    found: ledger_chain.Break


def broken_chains(contacts: QuerySet[Contact, Any], batch: int = 500) -> Iterator[Broken]:
    """Yield the first break of every chain that has one; two statements for each batch of contacts."""
    last = 0
    while rows := list(
        contacts.filter(pk__gt=last).order_by("pk").values_list("pk", "store_id", "ledger_head")[:batch]
    ):
        last = rows[-1][0]
        lines: dict[int, list[dict[str, Any]]] = {pk: [] for pk, _store, _head in rows}
        for line in ConsentRecord.objects.filter(contact_id__in=lines).values(*CHECKED):
            lines[line["contact_id"]].append(line)
        yield from _breaks(rows, lines)


def _breaks(rows: Iterable[tuple[int, int, str]], lines: dict[int, list[dict[str, Any]]]) -> Iterator[Broken]:
    for pk, store_id, head in rows:
        found = ledger_chain.first_break(lines[pk], head)
        if found is not None:
            yield Broken(pk, store_id, found)
