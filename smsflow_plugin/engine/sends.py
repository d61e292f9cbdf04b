"""The texts that count towards a person's caps, as they are kept on the contact. Pure.

A row is ``[Unix time, flow, class, stage, subject]``; older rows are the bare time. What
stands at the end of a row and is empty is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from smsflow_plugin.governance.policy import LONGEST
from smsflow_plugin.governance.rules import Sent

#: How long texts are kept on a contact: as far back as the longest cap looks.
REMEMBER = LONGEST


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
    return [_row(sent) for sent in sends if sent.at > horizon]


def _row(sent: Sent) -> list[Any]:
    row = [sent.at.timestamp(), sent.flow, sent.priority, sent.stage, sent.subject]
    while len(row) > 1 and not row[-1]:
        row.pop()
    return row
