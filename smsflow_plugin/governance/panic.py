"""Which stores the panic switch holds: no text of theirs leaves but the answer to STOP and HELP.

Their people stay where they are, and what happens to them is written down. Nothing is decided
meanwhile, so that the ledger does not fill with the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from smsflow_plugin.governance.models import PanicStop


@dataclass(frozen=True, slots=True)
class Stopped:
    """The stores that stand still now; ``everybody``: the switch of the whole site was pressed."""

    stores: frozenset[int] = frozenset()
    everybody: bool = False

    def __contains__(self, store_id: int) -> bool:
        return self.everybody or store_id in self.stores

    def going(self, rows: QuerySet[Any], column: str = "store_id") -> QuerySet[Any]:
        """Narrow ``rows`` to those of stores that nobody has stopped."""
        if self.everybody:
            return rows.none()
        return rows.exclude(**{f"{column}__in": self.stores}) if self.stores else rows


def stopped() -> Stopped:
    """Return what is stopped now, with one query of a handful of rows."""
    ids = set(PanicStop.objects.filter(released_at=None).values_list("store_id", flat=True))
    return Stopped(frozenset(pk for pk in ids if pk is not None), None in ids)


def stands_for(column: str = "store_id") -> Exists:
    """Return whether a stop stands for the store of a row: to be asked in the statement that changes it."""
    own = Q(store_id=OuterRef(column)) | Q(store_id__isnull=True)
    return Exists(PanicStop.objects.filter(own, released_at=None))


def released_since(store_ids: Iterable[int], since: datetime) -> dict[int, datetime]:
    """Return when the texts of these stores were last let go again, for those for which that was after ``since``."""
    ids = list(store_ids)
    rows = dict(
        PanicStop.objects.filter(Q(store_id__in=ids) | Q(store_id__isnull=True), released_at__gt=since)
        .order_by()
        .values_list("store_id")
        .annotate(at=Max("released_at"))
    )
    everybody = rows.get(None)
    found = {}
    for pk in ids:
        own = [at for at in (rows.get(pk), everybody) if at]
        if own:
            found[pk] = max(own)
    return found
