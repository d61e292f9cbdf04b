"""Who takes a text: the order, whatever is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.conversations.routing import (
    MOST_IN_AN_HOUR,
    ONE_ANSWER_IN,
    By,
    Earlier,
    KeywordLine,
    Known,
    Text,
    in_office,
    route,
)

NOW = datetime(2026, 3, 4, 16, 0, tzinfo=UTC)
HOURS = KeywordLine(1, ("hours", "opening times"), answers=True)


def text(body: str = "Hello", **values: Any) -> Text:
    return Text(body, NOW, **{"sender": "+12025550101", "known_at": NOW, **values})


ANYTHING = st.builds(
    Known,
    asked=st.none() | st.just((1, 2)),
    handed_over=st.booleans(),
    keywords=st.lists(st.just(HOURS) | st.just(KeywordLine(2, ("hello",), flow=9)), max_size=2),
    named=st.lists(st.just(5), max_size=1),
    any_text=st.lists(st.just(6), max_size=1),
    responds=st.booleans(),
    in_office=st.booleans(),
    own=st.just(()) | st.just(("+12025550101",)),
    earlier=st.lists(
        st.builds(
            Earlier,
            st.integers(0, 30).map(lambda hours: NOW - timedelta(hours=hours)),
            st.sampled_from(["hello", "hours", "x"]),
            st.sampled_from([by.value for by in By]),
        ),
        max_size=20,
    ),
)
TEXTS = st.builds(
    text,
    st.sampled_from(["Hello", "hours!", "Opening  TIMES", "x"]),
    keyword=st.none() | st.sampled_from(["stop", "help", "start", "unclear"]),
    sender=st.sampled_from(["+12025550101", "12345", "BANK", "+4592451000"]),
    known_at=st.sampled_from([NOW, NOW + timedelta(minutes=30), NOW + timedelta(hours=9)]),
)


@given(TEXTS, ANYTHING)
def test_the_order_holds_whatever_is_known(said: Text, known: Known) -> None:
    taken = route(said, known)
    if said.keyword:
        assert taken.by in (By.STOP, By.HELP, By.START, By.UNCLEAR)
    elif known.asked:
        assert (taken.by, taken.enrollment, taken.flows) == (By.QUESTION, 1, (2,))
    elif known.handed_over:
        assert taken.by is By.STAFF
    elif taken.by not in (By.KEYWORD, By.FLOW):
        assert taken.by in (By.ANY_TEXT, By.AUTORESPONDER, By.INBOX)
        assert taken.by is By.ANY_TEXT or taken.opens, "nobody has taken it, and nobody sees it"
    if taken.by is By.FLOW:
        assert not any(line for line in known.keywords if said.body.casefold().strip("!") in line.words)


@given(TEXTS, ANYTHING)
def test_a_machine_is_never_answered(said: Text, known: Known) -> None:
    taken = route(said, known)
    machine = not said.sender.startswith("+") or said.sender in known.own
    lately = [one for one in known.earlier if NOW - one.at < timedelta(hours=1)]
    if (machine or len(lately) >= MOST_IN_AN_HOUR) and not said.keyword and not known.asked:
        assert not taken.answers
        assert not taken.flows


@given(TEXTS, ANYTHING)
def test_nobody_gets_a_second_answer_by_itself_within_a_day(said: Text, known: Known) -> None:
    taken = route(said, known)
    answered = any(one.by in (By.ANY_TEXT, By.AUTORESPONDER) and NOW - one.at < ONE_ANSWER_IN for one in known.earlier)
    assert not (answered and taken.by in (By.ANY_TEXT, By.AUTORESPONDER))


@pytest.mark.parametrize(
    ("body", "match", "found"),
    [
        ("HOURS", "whole", True),
        ("hours?", "whole", True),
        ("Your hours", "whole", False),
        ("hours please", "first", True),
        ("hoursglass", "first", False),
        ("What are your hours today?", "anywhere", True),
        ("What is an hoursglass?", "anywhere", False),
        ("Opening-times?", "whole", True),
        ("", "anywhere", False),
    ],
)
def test_a_line_finds_its_words(body: str, match: str, found: bool) -> None:
    line = KeywordLine(1, ("hours", "opening times"), match, answers=True)
    assert (route(text(body), Known(keywords=[line])).by is By.KEYWORD) == found


def test_a_whole_text_goes_before_a_word_in_it_wherever_the_lines_stand() -> None:
    lines = [KeywordLine(1, ("hours",), "anywhere"), KeywordLine(2, ("opening hours",), "whole")]
    assert route(text("Opening hours"), Known(keywords=lines)).keyword == 2
    assert route(text("your opening hours"), Known(keywords=lines)).keyword == 1


def test_the_same_words_again_get_no_second_answer_but_are_still_taken() -> None:
    again = Known(keywords=[HOURS], earlier=[Earlier(NOW - timedelta(minutes=5), "hours", "keyword")])
    taken = route(text("Hours"), again)
    assert (taken.by, taken.answers, taken.why) == (By.KEYWORD, False, "same_text")
    later = Known(keywords=[HOURS], earlier=[Earlier(NOW - timedelta(minutes=50), "hours", "keyword")])
    assert route(text("Hours"), later).answers


def test_an_autoresponder_is_silent_in_office_hours_and_staff_sees_the_text_in_any_case() -> None:
    out = route(text(), Known(responds=True))
    assert (out.by, out.answers, out.opens) == (By.AUTORESPONDER, True, True)
    here = route(text(), Known(responds=True, in_office=True))
    assert (here.by, here.why, here.answers, here.opens) == (By.INBOX, "office_hours", False, True)


def test_what_is_heard_of_hours_later_is_answered_by_nobody_but_staff() -> None:
    late = text("hours", known_at=NOW + timedelta(hours=9))
    taken = route(late, Known(keywords=[HOURS]))
    assert (taken.answers, taken.opens) == (False, True)
    help_ = route(Text("HELP", NOW, "+12025550101", "help", NOW + timedelta(hours=9)), Known())
    assert (help_.by, help_.why, help_.opens) == (By.HELP, "late", True)
    assert route(text(known_at=NOW + timedelta(hours=9)), Known(responds=True, any_text=[6])).why == "late"


@pytest.mark.parametrize(
    ("hours", "at", "there"),
    [
        ({"wed": ["09:00", "17:00"]}, (9, 0), True),
        ({"wed": ["09:00", "17:00"]}, (17, 0), False),
        ({"wed": ["09:00", "17:00"]}, (8, 59), False),
        ({"thu": ["09:00", "17:00"]}, (12, 0), False),
        ({"wed": ["20:00", "02:00"]}, (23, 0), True),
        ({"tue": ["20:00", "02:00"]}, (1, 59), True),
        ({"tue": ["20:00", "02:00"]}, (2, 0), False),
        ({}, (12, 0), False),
        ({"wed": "nonsense"}, (12, 0), False),
        ({"wed": ["9", None]}, (12, 0), False),
    ],
)
def test_office_hours_are_read_by_the_clock_there(hours: dict[str, Any], at: tuple[int, int], there: bool) -> None:
    assert in_office(hours, NOW.replace(hour=at[0], minute=at[1])) is there
