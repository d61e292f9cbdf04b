"""The network's own time: it is another company's computer, so it does not ask SMSFlow's clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from smsflow_plugin.integrations.simulator.network.storage import Database


class NetworkClock:
    """The machine's time plus an offset that the control API moves. Kept in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._offset = float(database.note("clock_offset") or 0)

    def now(self) -> float:
        """Return seconds since the epoch."""
        return time.time() + self._offset  # noqa: TID251 - a vendor's clock, not SMSFlow's

    def advance(self, seconds: float) -> None:
        self._offset += seconds
        self._database.set_note("clock_offset", str(self._offset))

    def set(self, moment: datetime) -> None:
        """Make it this time now; the clock runs on from there."""
        self.advance(moment.timestamp() - self.now())

    def reset(self) -> None:
        self.advance(-self._offset)


def stamp(seconds: float) -> str:
    """Write a time as Sinch does: UTC with milliseconds and a Z."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_of(text: str) -> float:
    """Read an ISO 8601 time; one without a zone is UTC.

    :raises ValueError: if it is none.
    """
    moment = datetime.fromisoformat(text.replace(" ", "+"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
