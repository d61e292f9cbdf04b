"""The plain values that a decision is made from, and what it can be."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum


class MessageClass(StrEnum):
    """What a text is for, which decides the consent that it needs."""

    MARKETING = "marketing"
    SERVICE = "service"
    #: The question of a double opt-in, and nothing else: it goes to those who asked for texts.
    OPTIN = "optin"
    #: An answer to what the person just wrote: STOP, HELP, START.
    REPLY = "reply"


class Priority(StrEnum):
    """The class of a flow; within one class the flow's own number decides."""

    SERVICE = "service"
    LIFECYCLE = "lifecycle"
    PROMO = "promo"

    @property
    def rank(self) -> int:
        """Lower goes first."""
        return list(Priority).index(self)


class Reason(StrEnum):
    """Why a text was allowed, put off or skipped. Stored for ever, so never rename one."""

    ALLOWED = "allowed"
    NO_PHONE = "no_phone"
    NO_CONSENT = "no_consent"
    OPTED_OUT = "opted_out"
    QUIET_HOURS = "quiet_hours"
    CAP_DAY = "cap_day"
    CAP_WEEK = "cap_week"
    MINIMUM_GAP = "minimum_gap"
    STALE = "stale"
    AUDIENCE = "audience"
    MISSING_DATA = "missing_data"
    STORE_OFF = "store_off"
    FLOW_OFF = "flow_off"
    NEVER_OPEN = "never_open"
    #: Not let into a flow: the person was in it too recently, or the event came too late.
    REENTRY = "reentry"
    TOO_LATE = "too_late"
    #: Nobody is let in while the flow is paused, and nobody after as many as it takes.
    FLOW_PAUSED = "flow_paused"
    FLOW_FULL = "flow_full"
    #: Staff has taken the person over.
    HANDED_OVER = "handed_over"
    #: Flows had started one another too often in a row.
    CHAIN = "chain"


class Verdict(StrEnum):
    ALLOW = "allow"
    DEFER = "defer"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class PolicyRules:
    """A store's rules. Times are wall time in the recipient's zone."""

    opens_at: time = time(9)
    closes_at: time = time(20)
    cap_per_day: int = 2
    cap_per_week: int = 5
    minimum_gap_minutes: int = 60
    quiet_service: bool = False


@dataclass(frozen=True, slots=True)
class Intent:
    """A text that a flow wants to send.

    ``expires_at``: after this moment the text is worth nothing and must not go out.
    ``answers``: when the person wrote the text that this one answers; None if it answers none.
    """

    message_class: MessageClass
    expires_at: datetime | None = None
    answers: datetime | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """What governance must know of a person.

    ``zones``: every time zone that the person may be in; a text goes only when all are open.
    ``recent_sends``: when texts that count were sent, oldest first; 7 days are enough.
    ``handed_over``: staff talks with the person, so no flow does.
    """

    has_phone: bool
    marketing_consent: str
    service_consent: str
    zones: tuple[str, ...]
    recent_sends: tuple[datetime, ...] = ()
    store_active: bool = True
    handed_over: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What governance says to one intent, and why.

    ``until`` is set when the verdict is to defer. ``notes`` are the rules that
    spoke on the way, as data for the person who asks.
    """

    verdict: Verdict
    reason: Reason
    until: datetime | None = None
    notes: tuple[dict[str, str], ...] = field(default=())

    @property
    def allowed(self) -> bool:
        return self.verdict is Verdict.ALLOW
