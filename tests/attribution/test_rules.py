"""Which text an order is credited to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.attribution import crediting
from smsflow_plugin.attribution.rules import CLICK, CODE, DELIVERED, Credit, Gift, Text, Window, credit

ORDERED = datetime(2026, 3, 4, 16, 0, tzinfo=UTC)
DAYS, OFF_AND_ON = Window(5), (Window(5), Window(5, 24))


def ago(**delta: float) -> datetime:
    return ORDERED - timedelta(**delta)


def text(pk: int = 1, **values: Any) -> Text:
    return Text(**{"pk": pk, "message_class": "marketing", "queued_at": ago(days=3), **values})


def won(*texts: Text, codes: tuple[str, ...] = (), gifts: tuple[Gift, ...] = (), window: Window = DAYS) -> Any:
    found = credit(ORDERED, codes, texts, gifts, window)
    return (found.text.pk, found.model) if found else None


def test_the_text_that_was_clicked_last_wins() -> None:
    first = text(1, clicks=(ago(hours=30), ago(hours=2)))
    second = text(2, clicks=(ago(hours=20),), queued_at=ago(hours=21))
    assert won(first, second) == (1, CLICK)


def test_a_text_that_only_arrived_gets_nothing_by_default() -> None:
    assert won(text(delivered_at=ago(hours=1))) is None


def test_a_store_may_give_credit_for_arriving_and_it_is_named_so() -> None:
    older, newer = text(1, delivered_at=ago(hours=9)), text(2, delivered_at=ago(hours=1))
    assert won(older, newer, window=Window(5, 24)) == (2, DELIVERED)
    assert won(older, newer, window=Window(5, 1)) == (2, DELIVERED)
    assert won(text(delivered_at=ago(hours=25)), window=Window(5, 24)) is None
    assert won(text(delivered_at=ago(hours=1), message_class="service"), window=Window(5, 24)) is None


def test_a_click_counts_within_the_window_and_before_the_order() -> None:
    assert won(text(clicks=(ago(days=5),))) == (1, CLICK)
    assert won(text(clicks=(ago(days=5, seconds=1),))) is None
    assert won(text(clicks=(ORDERED,))) is None
    assert won(text(clicks=(ORDERED + timedelta(minutes=1),))) is None


def test_a_code_of_ours_tells_where_an_order_came_from_if_nobody_clicked() -> None:
    gift = Gift("spring", "SPRING", 7, ago(days=9))
    told, silent = text(1, told=frozenset({"spring"}), queued_at=ago(days=8)), text(2, enrollment_id=7)
    assert won(told, silent, codes=("spring",), gifts=(gift,)) == (1, CODE)
    assert won(told, silent, codes=("other",), gifts=(gift,)) is None
    assert won(told, silent, text(3, clicks=(ago(hours=1),)), codes=("spring",), gifts=(gift,)) == (3, CLICK)


def test_a_code_that_stands_in_no_words_belongs_to_its_run() -> None:
    gift = Gift("spring", "SPRING", 7, ago(days=2))
    before, after = text(1, enrollment_id=7), text(2, enrollment_id=7, queued_at=ago(days=1))
    stranger = text(3, enrollment_id=8, queued_at=ago(hours=1))
    assert won(before, after, stranger, codes=("spring",), gifts=(gift,)) == (2, CODE)
    assert won(before, stranger, codes=("spring",), gifts=(gift,)) is None


def test_tests_and_answers_get_nothing_and_service_texts_only_what_was_clicked() -> None:
    clicked = (ago(hours=1),)
    assert won(text(clicks=clicked, message_class="reply")) is None
    for purpose in ("test", "test_run", "test_answer"):
        assert won(text(clicks=clicked, purpose=purpose)) is None
    assert won(text(clicks=clicked, message_class="service")) == (1, CLICK)


def test_a_credit_explains_itself() -> None:
    found = credit(ORDERED, (), [text(1, clicks=(ago(hours=3),)), text(2, clicks=(ago(hours=5),))], (), DAYS)
    assert found is not None
    assert found.clicked_at == ago(hours=3)
    assert found.because == {
        "model": "click", "days": 5, "delivered_hours": 0, "clicks_in_all": 2,
        "clicks": [
            {"message": 1, "clicked_at": "2026-03-04T13:00:00+00:00"},
            {"message": 2, "clicked_at": "2026-03-04T11:00:00+00:00"},
        ],
    }  # fmt: skip


moments = st.integers(-60, 60 * 24 * 8).map(lambda minutes: ago(minutes=minutes))
texts = st.lists(
    st.builds(
        lambda pk, **values: text(pk, **values),
        st.integers(1, 30),
        message_class=st.sampled_from(("marketing", "service", "reply")),
        purpose=st.sampled_from(("flow", "flow", "test_run")),
        queued_at=moments,
        delivered_at=st.none() | moments,
        clicks=st.lists(moments, max_size=2).map(tuple),
        told=st.sampled_from((frozenset(), frozenset({"a"}))),
        enrollment_id=st.sampled_from((None, 1)),
    ),
    max_size=6,
    unique_by=lambda one: one.pk,
)
gifts = st.lists(st.builds(Gift, st.sampled_from("ab"), st.just("A"), st.sampled_from((None, 1)), moments), max_size=2)


@given(texts, gifts, st.sampled_from(OFF_AND_ON), st.randoms(use_true_random=False))
def test_the_order_of_texts_decides_nothing(texts: Any, gifts: Any, window: Window, random: Any) -> None:
    shuffled = random.sample(texts, len(texts))
    assert credit(ORDERED, ("a",), texts, gifts, window) == credit(ORDERED, ("a",), shuffled, gifts, window)


@given(texts, gifts, st.sampled_from(OFF_AND_ON))
def test_whoever_gets_credit_could_have_earned_it(texts: Any, gifts: Any, window: Window) -> None:
    found: Credit | None = credit(ORDERED, ("a",), texts, gifts, window)
    clicked = [at for one in texts if one.counts for at in one.clicks if window.opens(ORDERED) <= at < ORDERED]
    if found is None:
        assert not clicked
        return
    assert found.text.counts
    if clicked:
        assert (found.model, found.clicked_at) == (CLICK, max(clicked))
    elif found.model == CODE:
        assert found.text.queued_at < ORDERED
    else:
        assert window.delivered_hours and found.model == DELIVERED


def test_a_code_is_named_as_a_word_of_its_own() -> None:
    for words in ("take spring.", "spring", "code: (spring)"):
        assert crediting._says(words, "spring")
    for words in ("springs are here", "spring-sale", "offspring", "save10 now"):
        assert not crediting._says(words, "spring")
    assert not crediting._says("save10 now", "save1")
