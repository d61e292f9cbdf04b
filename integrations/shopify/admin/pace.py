"""Shopify's bucket of points, as far as we know it. Pure.

Every app has one for each shop: a question takes its cost out, and the bucket fills up again at a steady rate. What is
in it comes back with every answer, so what is known grows old: other workers take from it, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Points a second of Shopify's smallest plan, where an answer does not say.
SLOWEST = 50.0
#: Left for others of this app: a worker that takes the last point makes the next one fail.
RESERVE = 0.1


@dataclass(frozen=True, slots=True)
class Bucket:
    """``available`` points of ``maximum`` at ``at`` (seconds of a steady clock), and ``rate`` more every second."""

    available: float
    maximum: float
    rate: float
    at: float

    def at_time(self, now: float) -> float:
        """Return how many points there are by now, if nobody else takes any."""
        return min(self.maximum, self.available + max(0.0, now - self.at) * self.rate)

    def wait(self, cost: float, now: float) -> float:
        """Return after how many seconds a question of ``cost`` points fits, with the reserve left."""
        needed = min(cost + self.maximum * RESERVE, self.maximum)
        return max(0.0, needed - self.at_time(now)) / self.rate


def bucket_of(extensions: object, now: float) -> Bucket | None:
    """Read an answer's ``extensions``; None where they say nothing."""
    status = _object(_object(_object(extensions).get("cost")).get("throttleStatus"))
    available, maximum, rate = (
        _number(status.get(name)) for name in ("currentlyAvailable", "maximumAvailable", "restoreRate")
    )
    if available is None or not maximum or not rate:
        return None
    return Bucket(available, maximum, rate, now)


def cost_of(extensions: object) -> float | None:
    """Return what a question was charged for beforehand: the points that must be there for it to be let in."""
    return _number(_object(_object(extensions).get("cost")).get("requestedQueryCost"))


def wait_after_throttling(extensions: object, now: float) -> float:
    """Return after how many seconds a question fits that was refused with ``THROTTLED``. Half a second at least."""
    bucket, cost = bucket_of(extensions, now), cost_of(extensions)
    if bucket is None:
        return 1.0
    return max(0.5, (min(cost or 100.0, bucket.maximum) - bucket.available) / bucket.rate)


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else None
