"""The leaky bucket that limits what an app may ask of a shop. Pure: the time is given."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Bucket:
    """``available`` points as of ``at``; ``rate`` come back each second, up to ``size``."""

    size: float
    rate: float
    available: float
    at: float

    @classmethod
    def full(cls, size: float, rate: float, now: float) -> Bucket:
        return cls(size, rate, size, now)

    def refill(self, now: float) -> None:
        # a clock that was set back gives nothing, and takes nothing
        self.available = min(self.size, self.available + max(0.0, now - self.at) * self.rate)
        self.at = now

    def take(self, points: float, now: float) -> bool:
        """Take what a call asks for; return False, and take nothing, if there is not enough."""
        self.refill(now)
        if points > self.available:
            return False
        self.available -= points
        return True

    def give_back(self, points: float, now: float) -> None:
        """Return what a call asked for and did not use."""
        self.refill(now)
        self.available = min(self.size, self.available + points)

    def status(self, now: float) -> dict[str, float]:
        self.refill(now)
        return {
            "maximumAvailable": self.size,
            "currentlyAvailable": float(int(self.available)),
            "restoreRate": self.rate,
        }
