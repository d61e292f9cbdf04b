"""What one report changes of one text: forward through its states, or back into the queue for another try.

A try again is made only where the gateway says for sure that the text did not arrive; at most three times, and as often
as it takes where the account is out of credit; and never so late that the text would be of no use. Its old call is
remembered (``FormerCall``): of what is reported of that later, only an arrival counts, and it ends the tries.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from smsflow_plugin.events.facts import Report
from smsflow_plugin.events.reports import Cause, ReportStatus
from smsflow_plugin.governance.rules import MessageClass
from smsflow_plugin.messaging.gate import LONGEST_IN_QUEUE
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.messaging.settling import Trouble

_STATES = {
    ReportStatus.DISPATCHED: Message.State.ACCEPTED,
    ReportStatus.DELIVERED: Message.State.DELIVERED,
    ReportStatus.READ: Message.State.DELIVERED,
    ReportStatus.FAILED: Message.State.FAILED,
    ReportStatus.EXPIRED: Message.State.EXPIRED,
    ReportStatus.CANCELLED: Message.State.CANCELLED,
}

#: A text only moves to a higher rank. Of two final words the first counts, but for
#: "delivered": a handset's answer is proof.
_RANKS = {
    Message.State.QUEUED: 0,
    Message.State.SENDING: 1,
    Message.State.ACCEPTED: 2,
    Message.State.FAILED: 3,
    Message.State.EXPIRED: 3,
    Message.State.CANCELLED: 3,
    Message.State.DELIVERED: 4,
}
_FINAL = _RANKS[Message.State.FAILED]

#: After how long a text is tried again that did not arrive, the first time, the second and the third.
PAUSES = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))

#: What goes away by waiting. Of everything else another try would fail the same way.
_PASSES = (Cause.TEMPORARY, Cause.ACCOUNT)

#: (message, contact, state) of a text that a report has changed.
Change = tuple[int, int | None, Message.State]

#: What is read of a message, and what is written of it, by its columns.
COLUMNS = (
    "pk", "store_id", "contact_id", "batch_id", "to", "message_class", "queued_at", "expires_at", "not_before",
    "attempts", "state", "reason", "error_code", "accepted_at", "finished_at", "read_at", "channel", "reported_parts",
)  # fmt: skip
WRITTEN = (
    "state", "reason", "error_code", "accepted_at", "finished_at", "read_at", "channel", "reported_parts",
    "batch_id", "not_before", "attempts",
)  # fmt: skip


@dataclass(slots=True)
class Text:
    """A message, as far as reports change it. The columns stand in the order of ``COLUMNS``."""

    pk: int
    store_id: int
    contact_id: int | None
    batch_id: int | None
    to: str
    message_class: str
    queued_at: datetime
    expires_at: datetime | None
    not_before: datetime
    attempts: int
    state: str
    reason: str
    error_code: int | None
    accepted_at: datetime | None
    finished_at: datetime | None
    read_at: datetime | None
    channel: str
    reported_parts: int | None
    #: In how many calls it has failed before, as far as anybody asked.
    tries: int = 0
    #: Why it failed, as the last report has it.
    cause: Cause = Cause.UNKNOWN
    #: Whether anything is to be written.
    dirty: bool = False
    #: The calls that it leaves: (batch, code, when).
    left: list[tuple[int, int | None, datetime]] = field(default_factory=list)

    def apply(self, report: Report, *, batch_id: int, now: datetime) -> bool:
        """Take over what is reported of the text in this call; return whether its state changed by it."""
        arrived = report.status in (ReportStatus.DELIVERED, ReportStatus.READ)
        if batch_id != self.batch_id and not arrived:
            return False  # it has left that call: whatever else became of it there is known
        self._note(report)
        state = _STATES[report.status]
        if _RANKS[state] <= _RANKS[Message.State(self.state)]:
            return False
        self.dirty = True
        self.accepted_at = self.accepted_at or report.at
        if state is Message.State.FAILED and self._tries_again(report, now):
            return True
        self.state, self.reason = state.value, ""
        self.batch_id = self.batch_id or batch_id  # it was about to be tried again, and had come all the same
        if state is not Message.State.ACCEPTED:
            self.finished_at = report.at
            self.error_code = None if arrived else report.code
        if state is Message.State.FAILED:
            self.cause = report.cause
            self.reason = report.cause.value
        return True

    def _note(self, report: Report) -> None:
        """Keep what the gateway tells beside the state. Our own count of parts stays: the price goes by it."""
        noted = (
            report.parts or self.reported_parts,
            report.channel or self.channel,
            self.read_at or (report.at if report.status is ReportStatus.READ else None),
        )
        if noted != (self.reported_parts, self.channel, self.read_at):
            self.reported_parts, self.channel, self.read_at = noted
            self.dirty = True

    def _tries_again(self, report: Report, now: datetime) -> bool:
        """Put the text back into the queue if another try may help and still makes sense."""
        if report.cause not in _PASSES or self.batch_id is None or _RANKS[Message.State(self.state)] >= _FINAL:
            return False
        # a blocked account is mended by a person, who may need longer than three tries
        if self.tries >= len(PAUSES) and report.cause is not Cause.ACCOUNT:
            return False
        at = now + PAUSES[min(self.tries, len(PAUSES) - 1)]
        if at >= self._of_use_until:
            return False
        self.left.append((self.batch_id, report.code, report.at))
        self.tries += 1
        self.attempts += 1
        self.batch_id = None
        self.state, self.reason, self.not_before = Message.State.QUEUED.value, Trouble.TRY_AGAIN.value, at
        return True

    @property
    def _of_use_until(self) -> datetime:
        until = self.queued_at + LONGEST_IN_QUEUE[MessageClass(self.message_class)]
        return min(until, self.expires_at) if self.expires_at else until

    @property
    def row(self) -> tuple[Any, ...]:
        return (self.pk, *(getattr(self, name) for name in WRITTEN))
