"""What comes too late to be told to flows. Pure.

Most of what was missed is stored however old it is: it counts, and ``engine.starting.TOO_LATE`` keeps flows from
starting on it. A cart is another thing. It says nothing about the past, and a reminder that comes the next day, or
after the person has bought, does harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

#: A cart that nobody has told us of for so long is let go.
CART_WINDOW = timedelta(hours=12)

TOO_OLD, BOUGHT, NO_TOKEN = "too_old", "bought", "no_token"


@dataclass(frozen=True, slots=True)
class Late:
    """Why something is ignored, and for ``TOO_OLD`` how many hours old it is."""

    reason: str
    hours: int | None = None


def cart(
    *, token: str, updated_at: datetime, created_at: datetime, last_order_at: datetime | None, now: datetime
) -> Late | None:
    """Return why a missed cart is ignored; None if it may still be told of.

    ``last_order_at``: when the person last ordered, as far as we know who they are.
    """
    if not token:
        return Late(NO_TOKEN)
    if last_order_at is not None and last_order_at >= created_at:
        return Late(BOUGHT)
    age = now - updated_at
    if age > CART_WINDOW:
        return Late(TOO_OLD, int(age.total_seconds() // 3600))
    return None
