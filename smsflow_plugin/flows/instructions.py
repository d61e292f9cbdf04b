"""What a program is made of: its instructions. Pure.

Each carries the id of the StreamField block that it came from, so that a person always finds the step that spoke;
where one block becomes several instructions, ``part`` tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from smsflow_plugin.audience.filters import Condition

#: What the variants of a text are called; the first is the text itself. The ways of a split take the same letters.
VARIANTS = "ABCD"


@dataclass(frozen=True, slots=True)
class Variant:
    """Another wording of a text, for ``weight`` percent of the people. ``name`` is "B", "C" or "D"."""

    name: str
    weight: int
    texts: Mapping[str, str]
    fallback: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delay:
    """Another time for a wait, for ``weight`` percent of the people. ``name`` is "B", "C" or "D"."""

    name: str
    weight: int
    amount: int
    unit: str


@dataclass(frozen=True, slots=True)
class Offer:
    """Another discount, for ``weight`` percent of the people. Its terms (minimum, validity) are those of the step."""

    name: str
    weight: int
    amount: str
    kind: str = "percent"


def shares(variants: Iterable[Variant | Delay | Offer]) -> tuple[int, ...]:
    """Return the shares of "A" and of each variant, in percent: "A" has what the others leave."""
    others = tuple(variant.weight for variant in variants)
    return max(0, 100 - sum(others)), *others


@dataclass(frozen=True, slots=True)
class Send:
    """Send a text, if governance allows it.

    ``texts`` maps languages to Liquid copy; "" is the language to fall back to.
    ``fallback`` is used instead, in the same way, when a value is missing; when it is
    empty the text is skipped. ``expires_minutes``: how long the text may be put off.
    ``reply``: it answers what the person has just written, so it goes at once.
    ``when_blocked``: hold or drop it when it may not go yet; empty: as the flow or the store says.
    ``media``: the public address of a picture that goes with it, where the sender and the country carry some.
    ``variants`` are tried against ``texts``, which is "A" and for everybody whom they leave.
    """

    op: ClassVar[str] = "send"
    step: str
    texts: Mapping[str, str]
    fallback: Mapping[str, str] = field(default_factory=dict)
    expires_minutes: int | None = None
    reply: bool = False
    part: str = ""
    when_blocked: str = ""
    media: str = ""
    variants: tuple[Variant, ...] = ()

    @property
    def weights(self) -> tuple[int, ...]:
        """The shares of "A" and of each variant, in percent."""
        return shares(self.variants)


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for a time. Minutes and hours are absolute; "1 day" is the same wall time tomorrow.

    ``variants`` are tried against ``amount`` and ``unit``, which are "A" and for everybody whom they leave.
    """

    op: ClassVar[str] = "wait"
    step: str
    amount: int
    unit: str  # minutes, hours, days, weeks, months
    part: str = ""
    variants: tuple[Delay, ...] = ()

    @property
    def weights(self) -> tuple[int, ...]:
        """The shares of "A" and of each variant, in percent."""
        return shares(self.variants)


@dataclass(frozen=True, slots=True)
class WaitUntilTime:
    """Wait until a wall time in the recipient's zone. ``weekdays``: 0 is Monday; empty means any day."""

    op: ClassVar[str] = "wait_until_time"
    step: str
    time: str  # HH:MM
    weekdays: tuple[int, ...] = ()
    part: str = ""


@dataclass(frozen=True, slots=True)
class WaitUntilDate:
    """Wait until so long before (negative ``amount``) or after the date at ``path``.

    ``path`` is one of ``audience.filters.lookup``; its value an ISO date or time. It is
    read again whenever the run wakes, so a date that moves is followed. ``time`` ("HH:MM",
    may be empty) is the wall time of that day in the recipient's zone; a date without a
    time of its own and without ``time`` means nine o'clock. When the date is missing or the moment
    has passed on arrival, go on at ``otherwise``, or with the next instruction if it is None.
    """

    op: ClassVar[str] = "wait_until_date"
    step: str
    path: str
    amount: int = 0
    unit: str = "days"
    time: str = ""
    otherwise: int | None = None
    part: str = ""


@dataclass(frozen=True, slots=True)
class WaitBestTime:
    """Wait for the time of day at which texts are clicked most, at most ``within_hours``; see ``engine.send_times``."""

    op: ClassVar[str] = "wait_best_time"
    step: str
    within_hours: int = 24
    part: str = ""


@dataclass(frozen=True, slots=True)
class WaitForEvent:
    """Wait until one of ``kinds`` has happened, or the timeout has passed.

    ``since`` "entry": what has happened since entry counts, so nothing that came early is
    missed; "wait": only what happens from now on. ``same_subject``: only about the same
    cart, order or appointment as the run. After the timeout go on at ``on_timeout``, or
    with the next instruction if it is None.
    """

    op: ClassVar[str] = "wait_for_event"
    step: str
    kinds: tuple[str, ...]
    amount: int
    unit: str
    since: str = "entry"
    same_subject: bool = False
    on_timeout: int | None = None
    part: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer that ``Listen`` understands, and where it leads.

    It is chosen by one of ``words`` (folded), by a number from ``low`` to ``high``, or by a yes or no
    where ``means`` is "yes" or "no"; with none of these it takes every answer. ``value`` is what is
    remembered; empty means what the person wrote (the number, if it is one). ``points`` are what the
    answer is worth where a score is kept; None means the number that was given.
    """

    target: int
    words: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None
    value: str = ""
    means: str = ""
    points: int | None = None

    @property
    def takes_all(self) -> bool:
        """Whether any text chooses it."""
        return not self.words and not self.means and self.low is None and self.high is None

    @property
    def counts(self) -> bool:
        """Whether choosing it says a number: its points, or the one that was given."""
        return self.points is not None or self.low is not None or self.high is not None


@dataclass(frozen=True, slots=True)
class Listen:
    """Wait for the answer to the question just asked.

    Takes the first text that came since the question and that no other run took. It goes
    on at the target of the first choice that fits; at ``on_other`` if none does (None: it
    keeps listening); at ``on_timeout`` when the time is up (None: the next instruction).
    ``save_as`` names the contact's field that keeps the answer, ``score_as`` the one that keeps its points
    or number; either may be empty.
    """

    op: ClassVar[str] = "listen"
    step: str
    choices: tuple[Choice, ...]
    amount: int
    unit: str
    save_as: str = ""
    on_other: int | None = None
    on_timeout: int | None = None
    part: str = ""
    score_as: str = ""


@dataclass(frozen=True, slots=True)
class Branch:
    """Go on with the next instruction if the condition holds, else at ``otherwise``."""

    op: ClassVar[str] = "branch"
    step: str
    condition: Condition
    otherwise: int
    part: str = ""


@dataclass(frozen=True, slots=True)
class Split:
    """Go one of several ways by chance, the same one whenever the same person comes here.

    ``weights`` need not add up to 100. ``targets`` has one instruction for each.
    """

    op: ClassVar[str] = "split"
    step: str
    weights: tuple[int, ...]
    targets: tuple[int, ...]
    part: str = ""


@dataclass(frozen=True, slots=True)
class Tag:
    """Give the contact a tag, or take it away."""

    op: ClassVar[str] = "tag"
    step: str
    tag: str
    add: bool = True
    part: str = ""


@dataclass(frozen=True, slots=True)
class SetField:
    """Write ``value`` into one of the contact's own fields, or what stands at ``path``."""

    op: ClassVar[str] = "set_field"
    step: str
    name: str
    value: str = ""
    path: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True)
class Discount:
    """Make a discount code for this person alone; copy calls it ``codes.<name>``.

    Its amount is ``offers.<name>`` there, its kind ``offer_kinds.<name>``.
    ``kind``: percent, amount or shipping. When none can be had, go on at ``on_failure``,
    or with the next instruction if it is None. ``variants`` are tried against ``kind`` and ``amount``, which are "A".
    """

    op: ClassVar[str] = "discount"
    step: str
    name: str
    kind: str = "percent"
    amount: str = "10"
    minimum: str = ""
    valid_days: int = 7
    prefix: str = ""
    on_failure: int | None = None
    part: str = ""
    variants: tuple[Offer, ...] = ()

    @property
    def weights(self) -> tuple[int, ...]:
        """The shares of "A" and of each variant, in percent."""
        return shares(self.variants)

    @property
    def offers(self) -> tuple[tuple[str, str], ...]:
        """What is taken off by arm: kind and amount of "A" and of each variant."""
        return (self.kind, self.amount), *((each.kind, each.amount) for each in self.variants)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Tell another system by a signed HTTPS request; copy may use its answer as ``webhooks.<save_as>``.

    ``body`` is Liquid that must render to JSON; empty means a standard description of the
    contact and what started the run. Without ``save_as`` nobody waits for the answer.
    """

    op: ClassVar[str] = "webhook"
    step: str
    url: str
    body: str = ""
    save_as: str = ""
    on_failure: int | None = None
    part: str = ""


@dataclass(frozen=True, slots=True)
class Notify:
    """Write an e-mail to the store's staff. ``subject`` and ``body`` are Liquid."""

    op: ClassVar[str] = "notify"
    step: str
    to: tuple[str, ...]
    subject: str
    body: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Email:
    """Write an e-mail to the person, if they agreed to e-mails. Copy by language, as in ``Send``."""

    op: ClassVar[str] = "email"
    step: str
    subject: Mapping[str, str]
    body: Mapping[str, str]
    part: str = ""


@dataclass(frozen=True, slots=True)
class HandOver:
    """Hand the person over to staff: no flow goes on for them until somebody lets it."""

    op: ClassVar[str] = "hand_over"
    step: str
    note: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True)
class GoTo:
    """Let the person into another flow of the store; ``leave`` says that this one ends here."""

    op: ClassVar[str] = "go_to"
    step: str
    flow: int
    leave: bool = True
    part: str = ""


@dataclass(frozen=True, slots=True)
class Goal:
    """The run has reached what it is for; ``leave`` says that it ends here."""

    op: ClassVar[str] = "goal"
    step: str
    name: str = ""
    leave: bool = False
    part: str = ""


@dataclass(frozen=True, slots=True)
class Agree:
    """Record the answer just given as agreement to marketing texts (the second half of a double opt-in)."""

    op: ClassVar[str] = "agree"
    step: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Jump:
    """Go on at ``target``. Targets always lie ahead: a program has no loops."""

    op: ClassVar[str] = "jump"
    step: str
    target: int
    part: str = ""


@dataclass(frozen=True, slots=True)
class Exit:
    """Leave the flow."""

    op: ClassVar[str] = "exit"
    step: str
    reason: str = ""
    part: str = ""


Instruction = (
    Send
    | Wait
    | WaitUntilTime
    | WaitUntilDate
    | WaitBestTime
    | WaitForEvent
    | Listen
    | Branch
    | Split
    | Tag
    | SetField
    | Discount
    | Webhook
    | Notify
    | Email
    | HandOver
    | GoTo
    | Goal
    | Agree
    | Jump
    | Exit
)
