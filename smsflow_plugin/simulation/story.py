"""What a walk tells: who went, and what happened on the way, in the order of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from smsflow_plugin.audience.filters import PastEvent
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.governance.rules import Decision


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. ``kind`` says what, and which of the others are set.

    entered · refused (``decision``) · text (``text``, ``name``: of the variant, ``parts``, ``encoding``, ``picture``,
    ``decision``) · deferred, skipped (``decision``) · waiting (``until``) · reply (``text``) · heard (``text``: what
    was understood) · not_heard · way (``text``) · tag (``text``, ``works``: added) · field (``name``, ``text``) ·
    agreed · asked (``name``: of the effect, ``text``) · answered (``works``) · event (``name``) · handed_over ·
    resumed · entering · goal (``text``) · left (``text``: the reason) · finished · clock (the time went on, nothing
    happened)
    """

    kind: str
    at: datetime
    step: str = ""
    name: str = ""
    text: str = ""
    parts: int = 0
    encoding: str = ""
    picture: str = ""
    decision: Decision | None = None
    until: datetime | None = None
    works: bool = True


@dataclass(frozen=True, slots=True)
class Walk:
    """How it went. ``here`` is the step at which the run stands, ``path`` all that it came through.

    ``dropped`` counts the inputs that made no sense at their turn. ``asked`` says that the run waits for
    another system, ``listening`` that it waits for an answer of the person.
    """

    moments: tuple[Moment, ...]
    now: datetime
    zone: str
    contact: Contact
    over: bool
    wake_at: datetime | None = None
    here: str = ""
    path: tuple[str, ...] = ()
    asked: bool = False
    listening: bool = False
    handed_over: bool = False
    dropped: int = 0

    @property
    def texts(self) -> list[Moment]:
        return [moment for moment in self.moments if moment.kind == "text"]


@dataclass(frozen=True, slots=True)
class Person:
    """Who walks. ``past`` is what happened to them before, ``flows`` the other flows that they are in."""

    contact: Contact
    past: Sequence[PastEvent] = ()
    flows: frozenset[int] = frozenset()
