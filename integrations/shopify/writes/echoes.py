"""Knows what comes back from Shopify only because we wrote it.

An echo says nothing new, and it may come late: the echo of "subscribed" after a STOP must not count as a new yes. So
it is not even a line in the ledger. Who is named in it stays: that is how people are found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from smsflow_plugin import bulk, clock
from smsflow_plugin.events.facts import Person, PersonFact
from smsflow_plugin.integrations.shopify.writes.deciding import stamp
from smsflow_plugin.integrations.shopify.writes.models import Write
from smsflow_plugin.integrations.shopify.writes.noting import THEIRS

#: How long after we wrote a tag its echo may come. Shopify repeats a webhook for four hours.
TAG_ECHO = timedelta(hours=5)

ADDED, REMOVED = "added", "removed"

Facts = Sequence[tuple[int, PersonFact]]
#: An entry of the outbox and what it sent.
Heard = tuple[int, tuple[str, ...]]


def without(facts: Facts) -> Sequence[PersonFact]:
    """Return the facts without what we wrote ourselves. One query, none where nothing could be an echo."""
    named = {(store_id, _customer(fact.person)) for store_id, fact in facts if _may_be_one(fact)}
    asked = {(store_id, who) for store_id, who in named if who}
    if not asked:
        return [fact for _store, fact in facts]
    stores, customers = {store for store, _who in asked}, {who for _store, who in asked}
    rows = Write.objects.filter(store_id__in=stores, customer__in=customers)
    written: dict[tuple[int, str], list[Write]] = {}
    for row in rows.exclude(sent=[]).only("store_id", "customer", "kind", "tag", "sent").order_by("pk"):
        written.setdefault((row.store_id, row.customer), []).append(row)
    heard: list[Heard] = []
    kept = [_kept(fact, written.get((store_id, _customer(fact.person)), ()), heard) for store_id, fact in facts]
    if heard:
        # not here: whoever locks entries of the outbox has locked their contacts first
        transaction.on_commit(lambda: _forget(heard))
    return kept


@transaction.atomic
def _forget(heard: Sequence[Heard]) -> None:
    """Take what was heard off the list: each writing has one echo. The second time, it was somebody else."""
    rows = Write.objects.filter(pk__in={pk for pk, _pair in heard}).order_by("pk").select_for_update()
    gone = set(heard)
    bulk.update(
        Write,
        ("sent",),
        [(row.pk, [pair for pair in row.sent if (row.pk, tuple(pair)) not in gone]) for row in rows],
    )


def _may_be_one(fact: PersonFact) -> bool:
    return bool(fact.person.tags_added or fact.person.tags_removed or any(map(_is_theirs, fact.consents)))


def _is_theirs(consent: Any) -> bool:
    # the box in a checkout is ticked there and nowhere else
    return bool(consent.source.startswith(THEIRS) and consent.source != "shopify_checkout")


def _customer(person: Person) -> str:
    return next((value for kind, value in person.identities if kind == "customer"), "")


def _kept(fact: PersonFact, rows: Iterable[Write], heard: list[Heard]) -> PersonFact:
    rows = list(rows)
    if not rows:
        return fact
    return _without_tags(_without_consents(fact, rows), rows, heard)


def _without_consents(fact: PersonFact, rows: Sequence[Write]) -> PersonFact:
    sent = {tuple(pair) for row in rows if row.kind == Write.Kind.CONSENT for pair in row.sent}
    echoes = [
        consent
        for consent in fact.consents
        if _is_theirs(consent) and consent.dated and stamp(consent.action, consent.effective_at) in sent
    ]
    if not echoes:
        return fact
    keys = {consent.key for consent in echoes}
    return replace(
        fact,
        consents=tuple(consent for consent in fact.consents if consent.key not in keys),
        # what flows would see of it has the same key
        happenings=tuple(happening for happening in fact.happenings if happening.key not in keys),
    )


def _without_tags(fact: PersonFact, rows: Sequence[Write], heard: list[Heard]) -> PersonFact:
    by_tag = {row.tag: row for row in rows if row.kind == Write.Kind.TAG}
    person = fact.person
    if not by_tag or not (person.tags_added or person.tags_removed):
        return fact
    added = tuple(tag for tag in person.tags_added if not _is_echo(by_tag.get(tag.casefold()), ADDED, heard))
    removed = tuple(tag for tag in person.tags_removed if not _is_echo(by_tag.get(tag.casefold()), REMOVED, heard))
    return replace(fact, person=replace(person, tags_added=added, tags_removed=removed))


def _is_echo(row: Write | None, what: str, heard: list[Heard]) -> bool:
    """Return whether we wrote this lately."""
    if row is None:
        return False
    since = clock.now() - TAG_ECHO
    for pair in row.sent:
        mine = row.pk, tuple(pair)
        if pair[0] == what and datetime.fromisoformat(pair[1]) > since and mine not in heard:
            heard.append(mine)
            return True
    return False


def remembered(sent: Sequence[Sequence[str]], *more: Sequence[str], most: int = 12) -> list[list[str]]:
    """Return what was sent with ``more`` at its end, and the oldest forgotten."""
    return [list(pair) for pair in dict.fromkeys(tuple(pair) for pair in (*sent, *more))][-most:]
