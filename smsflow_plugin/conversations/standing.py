"""Where a conversation stands, and what a text makes of that. Pure: no Django, no clock, no database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

OPEN, SNOOZED, CLOSED = "open", "snoozed", "closed"

#: So long after the last text of either side, automation comes back to somebody whom staff has taken over.
HAND_BACK_AFTER = timedelta(hours=24)

#: So long somebody whom a flow has handed over waits for staff: a weekend is bridged.
WAIT_FOR_STAFF = timedelta(hours=72)

#: How many characters of a text a list shows.
SHOWN = 160


class Needs(StrEnum):
    """Why somebody should look. The values are those of ``Thread.Needs``."""

    ANSWER = "answer"
    PERSON = "person"
    STARTED = "started"
    TOLD = "told"


@dataclass(frozen=True, slots=True)
class Standing:
    """What changes about a thread, in the order of ``COLUMNS``."""

    state: str = OPEN
    needs: str = Needs.ANSWER
    unread: int = 0
    snoozed_until: datetime | None = None
    heard_at: datetime | None = None
    last_at: datetime | None = None
    last_words: str = ""
    last_from_person: bool = True
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    hand_back_at: datetime | None = None


COLUMNS = (
    "state", "needs", "unread", "snoozed_until", "heard_at", "last_at", "last_words", "last_from_person", "opened_at",
    "closed_at", "hand_back_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Heard:
    """A text of a person. ``opens``: nothing has taken it, so that somebody must look."""

    at: datetime
    words: str
    opens: bool = False


def after_text(before: Standing | None, heard: Heard) -> Standing | None:
    """Return where a conversation stands after a text of the person; None where there still is none.

    What something has taken opens nothing. In a conversation that goes on anyway, staff sees it as unread.
    """
    if before is None or before.state == CLOSED:
        if not heard.opens:
            return before and _said(before, heard)
        return _said(_opened(before or Standing(), heard.at, _why(before)), heard, unread=1)
    awake = replace(before, state=OPEN, snoozed_until=None)
    if not before.last_from_person:
        awake = replace(awake, needs=Needs.TOLD)
    return _said(awake, heard, unread=before.unread + 1)


def after_staff(before: Standing | None, at: datetime, words: str, *, taken_over: bool) -> Standing:
    """Return where a conversation stands after staff wrote. ``taken_over``: flows wait for the end of it."""
    standing = _opened(before or Standing(), at, Needs.STARTED) if before is None or before.state == CLOSED else before
    return replace(
        standing,
        state=OPEN,
        snoozed_until=None,
        unread=0,
        last_at=at,
        last_words=words[:SHOWN],
        last_from_person=False,
        hand_back_at=at + HAND_BACK_AFTER if taken_over else standing.hand_back_at,
    )


def after_hand_over(before: Standing | None, at: datetime) -> Standing:
    """Return where a conversation stands after a flow handed the person over."""
    standing = before or Standing(last_at=at)
    opened = standing if before is not None and before.state == OPEN else _opened(standing, at, Needs.PERSON)
    return replace(
        opened,
        needs=Needs.PERSON,
        unread=max(opened.unread, 1),
        hand_back_at=max(at + WAIT_FOR_STAFF, opened.hand_back_at or at),
    )


def _why(before: Standing | None) -> Needs:
    return Needs.ANSWER if before is None or before.last_from_person else Needs.TOLD


def _opened(before: Standing, at: datetime, needs: Needs) -> Standing:
    return replace(before, state=OPEN, needs=needs, opened_at=at, closed_at=None, snoozed_until=None, unread=0)


def _said(standing: Standing, heard: Heard, *, unread: int | None = None) -> Standing:
    # of two texts that arrive in the wrong order, the later one stays the last
    newer = standing.last_at is None or heard.at >= standing.last_at
    said = replace(
        standing,
        unread=standing.unread if unread is None else unread,
        heard_at=max(heard.at, standing.heard_at or heard.at),
        hand_back_at=max(standing.hand_back_at, heard.at + HAND_BACK_AFTER) if standing.hand_back_at else None,
    )
    return replace(said, last_at=heard.at, last_words=heard.words[:SHOWN], last_from_person=True) if newer else said
