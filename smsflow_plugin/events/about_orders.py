"""Finds what was heard of orders, by the shop's ids of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import BooleanField, QuerySet, Subquery
from django.db.models.expressions import RawSQL

from smsflow_plugin.events.models import OF_ORDERS, Event

#: As literals: SQLite takes an index with a condition only where it finds that very condition in the statement.
_KINDS = ", ".join(f"'{kind}'" for kind in OF_ORDERS)


def about_orders(store_ids: Collection[int], orders: Collection[str] | Subquery) -> QuerySet[Event, Any]:
    """Return what was heard of these orders in these stores, whoever's they are."""
    table = Event._meta.db_table
    of_orders = RawSQL(f'"{table}"."kind" IN ({_KINDS})', (), output_field=BooleanField())  # noqa: S611 - names only
    return Event.objects.filter(of_orders, store_id__in=store_ids, subject__in=orders)
