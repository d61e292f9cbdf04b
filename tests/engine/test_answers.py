"""What people write back, and what it means to the question that waits for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smsflow_plugin.audience.filters import Facts, PastEvent
from smsflow_plugin.engine import doings
from smsflow_plugin.engine.interpreter import Outcome, State, Status, interpret, wakes_on
from smsflow_plugin.flows.program import Agree, Choice, Instruction, Listen, Program, Send, Trigger, WaitForEvent
from smsflow_plugin.governance.rules import Decision, Reason, Verdict

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)
ALLOW = Decision(Verdict.ALLOW, Reason.ALLOWED)
SKIP = Decision(Verdict.SKIP, Reason.NO_CONSENT)

# Listening -----------------------------------------------------------------------------------

QUESTION = Send("q", {"": "A or B?"})
LISTEN = Listen("q", (Choice(4, ("a",)), Choice(5, ("b",))), 1, "hours", "taste", 2, 6, part="1")
ONCE_MORE = (
    Send("q", {"": "Again?"}, reply=True, part="again"),
    Listen("q", LISTEN.choices, 1, "hours", "taste", None, 6, part="2"),
)
WAYS = (Send("a", {"": "A!"}), Send("b", {"": "B!"}), Send("end", {"": "Bye."}))
PROGRAM = Program((Trigger("opted_in"),), (QUESTION, LISTEN, *ONCE_MORE, *WAYS))


def text(body: str, minutes: int, number: int, **data: Any) -> PastEvent:
    return PastEvent("message_received", NOW + timedelta(minutes=minutes), data={"body": body, **data}, id=number)


class Walk:
    """A run that is looked at whenever something comes, and when its time is up."""

    def __init__(self, *instructions: Instruction, ask: Any = lambda ask: ALLOW) -> None:
        self.program = Program((Trigger("opted_in"),), instructions) if instructions else PROGRAM
        self.ask = ask
        self.state = State()
        self.events: tuple[PastEvent, ...] = ()
        self.steps: list[str] = []
        self.doings: list[Any] = []
        self.at(0)

    def at(self, minutes: int, *events: PastEvent) -> Outcome:
        self.events += events
        facts = Facts({}, NOW - timedelta(minutes=30), events=self.events)
        now = NOW + timedelta(minutes=minutes)
        outcome = interpret(self.program, self.state, facts, now, zone="UTC", ask=self.ask)
        self.state = State.from_json(outcome.state.to_json())
        self.steps += [f"{answer.ask.send.step}{answer.ask.send.part}" for answer in outcome.answers]
        self.doings += outcome.doings
        self.last = outcome
        return outcome

    def heard(self) -> list[int]:
        return [doing.reply for doing in self.doings if isinstance(doing, doings.Hearing)]


def test_an_answer_is_remembered_and_goes_its_way() -> None:
    walk = Walk()
    assert wakes_on(walk.program, walk.state) == {"message_received"}
    walk.at(5, text("b!", 5, 1))
    assert walk.steps == ["q", "b", "end"]
    assert doings.Setting("q", "taste", "b!") in walk.doings and walk.heard() == [1]
    assert walk.state.gathered["answers"] == {"taste": "b!"}


def test_a_text_from_before_the_question_is_no_answer_to_it() -> None:
    walk = Walk()
    outcome = walk.at(1, text("a", -1, 1))
    assert outcome.status is Status.WAITING and walk.heard() == []


def test_of_two_texts_the_first_is_the_answer() -> None:
    walk = Walk()
    walk.at(5, text("a", 4, 1), text("b", 5, 2))
    assert walk.steps == ["q", "a", "b", "end"] and walk.heard() == [1]


def test_nonsense_is_asked_about_once_and_then_waited_out() -> None:
    walk = Walk()
    walk.at(5, text("what?", 5, 1))
    assert walk.steps == ["q", "qagain"] and walk.state.answer == 1
    assert walk.at(6, text("dunno", 6, 2)).status is Status.WAITING
    assert walk.steps == ["q", "qagain"]
    walk.at(7, text("A", 7, 3))
    assert walk.steps == ["q", "qagain", "a", "b", "end"] and walk.heard() == [1, 2, 3]


def test_two_texts_at_once_are_nonsense_and_its_correction() -> None:
    walk = Walk()
    walk.at(5, text("hm", 4, 1), text("a", 5, 2))
    assert walk.steps == ["q", "qagain", "a", "b", "end"]


@pytest.mark.parametrize("keyword", ["stop", "help", "start"])
def test_stop_and_help_in_between_are_never_answers(keyword: str) -> None:
    walk = Walk()
    assert walk.at(5, text("A", 5, 1, keyword=keyword)).status is Status.WAITING
    walk.at(6, text("a", 6, 2))
    assert walk.heard() == [2]


def test_silence_goes_on_when_the_time_is_up() -> None:
    walk = Walk()
    assert walk.last.wake_at == NOW + timedelta(hours=1)
    walk.at(60)
    assert walk.steps == ["q", "end"]


def test_a_text_that_came_too_late_is_no_answer_however_late_it_is_looked_at() -> None:
    walk = Walk()
    walk.at(90, text("a", 61, 1))
    assert walk.steps == ["q", "end"] and walk.heard() == []
    punctual = Walk()
    punctual.at(90, text("a", 60, 1))
    assert punctual.steps == ["q", "a", "b", "end"]


def test_a_question_that_was_not_sent_waits_for_nothing() -> None:
    walk = Walk(ask=lambda ask: SKIP if ask.send.step == "q" else ALLOW)
    assert walk.steps == ["q", "end"] and walk.last.status is Status.FINISHED


def test_a_reply_knows_which_text_it_answers() -> None:
    asked: list[Any] = []
    walk = Walk(ask=lambda ask: asked.append(ask) or ALLOW)
    walk.at(5, text("hm", 4, 1))
    assert [ask.answers for ask in asked] == [None, NOW + timedelta(minutes=4)]


def test_agreement_is_the_answer_and_no_other_event() -> None:
    """An order that a wait took up in between is no agreement to anything."""
    listen = Listen("q", (Choice(2, ("a",)),), 1, "hours")
    wait = WaitForEvent("w", ("order_created",), 1, "days", since="wait")
    walk = Walk(QUESTION, listen, wait, Agree("g"))
    walk.at(5, text("a", 5, 1))
    walk.at(9, PastEvent("order_created", NOW + timedelta(minutes=9), id=2))
    assert walk.last.status is Status.FINISHED
    assert [doing for doing in walk.doings if isinstance(doing, doings.Agreeing)] == [doings.Agreeing("g", 1)]


def test_without_an_answer_nobody_agrees() -> None:
    walk = Walk(QUESTION, Listen("q", (Choice(2, ("a",)),), 1, "hours"), Agree("g"))
    walk.at(60)
    assert walk.last.status is Status.FINISHED and walk.doings == []
