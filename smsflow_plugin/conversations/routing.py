"""Who takes a text that a person wrote. Pure: no Django, no clock, no database.

In this order: STOP, HELP and START; a question that the person was asked; staff, if it has taken the person over;
the store's keyword table, then the keywords of its flows; a flow for any text, or the autoresponder; and if nothing
did, the inbox. What answers by itself never answers a machine: two of them would text each other for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from smsflow_plugin.audience.replies.folding import fold

#: One answer to what nobody has asked for, in so long.
ONE_ANSWER_IN = timedelta(hours=24)

#: The same text again within this time was written by a machine, or has been answered.
SAME_TEXT_WITHIN = timedelta(minutes=10)

#: Nobody writes more texts in an hour that need an answer by itself.
MOST_IN_AN_HOUR = 12

#: How far back ``Known.earlier`` must go.
LOOK_BACK = ONE_ANSWER_IN

#: A text that we hear of later is no conversation any more: its answer would come out of the blue.
PROMPT = timedelta(hours=1)

#: Shorter numbers are short codes and services: machines.
SHORTEST_NUMBER = 7


class By(StrEnum):
    """Who took a text. Stored with it for ever, so never rename one."""

    STOP = "keyword_stop"
    HELP = "keyword_help"
    START = "keyword_start"
    #: Perhaps an opt-out: somebody reads it.
    UNCLEAR = "unclear"
    QUESTION = "question"
    STAFF = "staff"
    #: A line of the store's keyword table.
    KEYWORD = "keyword"
    #: A flow that names the word.
    FLOW = "flow"
    #: A flow for any text.
    ANY_TEXT = "any_text"
    AUTORESPONDER = "autoresponder"
    INBOX = "inbox"


class Why(StrEnum):
    """Why nothing answered by itself. Stored, so never rename one."""

    NOTHING = "nothing"
    #: The person got an answer to another text in the last 24 hours.
    ANSWERED = "answered"
    SAME_TEXT = "same_text"
    TOO_MANY = "too_many"
    MACHINE = "machine"
    LATE = "late"
    #: The answer could not be written: a value is missing.
    COPY = "copy"
    #: The person has opted out of everything: no answer goes to them.
    OPTED_OUT = "opted_out"
    #: The autoresponder speaks outside of office hours only.
    OFFICE_HOURS = "office_hours"


OF_THE_LAW = {"stop": By.STOP, "help": By.HELP, "start": By.START, "unclear": By.UNCLEAR}

#: Answers that count towards one in 24 hours.
AUTOMATIC = frozenset({By.ANY_TEXT, By.AUTORESPONDER})


@dataclass(frozen=True, slots=True)
class KeywordLine:
    """A line of the keyword table. ``words`` are folded."""

    pk: int
    words: tuple[str, ...]
    match: str = "whole"
    flow: int | None = None
    answers: bool = False
    tell_staff: bool = False


@dataclass(frozen=True, slots=True)
class Earlier:
    """A text that the person wrote before this one. ``by``: who took it, as stored."""

    at: datetime
    folded: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """``keyword`` is what the text means for consent, as its event keeps it; ``known_at``, when we heard of it."""

    body: str
    at: datetime
    sender: str = ""
    keyword: str | None = None
    known_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What decides. ``asked``: the run that asked, and its flow, if one listens that goes on.

    ``named`` and ``any_text`` are flows that the text calls, by a word or as any text does. ``responds``: the store
    answers texts that nothing else takes; ``in_office``: not now, as somebody is there. ``own``: the store's senders.
    """

    asked: tuple[int, int] | None = None
    handed_over: bool = False
    keywords: Sequence[KeywordLine] = ()
    named: Sequence[int] = ()
    any_text: Sequence[int] = ()
    responds: bool = False
    in_office: bool = False
    own: Collection[str] = ()
    earlier: Sequence[Earlier] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """Who takes the text, and why nobody answered. ``opens``: somebody must look at it."""

    by: By
    why: str = ""
    word: str = ""
    keyword: int | None = None
    enrollment: int | None = None
    flows: tuple[int, ...] = ()
    #: Whether the keyword line or the autoresponder may send its answer.
    answers: bool = False
    opens: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return what the event keeps. What is empty is left out."""
        values: Mapping[str, Any] = {
            "why": self.why,
            "word": self.word,
            "keyword": self.keyword,
            "enrollment": self.enrollment,
            "flows": list(self.flows),
        }
        return {"by": self.by.value, **{name: value for name, value in values.items() if value}}


def route(text: Text, known: Known) -> Route:
    """Decide who takes ``text``."""
    if text.keyword:
        by, late = OF_THE_LAW[text.keyword], _late(text)
        # whoever asked for help gets no answer so late, and so needs somebody
        unanswered = by is By.HELP and bool(late)
        # other words that mean START, such as JOIN, may be those of a flow as well
        return Route(by, late if unanswered else "", flows=tuple(known.named), opens=unanswered)
    if known.asked is not None:
        run, flow = known.asked
        return Route(By.QUESTION, enrollment=run, flows=(flow,))
    if known.handed_over:
        return Route(By.STAFF, opens=True)
    loop = _loop(text, known)
    line, word = _line(fold(text.body), known.keywords)
    if line is not None:
        # a machine that repeats our words would get our words for ever; staff is told of it all the same
        silent = loop or _late(text) or _same_text(text, known)
        flows = (line.flow,) if line.flow and not silent else ()
        answers = line.answers and not silent
        # what comes too late for an answer by itself has been answered by nobody
        opens = line.tell_staff or silent == Why.LATE
        return Route(By.KEYWORD, silent, word, keyword=line.pk, flows=flows, answers=answers, opens=opens)
    if known.named and not loop:
        return Route(By.FLOW, word=fold(text.body), flows=tuple(known.named))
    return _automatic(text, known, loop)


def unanswered(taken: Route) -> Route:
    """Return the route of a text whose line starts a flow that lets nobody in: unless the line answers, staff must."""
    return taken if taken.answers else replace(taken, why=taken.why or Why.NOTHING, flows=(), opens=True)


def _automatic(text: Text, known: Known, loop: str) -> Route:
    """Decide about a text that no word has found a place for."""
    if not (known.any_text or known.responds):
        return Route(By.INBOX, loop or Why.NOTHING, opens=True)
    silent = loop or _late(text) or _same_text(text, known) or _answered(text, known)
    if silent:
        return Route(By.INBOX, silent, opens=True)
    if known.any_text:
        return Route(By.ANY_TEXT, flows=tuple(known.any_text))
    if known.in_office:
        return Route(By.INBOX, Why.OFFICE_HOURS, opens=True)
    # that we shall answer tomorrow is no answer: somebody has to
    return Route(By.AUTORESPONDER, answers=True, opens=True)


def _loop(text: Text, known: Known) -> str:
    digits = text.sender.removeprefix("+")
    if text.sender and (text.sender in known.own or not digits.isdecimal() or len(digits) < SHORTEST_NUMBER):
        return Why.MACHINE
    lately = sum(1 for one in known.earlier if timedelta() <= text.at - one.at < timedelta(hours=1))
    return Why.TOO_MANY if lately >= MOST_IN_AN_HOUR else ""


def _late(text: Text) -> str:
    return Why.LATE if text.known_at is not None and text.known_at - text.at > PROMPT else ""


def _same_text(text: Text, known: Known) -> str:
    said = fold(text.body)
    again = any(one.folded == said and abs(text.at - one.at) <= SAME_TEXT_WITHIN for one in known.earlier)
    return Why.SAME_TEXT if again else ""


def _answered(text: Text, known: Known) -> str:
    lately = any(one.by in AUTOMATIC and abs(text.at - one.at) < ONE_ANSWER_IN for one in known.earlier)
    return Why.ANSWERED if lately else ""


def _line(said: str, lines: Sequence[KeywordLine]) -> tuple[KeywordLine | None, str]:
    """Return the first line that ``said``, folded, finds, with the word. Whole texts go before words in them."""
    for match in _MATCHES:
        for line in lines:
            if line.match != match:
                continue
            word = next((word for word in line.words if word and _MATCHES[match](said, word)), "")
            if word:
                return line, word
    return None, ""


_MATCHES: Mapping[str, Callable[[str, str], bool]] = {
    "whole": lambda said, word: said == word,
    "first": lambda said, word: f"{said} ".startswith(f"{word} "),
    "anywhere": lambda said, word: f" {word} " in f" {said} ",
}


def in_office(hours: Mapping[str, Any], there: datetime) -> bool:
    """Return whether somebody is there at ``there``, by the clock of the store.

    ``hours`` are ``{"mon": ["09:00", "17:00"], …}``; hours that end before they begin go on past midnight. What cannot
    be read is no office hour: then people get the answer that nobody is there, and not silence.
    """
    day = there.weekday()
    own, before = hours.get(_DAYS[day]), hours.get(_DAYS[day - 1])
    minute = there.hour * 60 + there.minute
    return _within(own, minute) or _within(before, minute + 24 * 60)


_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _within(span: Any, minute: int) -> bool:
    try:
        start, end = (_minutes(text) for text in span)
    except (TypeError, ValueError):
        return False
    return start <= minute < (end if end > start else end + 24 * 60)


def _minutes(text: Any) -> int:
    hours, minutes = str(text).split(":")
    return int(hours) * 60 + int(minutes)
