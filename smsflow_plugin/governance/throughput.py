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

#: What a number without a limit is taken to send when its gateway complains about it.
UNLIMITED = Decimal(100)

#: What a gateway says again within this time is no second complaint: several calls had left at once.
ONE_COMPLAINT = timedelta(seconds=5)

#: How long it takes to come back from a standstill.
RECOVERS_IN = timedelta(minutes=10)

#: A number is never slowed down to less than this part of its rate.
LEAST_SHARE = Decimal(1) / 32


def seconds_each(rate: Decimal) -> float:
    """Return how long one text takes a number that sends so many a second."""
    return 1 / float(max(rate, SLOWEST))


def allowance(free_at: datetime, now: datetime, rate: Decimal, *, urgent: bool = False) -> int:
    """Return how many texts may be given to the number now."""
    busy = max((sane(free_at, now, rate) - now).total_seconds(), 0.0)
    # a number that takes longer for one text than we look ahead still gets one at a time
    return max(0, floor((_ahead(rate, urgent) - busy) / seconds_each(rate) + 1e-6))


def spent(free_at: datetime, now: datetime, rate: Decimal, texts: int) -> datetime:
    """Return until when the number is busy that was given so many texts."""
    return max(sane(free_at, now, rate), now) + timedelta(seconds=texts * seconds_each(rate))


def free_again(free_at: datetime, now: datetime, rate: Decimal, *, urgent: bool = False) -> datetime:
    """Return when more may be given: one text at least, and not sooner than it is worth a look."""
    room = _ahead(rate, urgent) - seconds_each(rate)
    return max(sane(free_at, now, rate) - timedelta(seconds=room), now + PULSE)


def effective(
    rate: Decimal | None, slowed_to: Decimal | None, slowed_at: datetime | None, now: datetime
) -> Decimal | None:
    """Return how many texts a second a number may send now that was slowed down before; None: as many as it likes.

    It comes back by equal steps: a standstill would be over after ``RECOVERS_IN``.
    """
    if slowed_to is None or slowed_at is None:
        return rate
    full = _full(rate)
    share = max(0.0, (now - slowed_at) / RECOVERS_IN)
    back = slowed_to + full * Decimal(str(round(share, 6)))
    return rate if back >= full else max(back, SLOWEST)


def slower(
    rate: Decimal | None, slowed_to: Decimal | None, slowed_at: datetime | None, now: datetime
) -> tuple[Decimal, datetime]:
    """Return to which rate, and when, a number was slowed down whose gateway has just said that it is too fast.

    It sends half as much as it did. What several calls are told within a few seconds is one and the same complaint.
    """
    if slowed_to is not None and slowed_at is not None and timedelta() <= now - slowed_at < ONE_COMPLAINT:
        return slowed_to, slowed_at
    full = _full(rate)
    before = effective(rate, slowed_to, slowed_at, now) or full
    return round(max(before / 2, full * LEAST_SHARE, SLOWEST), 3), now


def fast_again(rate: Decimal | None, slowed_to: Decimal | None, slowed_at: datetime | None) -> datetime | None:
    """Return when a number that was slowed down sends as ever; None if it was not."""
    if slowed_to is None or slowed_at is None:
        return None
    missing = max(Decimal(0), 1 - slowed_to / _full(rate))
    return slowed_at + RECOVERS_IN * float(missing)


def _full(rate: Decimal | None) -> Decimal:
    return UNLIMITED if rate is None else max(rate, SLOWEST)


def _ahead(rate: Decimal, urgent: bool) -> float:
    ahead = max(AHEAD.total_seconds(), seconds_each(rate))
    return ahead + (max(AHEAD_FOR_URGENT.total_seconds(), seconds_each(rate)) if urgent else 0.0)


def sane(free_at: datetime, now: datetime, rate: Decimal) -> datetime:
    """Return ``free_at``, but no later than anybody can have made it: a clock that was put back must not silence."""
    return min(free_at, now + timedelta(seconds=_ahead(rate, urgent=True)))
