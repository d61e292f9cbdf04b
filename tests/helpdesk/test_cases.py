"""A case is open until its last end, whatever the order in which a help desk tells of it."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.audience.cases import CLOSED, COUNTS_FOR, KINDS, OPENED, UPDATED, is_open, last_heard
from tests.conftest import NOON

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", "3"]),
        st.sampled_from(KINDS),
        st.integers(0, 20).map(lambda hours: NOON + timedelta(hours=hours)),
    ),
    max_size=12,
)


@given(EVENTS, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(events: list, random: object) -> None:
    told = [*events, *events[:3]]
    random.shuffle(told)  # type: ignore[attr-defined]
    assert last_heard(told) == last_heard(events)


@given(EVENTS)
def test_it_counts_until_the_last_case_is_closed(events: list) -> None:
    """Against the plain story: told one after the other, the end last of the same moment."""
    state: dict[str, bool] = {}
    for case, kind, _at in sorted(events, key=lambda event: (event[2], event[1] == CLOSED)):
        if kind != UPDATED:
            state[case] = kind == OPENED
    assert (last_heard(events) is not None) == any(state.values())


@given(EVENTS)
def test_closing_every_case_ends_it(events: list) -> None:
    ends = [(case, CLOSED, NOON + timedelta(hours=30)) for case in ("1", "2", "3")]
    assert last_heard([*events, *ends]) is None


def test_news_of_a_case_lets_it_count_longer_and_never_opens_it() -> None:
    day = timedelta(days=1)
    assert last_heard([("1", UPDATED, NOON)]) is None
    assert last_heard([("1", OPENED, NOON), ("1", UPDATED, NOON + 20 * day)]) == NOON + 20 * day
    closed = [("1", OPENED, NOON), ("1", CLOSED, NOON + day), ("1", UPDATED, NOON + 2 * day)]
    assert last_heard(closed) is None


def test_a_case_that_nobody_closes_counts_for_thirty_days() -> None:
    assert not is_open(None, NOON)
    assert is_open(NOON, NOON + COUNTS_FOR - timedelta(seconds=1))
    assert not is_open(NOON, NOON + COUNTS_FOR)
    assert timedelta(days=30) == COUNTS_FOR
