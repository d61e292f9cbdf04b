"""What happens to somebody in a flow when the flow changes: the table of docs/editing.md, row by row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_plugin.audience.filters import Facts, PastEvent
from smsflow_plugin.engine.interpreter import Ask, State, Status, interpret
from smsflow_plugin.engine.transfer import Passage, transfer
from smsflow_plugin.flows.program import Program
from smsflow_plugin.governance.rules import Decision, Reason, Verdict
from tests.versions.trees import Node, ask, branch, event, program, send, tag, wait

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
ZONE = "America/New_York"


class Person:
    """Somebody in a flow: runs its program, remembers what they got, and moves along when told."""

    def __init__(self, running: Program, events: tuple[PastEvent, ...] = ()) -> None:
        self.program = running
        self.state = State()
        self.now = NOON
        self.got: list[str] = []
        self.names: list[tuple[str, int]] = []
        self.tags: list[str] = []
        self.events = events
        self.status = Status.WAITING
        self.wake_at: datetime | None = NOON
        self.defers: list[bool] = []

    def run(self) -> Person:
        facts = Facts({"tags": []}, NOON, {}, tuple(e for e in self.events if e.occurred_at <= self.now), key="ada")
        outcome = interpret(self.program, self.state, facts, self.now, zone=ZONE, ask=self._decide)
        self.state, self.status, self.wake_at = outcome.state, outcome.status, outcome.wake_at
        self.tags += [doing.tag for doing in outcome.doings if hasattr(doing, "tag")]
        return self

    def _decide(self, request: Ask) -> Decision:
        if self.defers and self.defers.pop():
            return Decision(Verdict.DEFER, Reason.QUIET_HOURS, until=self.now + timedelta(hours=3))
        self.names.append((request.send.step, request.visit))
        self.got.append(request.send.step + request.send.part + ":" + request.send.texts[""])
        return Decision(Verdict.ALLOW, Reason.ALLOWED)

    def later(self, **delta: float) -> Person:
        self.now += timedelta(**delta)
        return self.run()

    def move(self, new: Program) -> Person:
        moved = transfer(self.state, self.program, new)
        self.program = new
        if moved is None:
            self.status, self.wake_at = Status.FINISHED, None
        else:
            self.state = moved
        return self

    def to_the_end(self) -> Person:
        for _ in range(200):
            if self.status is not Status.WAITING:
                return self
            assert self.wake_at is not None
            self.now = max(self.now, self.wake_at)
            self.run()
        raise AssertionError("They never came to the end.")

    @property
    def texts(self) -> str:
        return " ".join(name.partition(":")[0] for name in self.got)


A, B, C, N = send("A"), send("B"), send("C"), send("N")
W, V = wait("W"), wait("V", 48)
OLD = program(A, W, B, V, C)


def waiting_at_w() -> Person:
    return Person(OLD).run()


# Copy ------------------------------------------------------------------------------------------


def test_copy_before_the_new_words_go() -> None:
    person = waiting_at_w().move(program(A, W, B.having("New."), V, C)).to_the_end()
    assert person.got == ["A:Hi.", "B:New.", "C:Hi."]


def test_copy_waiting_a_text_that_was_put_off_goes_in_its_new_words_when_it_was_to_go() -> None:
    person = waiting_at_w()
    person.defers = [True]
    person.later(hours=24)
    until = person.state.waiting_until
    person.move(program(A, W, B.having("New."), V, C))
    assert until is not None and person.state.waiting_until == until
    assert person.to_the_end().got == ["A:Hi.", "B:New.", "C:Hi."]


def test_copy_past_nothing_is_said_again() -> None:
    person = waiting_at_w().move(program(A.having("New."), W, B, V, C)).to_the_end()
    assert person.got == ["A:Hi.", "B:Hi.", "C:Hi."]


# Delay -----------------------------------------------------------------------------------------


def test_delay_before_the_new_time_counts() -> None:
    person = waiting_at_w().move(program(A, W, B, wait("V", 1), C)).to_the_end()
    assert person.now == NOON + timedelta(hours=25)


@pytest.mark.parametrize(("hours", "ends"), [(48, 48), (12, 12), (2, 6)])
def test_delay_waiting_the_new_time_is_counted_from_when_they_came_to_it(hours: int, ends: int) -> None:
    person = waiting_at_w()
    person.now += timedelta(hours=6)
    person.move(program(A, wait("W", hours), B))
    person.run().to_the_end()
    assert (person.now, person.texts) == (NOON + timedelta(hours=ends), "A B")


def test_delay_past_changes_nothing() -> None:
    person = waiting_at_w().later(hours=24)
    until = person.state.waiting_until
    person.move(program(A, wait("W", 500), B, V, C))
    assert person.state.waiting_until == until
    assert person.to_the_end().texts == "A B C"


# Removed ---------------------------------------------------------------------------------------


def test_removed_before_they_pass_on_without_it() -> None:
    assert waiting_at_w().move(program(A, W, C)).to_the_end().texts == "A C"


def test_removed_waiting_they_go_on_with_the_next_step_that_is_left() -> None:
    person = waiting_at_w().move(program(A, V, C)).run()
    assert person.state.waiting_until == NOON + timedelta(hours=48)
    assert person.to_the_end().texts == "A C"


def test_removed_waiting_what_stands_in_its_place_is_done() -> None:
    person = waiting_at_w().move(program(A, wait("X", 5), B)).run()
    assert (person.texts, person.state.waiting_until) == ("A", NOON + timedelta(hours=5))


def test_removed_waiting_with_nothing_left_behind_it_they_are_through() -> None:
    person = waiting_at_w().move(program(A))
    assert (person.status, person.texts) == (Status.FINISHED, "A")


def test_removed_past_changes_nothing() -> None:
    assert waiting_at_w().move(program(W, B, V, C)).to_the_end().texts == "A B C"


# Added -----------------------------------------------------------------------------------------


def test_added_before_it_is_done() -> None:
    assert waiting_at_w().move(program(A, W, N, B, V, C)).to_the_end().texts == "A N B C"


def test_added_past_it_is_left_out() -> None:
    assert waiting_at_w().move(program(N, A, W, B, V, C)).to_the_end().texts == "A B C"


def test_added_for_somebody_who_has_not_begun_everything_is_new() -> None:
    assert Person(OLD).move(program(N, A, W, B)).run().to_the_end().texts == "N A B"


# Moved -----------------------------------------------------------------------------------------


def test_moved_before_it_is_done_in_its_new_place() -> None:
    assert waiting_at_w().move(program(A, W, C, V, B)).to_the_end().texts == "A C B"


def test_moved_waiting_they_wait_on_and_what_stands_behind_it_now_follows() -> None:
    person = waiting_at_w()
    until = person.state.waiting_until
    person.move(program(A, B, W, C))
    assert person.state.waiting_until == until
    # B stands before the wait now: who waits does not go back for it
    assert person.to_the_end().texts == "A C"


def test_moved_past_a_text_that_they_got_does_not_come_again() -> None:
    assert waiting_at_w().move(program(W, B, A, C)).to_the_end().texts == "A B C"


def test_moved_past_what_was_done_with_a_person_is_not_done_again() -> None:
    person = Person(program(tag("T"), W, B)).run().move(program(W, B, tag("T"))).to_the_end()
    assert person.tags == ["T"]


def test_moved_past_a_way_that_was_not_taken_may_still_come() -> None:
    old = program(branch("I", (A,), (N,)), W, B)
    assert Person(old).run().move(program(W, B, N)).to_the_end().texts == "A B N"


# Asking and waiting for something --------------------------------------------------------------


def answer(hours: int, body: str = "yes") -> PastEvent:
    return PastEvent("message_received", NOON + timedelta(hours=hours), "", {"body": body}, id=7)


def test_who_was_asked_can_still_answer_after_the_move() -> None:
    person = Person(program(ask("Q", (B,), (C,))), (answer(2),)).run()
    asked = person.state.asked_at
    person.move(program(N, ask("Q", (B,), (C,)), V))
    assert asked is not None and person.state.asked_at == asked
    assert person.later(hours=2).texts == "Q Qreply B"


def test_a_question_that_was_answered_is_not_asked_again_and_its_answer_counts() -> None:
    person = Person(program(ask("Q"), W, B), (answer(2),)).run().later(hours=2)
    person.move(program(W, ask("Q", (N,), (C,)), B)).to_the_end()
    assert person.texts == "Q Qreply N B"


def test_a_shorter_time_to_answer_is_counted_from_the_question() -> None:
    person = Person(program(ask("Q", (B,), (C,), hours=24))).run()
    person.move(program(ask("Q", (B,), (C,), hours=6))).run()
    assert person.state.waiting_until == NOON + timedelta(hours=6)


def test_a_wait_for_an_event_that_is_gone_goes_on_as_if_nothing_had_happened() -> None:
    person = Person(program(event("E", (A,), (B,)), C)).run()
    assert person.move(program(B, C)).run().texts == "B C"


def test_who_stood_behind_a_branch_does_not_get_what_was_added_to_one_of_its_ways() -> None:
    old = program(branch("I", (A,), ()), W, B)
    new = program(Node("branch", "I", {"all": []}, ((A, N), ())), B)
    assert Person(old).run().move(new).to_the_end().texts == "A B"


def test_somebody_waits_on_only_where_nothing_changed_for_them() -> None:
    state = waiting_at_w().state
    for new, same in (
        (program(A, W, B, wait("V", 1), C), True),
        (program(N, A, W, B), True),
        (program(A, wait("W", 1), B), False),
        (program(A, V, C), False),
        (replace(OLD, exits=("order_created",)), False),
    ):
        passage = Passage(OLD, new)
        moved = passage.transfer(state)
        assert moved is not None
        assert passage.waits_on(state, moved) is same


# Any flow, any change --------------------------------------------------------------------------

KINDS = ("send", "send", "wait", "tag", "branch", "ask", "event")


@st.composite
def trees(draw: Any, prefix: str = "o", depth: int = 2, size: int = 4) -> tuple[Node, ...]:
    nodes = []
    for n in range(draw(st.integers(1, size))):
        kind = draw(st.sampled_from(KINDS))
        name = f"{prefix}{n}"
        if kind in ("branch", "ask", "event"):
            ways = tuple(
                draw(trees(f"{name}{way}", depth - 1, 2)) if depth and draw(st.booleans()) else () for way in "yn"
            )
            value = draw(st.sampled_from([{"all": []}, {"any": []}])) if kind == "branch" else 24
            nodes.append(Node(kind, name, value, ways))
        else:
            nodes.append(Node(kind, name, {"send": "Hi.", "wait": 24, "tag": name}[kind]))
    return tuple(nodes)


def leaves(nodes: tuple[Node, ...]) -> list[Node]:
    return [leaf for node in nodes for leaf in (replace(node, ways=tuple(() for _ in node.ways)), *_below(node))]


def _below(node: Node) -> list[Node]:
    return [leaf for way in node.ways for leaf in leaves(way)]


@st.composite
def edits(draw: Any, nodes: tuple[Node, ...], turn: int) -> tuple[Node, ...]:
    """Take some steps out, change some, add some, and put all of them together in another way."""
    kept = [node for node in leaves(nodes) if draw(st.integers(0, 3))]
    if draw(st.booleans()):
        kept = list(draw(st.permutations(kept)))
    changed = [
        replace(node, value=draw(st.sampled_from([1, 24, 100]))) if node.kind in ("wait", "ask", "event") else node
        for node in kept
    ]
    fresh = draw(trees(f"new{turn}.", 1, 2))
    at = draw(st.integers(0, len(changed)))
    pool = [*changed[:at], *fresh, *changed[at:]]
    return draw(nested(pool))


@st.composite
def nested(draw: Any, pool: list[Node], depth: int = 3) -> tuple[Node, ...]:
    out: list[Node] = []
    while pool:
        node = pool.pop(0)
        if node.kind in ("branch", "ask", "event") and not any(node.ways) and depth:
            ways = []
            for _ in node.ways:
                take = draw(st.integers(0, min(2, len(pool))))
                inner, pool[:] = pool[:take], pool[take:]
                ways.append(draw(nested(inner, depth - 1)))
            node = replace(node, ways=tuple(ways))
        out.append(node)
    return tuple(out)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_nobody_gets_anything_twice_and_nobody_is_lost_whatever_is_changed(data: Any) -> None:
    nodes = data.draw(trees())
    events = tuple(
        PastEvent("message_received", NOON + timedelta(hours=hour), "", {"body": body}, id=n + 1)
        for n, (hour, body) in enumerate(
            data.draw(st.lists(st.tuples(st.integers(0, 90), st.sampled_from(["yes", "what"])), max_size=3))
        )
    ) + tuple(
        PastEvent("order_created", NOON + timedelta(hours=hour), "", {}, id=100 + hour)
        for hour in data.draw(st.lists(st.integers(0, 90), max_size=1))
    )
    person = Person(program(*nodes), tuple(sorted(events, key=lambda e: e.occurred_at)))
    person.defers = data.draw(st.lists(st.booleans(), max_size=6))
    if data.draw(st.booleans()):
        person.run()
    for turn in range(data.draw(st.integers(1, 3))):
        for _ in range(data.draw(st.integers(0, 3))):
            if person.status is Status.WAITING and person.wake_at:
                person.now = max(person.now, person.wake_at)
                person.run()
        if person.status is not Status.WAITING:
            break
        nodes = data.draw(edits(nodes, turn))
        person.move(program(*nodes))
        if person.status is Status.WAITING:
            person.run()
    person.to_the_end()
    assert len(set(person.names)) == len(person.names)
    # "again" and replies are said in turns of their own step; every text of the form goes once at most
    said = [name.partition(":")[0] for name in person.got]
    assert len(set(said)) == len(said)
    assert len(set(person.tags)) == len(person.tags)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_moving_to_the_same_flow_changes_nothing(data: Any) -> None:
    running = program(*data.draw(trees()))
    person = Person(running).run()
    if person.status is Status.WAITING:
        assert transfer(person.state, running, running) == person.state
