"""Ninety days of a store that never were, always the same ones."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from smsflow_plugin.models import FlowStat, Store, StoreStat


def stat(store: Store, day: date, **values: Any) -> FlowStat:
    """What one step of a flow came to on one day. What is not said is nothing."""
    return FlowStat.objects.create(store=store, day=day, **values)


def fill_days(store: Store, steps: Iterable[dict[str, Any]], last: date, days: int = 90, size: int = 60) -> None:
    """Write figures for each of ``steps`` (flow_id, version_id, step, variant) and day, and for the store."""
    chance = random.Random(7)
    rows, lists = [], []
    for place, values in enumerate(steps):
        for number in range(days):
            day = last - timedelta(days=number)
            rows.append(
                FlowStat(store=store, day=day, message_class="marketing", **values, **_texts(chance, place, day, size))
            )
    for flow in {values["flow_id"] for values in steps}:
        for number in range(days):
            entered = chance.randint(size, 2 * size)
            people = {"entered": entered, "finished": entered * 7 // 10, "left": entered // 10}
            rows.append(FlowStat(store=store, day=last - timedelta(days=number), flow_id=flow, **people))
    for number in range(days):
        joined = chance.randint(10, 50)
        lists.append(
            StoreStat(store=store, day=last - timedelta(days=number), opted_in=joined, opted_out=chance.randint(0, 20))
        )
    FlowStat.objects.bulk_create(rows)
    StoreStat.objects.bulk_create(lists)


def _texts(chance: random.Random, place: int, day: date, size: int) -> dict[str, Any]:
    week = 1 + 0.4 * math.sin(day.toordinal() / 7 * 2 * math.pi)
    sent = int(size * week * chance.uniform(0.7, 1.3) / (place + 1))
    delivered = int(sent * 0.97)
    clicked = int(delivered * chance.uniform(0.06, 0.14))
    orders = int(delivered * chance.uniform(0, 0.05))
    return {
        "queued": sent + 1,
        "sent": sent,
        "pending": 1 if sent > delivered else 0,
        "delivered": delivered,
        "failed": max(sent - delivered - 1, 0),
        "clicked": clicked,
        "click_seconds": clicked * chance.randint(200, 4000),
        "replied": int(delivered * 0.03),
        "opted_out": 1 if chance.random() < 0.3 and delivered else 0,
        "parts": sent * 2,
        "cost": Decimal(sent) * Decimal("0.0166"),
        "orders": orders,
        "revenue": Decimal(orders) * Decimal("64.50"),
        "ordered": orders,
        "earned": Decimal(orders) * Decimal("61.20"),
    }
