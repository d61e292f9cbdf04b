"""Compares our count of parts with what the gateways report: once a night, for the days that may still change.

The price goes by our count. Where the gateways count others, either the bill will differ, or we are wrong.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncDate

from smsflow_plugin import bulk
from smsflow_plugin.governance.spend import day_of
from smsflow_plugin.messaging.models import Message, SpendDay
from smsflow_plugin.stores.models import Store

#: So many days back are counted anew: gateways give up on a text after three, and report it the day after.
DAYS = 5

_COLUMNS = ("compared", "differing", "compared_parts", "reported_parts")


def compare_parts(now: datetime, days: int = DAYS) -> None:
    """Count anew what was reported of the last days' texts. A few statements for each time zone, whatever the texts."""
    by_zone: dict[str, list[int]] = defaultdict(list)
    for pk, zone in Store.objects.values_list("pk", "timezone"):
        by_zone[zone].append(pk)
    for zone, store_ids in by_zone.items():
        _compare(zone, store_ids, now, days)


@transaction.atomic
def _compare(zone: str, store_ids: list[int], now: datetime, days: int) -> None:
    first = day_of(now, zone).date - timedelta(days=days - 1)
    since = datetime.combine(first, datetime.min.time(), ZoneInfo(zone))
    known = (
        SpendDay.objects.filter(store_id__in=store_ids, day__gte=first)
        .order_by("store_id", "day")
        .select_for_update()
        .values_list("pk", "store_id", "day", *_COLUMNS)
    )
    before = {(store_id, day): (pk, tuple(counts)) for pk, store_id, day, *counts in known}
    found: dict[Any, tuple[int, ...]] = {
        (row.pop("store_id"), row.pop("of_day")): tuple(row[f"{name}_sum"] or 0 for name in _COLUMNS)
        for row in _counts(store_ids, since, now, zone)
    }
    rows = [
        (pk, *found.get(key, (0,) * len(_COLUMNS)))
        for key, (pk, counts) in before.items()
        if found.get(key, (0,) * len(_COLUMNS)) != counts
    ]
    bulk.update(SpendDay, _COLUMNS, rows)
    missing = [(*key, *counts) for key, counts in sorted(found.items()) if key not in before]
    bulk.insert(SpendDay, ("store_id", "day", *_COLUMNS), missing)


def _counts(store_ids: list[int], since: datetime, now: datetime, zone: str) -> Any:
    texts = Message.objects.filter(
        store_id__in=store_ids, queued_at__gte=since, queued_at__lte=now, reported_parts__isnull=False
    )
    return (
        texts.annotate(of_day=TruncDate("queued_at", tzinfo=ZoneInfo(zone)))
        .values("store_id", "of_day")
        .annotate(
            compared_sum=Count("pk"),
            differing_sum=Count("pk", filter=~Q(parts=F("reported_parts"))),
            compared_parts_sum=Sum("parts"),
            reported_parts_sum=Sum("reported_parts"),
        )
        .order_by()
    )
