"""Work that one worker does at a time: taken and kept by UPDATEs that only one can win."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db.models import Model, Q, QuerySet

from smsflow_plugin import clock

#: Longer than a call to Shopify and the writing of what it says.
LEASE = timedelta(minutes=2)


class Lost(Exception):
    """Somebody else has taken over, or a person has ended it: what was done since the last commit is void."""


def due(rows: QuerySet[Any], now: datetime) -> QuerySet[Any]:
    """Return what should be looked at and is in nobody's hands, the longest due first."""
    free = Q(busy_until=None) | Q(busy_until__lt=now)
    return rows.filter(free, next_at__lte=now).order_by("next_at", "pk")


def take(rows: QuerySet[Any], now: datetime) -> Any | None:
    """Take the lease on the first row that is due, and return it; None if there is none."""
    for pk in due(rows, now).values_list("pk", flat=True)[:20]:
        lease = uuid4().hex
        if due(rows, now).filter(pk=pk).order_by().update(lease=lease, busy_until=now + LEASE):
            found = rows.filter(pk=pk, lease=lease).first()
            if found is not None:
                return found
    return None


def keep(row: Any, **values: Any) -> None:
    """Write ``values``, and keep the lease for another while. In a transaction this locks the row.

    :raises Lost: if it is no longer ours.
    """
    _write(row, busy_until=clock.now() + LEASE, **values)


def give_back(row: Any, next_at: datetime, **values: Any) -> None:
    """Write ``values`` and let go until ``next_at``. Nothing happens if it is no longer ours."""
    try:
        _write(row, busy_until=None, lease="", next_at=next_at, **values)
    except Lost:
        return


def _write(row: Any, **values: Any) -> None:
    model: type[Model] = type(row)
    states = {"state__in": model.ACTIVE} if hasattr(model, "ACTIVE") else {}
    if not model._default_manager.filter(pk=row.pk, lease=row.lease, **states).update(**values):
        raise Lost
    for name, value in values.items():
        if name != "lease":
            setattr(row, name, value)
