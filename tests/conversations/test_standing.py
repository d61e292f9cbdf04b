"""What a text makes of a conversation, whatever came before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.conversations.standing import (
    CLOSED,
    HAND_BACK_AFTER,
    OPEN,
    SNOOZED,
    WAIT_FOR_STAFF,
    Heard,
    Needs,
    Standing,
    after_hand_over,
    after_staff,
    after_text,
)

NOW = datetime(2026, 3, 4, 16, 0, tzinfo=UTC)
MOMENTS = st.integers(-100, 100).map(lambda minutes: NOW + timedelta(minutes=minutes))
STANDINGS = st.builds(
    Standing,
    state=st.sampled_from([OPEN, SNOOZED, CLOSED]),
    needs=st.sampled_from(list(Needs)),
    unread=st.integers(0, 3),
    heard_at=st.none() | MOMENTS,
    last_at=MOMENTS,
    last_words=st.just("before"),
    last_from_person=st.booleans(),
    opened_at=st.just(NOW),
    hand_back_at=st.none() | MOMENTS,
)


@given(st.none() | STANDINGS, st.lists(st.builds(Heard, MOMENTS, st.text(max_size=300), st.booleans()), max_size=5))
def test_no_text_that_nobody_took_is_overlooked(before: Standing | None, texts: list[Heard]) -> None:
    standing = before
    moments = [before.last_at] if before else []
    for one in texts:
        standing = after_text(standing, one)
        moments += [one.at] if standing else []
    if any(one.opens for one in texts):
        assert standing is not None
        assert standing.state == OPEN
        assert standing.unread >= 1
    if standing is not None and texts:
        assert len(standing.last_words) <= 160
        assert standing.heard_at is not None
        assert standing.last_at == max(moments)


def test_what_a_flow_took_opens_nothing_and_wakes_what_goes_on() -> None:
    taken = Heard(NOW, "A")
    assert after_text(None, taken) is None
    closed = after_text(Standing(state=CLOSED, last_at=NOW), taken)
    assert closed is not None
    assert (closed.state, closed.unread, closed.last_words) == (CLOSED, 0, "A")
    snoozed = after_text(Standing(state=SNOOZED, snoozed_until=NOW, last_at=NOW), taken)
    assert snoozed is not None
    assert (snoozed.state, snoozed.unread, snoozed.snoozed_until) == (OPEN, 1, None)


def test_who_answers_staff_is_told_apart_from_who_asks() -> None:
    said = after_staff(None, NOW, "Hello", taken_over=True)
    assert (said.state, said.needs, said.unread, said.hand_back_at) == (OPEN, "started", 0, NOW + HAND_BACK_AFTER)
    answered = after_text(said, Heard(NOW + timedelta(hours=2), "Thanks"))
    assert answered is not None
    assert (answered.needs, answered.unread) == ("told", 1)
    assert answered.hand_back_at == NOW + timedelta(hours=26)


def test_whom_a_flow_hands_over_waits_for_staff_over_a_weekend() -> None:
    standing = after_hand_over(None, NOW)
    assert (standing.state, standing.needs, standing.unread) == (OPEN, "person", 1)
    assert standing.hand_back_at == NOW + WAIT_FOR_STAFF
    assert after_hand_over(standing, NOW).unread == 1
