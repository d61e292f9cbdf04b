"""The pump that writes into shops: one shop's turn after the other's, so that none waits for another.

A turn is taken by one worker, under a lease. It claims a handful of entries, reads what Shopify knows, and writes what
differs; each entry is settled on its own. A worker that is killed in between has settled nothing, and the next one
finds Shopify as it is: what was written already is not written again.

Whoever locks an entry has locked its contact before, or locks nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from smsflow_plugin import clock
from smsflow_plugin.integrations.shopify.admin.client import AdminApi
from smsflow_plugin.integrations.shopify.writes import consent_out, tags_out
from smsflow_plugin.integrations.shopify.writes.models import Turn, Write
from smsflow_plugin.integrations.shopify.writes.shift import Outcome, Shift, TurnOver
from smsflow_plugin.integrations.shopify.writes.wishes import wishes
from smsflow_plugin.models import Connection, Identity, Store

#: Entries of a turn. Each takes a call of some 0.2 seconds, and they share one that reads.
CLAIM = 25
#: A turn that lasts longer was cut off. Longer than the slowest call, see ``admin.transport``.
LEASE = timedelta(minutes=3)
#: Seconds that a call waits for points. Longer, and another shop has its turn.
PATIENCE = 3.0


def write_out() -> int:
    """Serve one shop; return 1, or 0 if no shop is to be told anything now."""
    shift = _take_turn(clock.now())
    if shift is None:
        return 0
    try:
        _serve(shift)
    except TurnOver:
        pass  # the turn says when the next one comes
    finally:
        Turn.objects.filter(pk=shift.turn.pk, number=shift.turn.number).update(held_until=None)
    return 1


def _take_turn(now: datetime) -> Shift | None:
    """Take the turn of the shop that has waited longest, of those that are open and have something due."""
    missing = (
        Connection.objects.filter(kind="shopify").exclude(pk__in=Turn.objects.values("connection_id")).order_by("pk")
    )
    Turn.objects.bulk_create([Turn(connection=one, next_at=now) for one in missing], ignore_conflicts=True)
    due = Write.objects.filter(store_id=OuterRef("connection__store_id")).due(  # type: ignore[attr-defined]
        now, OuterRef("connection__grant__granted_at")
    )
    # a shop that was connected anew need not wait until it would be asked again
    ready = Q(next_at__lte=now) | Q(connection__grant__granted_at__gt=F("served_at"))
    turns = Turn.objects.filter(
        ready, Exists(due), Q(held_until=None) | Q(held_until__lt=now),
        connection__grant__isnull=False, connection__grant__broken_at=None,
    ).exclude(connection__store__status=Store.Status.UNINSTALLED)  # fmt: skip
    with transaction.atomic():
        turn = (
            turns.order_by(F("served_at").asc(nulls_first=True), "pk")
            .select_for_update(skip_locked=True, of=("self",))
            .first()
        )
        if turn is None:
            return None
        turn.number, turn.served_at, turn.held_until = turn.number + 1, now, now + LEASE
        turn.save(update_fields=["number", "served_at", "held_until"])
    connection = Connection.objects.select_related("store", "grant").get(pk=turn.connection_id)
    return Shift(turn, connection, AdminApi(connection, patience=PATIENCE), wishes(connection.settings))


def _serve(shift: Shift) -> None:
    mine = Write.objects.filter(store_id=shift.connection.store_id)
    granted_at = shift.connection.grant.granted_at  # type: ignore[attr-defined]
    rows = list(mine.due(clock.now(), granted_at).order_by("rank", "pk")[:CLAIM])  # type: ignore[attr-defined]
    for kind, serve in ((Write.Kind.CONSENT, consent_out.serve), (Write.Kind.TAG, tags_out.serve)):
        if own := [row for row in rows if row.kind == kind]:
            serve(shift, own)


def look_again() -> int:
    """Try those again whose customer has turned up since; return how many. Part of the hourly look."""
    known = Identity.objects.filter(contact_id=OuterRef("contact_id"), kind=Identity.Kind.CUSTOMER)
    lost = Write.objects.filter(Exists(known), outcome=Outcome.NO_CUSTOMER, settled=F("wanted"))
    return lost.update(wanted=F("wanted") + 1, changed_at=clock.now())


def retry(ids: Sequence[int]) -> int:
    """Try entries again that Shopify has refused; return how many. The caller has checked the rights."""
    parked = Write.objects.filter(pk__in=ids, outcome=Outcome.PARKED, settled=F("wanted"))
    return parked.update(wanted=F("wanted") + 1, outcome=Outcome.NEW, changed_at=clock.now())
