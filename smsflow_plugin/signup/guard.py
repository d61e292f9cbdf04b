"""Protects forms from pumping: bots that make us text numbers whose operator shares the price with them. Pure.

Each limit counts what has happened in its window; ``storage`` asks the database the same
questions in one statement, and a property test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from smsflow_plugin.audience.opt_in_words import OPEN_FOR


class Outcome(StrEnum):
    """The values of ``OptInAttempt.outcome``."""

    ASKED = "asked"
    JOINED = "joined"
    PENDING = "pending"
    PHONE = "phone"
    ADDRESS = "address"
    PREFIX = "prefix"
    COUNTRY_CAP = "country"
    PAUSED = "paused"
    BOT = "bot"


#: Somebody was let in: a text may have left because of it.
LET_IN = frozenset({Outcome.ASKED, Outcome.JOINED})

#: Who has come too often from one connection is told so: it may be a café's. About anything else an
#: attacker learns nothing; whoever is honest reads what to do if no text comes.
TOLD = frozenset({Outcome.ADDRESS})


@dataclass(frozen=True, slots=True)
class Window:
    """At most ``limit`` attempts with the same value in ``column`` within ``span``.

    ``outcomes`` are those that count; none means all of them.
    """

    outcome: Outcome
    column: str
    span: timedelta
    limit: int
    outcomes: frozenset[Outcome] = frozenset()


#: In the order in which they are asked: the first one that is full decides.
WINDOWS = (
    Window(Outcome.ADDRESS, "ip_hash", timedelta(hours=1), 5),
    Window(Outcome.PHONE, "phone_hash", timedelta(minutes=10), 3),
    Window(Outcome.PREFIX, "prefix", timedelta(hours=1), 10, LET_IN),
    Window(Outcome.COUNTRY_CAP, "dial_code", timedelta(days=1), 500, LET_IN),
)
#: One question per number at a time.
UNANSWERED = Window(Outcome.PENDING, "phone_hash", OPEN_FOR, 1, frozenset({Outcome.ASKED}))


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt, as far as limits ask for it."""

    at: datetime
    phone_hash: str
    prefix: str
    country: str
    dial_code: int
    ip_hash: str
    outcome: Outcome | None = None
    confirmed: bool = False


def longest_window() -> timedelta:
    return max(window.span for window in (*WINDOWS, UNANSWERED))


def counts(attempt: Attempt, history: Iterable[Attempt]) -> dict[Outcome, int]:
    """Return how many of ``history`` each window holds at the time of ``attempt``."""
    found = {window.outcome: 0 for window in (*WINDOWS, UNANSWERED)}
    for past in history:
        for window in (*WINDOWS, UNANSWERED):
            found[window.outcome] += _counts(window, attempt, past)
    return found


def _counts(window: Window, attempt: Attempt, past: Attempt) -> bool:
    if past.at <= attempt.at - window.span or past.at > attempt.at:
        return False
    if window.outcomes and past.outcome not in window.outcomes:
        return False
    if window is UNANSWERED and past.confirmed:
        return False
    return bool(getattr(past, window.column) == getattr(attempt, window.column))


def judge(held: Mapping[Outcome, int], *, paused: bool, must_confirm: bool) -> Outcome:
    """Return what becomes of an attempt. ``held`` is what the windows hold already."""
    for window in WINDOWS[:2]:
        if held[window.outcome] >= window.limit:
            return window.outcome
    if must_confirm and held[UNANSWERED.outcome] >= UNANSWERED.limit:
        return Outcome.PENDING
    if paused:
        return Outcome.PAUSED
    for window in WINDOWS[2:]:
        if held[window.outcome] >= window.limit:
            return window.outcome
    return Outcome.ASKED if must_confirm else Outcome.JOINED


@dataclass(frozen=True, slots=True)
class Breaker:
    """Fewer than ``least`` confirmed of at least ``enough`` asked: nobody sits behind these numbers."""

    enough: int
    least: float = 0.2

    def trips(self, asked: int, confirmed: int) -> bool:
        return asked >= self.enough and confirmed < self.least * asked


#: By the kind of ``OptInPause``: a prefix is a block of ten thousand numbers, a country is many people.
BREAKERS: Mapping[str, Breaker] = {"prefix": Breaker(10), "country": Breaker(30)}
#: What is looked at, and how long somebody has to find their phone before they count as silent.
LOOK_BACK, TIME_TO_ANSWER = timedelta(days=7), timedelta(hours=1)
