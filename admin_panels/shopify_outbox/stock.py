"""How many discount codes lie ready in the shops, for the page of discounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from smsflow_plugin import clock
from smsflow_plugin.integrations.shopify.models import CodePool
from smsflow_plugin.integrations.shopify.writes.filling import stock
from smsflow_plugin.measurement.discount_words import discount_words


@dataclass(frozen=True, slots=True)
class PoolLine:
    """One pool, in words."""

    store: str
    discount: str
    free: int
    lately: int
    trouble: str


def pool_lines(user: Any) -> list[PoolLine]:
    """Return the pools that codes are given out of now, of the user's stores. Two statements."""
    now = clock.now()
    pools = CodePool.objects.visible_to(user).filter(until__gt=now, starts_at__lte=now)
    counts = stock(pools, now)
    lines = []
    for pool in pools.filter(Q(discount__gt="") | Q(trouble__gt="")).select_related("store").order_by("store__name"):
        words = discount_words(pool.kind, pool.amount)
        if pool.kind == "amount":
            words = f"{words} {pool.store.currency}"
        own = counts[pool.pk]
        name = f"{words} · {pool.prefix}" if pool.prefix else words
        lines.append(PoolLine(pool.store.name, name, own.free, own.lately, pool.trouble))
    return lines
