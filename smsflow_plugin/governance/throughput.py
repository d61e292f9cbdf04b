"""How many texts a number may send now. Pure.

A number has one moment, ``free_at``: until then it is busy with what it was given. Each text makes it later by
the time that one text takes. What is given out ahead of time is bounded, so in any stretch of T seconds at most
``rate × (T + AHEAD)`` texts leave, and no count has to be kept.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from math import floor

#: How far ahead of time texts are given out. Workers wake once a second at best; the half is for those who come late.
AHEAD = timedelta(seconds=1.5)

#: So much further for what cannot wait: answers, opt-in questions, news of an order.
AHEAD_FOR_URGENT = timedelta(seconds=0.5)

#: A number is looked at so often: rather a handful of texts at once than a look for each.
PULSE = timedelta(seconds=1)

#: Nobody means to send nothing at all: that is what the panic switch is for.
SLOWEST = Decimal("0.01")


def seconds_each(rate: Decimal) -> float:
    """Return how long one text takes a number that sends so many a second."""
    return 1 / float(max(rate, SLOWEST))


def allowance(free_at: datetime, now: datetime, rate: Decimal, *, urgent: bool = False) -> int:
    """Return how many texts may be given to the number now."""
    busy = max((_sane(free_at, now, rate) - now).total_seconds(), 0.0)
    # a number that takes longer for one text than we look ahead still gets one at a time
    return max(0, floor((_ahead(rate, urgent) - busy) / seconds_each(rate) + 1e-6))


def spent(free_at: datetime, now: datetime, rate: Decimal, texts: int) -> datetime:
    """Return until when the number is busy that was given so many texts."""
    return max(_sane(free_at, now, rate), now) + timedelta(seconds=texts * seconds_each(rate))


def free_again(free_at: datetime, now: datetime, rate: Decimal, *, urgent: bool = False) -> datetime:
    """Return when more may be given: one text at least, and not sooner than it is worth a look."""
    room = _ahead(rate, urgent) - seconds_each(rate)
    return max(_sane(free_at, now, rate) - timedelta(seconds=room), now + PULSE)


def _ahead(rate: Decimal, urgent: bool) -> float:
    ahead = max(AHEAD.total_seconds(), seconds_each(rate))
    return ahead + (max(AHEAD_FOR_URGENT.total_seconds(), seconds_each(rate)) if urgent else 0.0)


def _sane(free_at: datetime, now: datetime, rate: Decimal) -> datetime:
    """Return ``free_at``, but no later than anybody can have made it: a clock that was put back must not silence."""
    return min(free_at, now + timedelta(seconds=_ahead(rate, urgent=True)))
