"""Finds the people of whom a delivery knows nothing but an e-mail address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from django.db.models.functions import Lower

from smsflow_plugin.audience.models import Contact
from smsflow_plugin.events.facts import PersonFact

if TYPE_CHECKING:
    from smsflow_plugin.engine.writing import Entry


def placed(entries: Sequence[Entry]) -> list[tuple[Entry, int]]:
    """Return the facts that name a mailbox with everybody who has it; one that nobody has is left out. One query.

    Several people may share an address. What happened, happened to each of them, so each has events of their own.
    """
    wanted = [entry for entry in entries if entry.fact.person.mailbox]
    if not wanted:
        return []
    found = defaultdict(list)
    rows = Contact.objects.exclude(email="").annotate(mailbox=Lower("email"))
    rows = rows.filter(
        store_id__in={entry.store_id for entry in wanted}, mailbox__in={_folded(entry) for entry in wanted}
    )
    for store_id, mailbox, pk in rows.order_by("pk").values_list("store_id", "mailbox", "pk"):
        found[store_id, mailbox].append(pk)
    return [
        (replace(entry, fact=_of(entry.fact, pk)), pk)
        for entry in wanted
        for pk in found[entry.store_id, _folded(entry)]
    ]


def _folded(entry: Entry) -> str:
    return entry.fact.person.mailbox.lower()


def _of(fact: PersonFact, contact_id: int) -> PersonFact:
    return replace(fact, happenings=tuple(replace(one, key=f"{one.key}:{contact_id}") for one in fact.happenings))
