"""The texts that count towards a person's caps, as they are kept on the contact. Pure.

A row is ``[Unix time, flow, class, stage, subject]``; older rows are the bare time. What
stands at the end of a row and is empty is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from smsflow_plugin.governance.policy import LONGEST
from smsflow_plugin.governance.rules import Sent

#: How long texts are kept on a contact: as far back as the longest cap looks.
REMEMBER = LONGEST


#: How far a time may be off that went through a floating point number.
_SAME = timedelta(milliseconds=1)


class Leaving(NamedTuple):
    """A text that took its place in caps when it was queued, at ``queued_at``, and leaves at ``at``."""

    queued_at: datetime
    flow: int
    at: datetime


def moved(sends: Sequence[Sent], leaving: Iterable[Leaving]) -> tuple[Sent, ...]:
    """Return ``sends`` with each text counted when it leaves, not when it was queued; in order.

    A place that was moved before is the latest of that flow's since the text was queued. Texts without one stay
    without.
    """
    found = list(sends)
    for text in leaving:
        own = [n for n, sent in enumerate(found) if sent.flow == text.flow and sent.at >= text.queued_at - _SAME]
        if own:
            first = min(own, key=lambda n: found[n].at)
            place = first if found[first].at - text.queued_at <= _SAME else max(own, key=lambda n: found[n].at)
            found[place] = replace(found[place], at=text.at)
    return tuple(sorted(found, key=lambda sent: sent.at))


def read(rows: Iterable[Any]) -> tuple[Sent, ...]:
    """Return the texts in a contact's column.

    :raises TypeError, ValueError: for what no version of this software has written.
    """
    return tuple(_sent(row) for row in rows)


def _sent(row: Any) -> Sent:
    if not isinstance(row, list):
        return Sent(datetime.fromtimestamp(row, UTC))
    at, flow, priority, stage, subject = (*row, *("", 0, "", "", "")[len(row) :])
    return Sent(datetime.fromtimestamp(at, UTC), flow, priority, stage, subject)


def write(sends: Iterable[Sent], now: datetime) -> list[Any]:
    """Return the column for those of ``sends`` that any cap can still count at ``now``."""
    horizon = now - REMEMBER
    return [row(sent) for sent in sends if sent.at > horizon]


def row(sent: Sent) -> list[Any]:
    """Return one row of the column."""
    values = [sent.at.timestamp(), sent.flow, sent.priority, sent.stage, sent.subject]
    while len(values) > 1 and not values[-1]:
        values.pop()
    return values
