"""Where a run stands. Pure, and plain JSON when stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class State:
    """Where a run stands.

    ``at`` is the next instruction; ``reached_at`` is when the run came to it. ``waiting_until``
    is set while that instruction waits (a wait, or a send that was put off). ``visits`` counts
    how often each step sent or gave up, which makes (enrollment, step, visit) unique.
    ``sent`` counts the texts that governance allowed. ``asked_at`` is when the last text of
    the flow was allowed: what the person writes from then on may answer it; None if that text
    was not sent. ``heard`` are the ids of the events that this run has used up; ``answer`` is the last
    of them that was an answer, ``heard_at`` its time. ``gathered`` holds ``answers``, ``codes``,
    ``offers``, ``offer_kinds``, ``webhooks`` and ``ways`` (of splits, and of what waits and discounts try), and
    under ``past`` the steps that were done in an older version of the flow and now lie ahead: they are passed over.
    """

    at: int = 0
    reached_at: datetime | None = None
    waiting_until: datetime | None = None
    visits: Mapping[str, int] = field(default_factory=dict)
    sent: int = 0
    asked_at: datetime | None = None
    heard: tuple[int, ...] = ()
    heard_at: datetime | None = None
    answer: int | None = None
    gathered: Mapping[str, Any] = field(default_factory=dict)

    def heard_by_waits(self, since: str) -> tuple[int, ...]:
        """Return the events that a wait for something new must pass over: one event ends one wait."""
        return self.heard if since == "wait" else ()

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {
            "at": self.at,
            "reached_at": _text(self.reached_at),
            "waiting_until": _text(self.waiting_until),
            "visits": dict(self.visits),
            "sent": self.sent,
        }
        # most runs never ask anything: what is empty is left out of a million rows
        if self.asked_at:
            data["asked_at"] = _text(self.asked_at)
        if self.heard:
            data["heard"] = list(self.heard)
            data["heard_at"] = _text(self.heard_at)
        if self.answer is not None:
            data["answer"] = self.answer
        if self.gathered:
            data["gathered"] = dict(self.gathered)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> State:
        return cls(
            at=data.get("at", 0),
            reached_at=_moment(data.get("reached_at")),
            waiting_until=_moment(data.get("waiting_until")),
            visits=dict(data.get("visits", {})),
            sent=data.get("sent", 0),
            asked_at=_moment(data.get("asked_at")),
            heard=tuple(data.get("heard", ())),
            heard_at=_moment(data.get("heard_at")),
            answer=data.get("answer"),
            gathered=dict(data.get("gathered", {})),
        )


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
