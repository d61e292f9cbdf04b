"""Who is told that something is back, and which prices have fallen. Pure: no Django.

Telling everybody who waits about three jackets makes three people happy and the rest
angry. So people are told in turn, a few for each piece; those who were told have a day
to make up their minds before the next in the queue are told.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

#: People told for each piece in stock: about every third of them buys.
PEOPLE_PER_PIECE = 3

#: How long a piece is thought of as taken by the people who were told of it.
CLAIM = timedelta(hours=24)

#: A price that fell by less, in percent, is no news.
LEAST_DROP = Decimal(5)

#: How long after somebody looked at a product its price is still of interest.
INTERESTED = timedelta(days=60)

#: People with this tag are told first.
FIRST_TAG = "vip"

#: What "how many are there" says where the shop does not count.
UNCOUNTED = 999


def to_tell(available: int | None, told_lately: int, limit: int) -> int:
    """Return how many more people may be told now, ``limit`` at the most.

    ``available`` is None where the shop does not count; ``told_lately`` are those within the last ``CLAIM``.
    """
    if available is None:
        return limit
    return max(0, min(limit, PEOPLE_PER_PIECE * max(0, available) - told_lately))


def drop_percent(seen: Decimal, price: Decimal) -> int:
    """Return by how many percent a price has fallen, rounded; 0 if it has not."""
    if seen <= 0 or price >= seen:
        return 0
    return int(((seen - price) * 100 / seen).quantize(Decimal(1), ROUND_HALF_UP))


def highest_price_seen(price: Decimal) -> Decimal:
    """Return the price from which on ``price`` is a drop that is news."""
    return price * 100 / (100 - LEAST_DROP)


def in_turn(waiting: Iterable[tuple[int, bool]], count: int) -> list[int]:
    """Return the first ``count`` of the queue, given as (id, comes first) in the order in which people came."""
    ordered = sorted(waiting, key=lambda person: not person[1])
    return [pk for pk, _first in ordered[:count]]
