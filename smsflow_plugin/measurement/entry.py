"""One thing that happened to a contact, as the timeline tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Tone(StrEnum):
    """How an entry is to be seen; never the only sign of it."""

    NEUTRAL = "neutral"
    GOOD = "good"
    WAITING = "waiting"
    BAD = "bad"


class Kind(StrEnum):
    """What an entry is about. The order settles entries of the same moment: cause before effect."""

    EVENT = "event"
    CLICK = "click"
    ROBOT = "robot"
    REVIEW = "review"
    CONSENT = "consent"
    ENTERED = "entered"
    TRIED = "tried"
    DECISION = "decision"
    MESSAGE = "message"
    EFFECT = "effect"
    THREAD = "thread"
    REDEEMED = "redeemed"
    LEFT = "left"
    NOTE = "note"

    @property
    def rank(self) -> int:
        return list(Kind).index(self)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the timeline: just below the entry that it was taken from."""

    at: datetime
    rank: int
    pk: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.rank}~{self.pk}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read what ``str`` wrote.

        :raises ValueError: if it is something else.
        """
        at, rank, pk = text.split("~")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("A cursor needs a time with a zone.")
        return cls(moment, int(rank), int(pk))


def links_of(**ids: int | None) -> dict[str, int]:
    """Return the ids of what an entry is about, without those that are not there."""
    return {name: pk for name, pk in ids.items() if pk is not None}


@dataclass(frozen=True, slots=True)
class Said:
    """One decision about a text, on the way to it."""

    at: datetime
    sentence: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. ``text`` is what was written, word for word.

    ``links`` holds the ids of what the entry is about, by model name: "flow", "message",
    "delivery", "decision". ``decisions`` are those that led to a text, in order.
    """

    at: datetime
    kind: Kind
    pk: int
    title: str
    detail: str = ""
    text: str = ""
    tone: Tone = Tone.NEUTRAL
    decisions: tuple[Said, ...] = ()
    links: Mapping[str, int] = field(default_factory=dict)

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.at, self.kind.rank, self.pk)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON, with times in UTC."""
        return {
            "at": self.at.isoformat(),
            "kind": self.kind.value,
            "id": self.pk,
            "title": self.title,
            "detail": self.detail,
            "text": self.text,
            "tone": self.tone.value,
            "decisions": [{"at": said.at.isoformat(), "sentence": said.sentence} for said in self.decisions],
            "links": dict(self.links),
        }
