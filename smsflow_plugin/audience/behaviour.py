"""What people's orders say of them: whether the next one is overdue, and who spends the most. Pure.

``engine.sql_values`` and ``engine.selection`` ask the same in SQL.

* **Overdue**: nothing was ordered for longer than the person's own usual interval, times a factor. Whoever has no
  rhythm yet (one order) is overdue after a number of days; whoever never ordered is not.
* **Best customers**: the part of a store's customers that has spent the most. Where it begins is counted once a day
  for each per cent (``spend_marks``), so that asking it of one person needs nobody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from smsflow_plugin.audience.comparing import number_of

#: A share of a store's customers: from 1 to 99 per cent.
SHARES = range(1, 100)
#: More than anybody has spent: stands for a mark that is not known.
UNREACHED = Decimal(10**12)
_MICROSECOND = timedelta(microseconds=1)


def overdue(
    last_order_at: datetime | None, used_up_at: datetime | None, now: datetime, *, percent: int, days: int
) -> bool:
    """Return whether somebody's next order is overdue.

    :param used_up_at: the last order and the person's usual interval after it; None without a rhythm.
    :param percent: how many per cent of the interval must have gone by.
    :param days: how long to wait where there is no rhythm.
    """
    if last_order_at is None:
        return False
    gone = (now - last_order_at) // _MICROSECOND
    if used_up_at is None or used_up_at <= last_order_at:
        return gone >= timedelta(days=days) // _MICROSECOND
    return gone * 100 >= (used_up_at - last_order_at) // _MICROSECOND * percent


def marks(least_by_hundredth: Iterable[tuple[int, Decimal]]) -> list[str]:
    """Return what the best 1, 2, … 99 per cent have spent at least.

    :param least_by_hundredth: the least that anybody in each hundredth of the customers has spent, 0 being the best
        hundredth. Small stores have nobody in most of them.
    """
    known = dict(least_by_hundredth)
    found, least = [], None
    for hundredth in range(SHARES.stop - 1):
        least = known.get(hundredth, least)
        found.append("" if least is None else str(least))
    return found if any(found) else []


def among_the_best(spent: object, spend_marks: Sequence[str], share: int) -> bool:
    """Return whether whoever has ``spent`` so much is among the best ``share`` per cent. Nobody is without marks."""
    amount = number_of(str(spent)) if spent is not None else None
    mark = number_of(spend_marks[share - 1]) if 0 < share <= len(spend_marks) else None
    return amount is not None and mark is not None and amount > 0 and amount >= mark
