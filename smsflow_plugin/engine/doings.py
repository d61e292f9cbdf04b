"""What a run asks to be done, beside sending texts. Plain values; ``advance`` does or queues them."""

from __future__ import annotations

from dataclasses import dataclass

from smsflow_plugin.flows.program import Discount, Email, Notify, Webhook


@dataclass(frozen=True, slots=True)
class Tagging:
    """Give the contact a tag, or take it away."""

    step: str
    tag: str
    add: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """Write a value into one of the contact's own fields."""

    step: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Agreeing:
    """Record the event ``reply`` (its id, None if there was none) as agreement to marketing."""

    step: str
    reply: int | None


@dataclass(frozen=True, slots=True)
class HandingOver:
    step: str
    note: str


@dataclass(frozen=True, slots=True)
class Entering:
    """Let the contact into another flow of the store."""

    step: str
    visit: int
    flow: int


@dataclass(frozen=True, slots=True)
class Reaching:
    """The run has reached a goal."""

    step: str
    name: str


@dataclass(frozen=True, slots=True)
class Hearing:
    """The run took the event ``reply`` as an answer: no other run may."""

    step: str
    reply: int


@dataclass(frozen=True, slots=True)
class Requesting:
    """Something outside the database: queued as an ``Effect``, named by (enrollment, step, visit).

    ``waits`` says that the run waits for the result, as "step:visit" in ``Facts.results``.
    """

    step: str
    visit: int
    instruction: Discount | Webhook | Email | Notify
    waits: bool


Doing = Tagging | Setting | Agreeing | HandingOver | Entering | Reaching | Hearing | Requesting
