"""Print what happened to one person in one store, newest first."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q

from smsflow_plugin.measurement.timeline import Entry, timeline, zone_of
from smsflow_plugin.models import Contact, Store


class Command(BaseCommand):
    help = "Prints what happened to one person in one store, newest first: why they were or weren't texted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--store", required=True, help="The store's name, its shop domain or its number.")
        parser.add_argument("--contact", required=True, help="The phone number, e-mail address or number of a contact.")
        parser.add_argument("--limit", type=int, default=50, help="Entries to print (50).")
        parser.add_argument("--json", action="store_true", help="Print JSON, with times in UTC.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["limit"] < 1:
            raise CommandError("--limit must be at least 1.")
        store = find_store(options["store"])
        contact = find_contact(store, options["contact"])
        entries = timeline(contact, limit=options["limit"])
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(contact, entries), ensure_ascii=False, indent=2))
        else:
            self._print(contact, entries)

    def _print(self, contact: Contact, entries: list[Entry]) -> None:
        zone = zone_of(contact)
        self.stdout.write(f"{contact} · {contact.phone or '–'} · {contact.store} · times in {zone}")
        self.stdout.write(
            f"Marketing: {contact.get_marketing_consent_display()} · Service: {contact.get_service_consent_display()}"
        )
        if not entries:
            self.stdout.write("Nothing has happened yet.")
        for entry in entries:
            self._print_entry(entry, ZoneInfo(zone))

    def _print_entry(self, entry: Entry, zone: ZoneInfo) -> None:
        self.stdout.write(f"\n{entry.at.astimezone(zone):%Y-%m-%d %H:%M:%S}  {entry.title}")
        indent = " " * 21
        for said in entry.decisions:
            self.stdout.write(f"{indent}{said.at.astimezone(zone):%H:%M} {said.sentence}")
        for line in (entry.detail, *(f"│ {line}" for line in entry.text.splitlines())):
            if line:
                self.stdout.write(indent + line)


def find_store(name: str) -> Store:
    """Return the store of this name, shop domain or number.

    :raises CommandError: if there is none, or more than one.
    """
    query = Q(name__iexact=name) | Q(connections__kind="shopify", connections__account__iexact=name)
    if name.isdecimal():
        query |= Q(pk=int(name))
    found = list(Store.objects.filter(query).distinct()[:2])
    if not found:
        names = ", ".join(Store.objects.values_list("name", flat=True)[:20]) or "none"
        raise CommandError(f"There is no store “{name}”. The stores are: {names}.")
    if len(found) > 1:
        raise CommandError(f"Several stores are called “{name}”. Give the shop domain or the number.")
    return found[0]


def find_contact(store: Store, name: str) -> Contact:
    """Return the contact with this phone number, e-mail address or number in ``store``.

    :raises CommandError: if there is none, or more than one.
    """
    query = Q(email__iexact=name)
    try:
        number = phonenumbers.parse(name, store.country)
    except phonenumbers.NumberParseException:
        pass
    else:
        query |= Q(phone=phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    if name.isdecimal() and len(name) < 19:
        query |= Q(pk=int(name))
    found = list(Contact.objects.filter(query, store=store).select_related("store")[:2])
    if not found:
        raise CommandError(f"{store} has no contact “{name}”. Give a phone number (+4520…), an e-mail or a number.")
    if len(found) > 1:
        raise CommandError(f"Several contacts of {store} match “{name}”. Give the phone number.")
    return found[0]


def _as_json(contact: Contact, entries: list[Entry]) -> dict[str, Any]:
    return {
        "store": contact.store.name,
        "contact": {
            "id": contact.pk,
            "name": contact.name,
            "phone": str(contact.phone or ""),
            "timezone": zone_of(contact),
            "marketing_consent": contact.marketing_consent,
            "service_consent": contact.service_consent,
        },
        "entries": [entry.to_json() for entry in entries],
    }
