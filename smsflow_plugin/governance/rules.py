"""The words of governance: what a text is for, what is known of a person, and what a decision can be. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from smsflow_plugin.audience.places import Place


class MessageClass(StrEnum):
    """What a text is for, which decides the consent that it needs."""

    MARKETING = "marketing"
    SERVICE = "service"
    #: The question of a double opt-in, and nothing else: it goes to those who asked for texts.
    OPTIN = "optin"
    #: An answer to what the person just wrote: STOP, HELP, START.
    REPLY = "reply"


class Priority(StrEnum):
    """The class of a flow; within one class the store's own order decides."""

    SERVICE = "service"
    LIFECYCLE = "lifecycle"
    PROMO = "promo"

    @property
    def rank(self) -> int:
        """Lower goes first."""
        return list(Priority).index(self)


class Stage(StrEnum):
    """Where in the life of a customer a flow speaks to them: what they can refuse, and what caps can count."""

    WELCOME = "welcome"
    CART = "cart"
    BROWSE = "browse"
    ORDER = "order"
    AFTER = "after"
    RETENTION = "retention"
    WIN_BACK = "win_back"
    NEWS = "news"


class WhenBlocked(StrEnum):
    """What becomes of a text that may not go yet."""

    HOLD = "hold"
    DROP = "drop"
    #: Hold it, but drop it when it would come later than the text is of use.
    STALE = "stale"


class Reason(StrEnum):
    """Why a text was allowed, put off or skipped. Stored for ever, so never rename one."""

    ALLOWED = "allowed"
    NO_PHONE = "no_phone"
    NO_CONSENT = "no_consent"
    OPTED_OUT = "opted_out"
    QUIET_HOURS = "quiet_hours"
    CAP_HOUR = "cap_hour"
    CAP_DAY = "cap_day"
    CAP_WEEK = "cap_week"
    CAP_MONTH = "cap_month"
    #: As many texts as the law of the person's place allows.
    CAP_LAW = "cap_law"
    MINIMUM_GAP = "minimum_gap"
    #: A more important text that is planned already needs the place.
    LOOK_AHEAD = "look_ahead"
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
    #: Somebody has pressed the panic switch.
    PANIC = "panic"
    #: The number stands on the store's suppression list.
    SUPPRESSED = "suppressed"
    #: The person wrote something that may mean STOP; somebody has to read it first.
    UNCLEAR_REPLY = "unclear_reply"
    #: The person does not want texts of this kind, or not so many.
    PREFERENCE = "preference"
    PREFERENCE_WEEK = "preference_week"
    RECENT_BUYER = "recent_buyer"
    OPEN_CASE = "open_case"
    IN_OTHER_FLOW = "in_other_flow"
    CONVERTED = "converted"
    #: One text for each cart, within 48 hours, to people who have confirmed their opt-in.
    CART_RULE = "cart_rule"
    CART_OPT_IN = "cart_opt_in"
    #: The store does not text people of this country.
    COUNTRY = "country"
    BUDGET = "budget"
    PRICE = "price"
    #: Not let into a flow: the person is in it, or was, for this very cart, order or date.
    SAME_RUN = "same_run"
    #: A discount that governance did not allow.
    INCENTIVE = "incentive"
    #: Not let into a flow: something newer has happened, the cart was bought or the parcel is there.
    OUTRUN = "outrun"
    #: The person gets no such texts by chance, so that others can be compared with them.
    HOLDOUT = "holdout"


class Verdict(StrEnum):
    ALLOW = "allow"
    DEFER = "defer"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Sent:
    """A text that counts towards caps: when it went, and what sent it.

    ``subject`` is the cart that it was about, where it was about one.
    """

    at: datetime
    flow: int = 0
    priority: str = ""
    stage: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """A text that another run of the same person will want to send. ``rank``: lower is more important."""

    at: datetime
    rank: int
    flow: int = 0
    priority: str = ""
    stage: str = ""


@dataclass(frozen=True, slots=True)
class Intent:
    """A text that a flow wants to send.

    ``expires_at``: after this moment the text is worth nothing and must not go out.
    ``reached_at``: when its flow came to it.
    ``answers``: when the person wrote the text that this one answers; None if it answers none.
    ``rank`` is the flow's place among all of the store's flows; lower is more important.
    ``cart``: the subject of the cart that the text reminds of, and ``cart_at`` when that was left.
    ``queued``: the text has taken its place in caps already; only the last gate asks so.
    ``by_staff``: a person wrote it, by hand. It may answer for longer, and comes out of the blue at no odd hour.
    """

    message_class: MessageClass
    expires_at: datetime | None = None
    answers: datetime | None = None
    flow: int = 0
    priority: str = Priority.LIFECYCLE
    rank: int = 0
    stage: str = ""
    when_blocked: str = ""
    cart: str = ""
    cart_at: datetime | None = None
    queued: bool = False
    reached_at: datetime | None = None
    by_staff: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """What governance must know of a store at the moment.

    ``panic``: somebody has stopped all texts. ``broke_until``: when there is money again, None if there is some.
    """

    active: bool = True
    panic: bool = False
    broke_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """What governance must know of a person.

    ``places``: everywhere where the person may be. ``sends``: the texts that count, oldest first; as far back as the
    longest cap looks. ``planned``: what other runs will want to send. ``handed_over``: staff talks with the person, so
    no flow does. ``doubtful``: what they wrote may mean STOP. ``suppressed``: why the number is on the list, or empty.
    ``refused``: the stages that they do not want; ``per_week``: how many texts they do want. ``in_flows``: the other
    flows that they are in. ``confirmed``: whether the opt-in was a double one.
    """

    has_phone: bool
    marketing_consent: str
    service_consent: str
    places: tuple[Place, ...]
    sends: tuple[Sent, ...] = ()
    planned: tuple[Planned, ...] = ()
    handed_over: bool = False
    doubtful: bool = False
    suppressed: str = ""
    refused: frozenset[str] = frozenset()
    per_week: int | None = None
    last_order_at: datetime | None = None
    open_case: bool = False
    in_flows: frozenset[int] = frozenset()
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What governance says to one intent, and why.

    ``until`` is set when the verdict is to defer. ``notes`` are the rules that
    spoke on the way with their values, as plain JSON for the person who asks.
    """

    verdict: Verdict
    reason: Reason
    until: datetime | None = None
    notes: tuple[Mapping[str, Any], ...] = field(default=())

    @property
    def allowed(self) -> bool:
        return self.verdict is Verdict.ALLOW
