"""Finds the contact of every person that a batch of deliveries names, and locks them all.

A contact is one phone number in one store. Everything here is set-based: the number
of statements does not depend on the number of people.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from smsflow_plugin import bulk
from smsflow_plugin.audience.models import Contact, Identity
from smsflow_plugin.engine import merging
from smsflow_plugin.events.facts import Person
from smsflow_plugin.events.inbox import shortened

#: Which identity is believed first when two of them lead to different contacts.
TRUST = ("customer", "contract", "order", "checkout", "cart")
#: Identities that may be heard of before anybody has said whose they are.
NAMELESS = frozenset({"order", "contract"})
IdentityKey = tuple[int, str, str]


class Collision(Exception):
    """Another worker created the same person at the same moment: run the batch again."""


@dataclass
class Directory:
    """The contacts of one batch, by identity and by number.

    Contacts that do not exist yet have negative ids until ``create`` has run.
    """

    identities: dict[IdentityKey, int] = field(default_factory=dict)
    phones: dict[tuple[int, str], int] = field(default_factory=dict)
    phone_of: dict[int, str | None] = field(default_factory=dict)
    profile_at: dict[int, datetime | None] = field(default_factory=dict)
    new: dict[int, tuple[int, str | None]] = field(default_factory=dict)
    gained: dict[int, str] = field(default_factory=dict)
    changed: dict[IdentityKey, int] = field(default_factory=dict)
    merged: dict[int, int] = field(default_factory=dict)
    #: The ids of the events that came with those who were merged.
    inherited: list[int] = field(default_factory=list)

    def place(self, store_id: int, person: Person, *, said_at: datetime | None) -> int | None:
        """Return the id of the person's contact, or None if nothing names the person.

        ``said_at``: when the person agreed or refused, if they did. They did so for the number
        that they gave. What is older than the contact's profile no longer says which number is
        the customer's.
        """
        keys = _keys(store_id, person)
        if not keys and not person.phone:
            return None
        known = next((self.identities[key] for key in keys if key in self.identities), None)
        outdated = known is not None and _older(person.profile_at or said_at, self.profile_at.get(known))
        owns_phone = said_at is not None or (person.owns_phone and not outdated)
        contact = self._choose(store_id, known, person.phone, owns_phone=owns_phone)
        for key in keys:
            holder = self.identities.get(key)
            if key[1] in NAMELESS and holder is not None and holder != contact and self.phone_of[holder] is None:
                # a parcel came before its order: whom it stood in for is known now
                self._merge(holder, contact)
            if self.identities.get(key) != contact and not (outdated and holder == known):
                self.identities[key] = self.changed[key] = contact
        if person.owns_phone and person.profile_at and not outdated:
            self.profile_at[contact] = person.profile_at
        return self._join(store_id, contact, person) if person.was else contact

    def _join(self, store_id: int, contact: int, person: Person) -> int:
        """Make one of two customers. Two who have a number each stay two contacts: consent is for a number."""
        for key in _keys(store_id, replace(person, identities=person.was)):
            holder = self.identities.get(key)
            if holder is not None and holder != contact:
                if self.phone_of[holder] is None:
                    self._merge(holder, contact)
                elif self.phone_of[contact] is None:
                    self._merge(contact, holder)
                    contact = holder
            self.identities[key] = self.changed[key] = contact
        for key in _keys(store_id, person):
            if self.identities.get(key) != contact:
                self.identities[key] = self.changed[key] = contact
        return contact

    def _choose(self, store_id: int, known: int | None, phone: str | None, *, owns_phone: bool) -> int:
        if phone is None:
            return self._add(store_id, None) if known is None else known
        holder = self.phones.get((store_id, phone))
        if known is None:
            return self._add(store_id, phone) if holder is None else holder
        if self.phone_of[known] is None:
            if holder is not None:
                self._merge(known, holder)
                return holder
            self._gain(store_id, known, phone)
            return known
        if owns_phone and self.phone_of[known] != phone:
            # a new number is a new contact: consent stays with the old number
            return self._add(store_id, phone) if holder is None else holder
        return known

    def _add(self, store_id: int, phone: str | None) -> int:
        contact = -1 - len(self.new)
        self.new[contact] = (store_id, phone)
        self.phone_of[contact] = phone
        if phone:
            self.phones[store_id, phone] = contact
        return contact

    def _gain(self, store_id: int, contact: int, phone: str) -> None:
        self.phone_of[contact] = phone
        self.phones[store_id, phone] = contact
        if contact in self.new:
            self.new[contact] = (store_id, phone)
        else:
            self.gained[contact] = phone

    def _merge(self, stand_in: int, contact: int) -> None:
        self.merged[stand_in] = contact
        for key, holder in self.identities.items():
            if holder == stand_in:
                self.identities[key] = self.changed[key] = contact

    def settle(self, contact: int) -> int:
        """Follow merges that came after ``contact`` was placed."""
        while contact in self.merged:
            contact = self.merged[contact]
        return contact


def find(persons: Sequence[tuple[int, Person]]) -> Directory:
    """Read everything that is known about these (store id, person) pairs."""
    directory = Directory()
    stores = {store_id for store_id, _person in persons}
    keys = {key for store_id, person in persons for key in _keys(store_id, _in_all(person))}
    phones = {(store_id, person.phone) for store_id, person in persons if person.phone}
    if keys:
        # every column of the index is named: without the kind, all identities of a store would be read
        kinds, values = {key[1] for key in keys}, {key[2] for key in keys}
        rows = Identity.objects.filter(store_id__in=stores, kind__in=kinds, value__in=values).values_list(
            "store_id", "kind", "value", "contact_id", "contact__phone", "contact__profile_at"
        )
        for store_id, kind, value, contact_id, phone, profile_at in rows:
            if (store_id, kind, value) in keys:
                directory.identities[store_id, kind, value] = contact_id
                directory.phone_of[contact_id] = _text(phone)
                directory.profile_at[contact_id] = profile_at
    if phones:
        rows = Contact.objects.filter(store_id__in=stores, phone__in={phone for _store, phone in phones}).values_list(
            "store_id", "phone", "pk"
        )
        for store_id, phone, contact_id in rows:
            directory.phones[store_id, str(phone)] = contact_id
            directory.phone_of[contact_id] = str(phone)
    directory.phones.update(
        {
            (store_id, phone): contact_id
            for (store_id, _kind, _value), contact_id in directory.identities.items()
            if (phone := directory.phone_of[contact_id])
        }
    )
    return directory


def create(directory: Directory, now: datetime) -> dict[int, int]:
    """Write new contacts, numbers and identities; return the real ids of the new contacts.

    :raises Collision: if another worker was faster with one of them.
    """
    real = _insert_contacts(directory, now)
    gained = sorted(directory.gained.items())
    # a number never changes hands: one that somebody else wrote in the meantime stays
    if bulk.update(Contact, ("phone",), gained, extra_where="phone IS NULL") < len(gained):
        raise Collision
    _write_identities({key: real.get(contact, contact) for key, contact in directory.changed.items()})
    merged = {old: directory.settle(old) for old in directory.merged if old > 0}
    directory.inherited = merging.move({old: real.get(new, new) for old, new in merged.items()}, now)
    return real


def lock(contact_ids: Iterable[int]) -> dict[int, Contact]:
    """Lock the contacts in the order of their ids, and return them by id."""
    rows = Contact.objects.filter(pk__in=set(contact_ids)).order_by("pk").select_for_update()
    return {contact.pk: contact for contact in rows}


def _in_all(person: Person) -> Person:
    """Return the person with the identities that they had before among theirs."""
    return replace(person, identities=(*person.identities, *person.was)) if person.was else person


def _keys(store_id: int, person: Person) -> list[IdentityKey]:
    ordered = sorted(
        (pair for pair in person.identities if pair[1] and pair[0] in TRUST), key=lambda pair: TRUST.index(pair[0])
    )
    return [(store_id, kind, shortened(value, 255)) for kind, value in ordered]


def _insert_contacts(directory: Directory, now: datetime) -> dict[int, int]:
    wanted = [
        (contact, uuid4(), store_id, phone)
        for contact, (store_id, phone) in directory.new.items()
        if contact not in directory.merged
    ]
    # in the order of the unique key, so that two workers cannot wait for each other
    wanted.sort(key=lambda row: (row[2], row[3] or ""))
    rows = [(uuid, store_id, phone, now) for _contact, uuid, store_id, phone in wanted]
    written = bulk.insert(Contact, ("uuid", "store_id", "phone", "created_at"), rows, returning=("id", "uuid"))
    if len(written) < len(rows):
        raise Collision
    ids = {str(uuid): contact_id for contact_id, uuid in written}
    return {contact: ids[str(uuid)] for contact, uuid, _store, _phone in wanted}


def _write_identities(changed: dict[IdentityKey, int]) -> None:
    if not changed:
        return
    rows = [(*key, contact) for key, contact in sorted(changed.items())]
    bulk.insert(Identity, ("store_id", "kind", "value", "contact_id"), rows)
    stores, kinds, values = ({key[place] for key in changed} for place in range(3))
    stored = Identity.objects.filter(store_id__in=stores, kind__in=kinds, value__in=values).values_list(
        "pk", "store_id", "kind", "value", "contact_id"
    )
    moved = [
        (pk, changed[store_id, kind, value])
        for pk, store_id, kind, value, contact in stored
        if changed.get((store_id, kind, value), contact) != contact
    ]
    bulk.update(Identity, ("contact_id",), moved)


def _older(moment: datetime | None, than: datetime | None) -> bool:
    return moment is not None and than is not None and moment < than


def _text(phone: Any) -> str | None:
    return str(phone) if phone else None
