"""Writes the facts of a batch of deliveries: people, consent, events, and what they set in motion."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from smsflow_plugin import bulk
from smsflow_plugin.attribution import crediting
from smsflow_plugin.audience import ledger, suppression
from smsflow_plugin.audience.consent import REVOKED, Consent
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.engine import (
    echoes,
    linking,
    mailboxes,
    merging,
    offers,
    opt_in,
    people,
    profiles,
    standing,
    stock,
    unclear,
)
from smsflow_plugin.engine.entering import NewEvent, react
from smsflow_plugin.engine.inbound import Received, Reply, queue_replies, read, stick
from smsflow_plugin.engine.text_writing import write_texts
from smsflow_plugin.engine.texts import Texts
from smsflow_plugin.events.facts import Inbound, Person, PersonFact, StoreGone
from smsflow_plugin.events.inbox import shortened
from smsflow_plugin.events.models import Event
from smsflow_plugin.messaging.outbox import cancel_queued
from smsflow_plugin.messaging.senders import senders_of
from smsflow_plugin.stores.models import Connection, Store


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact about a person, and the delivery that it came in. A text has ``inbound``, and ``received`` once read."""

    #: None for what no delivery has brought: the history of a shop.
    delivery_id: int | None
    store_id: int
    fact: PersonFact
    received: Received | None = None
    inbound: Inbound | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What has become of a batch, for whoever counts: contacts that are new, contacts that changed, new events."""

    created: int = 0
    changed: int = 0
    redeemed: int = 0
    events: tuple[NewEvent, ...] = ()


def write_people(
    entries: Sequence[Entry],
    stores: dict[int, Store],
    now: datetime,
    *,
    heard: Callable[[NewEvent], bool] | None = None,
    also: Collection[int] = (),
) -> Written:
    """Write everything that ``entries`` say, in a number of statements that does not grow with them.

    :param heard: which of the new events flows hear of; all of them if it is None. What is written of the others
        is counted and kept, and starts nothing. Whoever has refused is out of every flow in any case.
    :param also: ids of contacts who are locked as well, for what comes after.
    """
    if not entries:
        people.lock(also)
        return Written()
    facts = echoes.without([(entry.store_id, entry.fact) for entry in entries])
    entries = [replace(entry, fact=fact) for entry, fact in zip(entries, facts, strict=True)]
    placed, merged, inherited, created = _place(entries, now)
    contacts = people.lock([*(contact_id for _entry, contact_id in placed), *also])
    if any(contact.erased_at for contact in contacts.values()):
        # erased while we looked for them: whoever speaks now is somebody new
        raise people.Collision
    before = {pk: _columns(contact) for pk, contact in contacts.items()}
    placed = [(_read(entry, contacts[pk], stores[entry.store_id]), pk) for entry, pk in placed]
    _stick(placed, contacts, stores)
    merging.take_over(merged, contacts)
    placed = opt_in.take_answers(placed, contacts, now)
    was_out = _opted_out(contacts)
    took_effect = _apply_consents(placed, contacts, now)
    fields_before = {pk: dict(contact.fields) for pk, contact in contacts.items()}
    placed = [(_update_profile(entry, contacts[contact_id], now), contact_id) for entry, contact_id in placed]
    events = _write_events(placed, took_effect, now)
    standing.count(events, contacts, stores, fields_before)
    unclear.weigh(_texts(placed), contacts, now)
    changed = _write_contacts(contacts, before)
    stock.note_interest(events, now)
    redeemed = offers.redeem(events)
    linking.note_clicks(events)
    crediting.credit(events, stores, offers.gifts, inherited=inherited)
    out = _opted_out(contacts) - was_out
    # by what was said, not by the outcome: who opts out and in again in one batch loses what was queued, too
    cancel_queued(_revoked(placed, took_effect, "all"), "opted_out")
    cancel_queued(_revoked(placed, took_effect, "marketing"), "opted_out", keep_classes=("reply", "service"))
    queue_replies(
        [
            Reply(stores[entry.store_id], contacts[contact_id], entry.received, index in took_effect)
            for index, (entry, contact_id) in enumerate(placed)
            if entry.received
        ],
        now,
    )
    opt_in.thank(placed, took_effect, contacts, stores, now)
    told = events if heard is None else [event for event in events if heard(event)]
    left = [event for event in merging.again(inherited, now) if event.pk not in {new.pk for new in events}]
    texts = Texts.load(told, contacts, stores, now)
    react(sorted([*left, *told], key=lambda event: event.occurred_at), contacts, out, now, texts=texts)
    write_texts(texts)
    opt_in.ask(told, contacts, stores, now)
    return Written(created, changed, redeemed, tuple(events))


def _read(entry: Entry, contact: Contact, store: Store) -> Entry:
    """Read a text, in the person's own language first."""
    if entry.inbound is None:
        return entry
    received = read(entry.inbound, contact.language, store.language)
    return replace(entry, fact=received.fact, received=received)


def _stick(placed: Sequence[tuple[Entry, int]], contacts: Mapping[int, Contact], stores: Mapping[int, Store]) -> None:
    """Let whoever has written be texted from the number that they wrote to."""
    texts = [(contacts[pk], entry.inbound) for entry, pk in placed if entry.inbound]
    if texts:
        stick(texts, senders_of(stores[store_id] for store_id in {contact.store_id for contact, _text in texts}))


def _texts(placed: Sequence[tuple[Entry, int]]) -> list[tuple[int, Received]]:
    return [(contact_id, entry.received) for entry, contact_id in placed if entry.received]


def close_stores(gone: Sequence[tuple[int, StoreGone]]) -> None:
    """Close stores whose app was taken away, unless they were connected again since."""
    if not gone:
        return
    last = {store_id: fact.at for store_id, fact in sorted(gone, key=lambda pair: pair[1].at)}
    connected = Connection.objects.filter(store_id__in=last, kind="shopify").values_list("store_id", "connected_at")
    closed = [store_id for store_id, connected_at in connected if connected_at <= last[store_id]]
    Store.objects.filter(pk__in=closed).update(status=Store.Status.UNINSTALLED)


def _place(entries: Sequence[Entry], now: datetime) -> tuple[list[tuple[Entry, int]], dict[int, int], list[int], int]:
    """Return each entry with its contact, created if need be, and the stand-ins with whom they turned out to be.

    Then come the ids of the events that these have left, and how many contacts are new.

    Facts that name nobody are left out.
    """
    directory = people.find([(entry.store_id, entry.fact.person) for entry in entries])
    placed = []
    for entry in entries:
        person = entry.fact.person
        said_at = max((consent.effective_at for consent in entry.fact.consents), default=None)
        contact = directory.place(entry.store_id, person, said_at=said_at)
        if contact is not None:
            placed.append((entry, contact))
    real = people.create(directory, now)
    placed = [
        (entry, real.get(settled, settled)) for entry, contact in placed for settled in [directory.settle(contact)]
    ]
    settled = {old: directory.settle(old) for old in directory.merged if old > 0}
    merged = {old: real.get(new, new) for old, new in settled.items()}
    # whoever has the address may be a stand-in that has just turned out to be somebody
    placed += [(entry, merged.get(pk, pk)) for entry, pk in mailboxes.placed(entries)]
    return placed + _refusals(merged), merged, directory.inherited, len(real)


def _refusals(merged: Mapping[int, int]) -> list[tuple[Entry, int]]:
    """Return what stand-ins without a number have refused, as told by the contacts that they turned out to be.

    Refusing needs no number. Agreeing is for one number and never moves.
    """
    if not merged:
        return []
    rows = Contact.objects.filter(pk__in=merged, marketing_consent=REVOKED, consent_changed_at__isnull=False)
    refusals = []
    for pk, store_id, service, at in rows.values_list("pk", "store_id", "service_consent", "consent_changed_at"):
        scope = "all" if service == REVOKED else "marketing"
        consent = Consent(REVOKED, scope, "merged", at, key=f"merged:{pk}", evidence={"contact": pk})
        refusals.append((Entry(0, store_id, PersonFact(Person(), (consent,))), merged[pk]))
    return refusals


def _update_profile(entry: Entry, contact: Contact, now: datetime) -> Entry:
    before = standing.snapshot(contact)
    profiles.update_profile(contact, entry.fact.person)
    return replace(entry, fact=standing.with_changes(entry.fact, contact, before, entry.delivery_id, now))


def _opted_out(contacts: Mapping[int, Contact]) -> set[int]:
    return {pk for pk, contact in contacts.items() if contact.service_consent == REVOKED}


def _apply_consents(placed: Sequence[tuple[Entry, int]], contacts: dict[int, Contact], now: datetime) -> set[int]:
    """Record every statement in the ledger; return the indexes of the entries that changed a contact.

    A statement that the ledger holds is no new one: a checkout that changes after STOP says
    once more what was agreed to before, under a newer date.
    """
    took_effect = set()
    known = ledger.known_keys(
        {(entry.store_id, ledger.key_of(consent)) for entry, _contact in placed for consent in entry.fact.consents}
    )
    statements = []
    for index, (entry, contact_id) in enumerate(placed):
        for consent in entry.fact.consents:
            key = entry.store_id, ledger.key_of(consent)
            if key in known:
                continue
            known.add(key)
            statement = ledger.Statement(contacts[contact_id], consent)
            if ledger.take_over(statement, now):
                took_effect.add(index)
            statements.append(statement)
    ledger.append(statements, now)
    suppression.lift(statements, now)
    return took_effect


def _revoked(placed: Sequence[tuple[Entry, int]], took_effect: set[int], scope: str) -> set[int]:
    return {
        placed[index][1]
        for index in took_effect
        for consent in placed[index][0].fact.consents
        if (consent.action, consent.scope) == ("revoked", scope)
    }


def _write_events(placed: Sequence[tuple[Entry, int]], took_effect: set[int], now: datetime) -> list[NewEvent]:
    """Insert the events and return those that are new, as they happened.

    What happened in the same second stays in the order in which it was delivered.
    """
    wanted: dict[tuple[int, str, str], NewEvent] = {}
    deliveries: dict[tuple[int, str, str], int | None] = {}
    for index, (entry, contact_id) in enumerate(placed):
        for happening in entry.fact.happenings:
            if happening.kind in ("opted_in", "opt_in_requested") and entry.fact.consents and index not in took_effect:
                continue  # they had agreed or refused before, or took it back since: nothing to welcome or to ask
            key = (entry.store_id, happening.kind, shortened(happening.key, 255))
            wanted.setdefault(
                key,
                NewEvent(
                    0, entry.store_id, contact_id, happening.kind, key[2], shortened(happening.subject, 255),
                    min(happening.occurred_at, now), dict(happening.data),
                ),
            )  # fmt: skip
            deliveries.setdefault(key, entry.delivery_id)
    ordered = sorted(wanted, key=lambda key: wanted[key].occurred_at)
    rows = [
        (e.store_id, e.contact_id, e.kind, e.key, e.subject, e.occurred_at, now, e.data, deliveries[key])
        for key in ordered
        for e in [wanted[key]]
    ]
    written = bulk.insert(
        Event,
        ("store_id", "contact_id", "kind", "key", "subject", "occurred_at", "recorded_at", "data", "delivery_id"),
        rows,
        returning=("id", "store_id", "kind", "key"),
    )
    ids = {(store_id, kind, key): pk for pk, store_id, kind, key in written}
    return [replace(wanted[key], pk=ids[key]) for key in ordered if key in ids]


_WRITTEN = (
    *profiles.PROFILE, "tags", "profile_at", *ledger.CONTACT_COLUMNS, "email_consent", "fields", "orders_count",
    "first_order_at", "last_order_at", "total_spent", "order_times", "replenish_at", "active_hours", "doubtful_at",
    "open_case_at", "sender",
)  # fmt: skip


def _columns(contact: Contact) -> tuple[Any, ...]:
    return tuple(copy(getattr(contact, name)) for name in _WRITTEN)


def _write_contacts(contacts: dict[int, Contact], before: dict[int, tuple[Any, ...]]) -> int:
    changed = [(pk, *_columns(contact)) for pk, contact in sorted(contacts.items()) if _columns(contact) != before[pk]]
    return bulk.update(Contact, _WRITTEN, changed)
