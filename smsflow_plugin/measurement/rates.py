"""A part of a whole, with what is known of the rate behind it: an interval, or that there is not enough data."""

from __future__ import annotations

from dataclasses import dataclass

from smsflow_plugin.measurement.statistics import Interval, wilson

#: Below so many, a rate is an accident.
ENOUGH = 100


@dataclass(frozen=True, slots=True)
class Part:
    """``part`` of ``whole``: 40 clicked of 1,000 delivered. A text may bring two orders, so a part may be larger."""

    part: int
    whole: int

    @property
    def speaks(self) -> bool:
        """Whether there is enough to name a rate."""
        return self.whole >= ENOUGH

    @property
    def rate(self) -> float | None:
        return self.part / self.whole if self.speaks else None

    @property
    def interval(self) -> Interval | None:
        """The rate lies between these two, as far as chance lets anybody know. None if nobody can say."""
        return wilson(self.part, self.whole) if self.speaks and 0 <= self.part <= self.whole else None
