"""Notes in the outbox what a shop is to be told, in the transaction in which it changes here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import F, Q

from smsflow_plugin import bulk
from smsflow_plugin.audience.consent import REVOKED
from smsflow_plugin.audience.ledger import Statement
from smsflow_plugin.audience.outward import TagChange
from smsflow_plugin.integrations.shopify.writes.models import Write
from smsflow_plugin.integrations.shopify.writes.wishes import Wishes, wishes
from smsflow_plugin.models import Connection

#: What Shopify has said itself. What it knows need not be told.
THEIRS = "shopify"

#: In what order people are served.
URGENT, USUAL, LATER = 0, 1, 2

#: How long after we wrote something a statement that crossed it may arrive.
CROSSING = timedelta(minutes=10)

Key = tuple[int, int, str, str, str]


def consents(statements: Sequence[Statement], now: datetime) -> None:
    """Note whose consent was spoken of, by anybody but the shop. A handful of statements."""
    ranks: dict[tuple[int, int], int] = {}
    theirs: set[int] = set()
    for statement in statements:
        consent, contact = statement.consent, statement.contact
        if consent.scope == "email" or consent.source == "erased":
            continue
        if consent.source.startswith(THEIRS):
            theirs.add(contact.pk)
            continue
        rank = URGENT if consent.action == REVOKED else USUAL
        key = contact.store_id, contact.pk
        ranks[key] = min(rank, ranks.get(key, USUAL))
    wanted = _wanted(store_id for store_id, _contact in ranks)
    rows: dict[int, list[Key]] = defaultdict(list)
    for (store_id, contact_id), rank in sorted(ranks.items()):
        if store_id in wanted and wanted[store_id].consent:
            rows[rank].append((store_id, contact_id, Write.Kind.CONSENT.value, "", ""))
    for rank, keys in rows.items():
        _note(keys, rank, now)
    _look_again(theirs - {contact_id for _store, contact_id in ranks}, now)


def tags(changes: Sequence[TagChange], now: datetime) -> None:
    """Note which tags flows have given and taken away."""
    wanted = _wanted(change.store_id for change in changes)
    keys = {
        (change.contact_id, folded): (change.store_id, change.contact_id, Write.Kind.TAG.value, folded, change.tag)
        for change in changes
        if change.store_id in wanted and wanted[change.store_id].tags
        for folded in [change.tag.casefold()]
        # Shopify takes no longer ones
        if 0 < len(change.tag) <= 255 and len(folded) <= 255
    }
    _note([keys[key] for key in sorted(keys)], LATER, now)


def _look_again(contact_ids: Collection[int], now: datetime) -> None:
    """Compare again where we are just writing: the shop spoke at the same time, and ours may have come last."""
    if contact_ids:
        rows = Write.objects.filter(contact_id__in=contact_ids, kind=Write.Kind.CONSENT)
        rows.filter(Q(wanted__gt=F("settled")) | Q(settled_at__gt=now - CROSSING)).update(wanted=F("wanted") + 1)


def _wanted(store_ids: Iterable[int]) -> dict[int, Wishes]:
    """Return what the stores with a shop want, by store."""
    stores = set(store_ids)
    if not stores:
        return {}
    rows = Connection.objects.filter(store_id__in=stores, kind="shopify").values_list("store_id", "settings")
    return {store_id: wishes(settings) for store_id, settings in rows}


def _note(keys: Collection[Key], rank: int, now: datetime) -> None:
    if not keys:
        return
    columns = ("store_id", "contact_id", "kind", "tag", "text")
    bulk.insert(Write, columns, list(keys))
    rows = Write.objects.filter(contact_id__in={key[1] for key in keys}, kind=next(iter(keys))[2])
    if rank == LATER:
        rows = rows.filter(tag__in={key[3] for key in keys})
    # a try that failed before says nothing about what is wanted now
    rows.update(wanted=F("wanted") + 1, rank=rank, changed_at=now, not_before=None, attempts=0)
